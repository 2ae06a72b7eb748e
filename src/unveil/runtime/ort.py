"""onnxruntime, told to send nothing. All of unveil takes it from here.

From 1.29 on its official builds report to their maker, on Linux and macOS too: what is loaded and
how long it takes, with an identifier of the machine that is kept in its user's cache. What is
restored here is nobody else's business, not even that it is.
"""

from __future__ import annotations

import os

# Read when the library is loaded; nothing is written or sent then.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

import onnxruntime as ort

ort.disable_telemetry_events()  # on Windows, and where somebody has loaded it before

__all__ = ["ort"]
