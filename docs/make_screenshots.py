"""Takes the pictures of the page in docs/service.md: of the public-domain astronaut only.

    python docs/make_screenshots.py

Needs the extra `dev`, Chromium (as the tests do) and, for the page on the visitor's own device,
`cd web && npm ci && npm run runtime`.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from playwright.sync_api import Browser, sync_playwright
from skimage.data import astronaut

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "server")]

from browser import CHROMIUM, LARGE, MILLISECONDS, PHONE, set_range, stage_of  # noqa: E402
from clips import write_clip  # noqa: E402
from serving import running  # noqa: E402

from unveil.faces.align import cut, fit, invert  # noqa: E402
from unveil.files import encode, write_bytes  # noqa: E402
from unveil.imaging import Photo  # noqa: E402
from unveil.occlusion.compose import compose  # noqa: E402
from unveil.occlusion.objects.choose import draw_named  # noqa: E402
from unveil.occlusion.objects.head import Head  # noqa: E402
from unveil.restorer import Restorer  # noqa: E402
from unveil.server.app import Settings, create_app  # noqa: E402

IMAGES = ROOT / "docs" / "images"
SIDE = 900  # of the photo
FRAMES = 75
# Of the clip: rows and columns of the photo, from where the camera begins.
VIEW = (slice(0, 480), slice(120, 620))
SMALL = {"width": 1000, "height": 640}


def masked(photo: Photo, family: str, seed: int) -> Photo:
    """The photo with a drawn occluder before its face."""
    (face,) = Restorer().restore(photo).faces
    matrix = fit(np.asarray(face.points, np.float32))
    aligned = cut(photo, matrix)
    rng = np.random.Generator(np.random.PCG64([2026, seed]))
    worn, alpha = compose(aligned, draw_named(family, rng, Head.of(aligned)), rng)
    size = (photo.shape[1], photo.shape[0])
    layer = cv2.warpAffine(worn, invert(matrix), size, flags=cv2.INTER_CUBIC)
    share = cv2.warpAffine(alpha.astype(np.float32), invert(matrix), size)[..., None]
    return np.rint(photo + share * (layer.astype(np.float32) - photo)).astype(np.uint8)


def write_photos(folder: Path) -> list[Path]:
    photo = cv2.resize(astronaut(), (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    files = []
    for family, seed in (("medical mask", 1), ("sunglasses", 3)):
        files.append(folder / f"{family.replace(' ', '-')}.png")
        write_bytes(files[-1], encode(masked(photo, family, seed), "PNG"))
    worn = masked(photo, "medical mask", 4)
    frames = [np.roll(worn, -k // 5, axis=1)[VIEW] for k in range(FRAMES)]
    write_clip(folder / "talk.mp4", [np.ascontiguousarray(frame) for frame in frames])
    return files


class Camera:
    """Opens the page in windows of its own and keeps what they show."""

    def __init__(self, browser: Browser, url: str) -> None:
        self.browser, self.url = browser, url

    def open(self, size: dict[str, int], scheme: str = "light", scale: float = 1) -> Any:
        page = self.browser.new_page(
            viewport=size, color_scheme=scheme, device_scale_factor=scale, reduced_motion="reduce"
        )
        page.set_default_timeout(MILLISECONDS)
        page.goto(self.url)
        page.wait_for_load_state("networkidle")
        return page

    def keep(self, page: Any, name: str) -> None:
        page.wait_for_timeout(500)
        kind = "png" if name.endswith("png") else "jpeg"
        quality = {} if kind == "png" else {"quality": 88}
        write_bytes(IMAGES / name, page.screenshot(type=kind, **quality))
        print(f"docs/images/{name}")
        page.close()

    def start(self) -> None:
        self.keep(self.open(LARGE), "page-start.png")

    def mask(self, photos: list[Path]) -> None:
        page = self.open(LARGE)
        page.set_input_files("#file", photos)
        stage_of(page, "found")
        stage = page.locator("#stage").bounding_box()
        page.mouse.move(stage["x"] + stage["width"] * 0.58, stage["y"] + stage["height"] * 0.3)
        self.keep(page, "page-mask.jpg")

    def result(self, photos: list[Path]) -> None:
        page = self.open(LARGE, "dark")
        self._restore(page, photos)
        page.click("#others")
        page.wait_for_selector("#variants button:nth-child(4)")
        page.click("#zoom-face")
        self.keep(page, "page-result.jpg")

    def phone(self, photos: list[Path]) -> None:
        page = self.open(PHONE, scale=1.5)
        self._restore(page, photos)
        page.click("#zoom-face")
        self.keep(page, "page-phone.jpg")

    def device(self, photos: list[Path]) -> None:
        page = self.open(SMALL)
        page.click("#on-device")
        self._restore(page, photos)
        page.click("#zoom-face")
        self.keep(page, "page-device.png")

    def clip(self, file: Path) -> None:
        page = self.open(LARGE)
        page.set_input_files("#file", file)
        stage_of(page, "found")
        page.click("#clip-restore")
        stage_of(page, "restored")
        set_range(page, "clip-compare", 50)
        self.keep(page, "page-clip.jpg")

    def _restore(self, page: Any, photos: list[Path]) -> None:
        page.set_input_files("#file", photos)
        stage_of(page, "found")
        page.click("#restore")
        stage_of(page, "restored")


def main() -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        running(create_app(Settings("lite"))) as server,
        sync_playwright() as tools,
    ):
        photos = write_photos(Path(folder))
        browser = tools.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        camera = Camera(browser, server.url)
        camera.start()
        camera.mask(photos)
        camera.result(photos)
        camera.phone(photos[:1])
        camera.device(photos[:1])
        camera.clip(Path(folder) / "talk.mp4")
        browser.close()


if __name__ == "__main__":
    main()
