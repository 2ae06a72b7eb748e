"""The README's commands work word for word."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from unveil.files import read_image

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def shell_blocks() -> list[str]:
    return re.findall(r"```sh\n(.*?)```", README, flags=re.DOTALL)


def test_the_first_command_restores_the_example(tmp_path):
    install, command = shell_blocks()[0].strip().split(" && ")
    assert install == "pip install ."
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    words = [sys.executable, "-m", *shlex.split(command)]
    env = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    subprocess.run(words, cwd=tmp_path, env=env, check=True)
    restored = read_image(tmp_path / "restored.png").photo
    occluded = read_image(ROOT / "examples" / "astronaut_occluded.png").photo
    changed = (restored != occluded).any(axis=-1)
    assert 0.1 < changed.mean() < 0.2


def test_every_verb_and_option_named_exists():
    lines = [line for block in shell_blocks() for line in block.splitlines() if "unveil " in line]
    assert len(lines) >= 4
    for line in lines:
        words = shlex.split(line.split("unveil ", 1)[1], comments=True)
        verb, options = words[0], [w for w in words if re.match(r"--?[a-z]", w)]
        done = subprocess.run(
            [sys.executable, "-m", "unveil", verb, "--help"],
            capture_output=True,
            text=True,
            check=True,
            env=os.environ | {"PYTHONPATH": str(ROOT / "src")},
        )
        for option in options:
            assert option in done.stdout, line


@pytest.mark.parametrize("target", re.findall(r"\]\(([^)h][^)]*)\)", README))
def test_links_lead_somewhere(target):
    assert (ROOT / target.split("#")[0]).exists()
