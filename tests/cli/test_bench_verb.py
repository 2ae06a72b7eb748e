"""`unveil bench`; what it measures is tested in tests/test_bench.py."""


def test_where_its_results_cannot_be_written_nothing_is_measured(unveil, tmp_path):
    status, out, err = unveil("bench", "-o", tmp_path / "none" / "bench.json")
    assert (status, out) == (2, "")
    assert f"there is no folder {tmp_path / 'none'}" in err
