"""An album of pages: each is drawn at the widths of a phone, a tablet and a desk, and made small.

Owns the pictures' names, sizes and form. Does not own which pages there are.
"""

import io
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page

WIDTHS = (320, 768, 1440)
"""In CSS pixels."""
TALLEST = 2_400
"""Longer pages are cut: what comes below looks like what stands above."""
_HEIGHT = 900
_COLORS = 128


class Album:
    """A folder of pictures."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def add(self, page: Page, name: str) -> None:
        """Draw the open page at every width, as it stands."""
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": _HEIGHT})
            page.wait_for_timeout(150)  # a script may draw anew after the change
            self._keep(page.screenshot(full_page=True), f"{name}-{width}.png")
        page.set_viewport_size({"width": WIDTHS[-1], "height": _HEIGHT})

    def _keep(self, drawn: bytes, name: str) -> None:
        with Image.open(io.BytesIO(drawn)) as picture:
            cut = picture.convert("RGB").crop((0, 0, picture.width, min(picture.height, TALLEST)))
        small = cut.quantize(_COLORS, dither=Image.Dither.NONE)
        small.save(self._folder / name, optimize=True)
