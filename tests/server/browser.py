"""What the tests of the page share: a browser's files, clicks and pictures."""

from __future__ import annotations

import base64
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from serving import until

from unveil.files import read_image
from unveil.restorer import Restorer

CHROMIUM = os.environ.get("UNVEIL_CHROMIUM") or shutil.which("chromium")
ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "astronaut_occluded.png"
NOTE = "The hidden part is invented; not for identification."
LARGE, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
MILLISECONDS = 60_000  # one busy core

MARKS = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM, reason="no chromium: apt install chromium"),
]


class Recorder(Restorer):
    """The library, which remembers the masks that the page has sent."""

    masks: ClassVar[list[np.ndarray | None]] = []

    def restore(self, photo, mask=None, *arguments, **options):
        self.masks.append(mask)
        return super().restore(photo, mask, *arguments, **options)


def stage_of(page, stage: str, which: int = 0):
    page.wait_for_selector(f"#strip li:nth-child({which + 1})[data-stage={stage}]")


def hold(page, address: str) -> list:
    """Holds the requests to an address; each is let go with `.continue_()`."""
    held: list = []
    page.route(address, lambda route: held.append(route))
    return held


def soon(page, true: Callable[[], bool]) -> bool:
    """As `until`, for what only the page's own events change."""
    return until(lambda: page.wait_for_timeout(10) or true())


def focused(page) -> str:
    return page.evaluate("document.activeElement.id")


def drop(page, path: Path, kind: str = "image/png") -> None:
    data = base64.b64encode(path.read_bytes()).decode()
    page.evaluate(
        """([data, name, type]) => {
            const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
            const carried = new DataTransfer();
            carried.items.add(new File([bytes], name, { type }));
            for (const kind of ["dragenter", "dragover", "drop"]) {
                const event = new DragEvent(kind, {
                    dataTransfer: carried, bubbles: true, cancelable: true,
                });
                document.getElementById("main").dispatchEvent(event);
            }
        }""",
        [data, path.name, kind],
    )


def place(page) -> dict:
    """Where the photo lies on the screen, and how large a pixel of it is."""
    width = "document.getElementById('stage').style.getPropertyValue('--photo-width')"
    assert until(lambda: page.evaluate(width))
    box = page.locator("#stage").bounding_box()
    at = page.evaluate(
        """() => ["left", "top", "width"].map((name) => parseFloat(
            document.getElementById("stage").style.getPropertyValue(`--photo-${name}`)))"""
    )
    return {"x": box["x"] + at[0], "y": box["y"] + at[1], "scale": at[2] / 900}


def dab(page, x: int, y: int) -> None:
    """Press the brush once on a pixel of the photo."""
    at = place(page)
    page.mouse.move(at["x"] + x * at["scale"], at["y"] + y * at["scale"])
    page.mouse.down()
    page.mouse.up()


def colour_at(page, x: int, y: int) -> list[int]:
    """What the stage shows at a pixel of the photo."""
    return page.evaluate(
        """([x, y]) => new Promise((done) => requestAnimationFrame(() => setTimeout(() => {
            const stage = document.getElementById("stage");
            const canvas = document.getElementById("canvas");
            const read = (name) => parseFloat(stage.style.getPropertyValue(`--photo-${name}`));
            const ratio = canvas.width / stage.clientWidth;
            const scale = read("width") / 900;
            const at = [read("left") + x * scale, read("top") + y * scale].map((v) => v * ratio);
            done([...canvas.getContext("2d").getImageData(...at, 1, 1).data].slice(0, 3));
        }, 50)))""",
        [int(x), int(y)],
    )


def set_range(page, name: str, value: float) -> None:
    page.evaluate(
        """([name, value]) => {
            const slider = document.getElementById(name);
            slider.value = value;
            slider.dispatchEvent(new Event("input", { bubbles: true }));
        }""",
        [name, value],
    )


def downloaded(page) -> np.ndarray:
    with page.expect_download() as got:
        page.click("#download")
    return read_image(Path(got.value.path())).photo


def restore_what_is_gone(page, path, button):
    """Open a file, delete it, restore it: what was opened is held by the page."""
    page.set_input_files("#file", path)
    stage_of(page, "found")
    path.unlink()
    page.click(button)
    page.wait_for_selector("#strip li[data-stage=restored], #strip li[data-stage=failed]")
    assert page.get_attribute("#strip li", "data-stage") == "restored", page.inner_text("#status")
