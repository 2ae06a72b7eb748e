"""What is kept in the repository."""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PICTURES = {".png", ".jpg", ".jpeg", ".webp", ".gif", ".avif", ".mp4", ".mkv", ".webm"}
# Drawn faces and a public-domain portrait; anything else may be somebody's photo.
ALLOWED = {"docs", "examples"}


def test_pictures_lie_only_where_they_are_looked_at():
    if not (ROOT / ".git").exists():
        pytest.skip("no git repository: an unpacked archive of it")
    names = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.splitlines()
    pictures = [Path(name) for name in names if Path(name).suffix.lower() in PICTURES]
    assert pictures
    assert [name for name in pictures if name.parts[0] not in ALLOWED] == []
