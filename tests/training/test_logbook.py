import csv
import errno
import os

import pytest
from tensorboard.summary.writer.record_writer import RecordWriter

from unveil.errors import TrainingError
from unveil.training.logbook import LOG_COLUMNS, Logbook


def rows(out):
    with open(out / "log.csv", encoding="utf-8", newline="") as file:
        heading, *rest = csv.reader(file)
    assert heading == list(LOG_COLUMNS)
    return rest


def write(out, *lines):
    text = "\r\n".join([",".join(LOG_COLUMNS), *lines])
    (out / "log.csv").write_text(text, encoding="utf-8", newline="")


def test_a_resumed_log_has_each_step_once_and_its_time_goes_on(tmp_path):
    kept = ["10,40,5.5,mask,0.5", "20,80,61.25,mask,0.25", "20,80,61.5,mask_iou,0.125"]
    # After the checkpoint came another step, and a kill in the middle of a line.
    write(tmp_path, *kept, "30,120,90.0,mask,0.2", "40,160,1")
    with Logbook(tmp_path, 100, 4, step=20) as log:
        log.step(30, 120, {"mask": 0.2}, 1.0)
    *before, after = rows(tmp_path)
    assert [",".join(row) for row in before] == kept
    assert (after[0], after[3:]) == ("30", ["mask", "0.2"])
    assert float(after[2]) == pytest.approx(61.5, abs=5)
    assert float(after[2]) >= 61.5


def test_a_log_of_a_run_without_a_checkpoint_is_started_anew(tmp_path):
    write(tmp_path, "10,40,5.5,mask,0.5")
    with Logbook(tmp_path, 100, 4):
        assert rows(tmp_path) == []


def test_another_process_leaves_the_log_alone(tmp_path):
    write(tmp_path, "10,40,5.5,mask,0.5")
    with Logbook(tmp_path, 100, 4, enabled=False) as log:
        log.step(10, 40, {"mask": 0.2}, 1.0)
    assert len(rows(tmp_path)) == 1


def test_a_full_disk_is_told_in_a_line(tmp_path, monkeypatch, capfd):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def many_steps():
        with Logbook(tmp_path, 1000, 4) as log:
            monkeypatch.setattr(RecordWriter, "write", full)  # a thread of TensorBoard's calls it
            for step in range(1, 1000):
                log.step(step, 4 * step, {"mask": 0.2}, 1.0)

    message = "cannot write the log in .*: No space left on device; earlier checkpoints are whole"
    with pytest.raises(TrainingError, match=message):
        many_steps()
    assert "Traceback" not in capfd.readouterr().err
