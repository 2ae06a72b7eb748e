"""What the service does under load: the results of `benchmarks/load.py` as a table."""

from __future__ import annotations

from typing import Any

from unveil.evaluation.document import Table

TIMES = (("p50", "p50, s"), ("p90", "p90, s"), ("p99", "p99, s"), ("max", "longest, s"))
MEMORY = (
    ("after the first hundred", "MB after 100"),
    ("at the end", "MB at the end"),
    ("after the damaged images", "MB after damaged images, twice"),
    ("after the same again", "three times"),
)


def lead(results: dict[str, Any]) -> str:
    """What was asked of the service."""
    damaged = ", ".join(f"{n:,} with {status}" for status, n in results["damaged"].items())
    return (
        f"{results['requests']:,} requests with `{results['data']['name']}` from "
        f"{results['clients']} clients, {results['data']['cores']} cores for both sides; then "
        f"{results['hung_up']} clients that hung up halfway and left nothing behind; then "
        f"{sum(results['damaged'].values()):,} damaged images three times, answered {damaged}. "
        "Each waits for its turn: the time of an answer is about that of all who wait before it."
    )


def tables(results: dict[str, Any]) -> list[Table]:
    """One row: answers, their times, memory."""
    statuses, asked = results["statuses"], results["requests"]
    answered, refused = statuses.get("200", 0), statuses.get("503", 0)
    row = (
        f"{answered:,}",
        str(refused),
        str(asked - answered - refused),
        *(f"{results['seconds'][name]:.2f}" for name, _ in TIMES),
        f"{results['restorations_per_second']:.1f}",
        *(f"{results['megabytes'][name]:.0f}" for name, _ in MEMORY),
    )
    header = (
        *("answered", "refused (503)", "failed"),
        *(title for _, title in TIMES),
        "a second",
        *(title for _, title in MEMORY),
    )
    return [Table("", header, (row,))]
