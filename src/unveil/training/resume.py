"""Whether a checkpoint is one that a run can go on from, or start from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from unveil.data.faces import Faces
from unveil.errors import TrainingError, UsageError
from unveil.training.config import FILES, LiteConfig, SegmenterConfig, TrainConfig
from unveil.training.presets import PRESETS
from unveil.training.run_options import RunOptions

# What tells whose a checkpoint of before presets were kept is: its networks' keys.
KEYS = {"clean": "paper", "generator": "lite"}
# Settings that decide how large a network is and what parts it has.
SHAPING = ("width", "depth", "size", "code", "mirror", "attention", "overview")
# What runs did before there was a setting, where that is not its default.
BEFORE = {"varied": 0.0}

# Faces of other folders may have the same names: so many are looked at, too. The mean level of a
# face is compared with some room, since decoders of JPEG differ.
LOOKED_AT, SAME_LEVEL = 8, 1.0


def check_start(faces: Faces, options: RunOptions, last: Path) -> None:
    """Refuse to start a run over another one, or to go on with none.

    Raises:
        TrainingError: no faces.
        UsageError: options that contradict each other, or what lies in the folder.
    """
    if not len(faces):
        raise TrainingError("no faces to train on")
    if options.resume and options.init_from:
        raise UsageError("--resume goes on with a run, --init-from starts one: give one of them")
    if options.resume and not last.exists():
        raise UsageError(f"--resume: no checkpoint {last}")
    if not options.resume and last.exists():
        raise UsageError(f"{last} exists: add --resume, or choose another --out")


def preset_of(config: TrainConfig) -> str:
    """The preset that a run's settings come from."""
    return next(name for name, preset in PRESETS.items() if type(preset) is type(config))


def check_preset(config: TrainConfig, state: dict[str, Any], source: str) -> None:
    """Refuse a checkpoint of another kind of model; `source` is for the message.

    Raises:
        UsageError: names both presets.
    """
    names = {name: KEYS.get(name, name) for name in state}
    guess = next((name for name in names.values() if name in PRESETS), "")
    saved, ours = state.get("preset", guess), preset_of(config)
    if saved != ours:
        held = f"of --preset {saved}" if saved else "that this version does not know"
        raise UsageError(f"{source} holds networks {held}, and this is another --preset, {ours}")


def check_same(config: TrainConfig, saved: dict[str, Any]) -> None:
    """Refuse to go on with other settings; `saved` are those of the checkpoint.

    What is in a prior's file the task compares with the checkpoint's own, what is in the features'
    `check_inputs`.

    Raises:
        UsageError: names those that differ, as they were.
    """
    ours = config.to_dict()
    # A setting that is newer than the checkpoint had what is now its default, or is in BEFORE.
    saved = type(config)().to_dict() | BEFORE | saved
    differing = [k for k in ours if k not in ("epochs", *FILES) and ours[k] != saved[k]]
    if "features" in ours and bool(ours["features"]) != bool(saved["features"]):
        differing.append("features")
    if differing:
        pairs = ", ".join(as_option(k, saved[k]) for k in differing)
        raise UsageError(f"--resume: the run was started with {pairs}; give the same")


def as_option(name: str, value: object) -> str:
    """How a setting is given to `unveil train`.

    >>> as_option("mask_every", 2), as_option("flip", False), as_option("prior", "")
    ('--mask-every 2', '--no-flip', 'no --prior')
    """
    option = name.replace("_", "-")
    if isinstance(value, bool):
        return f"--{option}" if value else f"--no-{option}"
    return f"--{option} {value}" if value != "" else f"no --{option}"


@contextmanager
def taking(config: TrainConfig, state: dict[str, Any], source: str) -> Iterator[None]:
    """Turn what torch says of networks that do not fit into a UsageError.

    Args:
        config: the run's.
        state: the checkpoint.
        source: it, for the message.
    """
    try:
        yield
    except (KeyError, RuntimeError, ValueError) as error:
        ours, saved = config.to_dict(), state.get("config", {})
        differing = [k for k in SHAPING if k in ours and saved.get(k, ours[k]) != ours[k]]
        held = ", ".join(as_option(k, saved[k]) for k in differing)
        if held:
            raise UsageError(
                f"{source} holds networks of {held}, which do not fit: give the same"
            ) from error
        if isinstance(error, KeyError):
            raise UsageError(
                f"{source} lacks {error}: --resume goes on with what `unveil train` has left, "
                "--init-from also starts from what `unveil export` makes of it"
            ) from error
        raise UsageError(f"{source} holds networks of another shape than this version's") from error


def inputs_of(faces: Faces, options: RunOptions, config: TrainConfig) -> dict[str, Any]:
    """What a run's weights come from, beside its settings: faces, occluders, arithmetic.

    Raises:
        TrainingError: the features cannot be read; names their file.
    """
    features = ""
    # Others start from features, which are in the checkpoint then: their file may be gone.
    if isinstance(config, LiteConfig) and config.features:
        try:
            features = sha256(Path(config.features).read_bytes()).hexdigest()
        except OSError as error:
            raise TrainingError(
                f"--features {config.features}: {error.strerror or error}"
            ) from None
    examples = Path(config.examples) if isinstance(config, SegmenterConfig) else Path()
    some = sorted({i * (len(faces) - 1) // (LOOKED_AT - 1) for i in range(LOOKED_AT)})
    faces.expect(some)
    return {
        "faces": len(faces),
        "names": faces.digest(),
        "levels": [float(faces.face(i).mean()) for i in some],
        "occluders": _digest_of_folder(options.occluders) if options.occluders else "",
        "examples": _digest_of_folder(examples) if examples != Path() else "",
        "precision": options.precision,
        "features": features,
    }


def _digest_of_folder(folder: Path) -> str:
    """Of all files of a folder, their names and what is in them, but for those that are hidden."""
    digest = sha256()
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        if path.name.startswith("."):  # which a desktop leaves where somebody has looked
            continue
        digest.update(path.relative_to(folder).as_posix().encode("utf-8", "surrogatepass") + b"\0")
        digest.update(path.read_bytes())
    return digest.hexdigest()


def check_inputs(saved: dict[str, Any], ours: dict[str, Any]) -> None:
    """Refuse to go on with other examples. A checkpoint of before they were kept says nothing.

    Raises:
        UsageError: names the option that was another.
    """
    saved = ours | saved
    if saved["faces"] != ours["faces"]:
        raise UsageError(
            f"--resume: the run was started with {saved['faces']:,} faces, these are "
            f"{ours['faces']:,}; give the same --data"
        )
    differences = np.subtract(saved["levels"], ours["levels"])
    if saved["names"] != ours["names"] or np.abs(differences).max() > SAME_LEVEL:
        raise UsageError("--resume: the run was started with other faces; give the same --data")
    for name, option in (("occluders", "occluder-files"), ("examples", "examples")):
        if saved[name] != ours[name]:
            raise UsageError(
                f"--resume: the run was started with other --{option}, or none; give the same"
            )
    if saved["features"] != ours["features"]:
        raise UsageError("--resume: the run was started with other --features; give the same")
    if saved["precision"] != ours["precision"]:
        raise UsageError(
            f"--resume: the run was started with --precision {saved['precision']}; give the same"
        )
