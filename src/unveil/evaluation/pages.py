"""A document as one HTML page that asks nothing of any other file or server, and as a folder."""

from __future__ import annotations

import base64
import io
import re
from html import escape
from pathlib import Path

from PIL import Image

from unveil.errors import DataError
from unveil.evaluation.document import Block, Document, Figure, Plot, Section, Strip, Table
from unveil.files import write_bytes
from unveil.imaging import Photo

QUALITY = 85  # of WebP: a face of 160 pixels takes 4 kB
PICTURES = "pictures"

STYLE = """
:root { color-scheme: light dark; --ink: #1d1f23; --ground: #ffffff; --line: #d9dce1;
  --shade: #f4f5f7; --weak: #5d636d; --link: #0b61c4; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e8eb; --ground: #14161a; --line: #363b43;
  --shade: #1d2026; --weak: #a2a9b4; --link: #74b3ff; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1rem; max-width: 74rem; color: var(--ink);
  background: var(--ground); font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: break-word; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: .5rem 0; }
h2 { font-size: 1.3rem; margin: 2.5rem 0 .5rem; border-top: 1px solid var(--line);
  padding-top: 1.2rem; }
a { color: var(--link); }
nav ul { display: flex; flex-wrap: wrap; gap: .25rem 1.2rem; padding: 0; list-style: none; }
code { font-size: .9em; background: var(--shade); padding: .05em .3em; border-radius: 3px;
  overflow-wrap: anywhere; }
.note, figcaption { color: var(--weak); font-size: .9rem; }
.scroll { overflow-x: auto; margin: .6rem 0; }
table { border-collapse: collapse; font-size: .88rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; font-weight: 600; padding: .3rem 0; }
th, td { padding: .3rem .6rem; border-bottom: 1px solid var(--line); text-align: right;
  vertical-align: top; white-space: nowrap; }
thead th { white-space: normal; min-width: 6.5rem; vertical-align: bottom; }
th:first-child { text-align: left; position: sticky; left: 0; background: var(--ground); }
tbody th { font-weight: 500; white-space: normal; min-width: 11rem; }
details { margin: .5rem 0; border: 1px solid var(--line); border-radius: 6px;
  padding: .3rem .8rem; }
summary { cursor: pointer; padding: .3rem 0; }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(21rem, 100%), 1fr));
  gap: 1rem; }
figure { margin: .8rem 0; }
.plots figure { margin: 0; }
svg { width: 100%; height: auto; display: block; }
.strip { display: grid; grid-template-columns: 9rem 1fr; gap: .5rem; align-items: center;
  margin-bottom: 3px; font-size: .88rem; }
.strip img { width: 100%; height: auto; display: block; }
@media (max-width: 40rem) { body { padding: .7rem; } .strip { grid-template-columns: 1fr;
  gap: 0; } .strip span { position: sticky; left: 0; width: max-content; }
  tbody th { min-width: 6.5rem; } }
"""


def page(document: Document) -> str:
    """The whole document as HTML, its pictures inside."""
    names = [f"part-{i + 1}" for i in range(len(document.sections))]
    links = "".join(
        f'<li><a href="#{name}">{_text(section.title)}</a></li>'
        for name, section in zip(names, document.sections, strict=True)
    )
    body = "".join(
        _section(name, section) for name, section in zip(names, document.sections, strict=True)
    )
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(document.title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        f"<header><h1>{_text(document.title)}</h1><p>{_text(document.lead)}</p></header>\n"
        f'<nav aria-label="Contents"><ul>{links}</ul></nav>\n'
        f"<main>{body}</main>\n</body>\n</html>\n"
    )


def _section(name: str, section: Section) -> str:
    parts = [f'<section id="{name}"><h2>{_text(section.title)}</h2>\n']
    inside = False
    for block in section.blocks:
        # Plots that follow each other stand side by side where there is room.
        if isinstance(block, Plot) != inside:
            parts.append("</div>\n" if inside else '<div class="plots">\n')
            inside = not inside
        parts.append(_block(block))
    return "".join([*parts, "</div>\n" if inside else "", "</section>\n"])


