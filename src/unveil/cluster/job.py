"""Restores an archive on Ray Data: lists, hands out blocks, keeps account."""

from __future__ import annotations

import logging
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

import pyarrow as pa
import ray
import ray.data
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from unveil.cluster.doubles import drop_doubles, may_double
from unveil.cluster.ledger import Ledger
from unveil.cluster.manifest import Manifest, Row, done, row_of
from unveil.cluster.places import BYTES_COLUMN, Place
from unveil.cluster.pool import (
    LEAST_BLOCK,
    ONE_THREAD,
    TASK_CPUS,
    Pool,
    joins,
    reason,
    resources,
    start_ray,
)
from unveil.cluster.worker import Recipe, Worker
from unveil.errors import ClusterError, UsageError
from unveil.names import is_ours, is_readable, restored_name
from unveil.progress import track

# Photos handed out at a time: few enough that no worker is left alone with the last ones.
MOST_BLOCK, BLOCKS_A_WORKER = 64, 32
MOST_FAILURES = 20  # that a summary names


@dataclass(frozen=True)
class Summary:
    """How a job ended.

    Attributes:
        inputs: all that there are.
        before: of these, done by an earlier job.
        restored, without_face, failed: of the others.
        failures: (input, reason), the first MOST_FAILURES.
        manifest: where all rows are.
    """

    inputs: int
    before: int
    restored: int
    without_face: int
    failed: int
    failures: tuple[tuple[str, str], ...]
    manifest: str


class _Remote:
    """The ledger as a worker sees it.

    A worker waits for all answers: the ledger is told to write itself down by another process, and
    between two processes nothing says whose words arrive first.
    """

    def __init__(self, ledger: Any) -> None:
        self.ledger = ledger

    def begin(self, names: Sequence[str]) -> tuple[list[str], bool]:
        answer: tuple[list[str], bool] = ray.get(self.ledger.begin.remote(names))
        return answer

    def try_alone(self, name: str) -> int:
        tries: int = ray.get(self.ledger.try_alone.remote(name))
        return tries

    def add(self, rows: Sequence[Row]) -> None:
        ray.get(self.ledger.add.remote(rows))


def restore_archive(
    source: str, target: str, recipe: Recipe, settings: dict[str, Any], pool: Pool
) -> Summary:
    """Restore all photos of a place into another, and keep a manifest; see docs/scale.md.

    What an earlier job has done is left alone: done again is only what failed, or whose result is
    no longer there.

    Args:
        source, target: folders or Parquet data sets, paths or URLs (`places.Place`).
        recipe: how each photo is restored.
        settings: what results depend on; a target with others is refused.
        pool: on what.

    Raises:
        UsageError: two inputs would have one result; the target is the source, or a file on this
            machine, or holds results of another one or of other settings; the source has no images.
        DataError: a place cannot be read.
        ClusterError: Ray cannot be started or joined, or the target cannot be written.
    """
    there, here = Place(source), Place(target)
    if here.parquet and here.address == there.address:
        raise UsageError(f"-o {target} is the input itself: choose another name")
    if here.is_file():
        raise UsageError(f"-o {target} is a file, and must be a folder: choose another name")
    names = there.inputs()
    _check_names(names)
    manifest = Manifest.of(here, settings, there.address)
    rows = manifest.gather()
    held = here.names_by_file() if here.parquet else {}
    files = here.listed() if len(rows) and not here.parquet else []
    finished = done(rows, set(files).union(*held.values())) & set(names)
    left = [name for name in names if name not in finished]
    todo = [name for name in left if _as_text(name) == name]
    unnamed = [_as_text(name) for name in left if _as_text(name) != name]
    older = may_double(here, held, {restored_name(name) for name in todo})
    if left:
        try:
            _refuse(unnamed, manifest)
            with _silence():
                if todo:
                    _run(there, here, todo, len(finished) > 0, recipe, manifest, pool)
        except ray.exceptions.RayError as error:
            raise ClusterError(f"the job ended early: {reason(error)}") from error
        finally:
            rows = manifest.gather()
    drop_doubles(here, older)
    return _summary(rows, names, len(finished), {*todo, *unnamed}, manifest)


@contextmanager
def _silence() -> Iterator[None]:
    """Ray's remarks on how it runs are not for our users; it sets its loggers up anew each time."""
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(logging.NOTSET)


