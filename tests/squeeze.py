"""Random SqueezeNet weights in the file format of the package that carries the real ones."""

import pickle
from pathlib import Path

import numpy as np

LAYERS = {"conv1": (3, 3, 3, 64)}
for number, (inputs, squeezed, wide) in enumerate(
    [(64, 16, 64), (128, 16, 64), (128, 32, 128), (256, 32, 128), (256, 48, 192), (384, 48, 192)], 2
):
    LAYERS[f"fire{number}/squeeze1x1"] = (1, 1, inputs, squeezed)
    LAYERS[f"fire{number}/expand1x1"] = (1, 1, squeezed, wide)
    LAYERS[f"fire{number}/expand3x3"] = (3, 3, squeezed, wide)


def write_weights(folder: Path) -> Path:
    """The path of the file, in `folder`."""
    rng = np.random.default_rng(0)
    table = {
        name: [
            rng.normal(0, (shape[0] * shape[1] * shape[2]) ** -0.5, shape).astype(np.float32),
            rng.normal(0, 10, shape[-1]).astype(np.float32),
        ]
        for name, shape in LAYERS.items()
    }
    path = folder / "squeezenet_weights.pkl"
    path.write_bytes(pickle.dumps(table))
    return path
