import pytest
from lowrank import CHROMA, RANK, SIZE, low_rank_faces, turned_heads

from unveil.models.prior import FacePrior
from unveil.models.prior_fit import fit


@pytest.fixture(scope="session")
def prior() -> FacePrior:
    """One Gaussian, of faces that it can explain wholly."""
    return fit(low_rank_faces(200, seed=1), SIZE, CHROMA, 2 * RANK)


@pytest.fixture(scope="session")
def posed() -> FacePrior:
    """Two Gaussians, of heads that are turned more or less."""
    heads, turns = turned_heads(600, 1)
    return fit(heads, 32, CHROMA, 8, turns=turns, turned=8)
