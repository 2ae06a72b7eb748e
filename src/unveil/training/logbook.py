"""What a run tells: progress bar, log.csv, TensorBoard scalars and images, sample grids."""

from __future__ import annotations

import csv
import io
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from torch.utils.tensorboard import SummaryWriter

from unveil.errors import TrainingError
from unveil.files import encode, write_bytes
from unveil.imaging import Photo

LOG_COLUMNS = ("step", "faces", "seconds", "name", "value")
SECONDS_BETWEEN_LINES = 60.0


class Logbook:
    """Keeps the log of a run.

    Args:
        out: folder of the run.
        total: optimiser steps of the whole run.
        batch_size: faces a step.
        step: the one that the run goes on from. What a log says of later ones is dropped, as the
            run takes them again; at 0 that is all, left by a run without a checkpoint.
        enabled: False in processes other than the first, which write nothing.

    Raises, whatever is told:
        TrainingError, ImageError: it cannot be written.
    """

    def __init__(
        self, out: Path, total: int, batch_size: int, *, step: int = 0, enabled: bool = True
    ) -> None:
        self.out, self.total, self.batch_size = out, total, batch_size
        self.first, self.enabled = step, enabled
        self._started = self._last = self._last_line = time.monotonic()
        self._rate = 0.0
        self._stack = ExitStack()

    def __enter__(self) -> Logbook:
        if not self.enabled:
            return self
        (self.out / "samples").mkdir(parents=True, exist_ok=True)
        self._stack.callback(setattr, threading, "excepthook", threading.excepthook)
        threading.excepthook = _quietly(threading.excepthook)
        self._board = SummaryWriter(str(self.out / "tensorboard"), purge_step=self.first + 1)
        self._stack.callback(self._board.close)
        path = self.out / "log.csv"
        rows = _rows_until(path, self.first)
        # The time that a run has taken goes on where its log ends.
        self._started -= max((float(row[2]) for row in rows), default=0.0)
        text = io.StringIO(newline="")
        csv.writer(text).writerows([LOG_COLUMNS, *rows])
        write_bytes(path, text.getvalue().encode())
        # A log is appended to line by line: a kill loses no more than the line being written.
        self._file = self._stack.enter_context(open(path, "a", newline="", encoding="utf-8"))
        self._csv = csv.writer(self._file)
        console = Console(stderr=True)
        self._tty = sys.stderr.isatty()
        self._bar = Progress(
            TextColumn("epoch {task.fields[epoch]:.2f}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]:.1f} images/s"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[losses]}"),
            console=console,
            disable=not self._tty,
        )
        self._stack.enter_context(self._bar)
        self._task = self._bar.add_task("", total=self.total, epoch=0.0, rate=0.0, losses="")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        with self._writing():
            self._stack.close()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Turn what the system says, on a full disk, into a TrainingError."""
        try:
            yield
        except OSError as error:
            raise TrainingError(
                f"cannot write the log in {self.out}: {error.strerror or error}; earlier "
                "checkpoints are whole"
            ) from error

    def step(self, step: int, faces: int, losses: dict[str, float], epoch: float) -> None:
        """One optimiser step is done, `faces` seen in all: losses by name."""
        if not self.enabled:
            return
        now = time.monotonic()
        rate = self.batch_size / max(now - self._last, 1e-9)
        self._rate = rate if not self._rate else 0.9 * self._rate + 0.1 * rate
        self._last = now
        text = " ".join(f"{k} {v:.4f}" for k, v in losses.items())
        self._bar.update(self._task, completed=step, epoch=epoch, rate=self._rate, losses=text)
        self._scalars(step, "loss/", losses)
        self._scalars(step, "", {"images_per_second": self._rate})
        if not self._tty and now - self._last_line > SECONDS_BETWEEN_LINES:
            self._last_line = now
            left = (self.total - step) * self.batch_size / self._rate / 3600
            print(
                f"step {step}/{self.total} epoch {epoch:.2f} {self._rate:.1f} images/s "
                f"{left:.1f} h left {text}",
                file=sys.stderr,
                flush=True,
            )
        if step % 10 == 0:
            self._rows(step, faces, losses)

    def validation(self, step: int, faces: int, values: dict[str, float]) -> None:
        """Validation measures at a checkpoint."""
        if not self.enabled:
            return
        self._scalars(step, "validation/", values)
        self._rows(step, faces, values)
        text = " ".join(f"{k} {v:.3f}" for k, v in values.items())
        self._bar.console.print(f"step {step}: {text}", highlight=False, soft_wrap=True)

    def samples(self, step: int, grid: Photo) -> None:
        """A grid of validation samples, HWC uint8."""
        if not self.enabled:
            return
        with self._writing():
            self._board.add_image("samples", grid, step, dataformats="HWC")
        write_bytes(self.out / "samples" / f"{step:07d}.png", encode(grid, "PNG"))

    def _scalars(self, step: int, group: str, values: dict[str, float]) -> None:
        with self._writing():
            for name, value in values.items():
                self._board.add_scalar(f"{group}{name}", value, step)

    def _rows(self, step: int, faces: int, values: dict[str, float]) -> None:
        seconds = round(time.monotonic() - self._started, 1)
        with self._writing():
            for name, value in values.items():
                self._csv.writerow((step, faces, seconds, name, f"{value:.6g}"))
            self._file.flush()


Hook = Callable[[threading.ExceptHookArgs], object]


def _quietly(hook: Hook) -> Hook:
    """Without the traceback of TensorBoard's thread, which gives its error to the next call too."""
    return lambda args: None if issubclass(args.exc_type, OSError) else hook(args)


def _rows_until(path: Path, step: int) -> list[list[str]]:
    """The whole rows of a log up to a step; none where there is no log."""
    if not step or not path.exists():
        return []
    with open(path, newline="", encoding="utf-8", errors="replace") as file:
        return [row for row in csv.reader(file) if _is_whole(row) and int(row[0]) <= step]


def _is_whole(row: list[str]) -> bool:
    """Whether a row is no heading, and not cut off by a kill."""
    try:
        int(row[0]), float(row[2]), float(row[4])
    except (IndexError, ValueError):
        return False
    return len(row) == len(LOG_COLUMNS)
