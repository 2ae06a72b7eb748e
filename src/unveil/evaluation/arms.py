"""The ways to treat a pair of photos, one or both hidden in part, before they are compared."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import numpy as np

from unveil.errors import UsageError
from unveil.evaluation.candidates import Spec, specify
from unveil.evaluation.identity_report import ALIKE, SEEN
from unveil.evaluation.recognisers import Array, Recogniser
from unveil.evaluation.verification import Condition

FOUND = "+found"
CLEAN, AS_IS = "clean", "occluded"


@dataclass(frozen=True)
class Arm:
    """One way to treat an occluded face before it is recognised.

    Attributes:
        label: as given to `--models`, without folders.
        spec: the model.
        found: the model also finds what is hidden; else it is told.
        compared: what is compared beside the restored face, see `Way`.
    """

    label: str
    spec: Spec
    found: bool
    compared: str = ""

    @classmethod
    def of(cls, name: str, prior: Path | None = None) -> Arm:
        """NAME of a model, NAME@DETAIL; +found where the model is to find what is hidden; last,
        +seen or +alike where more than the restored face is compared.

        Raises:
            UsageError: a detail that is none, a model that does not look for occluders, or +blend,
            which `identity.treatment` does to every model.
            WeightsError: no such model.
        """
        compared = next((end for end in (SEEN, ALIKE) if name.endswith(end)), "")
        told = name.removesuffix(compared)
        base, found = told.removesuffix(FOUND), told.endswith(FOUND)
        spec = specify(base, prior)
        if found and "mask" not in dict(spec.sha256):
            raise UsageError(f"--models {name}: it does not look for occluders")
        if spec.blend:
            raise UsageError(f"--models {name}: here each model joins its fill to the face anyway")
        return cls(spec.label + (FOUND if found else "") + compared, spec, found, compared)

    @property
    def alone(self) -> Arm:
        """The same where nothing but the restored face is compared."""
        return replace(self, label=self.label.removesuffix(self.compared), compared="")


@dataclass(frozen=True)
class Way:
    """What is compared of two photos.

    Attributes:
        label: in results.
        treated: whose vectors are those of the treated face: an arm's label, or `AS_IS`.
        compared: "": the treated face alone.
            `SEEN`: the mean of its vector and that of the hidden face.
            `ALIKE`: what hides one photo is put on the other, too. The hidden face and the treated
            one are each compared with the other photo as it is, and with the other photo hidden,
            or hidden and treated, alike; the root of the mean squared distance counts.
    """

    label: str
    treated: str
    compared: str = ""

    def condition(
        self, vectors: Mapping[str, Array], clean: Array, both: bool, judge: Recogniser
    ) -> Condition:
        """The vectors that are compared.

        Args:
            vectors: by treatment, of hidden faces, (N, D).
            clean: of the same faces with nothing hidden, (N, D).
            both: both photos of a pair are hidden, and not the second alone.
            judge: whose vectors these are.
        """
        treated, hidden = vectors[self.treated], vectors[AS_IS]
        if self.compared == ALIKE:
            looks = [hidden] if self.treated == AS_IS else [hidden, treated]
            others = looks if both else [clean]
            pairs = [*product(others, looks)]
            pairs += [] if both else [(look, look) for look in looks]
            # Side by side, and scaled so that their distance is the root of the mean square.
            scale = np.float32(len(pairs) ** -0.5)
            first, second = (np.hstack(side) * scale for side in zip(*pairs, strict=True))
            return Condition(first, second)
        if self.compared == SEEN:
            treated = judge.mean([treated, hidden])
        return Condition(treated if both else clean, treated)


def ways(arms: Iterable[Arm]) -> list[Way]:
    """Nothing done to what hides faces, and what each of the arms does.

    Where one of them hides both photos alike, so does one that fills nothing: how much of a gain
    is not the filling's.
    """
    arms = list(arms)
    unfilled = [Way(AS_IS, AS_IS)]
    if any(arm.compared == ALIKE for arm in arms):
        unfilled.append(Way(AS_IS + ALIKE, AS_IS, ALIKE))
    return [*unfilled, *(Way(arm.label, arm.alone.label, arm.compared) for arm in arms)]
