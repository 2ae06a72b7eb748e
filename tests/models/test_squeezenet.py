import os
import pickle

import cv2
import numpy as np
import pytest
import torch
from squeeze import write_weights

from unveil.errors import WeightsError
from unveil.models.squeezenet import SqueezeNet


def reference(path, image):
    """The first two modules in the weights' own words: BGR, 0..255, OpenCV's networks not asked."""
    table = pickle.loads(path.read_bytes())
    x = image[:, :, ::-1].astype(np.float64) - (104, 117, 123)

    def convolve(x, name, stride=1):
        kernel, bias = (v.astype(np.float64) for v in table[name])
        side = kernel.shape[0] // 2
        x = np.pad(x, ((side, side), (side, side), (0, 0)))
        windows = np.lib.stride_tricks.sliding_window_view(x, kernel.shape[:2], (0, 1))
        windows = windows[::stride, ::stride]  # (H, W, C, k, k)
        return np.maximum(np.einsum("hwcij,ijco->hwo", windows, kernel) + bias, 0)

    x = convolve(x, "conv1", 2)
    x = np.pad(x, ((1, 1), (1, 1), (0, 0)))
    x = np.lib.stride_tricks.sliding_window_view(x, (3, 3), (0, 1))[::2, ::2].max((-1, -2))
    squeezed = convolve(x, "fire2/squeeze1x1")
    wide = [convolve(squeezed, f"fire2/expand{n}x{n}") for n in (1, 3)]
    return np.concatenate(wide, -1)


def test_features_are_those_of_the_weights_in_another_unit(tmp_path):
    path = write_weights(tmp_path)
    network = SqueezeNet(last="fire2")
    network.load(path)
    image = np.random.default_rng(1).integers(0, 256, (8, 8, 3), np.uint8)
    image = cv2.resize(image, (32, 32), interpolation=cv2.INTER_CUBIC)
    with torch.no_grad():
        tensor = torch.from_numpy(image.astype(np.float32) / 127.5 - 1).permute(2, 0, 1)[None]
        ours = network(tensor)["fire2"][0].permute(1, 2, 0).numpy()
    theirs = reference(path, image)
    assert theirs.std() > 1
    np.testing.assert_allclose(ours * 50, theirs, rtol=1e-4, atol=1e-4 * theirs.max())


def test_nothing_comes_after_the_last_layer_and_scales_halve():
    features = SqueezeNet(last="fire6")(torch.zeros(1, 3, 64, 64))
    assert list(features)[-1] == "fire6"
    sides = [value.shape[-1] for value in features.values()]
    assert sides == [32, 16, 16, 8, 8, 4]


class Evil:
    def __reduce__(self):
        return os.system, ("true",)


def test_other_files_are_refused(tmp_path):
    path = tmp_path / "x.pkl"
    small = pickle.dumps({"conv1": [np.zeros((1, 1, 3, 64), np.float32), np.zeros(64, np.float32)]})
    for data in (b"", b"no pickle", pickle.dumps({"conv1": 1}), pickle.dumps(Evil()), small):
        path.write_bytes(data)
        with pytest.raises(WeightsError, match=r"x\.pkl: not the SqueezeNet"):
            SqueezeNet().load(path)
    with pytest.raises(WeightsError, match=r"none\.pkl"):
        SqueezeNet().load(tmp_path / "none.pkl")
