"""The second recogniser from TensorFlow.js' files: read from made ones, by hand, and cut off."""

import json

import numpy as np
import pytest
import torch

from unveil.errors import WeightsError
from unveil.models.faceres import LENGTH, PAIRS, SIDE, FaceRes


def made_weights(rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Kernels as TensorFlow has them: height, width, in, out."""
    kernels = {"conv1/convolution/merged_input": (3, 3, 3, 32)}
    inputs = 32
    for i, (outputs, _) in enumerate(PAIRS, 1):
        kernels[f"conv_dw_{i}/depthwise_kernel"] = (3, 3, inputs, 1)
        kernels[f"conv_pw_{i}/convolution/merged_input"] = (1, 1, inputs, outputs)
        inputs = outputs
    made = {}
    for name, shape in kernels.items():
        outputs = shape[2] if "dw" in name else shape[3]
        fan = 9 if "dw" in name else shape[0] * shape[1] * shape[2]
        made[name] = rng.normal(0, (2 / fan) ** 0.5, shape)
        norm = name.split("/")[0] + "_bn/batchnorm_1"
        made[f"{norm}/sub"] = rng.normal(0, 0.1, outputs)
        if "dw" in name:
            made[f"{norm}/mul"] = rng.uniform(0.5, 1.5, outputs)
    for name, shape in (
        ("feats", (LENGTH, 256)),
        ("gender_pred", (256, 1)),
        ("age_pred", (256, 100)),
    ):
        made[f"{name}/kernel"] = rng.normal(0, 0.05, shape)
        made[f"{name}/bias"] = rng.normal(0, 0.05, shape[1])
    return {name: value.astype(np.float16) for name, value in made.items()}


@pytest.fixture(scope="module")
def weights():
    return made_weights(np.random.default_rng(2))


def write_weights(folder, weights):
    """`faceres.json` and `faceres.bin`, as the package has them."""
    described = [
        {"name": name, "shape": list(value.shape), "quantization": {"dtype": "float16"}}
        for name, value in weights.items()
    ]
    manifest = [{"paths": ["faceres.bin"], "weights": described}]
    (folder / "faceres.json").write_text(json.dumps({"weightsManifest": manifest}))
    (folder / "faceres.bin").write_bytes(b"".join(v.tobytes() for v in weights.values()))
    return folder / "faceres.json"


@pytest.fixture
def file(weights, tmp_path):
    return write_weights(tmp_path, weights)


def by_hand(weights: dict[str, np.ndarray], face: torch.Tensor) -> dict[str, np.ndarray]:
    """The graph's own operations, in its own order; SAME pads an even side at its end."""

    def tensor(name):
        return torch.from_numpy(weights[name].astype(np.float32))

    def same(x, stride):
        return torch.nn.functional.pad(x, (0, 1, 0, 1) if stride == 2 else (1, 1, 1, 1))

    kernel = tensor("conv1/convolution/merged_input").permute(3, 2, 0, 1)
    x = torch.conv2d(same(face, 2), kernel, stride=2)
    x = (x + tensor("conv1_bn/batchnorm_1/sub")[:, None, None]).clamp(0, 6)
    for i, (_, stride) in enumerate(PAIRS, 1):
        kernel = tensor(f"conv_dw_{i}/depthwise_kernel").permute(2, 3, 0, 1)
        x = torch.conv2d(same(x, stride), kernel, stride=stride, groups=len(kernel))
        x = x * tensor(f"conv_dw_{i}_bn/batchnorm_1/mul")[:, None, None]
        x = (x + tensor(f"conv_dw_{i}_bn/batchnorm_1/sub")[:, None, None]).clamp(0, 6)
        kernel = tensor(f"conv_pw_{i}/convolution/merged_input").permute(3, 2, 0, 1)
        x = torch.conv2d(x, kernel) + tensor(f"conv_pw_{i}_bn/batchnorm_1/sub")[:, None, None]
        x = x.clamp(0, 6)
    embedding = x.mean((2, 3))
    heads = {}
    hidden = (embedding @ tensor("feats/kernel") + tensor("feats/bias")).relu()
    for name in ("gender_pred", "age_pred"):
        heads[name] = (hidden @ tensor(f"{name}/kernel") + tensor(f"{name}/bias")).numpy()
    return {"embedding": embedding.numpy(), **heads}


def test_it_computes_what_the_graph_says(weights, file):
    face = torch.rand(2, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(1)) * 255 - 120
    seen, expected = FaceRes.load(file)(face), by_hand(weights, face)
    assert seen.embedding.std() > 0.01
    assert np.allclose(seen.embedding, expected["embedding"], rtol=1e-3, atol=1e-4)
    male = 1 / (1 + np.exp(-expected["gender_pred"][:, 0]))
    assert np.allclose(seen.male, male, atol=1e-4)
    share = np.exp(expected["age_pred"] - expected["age_pred"].max(1, keepdims=True))
    share /= share.sum(1, keepdims=True)
    assert np.allclose(seen.age, share @ np.arange(1, 101), atol=0.01)


def test_files_that_are_missing_cut_off_or_others_are_refused(file):
    data = (file.parent / "faceres.bin").read_bytes()
    (file.parent / "faceres.bin").write_bytes(data[:-2])
    with pytest.raises(WeightsError, match=r"faceres\.json: not .* or damaged"):
        FaceRes.load(file)
    (file.parent / "faceres.bin").unlink()
    with pytest.raises(WeightsError, match=r"faceres\.bin: No such file"):
        FaceRes.load(file)
    none = '{"weightsManifest": [{"paths": [], "weights": []}]}'
    for text in ("{}", "[]", "no", none, none.replace("[]}", '["a"]}')):
        file.write_text(text)
        with pytest.raises(WeightsError, match="or damaged"):
            FaceRes.load(file)
    with pytest.raises(WeightsError, match=r"none\.json: No such file"):
        FaceRes.load(file.with_name("none.json"))
