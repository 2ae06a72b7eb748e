import json

from evaluation_results import N, part

from unveil.evaluation.scores import SCORES, Part


def test_a_part_survives_its_file():
    kept = part(0)
    assert Part.from_dict(json.loads(json.dumps(kept.to_dict())), N) == kept
    for damaged in (None, {}, {"columns": {}, "distances": {}}, [], {"columns": 1}):
        assert Part.from_dict(damaged, N) is None


def test_columns_that_are_none_are_not_trusted():
    whole = part(0).to_dict()
    first, *others = SCORES
    for column in ("x" * N, ["x"] * N, [0.5] * (N - 1), [float("nan")] * N, None):
        damaged = whole | {"columns": whole["columns"] | {first: column}}
        assert Part.from_dict(damaged, N) is None
    assert Part.from_dict(whole, N - 1) is None  # all columns, of other faces
    without = whole | {"columns": whole["columns"] | {name: [None] * N for name in others}}
    assert Part.from_dict(without, N) is not None
