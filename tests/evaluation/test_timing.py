import subprocess
import sys

import numpy as np
import pytest

from unveil.evaluation.candidates import specify
from unveil.evaluation.timing import measure

# A model that is not there, several times: what hangs now and then would do so once.
FAILING = """
from unveil.errors import WeightsError
from unveil.evaluation.candidates import Spec
from unveil.evaluation.timing import measure
if __name__ == "__main__":
    for _ in range(4):
        try:
            measure([Spec("nothing", "nothing")])
        except WeightsError as error:
            print(str(error).split(";")[0])
"""


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


def test_a_model_that_cannot_be_loaded_is_told_at_once(tmp_path):
    script = tmp_path / "failing.py"
    script.write_text(FAILING)
    done = subprocess.run(
        [sys.executable, script], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.split("\n") == ["no model 'nothing'"] * 4 + [""]
