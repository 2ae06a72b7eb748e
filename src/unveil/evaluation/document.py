"""A document of tables, plots and rows of faces, before it becomes markdown or a page.

Texts may hold `code`, **bold** and *italic* words, as in markdown, and nothing else of it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from unveil.imaging import Photo


@dataclass(frozen=True)
class Table:
    """Rows of cells under a head.

    Attributes:
        folded: too long to be read by everybody; a page shows it when asked.
    """

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""
    folded: bool = False

    def markdown(self) -> str:
        """Title, table and note, without a final newline."""
        lines = [_line(self.header), "|" + "---|" * len(self.header), *map(_line, self.rows)]
        title = f"**{untagged(self.title)}**" if self.title else ""
        parts = [title, "\n".join(lines), untagged(self.note)]
        return "\n\n".join(part for part in parts if part)


@dataclass(frozen=True)
class Plot:
    """A drawing; see `plots.py`.

    Attributes:
        name: of its file, without a suffix; see `file`.
        svg: of a page's own colours: ink is `currentColor`, and there is no ground.
        alone: the same as a file by itself, black on white.
    """

    name: str
    title: str
    svg: str
    alone: str

    @property
    def file(self) -> str:
        """Its file name in a folder of pictures."""
        return f"{_file_name(self.name)}.svg"


@dataclass(frozen=True)
class Strip:
    """Faces side by side, (S, N S, 3) uint8, and what they show."""

    label: str
    picture: Photo


@dataclass(frozen=True)
class Figure:
    """Strips of equal size, one below the other.

    Attributes:
        name: of its files, without a suffix; see `file`.
    """

    name: str
    title: str
    caption: str
    strips: tuple[Strip, ...]
    folded: bool = False

    def file(self, place: int) -> str:
        """The file name of a strip in a folder of pictures."""
        return f"{_file_name(self.name)}-{place}.webp"


Block = str | Table | Plot | Figure


@dataclass(frozen=True)
class Section:
    """A heading and what is under it; a string is a paragraph."""

    title: str
    blocks: Sequence[Block]


@dataclass(frozen=True)
class Document:
    """All of a report."""

    title: str
    lead: str
    sections: Sequence[Section] = field(default_factory=tuple)

    def blocks(self) -> list[Block]:
        """Those of all sections."""
        return [block for section in self.sections for block in section.blocks]

    def markdown(self, pictures: str) -> str:
        """The whole document; plots and strips are the files of folder `pictures`."""
        parts = [f"# {untagged(self.title)}", untagged(self.lead)]
        for section in self.sections:
            parts.append(f"## {untagged(section.title)}")
            parts += [_block(block, pictures) for block in section.blocks]
        return "\n\n".join(parts) + "\n"


def _block(block: Block, pictures: str) -> str:
    if isinstance(block, str):
        return untagged(block)
    if isinstance(block, Table):
        return block.markdown()
    if isinstance(block, Plot):
        return f"![{untagged(block.title)}]({pictures}/{block.file})"
    rows = [
        _line((strip.label, f"![{strip.label}]({pictures}/{block.file(i)})"))
        for i, strip in enumerate(block.strips)
    ]
    strips = "\n".join(["| | |", "|---|---|", *rows])
    return "\n\n".join([f"**{untagged(block.title)}**", strips, untagged(block.caption)])


def _line(cells: Sequence[str]) -> str:
    escaped = (untagged(cell).replace("|", "\\|") for cell in cells)
    return f"| {' | '.join(escaped)} |"


def untagged(text: str) -> str:
    """A text in markdown of which nothing is taken for a tag; in `code` nothing is anyway."""
    return re.sub("`[^`]*`|<", lambda found: "&lt;" if found[0] == "<" else found[0], text)


def _file_name(name: str) -> str:
    """Names are partly of a results file, which must not say where on a disk we write."""
    return re.sub(r"[^\w@+.-]+", "-", name)
