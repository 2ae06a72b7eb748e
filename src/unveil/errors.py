"""The project's own errors. Each message names what is wrong and what to do about it."""

from __future__ import annotations

_CV_NO_MEMORY = -4  # cv2.Error.StsNoMem


def lacks_memory(error: Exception) -> bool:
    """Whether it says that there is not enough memory, in Python's words or in OpenCV's."""
    opencv = type(error).__module__.partition(".")[0] == "cv2"
    return isinstance(error, MemoryError) or (
        opencv and getattr(error, "code", None) == _CV_NO_MEMORY
    )


class UnveilError(Exception):
    """Base of all errors that unveil raises on purpose; its text is fit for a user."""


class UsageError(UnveilError):
    """Settings that contradict each other or lie out of range; the message names them."""


class ImageError(UnveilError):
    """An image cannot be read or written, or is not of a form that unveil takes."""


class OversizeError(ImageError):
    """An image has more pixels than are taken, or than the memory holds."""


class FormatError(ImageError):
    """An image cannot be written in the format that was asked for."""


class VideoError(UnveilError):
    """A clip cannot be read or written, or what it holds cannot go into the file asked for."""


class TargetError(VideoError):
    """A clip cannot be written, whatever it holds: its disk is full, its folder gone."""


class TooLargeError(VideoError):
    """A clip has frames of more pixels than were allowed."""


class MaskError(UnveilError):
    """An occluder mask does not fit its photo, or is not a mask."""


class NotAlignedError(UnveilError):
    """A whole photograph came where an aligned face is needed."""


class NoFaceError(UnveilError):
    """A photograph in which no face is found."""


class WeightsError(UnveilError):
    """A weight file is missing, damaged, or of a kind that this version does not know."""


class ModelError(WeightsError, UsageError):
    """A model's name that is none, or that of one that does not restore."""


class DataError(UnveilError):
    """A data set, an archive or an index is missing or damaged; the message names the file."""


class TrainingError(UnveilError):
    """A training run cannot start, go on or be saved."""


class ClusterError(UnveilError):
    """A job on Ray cannot start or go on."""
