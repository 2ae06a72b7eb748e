"""The models under comparison, by the names that `--models` takes."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from unveil.errors import UsageError, WeightsError
from unveil.evaluation import baselines
from unveil.evaluation.baselines import CLASSICAL, EigenfaceFill, MeanFace
from unveil.evaluation.cost import Cost, cost_of_network, cost_of_prior, says_reimplementation
from unveil.faces.blend import finish
from unveil.imaging import Mask, Photo, as_colourful
from unveil.runtime.weights import DEFAULT_DETAIL

if TYPE_CHECKING:
    from unveil.runtime.weights import Weights

BLEND = "+blend"
FITTED = ("mean-face", "eigenface")  # on a prior of `unveil fit-prior`


class Network(Protocol):
    """What evaluation needs of `unveil.runtime.session.FaceNetwork`."""

    def restore(
        self, faces: Photo, masks: NDArray[np.bool_] | None = None, *, detail: float = ...
    ) -> Photo: ...

    def find_mask(self, faces: Photo) -> NDArray[np.float32]: ...


@dataclass(frozen=True)
class Candidate:
    """A model, ready to be called.

    Attributes:
        name: its name in the results.
        restore: occluded face (S, S, 3) uint8 and mask (S, S) bool -> raw output (S, S, 3) uint8.
        find_mask: occluded face -> occluder mask (S, S) in [0, 1], by the model's own mask network
            or else the shared segmenter; None if neither goes with it.
    """

    name: str
    restore: Callable[[Photo, Mask], Photo]
    find_mask: Callable[[Photo], NDArray[np.float32]] | None = None


@dataclass(frozen=True)
class Spec:
    """A model by name, small enough to hand to another process, with proof of what it is.

    Attributes:
        name: as given to `--models` before any @ and +: a baseline, a name or FOLDER/NAME of
            weights, an .onnx file.
        label: its name in the results; no folders.
        sha256: (role, sha256) of each of its files; empty where it has none.
        prior: the fitted prior that the eigenface and the mean face need.
        blend: the output is finished as `Restorer` does (`faces.blend.finish`).
        detail: of a model that has that choice; 1 for one that has not.
    """

    name: str
    label: str
    sha256: tuple[tuple[str, str], ...] = ()
    prior: Path | None = None
    blend: bool = False
    detail: float = 1.0


@dataclass(frozen=True)
class Profile(Cost):
    """What is known of a model before it runs.

    Attributes:
        learned: its numbers come from training, not from a closed form or from nothing.
        reimplementation: written from its authors' paper and trained here: not their weights.
    """

    learned: bool = False
    reimplementation: bool = False


def describe(spec: Spec, hidden: Mask) -> Profile:
    """What a model costs and what it is.

    Args:
        spec: the model.
        hidden: (S, S), what it is to restore: some work more for more.

    Raises:
        WeightsError: its files are missing or damaged.
    """
    if spec.prior is not None:
        from unveil.models.prior import FacePrior

        prior = FacePrior.load(spec.prior)
        if spec.name == "eigenface":
            return Profile(**asdict(cost_of_prior(prior, spec.prior, hidden)))
        numbers = prior.front.mean.size
        return Profile(numbers, 0, 4 * numbers)
    if spec.name in CLASSICAL:
        return Profile()
    from unveil.runtime.weights import find_weights

    lone = spec.name.endswith(".onnx")
    weights = _lone_file(spec) if lone else find_weights(spec.name)
    path = weights.file("face").path
    cost = cost_of_network(path, hidden)
    if weights.has("prior"):
        from unveil.models.prior import FacePrior

        prior_path = weights.file("prior").path
        cost += cost_of_prior(FacePrior.load(prior_path), prior_path, hidden)
    theirs = says_reimplementation(path) if lone else weights.reimplementation
    return Profile(**asdict(cost), learned=True, reimplementation=theirs)


def expand(names: Sequence[str], prior: Path | None = None) -> list[str]:
    """Names of models, with whole groups of them spelt out.

    Args:
        names: of models; "all" for every shipped one that restores and every baseline whose package
            is there; a folder for every model of its manifest.
        prior: as for `specify`; without one "all" leaves out what needs it.

    Raises:
        WeightsError: a manifest that cannot be read.
    """
    from unveil.runtime.weights import MANIFEST, list_weights

    out: list[str] = []
    for name in names:
        if name == "all":
            out += [weights.name for weights in list_weights() if weights.has("face")]
            out += [*filter(_is_there, CLASSICAL), *(FITTED if prior else ())]
        elif (Path(name) / MANIFEST).is_file():
            found = list_weights(Path(name))
            out += [str(Path(name) / weights.name) for weights in found if weights.has("face")]
        else:
            out.append(name)
    return out


def _is_there(name: str) -> bool:
    """Whether a baseline's package is installed."""
    try:
        CLASSICAL[name]()
    except UsageError:
        return False
    return True


