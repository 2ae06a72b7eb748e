"""The table of benchmarks/real_occluders.py: what is found of what real people wear and hold."""

from __future__ import annotations

from math import sqrt
from typing import Any

from unveil.evaluation.document import Table
from unveil.evaluation.parts import mixed

# Photos in which nothing on the list hides the face.
NOTHING = "nothing listed"


def lead(results: dict[str, Any]) -> str:
    """What the table is of."""
    data = results["data"]
    return (
        f"{data['photos']:,} photos ({data['name']}), the face in the middle of each; share of the "
        f"photos and its 95 % interval (Wilson's).{mixed(results)}"
    )


def tables(results: dict[str, Any]) -> list[Table]:
    """One table: kinds of occluders, and last what is found where there is none."""
    kinds = sorted(results["kinds"].items(), key=lambda item: (item[0] == NOTHING, item[0]))
    rows = tuple(
        (
            "nothing, or a hat" if kind == NOTHING else kind,
            f"{counted['photos']:,}",
            f"{counted['found']:,}",
            _share(counted["found"], counted["photos"]),
        )
        for kind, counted in kinds
    )
    return [Table("", ("what hides the face", "photos", "found in", "share"), rows)]


def wilson(found: int, of: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson, 1927), which stays within 0..1 for rare things.

    >>> [round(end, 4) for end in wilson(0, 20)]
    [0.0, 0.1611]
    """
    z, share = 1.96, found / of
    middle = (share + z * z / (2 * of)) / (1 + z * z / of)
    half = z / (1 + z * z / of) * sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    return max(0.0, middle - half), min(1.0, middle + half)


def _share(found: int, of: int) -> str:
    low, high = wilson(found, of)
    digits = 0 if found / of > 0.02 else 1
    ends = f"{100 * low:.{digits}f} to {100 * high:.{digits}f}"
    return f"{100 * found / of:.{digits}f} % ({ends})"
