import pytest

from unveil.evaluation.real_occluders import NOTHING, lead, tables, wilson


@pytest.mark.parametrize(
    ("found", "of", "interval"),
    # By hand, z = 1.96: of 20 the middle is (share + 0.09604) / 1.19208.
    [(0, 20, (0.0, 0.1611)), (10, 20, (0.2993, 0.7007)), (20, 20, (0.8389, 1.0))],
)
def test_wilsons_interval(found, of, interval):
    assert wilson(found, of) == pytest.approx(interval, abs=1e-4)


def test_what_is_found_by_mistake_comes_last():
    results = {
        "data": {"name": "faces", "photos": 1620},
        "kinds": {
            NOTHING: {"found": 4, "photos": 1600},
            "sunglasses": {"found": 15, "photos": 20},
        },
    }
    [table] = tables(results)
    assert [row[0] for row in table.rows] == ["sunglasses", "nothing, or a hat"]
    assert table.rows[0][1:3] == ("20", "15")
    assert table.rows[0][3].startswith("75 % (")
    assert table.rows[1][3] == "0.2 % (0.1 to 0.6)"
    assert "1,620 photos (faces)" in lead(results)