def specify(name: str, prior: Path | None = None) -> Spec:
    """Find a model and take its files' fingerprints.

    Args:
        name: of a model, with @DETAIL, +blend or both, in either order. A folder before it, and an
            .onnx file, may be called anything.
        prior: of `unveil fit-prior`, for the models that are nothing else.

    Raises:
        UsageError: a prior is needed and none is given, a package is not there, a file that
            restores nothing, or a detail that is none or of a model that has no such choice.
        WeightsError: no such model, or a file that cannot be read.
    """
    if name.endswith(".onnx"):
        return _specify(name, prior)
    start = max(name.rfind("/"), name.rfind(os.sep)) + 1
    last, at, share = name[start:].partition("@")
    if share.endswith(BLEND):
        share, last = share.removesuffix(BLEND), last + BLEND
    base = name[:start] + last
    spec = _specify(base, prior)
    if not at:
        return spec
    try:
        detail = float(share)
    except ValueError:
        raise UsageError(f"--models {name}: after @ comes a detail from 0 to 1") from None
    if not 0 <= detail <= 1:
        raise UsageError(f"--models {name}: detail must be between 0 and 1")
    if not {"face", "prior"} <= dict(spec.sha256).keys():
        raise UsageError(f"--models {name}: {base} has no detail to choose")
    return replace(spec, label=f"{spec.label}@{share}", detail=detail)


def _specify(name: str, prior: Path | None) -> Spec:
    if name in CLASSICAL:
        CLASSICAL[name]()  # so that a package that is not there is named before the work begins
        return Spec(name, name)
    if name in FITTED:
        if prior is None:
            raise UsageError(f"{name} needs --prior FILE: make one with `unveil fit-prior`")
        return Spec(name, name, (("prior", _sha256(prior)),), prior)
    from unveil.runtime.weights import SEGMENTER, find_weights

    if name.endswith(".onnx"):
        spec = Spec(name, Path(name).stem, (("face", _sha256(Path(name))),))
        _check_restores(spec)
        return spec
    weights = find_weights(name.removesuffix(BLEND))
    files = tuple((f.role, f.sha256) for f in weights.files)
    if not weights.has("mask"):  # then the segmenter finds what is hidden
        files += tuple((f.role, f.sha256) for f in find_weights(SEGMENTER).files)
    detail = DEFAULT_DETAIL if weights.has("prior") else 1.0
    blend = BLEND if name.endswith(BLEND) else ""
    plain = name.removesuffix(BLEND)
    return Spec(plain, weights.name + blend, files, blend=bool(blend), detail=detail)


def build(spec: Spec) -> Candidate:
    """Load a model, to run on one thread.

    Raises:
        WeightsError: its weights are missing or damaged.
    """
    if spec.name in CLASSICAL:
        return Candidate(spec.label, CLASSICAL[spec.name]())
    if spec.prior is not None:
        from unveil.models.prior import FacePrior

        prior = FacePrior.load(spec.prior)
        restore = EigenfaceFill(prior) if spec.name == "eigenface" else MeanFace(prior)
        return Candidate(spec.label, restore)
    from unveil.runtime.session import FaceNetwork

    if spec.name.endswith(".onnx"):
        network = FaceNetwork(_lone_file(spec), threads=1)
    else:
        network = FaceNetwork.load(spec.name, threads=1)
    has_mask = "mask" in dict(spec.sha256)
    return from_network(
        spec.label, network, has_mask=has_mask, blend=spec.blend, detail=spec.detail
    )


def modules(spec: Spec) -> tuple[str, ...]:
    """The modules behind the model that `build` makes, for `code.code_sha256`."""
    if spec.name in CLASSICAL:
        return (baselines.__name__,)
    if spec.prior is not None:
        return (baselines.__name__, "unveil.models.prior")
    return (__name__,)


def from_network(
    label: str,
    network: Network,
    *,
    has_mask: bool,
    blend: bool = False,
    detail: float = DEFAULT_DETAIL,
) -> Candidate:
    """Wrap a network over batches as a model over single faces."""

    def find_mask(face: Photo) -> NDArray[np.float32]:
        return np.asarray(network.find_mask(face[None])[0], dtype=np.float32)

    def restore(face: Photo, mask: Mask) -> Photo:
        outputs = network.restore(face[None], mask[None], detail=detail)
        output = np.asarray(outputs[0], dtype=np.uint8)
        if blend:
            output = finish(face, output, mask)
            as_colourful(output, face, mask)
        return output

    return Candidate(label, restore, find_mask if has_mask else None)


def _lone_file(spec: Spec) -> Weights:
    from unveil.runtime.weights import WeightFile, Weights

    path = Path(spec.name)
    file = WeightFile("face", path, dict(spec.sha256)["face"], path.stat().st_size)
    return Weights(spec.label, (file,), "", "", 0, "", {})


def _check_restores(spec: Spec) -> None:
    """Look into a lone file, before a worker does: masks and alignments are found by others."""
    from unveil.runtime.onnx import open_session
    from unveil.runtime.session import CONTRACT

    session = open_session(_lone_file(spec).file("face"), threads=1, contract=CONTRACT)
    outputs = [output.name for output in session.get_outputs()]
    if "restored" not in outputs:
        raise UsageError(f"--models {spec.name}: it restores no face, but has {', '.join(outputs)}")


def _sha256(path: Path) -> str:
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise WeightsError(f"{path}: {error.strerror or error}") from None
