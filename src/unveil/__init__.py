"""Restores the part of a face that something hides. See `Restorer`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from unveil import errors

__version__ = "0.1.0.dev0"
__all__ = [
    "Face",
    "Restoration",
    "Restorer",
    "__version__",
    "errors",
    "restore",
    "restore_video",
]

if TYPE_CHECKING:
    from unveil.restorer import Restorer, restore
    from unveil.types import Face, Restoration
    from unveil.video.process import restore_video


def __getattr__(name: str) -> Any:
    # numpy, OpenCV and onnxruntime load on first use, so that `unveil --help` is instant.
    if name in ("Restorer", "restore"):
        from unveil import restorer

        return getattr(restorer, name)
    if name == "restore_video":
        from unveil.video.process import restore_video

        return restore_video
    if name in ("Face", "Restoration"):
        from unveil import types

        return getattr(types, name)
    raise AttributeError(f"module 'unveil' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
