"""The page's own prior against the library's."""

import dataclasses

import numpy as np
import pytest
from browser import EXAMPLE
from port import ESBUILD, NODE, Port, off_by

from unveil.files import read_image
from unveil.models.prior import FacePrior
from unveil.runtime.weights import find_weights

pytestmark = pytest.mark.skipif(
    not NODE or not ESBUILD.exists(), reason="no node, or nothing built: cd web && npm ci"
)
PRIOR = find_weights("lite").file("prior").path
MORE = """
import { readFileSync } from "node:fs";
import { FacePrior } from "./src/device/prior";
const load = (path) => {
  const raw = readFileSync(path);
  return new FacePrior(raw.buffer.slice(raw.byteOffset, raw.byteOffset + raw.byteLength));
};
export const fillPrior = (path, face, hidden, seed) => load(path).fill(face, hidden, seed);
"""


@pytest.fixture(scope="module")
def port(tmp_path_factory) -> Port:
    return Port(tmp_path_factory.mktemp("port"), more=MORE)


def _turned(prior: FacePrior, face: np.ndarray, turn: float) -> FacePrior:
    """The prior with a direction that finds about this turn in the face, a rectangle hidden."""
    assert prior.direction is not None
    hidden = np.zeros((256, 256), bool)
    hidden[140:230, 60:190] = True
    amounts = prior.front.posterior(prior.look(face, hidden)).mean
    direction = amounts / np.square(amounts).sum() * np.float32(turn)
    return dataclasses.replace(prior, direction=direction)


@pytest.mark.parametrize("seed", [None, 0, 7])
@pytest.mark.parametrize("turn", [0, 0.3, 0.9, -0.9])
def test_the_prior(port, tmp_path, seed, turn):
    # However far the face is really turned: by so much more, this prior has it.
    path = tmp_path / "prior.npz"
    prior = FacePrior.load(PRIOR)
    face = read_image(EXAMPLE).photo
    _turned(prior, face, turn).save(path)
    prior = FacePrior.load(path)
    masks = [np.zeros((256, 256), bool) for _ in range(3)]
    masks[0][150:170, 100:120] = True
    masks[1][140:230, 60:190] = True
    masks[2][40:] = True
    ours = port.call(*[["fillPrior", str(path), face, mask, seed] for mask in masks])
    for made, mask in zip(ours, masks, strict=True):
        most, share = off_by(made, prior.fill(face, mask, seed))
        assert most <= 1
        assert share < 0.01
        assert np.array_equal(made[~mask], face[~mask])