def _block(block: Block) -> str:
    if isinstance(block, str):
        return f"<p>{_text(block)}</p>\n"
    if isinstance(block, Plot):
        svg = block.svg.replace("<svg ", f'<svg aria-label="{escape(block.title)}" ', 1)
        return f"<figure>{svg}<figcaption>{_text(block.title)}</figcaption></figure>\n"
    inner = _table(block) if isinstance(block, Table) else _figure(block)
    if block.folded:
        return f"<details><summary>{_text(block.title)}</summary>{inner}</details>\n"
    return inner


def _table(table: Table) -> str:
    caption = f"<caption>{_text(table.title)}</caption>" if table.title and not table.folded else ""
    head = "".join(f'<th scope="col">{_text(cell)}</th>' for cell in table.header)
    rows = "".join(
        f'<tr><th scope="row">{_text(row[0])}</th>'
        + "".join(f"<td>{_text(cell)}</td>" for cell in row[1:])
        + "</tr>\n"
        for row in table.rows
    )
    note = f'<p class="note">{_text(table.note)}</p>' if table.note else ""
    return (
        f"{_scroll(table.title or 'table')}<table>{caption}<thead><tr>{head}</tr></thead>\n"
        f"<tbody>{rows}</tbody></table></div>{note}\n"
    )


def _figure(figure: Figure) -> str:
    strips = "".join(_strip(figure.title, strip) for strip in figure.strips)
    # As wide as it is drawn and no wider; on a phone not so narrow that faces cannot be seen.
    height, width = figure.strips[0].picture.shape[:2]
    rem = 4.5 * width / height
    title = "" if figure.folded else f"<strong>{_text(figure.title)}</strong>"
    return (
        f"<figure>{title}{_scroll(figure.title)}"
        f'<div style="min-width: {rem:.1f}rem; '
        f'max-width: {width + 152}px">{strips}</div></div>'
        f"<figcaption>{_text(figure.caption)}</figcaption></figure>\n"
    )


def _strip(title: str, strip: Strip) -> str:
    height, width = strip.picture.shape[:2]
    return (
        f'<div class="strip"><span>{_text(strip.label)}</span>'
        f'<img alt="{escape(title)}: {escape(strip.label)}" '
        f'width="{width}" height="{height}" src="{_url(strip.picture)}"></div>'
    )


def _scroll(label: str) -> str:
    """Opens a box that scrolls sideways and that a keyboard can reach."""
    return f'<div class="scroll" tabindex="0" role="group" aria-label="{escape(label)}">'


def _text(text: str) -> str:
    """Escaped, and its few marks made HTML."""
    out = escape(text, quote=False)
    out = re.sub(r"`([^`]+)`", r"<code>\1</code>", out)
    out = re.sub(r"\*\*([^*]+)\*\*", r"<strong>\1</strong>", out)
    return re.sub(r"\*([^*]+)\*", r"<em>\1</em>", out)


def _webp(picture: Photo) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "WEBP", quality=QUALITY, method=6)
    return buffer.getvalue()


def _url(picture: Photo) -> str:
    return f"data:image/webp;base64,{base64.b64encode(_webp(picture)).decode('ascii')}"


def write(document: Document, out: Path) -> tuple[Path, Path]:
    """Write `report.html`, `report.md`, and in `pictures/` what the latter shows.

    Raises:
        DataError: `out` cannot be made.
        ImageError: a file cannot be written.
    """
    try:
        (out / PICTURES).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"{out}: cannot be made: {error.strerror or error}") from None
    for block in document.blocks():
        if isinstance(block, Plot):
            write_bytes(out / PICTURES / block.file, block.alone.encode())
        elif isinstance(block, Figure):
            for i, strip in enumerate(block.strips):
                write_bytes(out / PICTURES / block.file(i), _webp(strip.picture))
    paths = out / "report.html", out / "report.md"
    write_bytes(paths[0], page(document).encode())
    write_bytes(paths[1], document.markdown(PICTURES).encode())
    return paths
