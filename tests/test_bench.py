from datetime import date

import pytest

from unveil.bench import Spread, run
from unveil.runtime.weights import find_weights


def test_spread():
    assert Spread.of([3.0, 1.0, 2.0, 9.0]) == Spread(1.0, 2.5, 9.0)


def test_measures_the_shipped_models():
    result = run(repeats=2, threads=(1,))
    assert {"paper/restore/1", "paper/find/1"} <= set(result.model_milliseconds)
    for spread in (result.shell_seconds, *result.model_milliseconds.values()):
        assert 0 < spread.minimum <= spread.median <= spread.maximum
    # Python with numpy, OpenCV and onnxruntime is more than 50 MB; the promise is under 400.
    assert result.peak_megabytes.minimum > 50
    assert result.peak_megabytes.maximum < 400
    for name, share in result.relative.items():
        model, threads = name.split("/")
        ours = result.model_milliseconds[f"{model}/restore/{threads}"].median
        theirs = result.model_milliseconds[f"paper/restore/{threads}"].median
        assert share == pytest.approx(ours / theirs, rel=0.01)
    told = result.to_dict()
    assert told["machine"]["python"].startswith("3.")
    assert told["weights"]["lite"]["face"] == find_weights("lite").file("face").sha256
    assert told["date"] == date.today().isoformat()
