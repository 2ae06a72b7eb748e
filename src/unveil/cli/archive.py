"""unveil restore --engine ray"""

from __future__ import annotations

import sys

from unveil.cli.asked import Asked
from unveil.errors import UsageError


def restore_on_ray(
    inputs: list[str],
    output: str | None,
    asked: Asked,
    jobs: int | None,
    gpus: int,
    address: str,
) -> int:
    """Restore a place into another, tell how it went on standard error; the exit status."""
    if len(inputs) != 1 or output is None or "-" in (inputs[0], output):
        raise UsageError("--engine ray takes one IN and -o OUT, folders or .parquet")
    if jobs is not None and jobs < 1:
        raise UsageError(f"--jobs must be 1 or more (got {jobs})")
    if jobs and gpus:
        raise UsageError("--jobs and --gpus: give one of them")
    count = asked.count

    from unveil.cluster.job import restore_archive
    from unveil.cluster.pool import Pool
    from unveil.cluster.worker import Recipe

    recipe = Recipe(asked.model, asked.aligned, count, asked.min_face, asked.share, asked.disclose)
    weights = asked.restorer().model.weights  # a wrong name is told before Ray starts
    settings = recipe.to_dict() | {"model": weights.fingerprint}
    pool = Pool(jobs or 0, gpus, address)
    summary = restore_archive(inputs[0], output, recipe, settings, pool)

    def say(text: str) -> None:
        print(f"unveil: {text}", file=sys.stderr)

    for name, reason in summary.failures:
        say(f"{name}: {reason}")
    if summary.failed > len(summary.failures):
        say(f"... {summary.failed - len(summary.failures)} more failures: see the manifest")
    if summary.before:
        say(f"{summary.before} of {summary.inputs} were done before")
    if summary.without_face:
        say(f"{summary.without_face} show no face: --min-face finds smaller ones")
    say(f"{summary.restored} restored, {summary.failed} failed; all in {summary.manifest}")
    return 1 if summary.failed else 0
