import numpy as np
import pytest

from unveil.evaluation.candidates import specify
from unveil.evaluation.timing import measure


def test_cost_of_models(model):
    results = measure([specify("telea"), specify(model)], rounds=2)
    assert list(results["models"]) == ["telea", "stand-in"]
    for name, cost in results["models"].items():
        ms = cost["milliseconds"]
        assert 0 < ms["minimum"] <= ms["median"] <= ms["maximum"]
        first = results["models"]["telea"]["milliseconds"]["median"]
        assert cost["relative"] == pytest.approx(ms["median"] / first, rel=0.01)
        assert cost["peak_megabytes"] > 30, name  # Python with numpy and OpenCV
    network = results["models"]["stand-in"]
    assert network["learned"]
    assert network["sha256"] == dict(specify(model).sha256)
    assert np.isfinite(network["file_bytes"])