def _run(
    source: Place,
    target: Place,
    todo: list[str],
    partly: bool,
    recipe: Recipe,
    manifest: Manifest,
    pool: Pool,
) -> None:
    started = start_ray(pool)
    try:
        # With the driver: a ledger that is gone takes the job with it, but no other machine does.
        here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
        ledger: Any = ray.remote(Ledger)
        ledger = ledger.options(num_cpus=0, scheduling_strategy=here).remote(manifest)
        try:
            workers, options, threads = resources(pool, len(todo))
            device = "cuda" if pool.gpus else "cpu"
            work = _blocks(source, todo, partly, workers).map_batches(
                Worker,
                fn_constructor_args=(recipe, source, target, _Remote(ledger), threads, device),
                batch_size=None,
                batch_format="pyarrow",
                zero_copy_batch=True,
                compute=ray.data.ActorPoolStrategy(size=workers),
                # Of other machines; processes that were started here have it already.
                runtime_env={"env_vars": ONE_THREAD} if joins(pool) else None,
                **options,
            )
            for _ in track(_each_done(work), "restoring", len(todo)):
                pass
        finally:
            ray.get(ledger.flush.remote())
    finally:
        if started:
            ray.shutdown()


def _each_done(work: Any) -> Iterator[None]:
    for table in work.iter_batches(batch_size=None, batch_format="pyarrow", prefetch_batches=0):
        yield from [None] * sum(table["done"].to_pylist())


def _blocks(source: Place, todo: list[str], partly: bool, workers: int) -> Any:
    """The inputs as a data set of Ray's: names, or names and bytes."""
    if not source.parquet:
        size = -(-len(todo) // (workers * BLOCKS_A_WORKER))
        size = min(max(size, LEAST_BLOCK), MOST_BLOCK)
        parts = [todo[i : i + size] for i in range(0, len(todo), size)]
        return ray.data.from_arrow([pa.table({"name": part}) for part in parts])
    frame = ray.data.read_parquet(source.path, filesystem=source.files, num_cpus=TASK_CPUS)
    column = source.name_column(frame.schema().names)
    wanted = ray.put(set(todo)) if partly else None

    def pick(table: pa.Table) -> pa.Table:
        table = pa.table({"name": table[column], "bytes": table[BYTES_COLUMN]})
        left = None if wanted is None else ray.get(wanted)
        names = table["name"].to_pylist()
        inputs = [not is_ours(PurePath(n)) and (left is None or n in left) for n in names]
        return table if all(inputs) else table.filter(pa.array(inputs))

    return frame.map_batches(pick, batch_size=None, batch_format="pyarrow", num_cpus=TASK_CPUS)


def _as_text(name: str) -> str:
    """A name as a table can hold it: a file's may hold bytes that are no UTF-8."""
    return name.encode("utf-8", "backslashreplace").decode()


def _refuse(names: list[str], manifest: Manifest) -> None:
    """Give inputs that cannot be handed out their rows."""
    ledger = Ledger(manifest)
    ledger.add([row_of(name, error="its name is no UTF-8: rename it") for name in names])
    ledger.flush()


def _check_names(names: list[str]) -> None:
    for name, times in Counter(names).items():
        if times > 1:
            raise UsageError(f"{name} comes twice: rename one")
    results: dict[str, str] = {}
    # What is not read has no result.
    for name in (name for name in names if is_readable(PurePath(name))):
        other = results.setdefault(restored_name(name), name)
        if other != name:
            raise UsageError(f"{name} and {other} would have one result: rename one")


def _summary(
    rows: pa.Table, names: list[str], before: int, todo: set[str], manifest: Manifest
) -> Summary:
    restored = without = failed = 0
    failures: list[tuple[str, str]] = []
    columns = (rows[name].to_pylist() for name in ("input", "faces", "error"))
    for name, faces, error in zip(*columns, strict=True):
        if name not in todo:
            continue
        if error is not None:
            failed += 1
            if len(failures) < MOST_FAILURES:
                failures.append((name, error))
        elif faces:
            restored += 1
        else:
            without += 1
    if restored + without + failed < len(todo):
        raise ClusterError(
            f"{len(todo) - restored - without - failed} of {len(todo)} inputs have no row: the job "
            "ended early; the same command goes on"
        )
    url = manifest.place.url
    return Summary(len(names), before, restored, without, failed, tuple(failures), url)
