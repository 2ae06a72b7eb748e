import os
from pathlib import Path
from typing import get_args, get_type_hints

import pytest
from drawn import draw_face

from unveil.cli import app, weights
from unveil.cli.options import check_place, some_path
from unveil.errors import UsageError
from unveil.files import encode, write_bytes

VERBS = [each.callback for of in (app, weights.app) for each in of.registered_commands]


def kinds_of(annotation):
    """The types that an annotation is made of."""
    inner = [kind for part in get_args(annotation) for kind in kinds_of(part)]
    return inner or [annotation]


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.__name__)
def test_every_path_of_every_verb_refuses_to_be_empty(verb):
    for name, annotation in get_type_hints(verb, include_extras=True).items():
        if name != "return" and Path in kinds_of(annotation):
            assert annotation.__metadata__[-1].parser is some_path, name


@pytest.mark.parametrize(
    ("arguments", "option"),
    [
        (["restore", "face.png", "--mask", ""], "--mask"),  # the masks of this folder, before
        (["restore", "face.png", "--mask="], "--mask"),
        (["occlude", "face.png", "-o", ""], "-o"),  # into this folder, before
        (["fit-prior", "--data", "", "-o", "prior.npz"], "--data"),
        (["train", "--preset", "lite", "--data", "faces", "--out", ""], "--out"),
        (["train", "--preset", "lite", "--data", "", "--out", "run"], "--data"),
        (["video", "", "-o", "out.mp4"], "IN"),
    ],
)
def test_an_empty_path_is_a_wrong_call_and_not_this_folder(
    unveil, tmp_path, monkeypatch, arguments, option
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GLIBC_TUNABLES", "")  # without it `train` starts itself anew
    monkeypatch.setenv("OMP_WAIT_POLICY", "PASSIVE")
    for name in ("face.png", "face.mask.png"):
        write_bytes(tmp_path / name, encode(draw_face(0, 64), "PNG"))
    status, _, told = unveil(*arguments)
    assert (status, option in told) == (2, True)
    assert "is empty: name a file or a folder" in " ".join(told.split())
    assert sorted(os.listdir()) == ["face.mask.png", "face.png"]


def test_a_folder_that_will_be_made_is_known_by_any_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    check_place(tmp_path / "new" / "p.html", "--page", [Path("new")])
    check_place(Path("new/p.html"), "--page", [tmp_path / "new"])
    with pytest.raises(UsageError, match="there is no folder"):
        check_place(Path("other/p.html"), "--page", [tmp_path / "new"])
