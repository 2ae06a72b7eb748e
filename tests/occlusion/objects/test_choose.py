"""Which occluder is drawn, and two of them in one layer."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections import Counter

import numpy as np
import pytest
from drawn import rng

from unveil.errors import UsageError
from unveil.occlusion import objects
from unveil.occlusion.objects import choose, held
from unveil.occlusion.objects.head import Head
from unveil.occlusion.objects.layer import Layer

SIZE = 32


def flat(colour: float, alpha: float, lift: float = 0.01, clear: bool = False) -> Layer:
    return Layer(
        np.full((SIZE, SIZE, 3), colour, np.float32),
        np.full((SIZE, SIZE), alpha, np.float32),
        lift,
        clear,
    )


def test_families_are_drawn_as_often_as_the_table_says(monkeypatch):
    drawn: Counter[str] = Counter()
    monkeypatch.setattr(choose, "draw_named", lambda name, *_: drawn.update([name]) or flat(0, 0.5))
    monkeypatch.setattr(choose, "PAIR_SHARE", 0.0)
    random = rng()
    n = 20_000
    for _ in range(n):
        choose.draw(random, Head(SIZE))
    total = sum(weight for _, weight in choose.OBJECTS.values())
    for name, (_, weight) in choose.OBJECTS.items():
        expected = n * weight / total
        assert abs(drawn[name] - expected) < 5 * expected**0.5, name


def test_no_family_is_forgotten():
    drawn = {draw for draw, _ in choose.OBJECTS.values()}
    assert set(held.FAMILIES.values()) <= drawn
    forgotten = set()
    for module in pkgutil.iter_modules(objects.__path__, f"{objects.__name__}."):
        found = vars(importlib.import_module(module.name)).items()
        public = [f for name, f in found if inspect.isfunction(f) and not name.startswith("_")]
        drawers = [f for f in public if list(inspect.signature(f).parameters) == ["rng", "head"]]
        forgotten |= {f.__name__ for f in drawers if f not in drawn}
    assert forgotten == {"jitter"}  # which gives a pose


def test_two_at_once_come_in_their_share(monkeypatch):
    drawn: list[str] = []
    monkeypatch.setattr(choose, "draw_named", lambda name, *_: drawn.append(name) or flat(0, 0.5))
    random = rng()
    for _ in range(4000):
        choose.draw(random, Head(SIZE))
    assert len(drawn) - 4000 == pytest.approx(4000 * choose.PAIR_SHARE, abs=90)


def test_pairs_name_families_that_hide_something():
    for pair in choose.PAIRS:
        for name in pair:
            assert not choose.draw_named(name, rng(), Head(SIZE)).clear


def test_files_are_taken_in_their_share():
    class Files:
        def draw(self, rng: np.random.Generator, size: int) -> Layer:
            return flat(7, 0.25)

    random = rng()
    draws = (choose.draw(random, Head(SIZE), Files()) for _ in range(500))
    taken = sum(float(layer.colour.max()) == 7 for layer in draws)
    assert taken / 500 == pytest.approx(choose.FILE_SHARE, abs=0.08)


def test_upper_lies_over_lower():
    below, above = flat(100, 0.5, 0.05), flat(200, 0.5, 0.01)
    both = choose.over(below, above)
    np.testing.assert_allclose(both.alpha, 0.75)
    # What reaches the eye: half of 200, a quarter of 100, the rest from behind.
    np.testing.assert_allclose(both.colour * both.alpha[..., None], 125, rtol=1e-5)
    assert both.lift == 0.05
    empty = choose.over(flat(9, 0), flat(9, 0))
    assert empty.alpha.max() == 0
    assert np.isfinite(empty.colour).all()


def test_clear_and_hiding_cannot_be_joined():
    with pytest.raises(ValueError, match="clear"):
        choose.over(flat(0, 0.5), flat(0, 0.5, clear=True))


def test_unknown_family_is_said():
    with pytest.raises(UsageError, match=r"no occluder 'crown'.*medical mask"):
        choose.draw_named("crown", rng(), Head(SIZE))


def test_same_seed_same_bytes():
    for seed in range(20):
        one, same = choose.draw(rng(seed), Head(SIZE)), choose.draw(rng(seed), Head(SIZE))
        assert one.colour.tobytes() == same.colour.tobytes()
        assert one.alpha.tobytes() == same.alpha.tobytes()
