"""Normal noise that is the same everywhere."""

import numpy as np
import pytest

from unveil.noise import normal

# Seed, and the first numbers of it.
KNOWN = (
    (0, [0.6718401, 0.4863337, 0.9851825, -1.4106872]),
    (123456789012, [1.2556702, 2.0215518, 0.9218672, 1.2078162]),
)


def test_it_is_normal_and_independent():
    numbers = normal(7, 400_000).astype(np.float64)
    assert numbers.mean() == pytest.approx(0, abs=0.005)
    assert numbers.var() == pytest.approx(1, abs=0.01)
    assert (numbers**4).mean() == pytest.approx(3, abs=0.1)  # a normal distribution's
    for step in (1, 2, 3, 512):
        assert (numbers[step:] * numbers[:-step]).mean() == pytest.approx(0, abs=0.006)


def test_each_seed_has_numbers_of_its_own():
    seeds = [0, 1, 2, -1, 2**32, 2**32 + 1, 2**64]
    drawn = np.stack([normal(seed, 2000) for seed in seeds])
    assert np.abs(np.corrcoef(drawn) - np.eye(len(seeds))).max() < 0.1


@pytest.mark.parametrize(("seed", "numbers"), KNOWN)
def test_the_numbers_of_a_seed_never_change(seed, numbers):
    assert normal(seed, 4).tolist() == pytest.approx(numbers, abs=1e-6)


@pytest.mark.parametrize("kind", [np.uint8, np.int32, np.uint32, np.int64])
def test_a_seed_of_numpy_is_the_number_that_it_is(kind):
    for seed in (kind(5), kind(np.iinfo(kind).max)):
        assert normal(seed, 4).tolist() == normal(int(seed), 4).tolist()
