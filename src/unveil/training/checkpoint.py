"""Checkpoints: one file that is either whole or not there."""

from __future__ import annotations

from errno import EINVAL
from pathlib import Path
from typing import Any

import torch

from unveil.errors import TrainingError, UsageError
from unveil.files import atomic_path
from unveil.training.config import FILES

FORMAT = 1
DAMAGED = "damaged, or no checkpoint of `unveil train`"
LOOP_ONLY = ("format", "scaler")  # of a checkpoint, what no new run needs


def save(path: Path, state: dict[str, Any]) -> None:
    """Write a checkpoint; the file of that name before it stays whole until the new one is.

    Raises:
        TrainingError: the disk is full or the folder cannot be written; names the file.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_path(path) as partial:
            torch.save({"format": FORMAT, **state}, partial)
    except (OSError, RuntimeError) as error:
        # Torch raises RuntimeError where a disk is full, and says what it expected.
        why = getattr(error, "strerror", None) or "the disk is full, or cannot be written"
        kept = "; the one before it is whole" if path.exists() else ""
        raise TrainingError(f"cannot write the checkpoint {path}: {why}{kept}") from error


def load(path: Path) -> dict[str, Any]:
    """Read a checkpoint onto the CPU.

    Raises:
        TrainingError: missing, damaged, or of another format.
    """
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise TrainingError(f"no checkpoint {path}") from None
    except OSError as error:
        # What torch's reader seeks before the start of a file that was cut off is no argument.
        why = DAMAGED if error.errno == EINVAL else f"cannot be read: {error.strerror or error}"
        raise TrainingError(f"{path}: {why}") from None
    except Exception as error:
        # torch raises many kinds for a damaged file, with advice that would run what is in it.
        raise TrainingError(f"{path}: {DAMAGED}") from error
    if not isinstance(state, dict) or state.get("format") != FORMAT:
        raise TrainingError(f"{path} is not a checkpoint of this version")
    return state


def not_finite(networks: dict[str, Any], prefix: str = "") -> str:
    """The first weight that is not finite, by its name in a task's state; "" where all are."""
    for key, value in networks.items():
        name, found = f"{prefix}{key}", ""
        if isinstance(value, torch.Tensor):
            found = "" if value.isfinite().all() else name
        elif isinstance(value, dict) and not key.startswith("optimizer"):
            found = not_finite(value, f"{name}.")
        if found:
            return found
    return ""


def averaged(part: dict[str, Any]) -> dict[str, torch.Tensor]:
    """The weights that count of one branch of the paper's, or of one learner.

    The average where there is one, else the network's own; halves, where the file is compact.
    """
    if "ema" in part:
        weights: dict[str, torch.Tensor] = part["ema"]["model"]
    else:
        weights = part["generator" if "generator" in part else "network"]
    return weights


def compact(source: Path, target: Path, other: Path | None = None, share: float = 0.5) -> None:
    """Keep of a checkpoint what `--init-from` needs: the networks, in half precision.

    Averaged networks take the place of the last ones. About a tenth of the size.

    Args:
        other: a checkpoint from which `source` was trained on: all weights become `share` of this
            one's and the rest of `source`'s. What was learned last counts less, and what it cost
            is mostly won back (Wortsman et al., "Robust fine-tuning of zero-shot models", 2022).
        share: 0..1.

    Raises:
        TrainingError: as `load` and `save`.
        UsageError: the two are not of one network.
    """
    state = load(source)
    kept = {name: _compact_part(value) for name, value in state.items() if name not in LOOP_ONLY}
    if other:
        before = load(other)
        try:
            kept |= {
                name: _mixed(part, _compact_part(before[name]), share)
                for name, part in kept.items()
                if _is_part(state[name])
            }
            # All that any of its weights has seen, and the time that took.
            kept |= {name: max(kept[name], before[name]) for name in ("faces_seen", "minutes")}
        except (KeyError, TypeError, RuntimeError):
            raise UsageError(f"{other} holds other networks than {source}") from None
    # Where files lay on the machine that trained is nobody's business.
    paths = {n: Path(v).name for n, v in kept["config"].items() if n in FILES and v}
    save(target, {**kept, "config": {**kept["config"], **paths}})


def _compact_part(part: Any) -> Any:
    """One branch of the paper's, or one learner; anything else as it is."""
    if not _is_part(part):
        return part
    kept = {"generator" if "generator" in part else "network": _half(averaged(part))}
    if "discriminator" in part:
        kept["discriminator"] = _half(part["discriminator"])
    return kept


def _is_part(value: Any) -> bool:
    return isinstance(value, dict) and bool({"generator", "network"} & value.keys())


def _mixed(ours: Any, theirs: Any, share: float) -> Any:
    """Nested weights of one form, `share` of theirs; what is no fraction stays ours."""
    if isinstance(ours, dict):
        if ours.keys() != theirs.keys():
            raise KeyError(*ours.keys() ^ theirs.keys())
        return {name: _mixed(value, theirs[name], share) for name, value in ours.items()}
    if not ours.is_floating_point():
        return ours
    return torch.lerp(ours.float(), theirs.float(), share).to(ours.dtype)


def _half(network: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {k: v.half() if v.is_floating_point() else v for k, v in network.items()}
