import os
import sys
from datetime import date

import pytest

from unveil.bench import Spread, memory, peak_megabytes, run
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


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells it so")
def test_memory_is_told_in_megabytes_of_a_million_bytes():
    with open("/proc/self/statm", encoding="ascii") as file:
        pages = int(file.read().split()[1])
    assert memory("VmRSS") == pytest.approx(pages * os.sysconf("SC_PAGE_SIZE") / 1e6, rel=0.02)
    assert memory("VmHWM") == peak_megabytes() >= memory("VmRSS")
    assert memory("VmRSS", os.getpid()) == pytest.approx(memory("VmRSS"), rel=0.02)


def test_memory_that_nobody_tells_is_0():
    assert memory("no such field") == memory("VmRSS", 2**30) == 0
