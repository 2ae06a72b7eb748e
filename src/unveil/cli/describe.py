"""What a user is told of a restored photo beside its file: notes, and a line of JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from unveil.cli.inputs import Failure
from unveil.faces.align import seen_from_side
from unveil.imaging import Mask
from unveil.types import Restoration

MOSTLY_INVENTED = 0.6  # of a face


def notes(result: Restoration, mask: Mask | None, written: str) -> list[str]:
    """What should be heard of a photo.

    Args:
        result: its restoration.
        mask: what was said to be hidden; None: it was found.
        written: what was made of a file in which nothing is hidden.
    """
    told = []
    if mask is not None and not mask.any():
        told.append(f"the mask hides nothing: white is what is hidden; {written}")
    elif not result.invented.any():
        told.append(f"nothing is hidden ({_faces(len(result.faces))}), {written}")
    for number, face in enumerate(result.faces, 1):
        if mask is None and seen_from_side(face.points):
            told.append(f"face {number} is seen from the side: only --mask restores it")
        if face.coverage > MOSTLY_INVENTED:
            told.append(
                f"face {number} is {face.coverage:.0%} hidden: most of it is invented, with low "
                f"confidence ({face.confidence:.2f})"
            )
    if mask is not None:
        outside = int((mask & ~result.invented).sum())
        if outside:
            told.append(
                f"{outside} pixels of the mask lie in none of the faces restored: left as they are"
            )
    return told


def _faces(count: int) -> str:
    return "1 face" if count == 1 else f"{count} faces"


def as_json(path: Path, targets: Sequence[Path], result: Restoration) -> str:
    """A line that tells all of a photo."""
    named = str(targets[0]) if len(targets) == 1 else [str(target) for target in targets]
    return json.dumps(
        {
            "input": str(path),
            "output": named,
            "model": result.model,
            "invented": round(float(result.invented.mean()), 9),  # a pixel of 100 megapixels: 1e-8
            "faces": [face.numbers() for face in result.faces],
        }
    )


def failed_as_json(failure: Failure) -> str:
    """A line that tells why there is no result."""
    return json.dumps({"input": str(failure.path), "error": failure.reason})
