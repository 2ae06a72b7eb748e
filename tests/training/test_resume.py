"""What a run refuses to go on from, or to start from, and what it says of it."""

import dataclasses

import pytest
from tiny import CONFIG, faces, options

from unveil.errors import UsageError
from unveil.training import checkpoint
from unveil.training.config import LiteConfig, SegmenterConfig
from unveil.training.loop import train
from unveil.training.peer_config import PicNetConfig

SMALL = {"size": 64, "batch_size": 4, "micro_batch_size": 4, "epochs": 1, "width": 0.17}
SEGMENTER = SegmenterConfig(**SMALL)
LITE = LiteConfig(**SMALL, window=64, overview=False)
OTHERS = (
    LiteConfig(**SMALL, window=64),
    PicNetConfig(**SMALL),
    dataclasses.replace(CONFIG, epochs=1),
)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A finished run of the segmenter."""
    out = tmp_path_factory.mktemp("run")
    train(faces(), faces(4, 1), SEGMENTER, options(), out)
    return out


def refused(config, out, **changes):
    with pytest.raises(UsageError) as refusal:
        train(faces(), faces(4, 1), config, options(**changes), out)
    message = str(refusal.value)
    assert "\n" not in message
    assert len(message) < 400
    return message


@pytest.mark.parametrize("told", [True, False])
@pytest.mark.parametrize("config", OTHERS)
def test_another_preset_is_named(run, tmp_path, config, told):
    state = checkpoint.load(run / "last.ckpt")
    assert state["preset"] == "segmenter"
    if not told:  # as checkpoints were before they said so
        del state["preset"]
    del state["format"]
    checkpoint.save(tmp_path / "last.ckpt", state)
    words = "last.ckpt holds networks of --preset segmenter, and this is another --preset, "
    assert words in refused(config, tmp_path, resume=True)
    message = refused(config, tmp_path / "new", init_from=tmp_path / "last.ckpt")
    assert message.startswith(f"--init-from {tmp_path / 'last.ckpt'} holds networks of")


def test_a_checkpoint_of_before_presets_were_kept_goes_on(run, tmp_path):
    state = checkpoint.load(run / "last.ckpt")
    del state["preset"], state["format"]
    checkpoint.save(tmp_path / "last.ckpt", state)
    more = dataclasses.replace(SEGMENTER, epochs=2)
    assert train(faces(), faces(4, 1), more, options(resume=True), tmp_path).step == 6
    start = options(init_from=run / "last.ckpt")
    assert train(faces(), faces(4, 1), SEGMENTER, start, tmp_path / "new").faces_seen == 24


def test_networks_of_another_width_are_told(run, tmp_path):
    wider = dataclasses.replace(SEGMENTER, width=0.25)
    message = refused(wider, tmp_path, init_from=run / "last.ckpt")
    assert "last.ckpt holds networks of --width 0.17, which do not fit" in message
    assert not (tmp_path / "last.ckpt").exists()


@pytest.fixture(scope="module")
def lite_run(tmp_path_factory):
    """A finished run of `lite` without its look at the whole face."""
    out = tmp_path_factory.mktemp("lite")
    train(faces(), faces(4, 1), LITE, options(), out)
    return out


def test_networks_with_other_parts_are_told(lite_run, tmp_path):
    message = refused(
        dataclasses.replace(LITE, overview=True), tmp_path, init_from=lite_run / "last.ckpt"
    )
    assert "last.ckpt holds networks of --no-overview, which do not fit" in message


def test_a_run_of_before_faces_were_varied_goes_on_without(lite_run, tmp_path):
    state = checkpoint.load(lite_run / "last.ckpt")
    del state["config"]["varied"], state["format"]
    checkpoint.save(tmp_path / "last.ckpt", state)
    more = dataclasses.replace(LITE, epochs=2)
    assert "was started with --varied 0.0; give the same" in refused(more, tmp_path, resume=True)
    alike = dataclasses.replace(more, varied=0.0)
    assert train(faces(), faces(4, 1), alike, options(resume=True), tmp_path).step == 6


def test_a_small_checkpoint_is_one_to_start_from_only(run, tmp_path):
    checkpoint.compact(run / "last.ckpt", tmp_path / "last.ckpt")
    message = refused(dataclasses.replace(SEGMENTER, epochs=2), tmp_path, resume=True)
    assert "last.ckpt lacks 'optimizer': --resume goes on with" in message


def test_networks_of_another_version_are_told(run, tmp_path):
    state = checkpoint.load(run / "last.ckpt")
    del state["format"], state["segmenter"]["network"][next(iter(state["segmenter"]["network"]))]
    checkpoint.save(tmp_path / "last.ckpt", state)
    assert "another shape" in refused(SEGMENTER, tmp_path / "new", init_from=tmp_path / "last.ckpt")
