"""What the documents name is there: verbs, options, files, and what each preset of training has."""

import dataclasses
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer

from unveil.cli import app
from unveil.training.presets import PRESETS

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted(
    path
    for folder in ("", "docs", "benchmarks", "benchmarks/training", "examples")
    for path in (ROOT / folder).glob("*.md")
    if path.name not in ("log.md", "CHANGELOG.md")  # which tell what was
)
COMMAND = re.compile(r"(?:^|&& |\| |=\S+ |-m )unveil ([a-z][a-z-]*)(.*)")
# Settings of a run, not of a preset; and those that all presets have alike.
ALIKE = {"size": 256, "epochs": 200, "seed": 0, "stream": 0}
NO_OPTIONS = ("beta1", "beta2", "depth")


def options(command: Any) -> set[str]:
    """All that a verb takes, those of its own verbs too."""
    taken = {option for each in command.params for option in (*each.opts, *each.secondary_opts)}
    return taken.union({"-h", "--help"}, *map(options, getattr(command, "commands", {}).values()))


VERBS = {name: options(each) for name, each in typer.main.get_command(app).commands.items()}
SCRIPTS = sorted((ROOT / "benchmarks").glob("*.py"))
PAST = {"--feature-weight"}  # of runs that are told of


def options_of_script(path: Path) -> list[str]:
    return re.findall(r'"(--?[a-z-]+)"', path.read_text(encoding="utf-8"))


def commands(path: Path) -> list[tuple[str, list[str]]]:
    """Verb and words of each command in a document's blocks of code."""
    text = path.read_text(encoding="utf-8").replace("\\\n", " ")
    blocks = re.findall(r"```sh\n(.*?)```", text, flags=re.DOTALL)
    blocks += re.findall(r"(?:^    .+\n)+", text, flags=re.MULTILINE)
    blocks += re.findall(r"`(unveil [a-z][^`]*)`", text)
    lines = [line.strip() for block in blocks for line in block.splitlines()]
    found = [match for line in lines for match in COMMAND.finditer(line)]
    return [
        (verb, shlex.split(words.split(" && ")[0], comments=True))
        for verb, words in (match.groups() for match in found)
    ]


ALL = [(path, verb, words) for path in DOCUMENTS for verb, words in commands(path)]


def test_there_are_commands_of_all_kinds():
    assert len(ALL) > 50
    assert len({verb for _, verb, _ in ALL}) > 9


@pytest.mark.parametrize(("path", "verb", "words"), ALL)
def test_every_verb_and_option_is_there(path, verb, words):
    assert verb in VERBS, path
    named = [word for word in words if re.match(r"--?[a-z]", word)]
    assert [word for word in named if word not in VERBS[verb]] == [], path


@pytest.mark.parametrize("path", DOCUMENTS)
def test_every_option_by_itself_is_one_of_some_verb(path):
    text = path.read_text(encoding="utf-8")
    known = set().union(*VERBS.values(), *map(options_of_script, SCRIPTS), PAST)
    named = re.findall(r"`(--[a-z][a-z-]*)[^`]*`", text)
    assert [option for option in named if option not in known] == []


@pytest.mark.parametrize("path", DOCUMENTS)
def test_every_link_leads_somewhere(path):
    text = path.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)h#][^)]*)\)", text):
        place, _, heading = target.partition("#")
        assert (path.parent / place).exists(), target
        if heading:
            titles = re.findall(r"^#+ (.+)$", (path.parent / place).read_text("utf-8"), re.M)
            anchors = [re.sub(r"[^a-z0-9 -]", "", t.lower()).replace(" ", "-") for t in titles]
            assert heading in anchors, target


def test_the_presets_have_what_is_said():
    text = (ROOT / "docs" / "training.md").read_text(encoding="utf-8")
    table = re.search(r"\| option \|.*?\n\n", text, re.DOTALL)
    assert table
    header, _, *rows = [
        [cell.strip().strip("`") for cell in line.strip("|").split("|")]
        for line in table[0].strip().splitlines()
    ]
    assert header[1:] == list(PRESETS)
    told = {
        (preset, option.removeprefix("--").replace("-", "_")): value
        for option, *values in rows
        for preset, value in zip(PRESETS, values, strict=True)
        if value
    }
    had = {
        (preset, field.name): _word(getattr(config, field.name))
        for preset, config in PRESETS.items()
        for field in dataclasses.fields(config)
        if field.name not in (*ALIKE, *NO_OPTIONS)
    }
    assert told == had
    for config in PRESETS.values():
        assert {name: getattr(config, name) for name in ALIKE} == ALIKE


def _word(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value) or "none"
