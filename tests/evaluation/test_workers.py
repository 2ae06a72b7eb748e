import os

import cv2
import pytest

from unveil.errors import DataError
from unveil.evaluation.workers import processes


def test_processes_have_one_thread_and_a_killed_one_is_explained(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    with processes(1) as pool:
        assert pool.submit(os.getenv, "OMP_NUM_THREADS").result() == "1"
        assert pool.submit(cv2.getNumThreads).result() == 1
    with pytest.raises(DataError, match="fewer --jobs"), processes(1) as pool:
        pool.submit(os._exit, 1).result()
    assert os.environ["OMP_NUM_THREADS"] == "7"
    assert "OPENBLAS_NUM_THREADS" not in os.environ
