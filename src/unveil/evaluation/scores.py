"""The scores of one model, on one face and on all faces of a set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from math import isfinite
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from unveil.evaluation.frechet import Grouped, grouped_distance
from unveil.evaluation.metrics import iou, score
from unveil.imaging import Photo

if TYPE_CHECKING:
    from unveil.evaluation.candidates import Candidate
    from unveil.evaluation.intervals import People
    from unveil.evaluation.perception import Eye, Seen
    from unveil.evaluation.protocols import MaskSet


@dataclass(frozen=True)
class FaceScores:
    """One model on one face of one set. Raw: its own output; pasted: known pixels put back.

    `psnr` in dB, `l1` in steps of 0..255; `*_hidden` over the hidden part, all else over the whole
    face. There is one `psnr_hidden` and one `l1_hidden`, for pasting does not change hidden pixels;
    SSIM's windows and the features reach over the edge. `perceptual` is the distance from the clean
    face in SqueezeNet's features (`perception`), None where no features were given. `mask_iou` is
    None where the model looks for no occluder; most find it by the shared segmenter.
    """

    psnr_raw: float
    psnr_pasted: float
    psnr_hidden: float
    ssim_raw: float
    ssim_pasted: float
    ssim_hidden_raw: float
    ssim_hidden_pasted: float
    l1_raw: float
    l1_pasted: float
    l1_hidden: float
    perceptual_raw: float | None
    perceptual_pasted: float | None
    perceptual_hidden_raw: float | None
    perceptual_hidden_pasted: float | None
    mask_iou: float | None
    coverage: float


SCORES = tuple(f.name for f in fields(FaceScores))
# Rows of `Scored.features` that make each of the sets' distances: the truth's and the output's.
FRECHET = {
    "frechet_raw": (0, 2),
    "frechet_pasted": (0, 4),
    "frechet_hidden_raw": (1, 3),
    "frechet_hidden_pasted": (1, 5),
}


@dataclass(frozen=True)
class Scored:
    """Scores, and what the distances between sets of faces are made of.

    Attributes:
        scores: of this face.
        features: (6, d) float32, SqueezeNet's, averaged over the whole face and over its hidden
            part: two rows each of the clean face, the raw output and the pasted one; or None.
    """

    scores: FaceScores
    features: NDArray[np.float32] | None = None


def score_face(
    model: Candidate, face: Photo, mask_set: MaskSet, place: int, eye: Eye | None = None
) -> Scored:
    """Hide, restore and score the face (256, 256, 3) at `place` of the test list."""
    clean, occluded, mask = mask_set.example(face, place)
    raw = model.restore(occluded, mask)
    pasted = np.where(mask[..., None], raw, clean)
    same = np.array_equal(raw, pasted)
    of_pasted = score(clean, pasted, mask)
    of_raw = of_pasted if same else score(clean, raw, mask)
    truth, seen_raw, seen_pasted = None, None, None
    if eye:
        truth, *seen = eye.compare(clean, [pasted] if same else [raw, pasted], mask)
        seen_raw, seen_pasted = seen[0], seen[-1]
    found = model.find_mask(occluded) if model.find_mask else None
    scores = FaceScores(
        psnr_raw=of_raw.psnr_whole,
        psnr_pasted=of_pasted.psnr_whole,
        psnr_hidden=of_pasted.psnr_hidden,
        ssim_raw=of_raw.ssim_whole,
        ssim_pasted=of_pasted.ssim_whole,
        ssim_hidden_raw=of_raw.ssim_hidden,
        ssim_hidden_pasted=of_pasted.ssim_hidden,
        l1_raw=of_raw.l1_whole,
        l1_pasted=of_pasted.l1_whole,
        l1_hidden=of_pasted.l1_hidden,
        perceptual_raw=seen_raw.whole if seen_raw else None,
        perceptual_pasted=seen_pasted.whole if seen_pasted else None,
        perceptual_hidden_raw=seen_raw.hidden if seen_raw else None,
        perceptual_hidden_pasted=seen_pasted.hidden if seen_pasted else None,
        mask_iou=None if found is None else iou(found, mask),
        coverage=float(mask.mean()),
    )
    if not (truth and seen_raw and seen_pasted):
        return Scored(scores)
    return Scored(scores, _features(truth, seen_raw, seen_pasted))


def _features(*seen: Seen) -> NDArray[np.float32]:
    return np.stack([row for each in seen for row in (each.pooled_whole, each.pooled_hidden)])


@dataclass(frozen=True)
class Part:
    """All scores of one model on one set, as they are kept between runs.

    Attributes:
        columns: score -> one value a face, in their order; None where it was not taken.
        distances: measure of the whole set -> its value and jackknife; empty without features, or
            with too few faces for an interval.
        libraries: package -> the version that measured it; empty where nobody noted it.
    """

    columns: dict[str, list[Any]]
    distances: dict[str, Grouped]
    libraries: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, rows: Sequence[Scored], people: People | None = None) -> Part:
        """All faces' scores, in their order; `people`: as `grouped_distance`."""
        columns = {name: [getattr(row.scores, name) for row in rows] for name in SCORES}
        features = [row.features for row in rows if row.features is not None]
        if len(features) < len(rows):
            return cls(columns, {})
        table = np.stack(features)  # (faces, 6, d)
        distances: dict[str, Grouped] = {}
        for name, (truth, output) in FRECHET.items():
            twin = distances.get(name.replace("pasted", "raw"))
            if twin and np.array_equal(table[:, output], table[:, output - 2]):
                distances[name] = twin  # the model pastes by itself
            elif found := grouped_distance(table[:, output], table[:, truth], people):
                distances[name] = found
        return cls(columns, distances)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, value: Any, faces: int) -> Part | None:
        """The inverse of `to_dict`; None for anything else, or of another number of faces."""
        try:
            distances = {
                name: Grouped(float(d["value"]), tuple(map(float, d["without"])), int(d["n"]))
                for name, d in value["distances"].items()
            }
            libraries = {str(n): str(v) for n, v in value.get("libraries", {}).items()}
            columns = value["columns"]
            whole = tuple(columns) == SCORES and all(_is_column(columns[n], faces) for n in SCORES)
        except (TypeError, KeyError, AttributeError, ValueError):
            return None
        return cls(columns, distances, libraries) if whole else None


def _is_column(values: Any, faces: int) -> bool:
    """Whether they are a finite number, or None, of each face."""
    return (
        isinstance(values, list)
        and len(values) == faces
        and all(v is None or (isinstance(v, int | float) and isfinite(v)) for v in values)
    )
