import json

from evaluation_results import part

from unveil.evaluation.scores import Part


def test_a_part_survives_its_file():
    kept = part(0)
    assert Part.from_dict(json.loads(json.dumps(kept.to_dict()))) == kept
    for damaged in (None, {}, {"columns": {}, "distances": {}}, [], {"columns": 1}):
        assert Part.from_dict(damaged) is None
