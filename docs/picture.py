"""Take a picture of a figure, or of a section, out of a page that evogen wrote: `picture.py PAGE TITLE OUT`.

The pictures of docs/gallery/ are made by it. It needs `playwright` and a Chromium: the one that the variable
CHROMIUM names, or the first of `NAMES` that is installed. With Pillow there, a picture keeps 256 colours.
"""

from __future__ import annotations

import argparse
import io
import os
import shutil
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MARGIN = 16  # CSS pixels of paper on each side
# Everything opened, without what only a reader at a screen needs.
PREPARE = """() => {
  for (const item of document.querySelectorAll("details")) item.open = true;
  for (const item of document.querySelectorAll(".tools, .tool, .toggle, nav")) item.remove();
}"""
# Nothing of what stands around the picked figure.
STYLE = "body * { visibility: hidden; } .picked, .picked * { visibility: visible; }"
# The extent of what is drawn in an element: [left, top, right, bottom] in CSS pixels of the page.
EXTENT = """(picked) => {
  const drawn = [...picked.querySelectorAll("path, rect, circle, image, img, table, .tiles")];
  const texts = document.createTreeWalker(picked, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    if (!texts.currentNode.data.trim()) continue;
    drawn.push(new Range());
    drawn.at(-1).selectNodeContents(texts.currentNode);
  }
  const boxes = drawn.map((item) => item.getBoundingClientRect()).filter((box) => box.width + box.height > 0);
  const whole = picked.getBoundingClientRect();
  const right = Math.min(whole.right, Math.max(...boxes.map((box) => box.right)));
  const bottom = Math.min(whole.bottom, Math.max(...boxes.map((box) => box.bottom)));
  return [whole.left, whole.top, right, bottom].map((at, side) => at + (side % 2 ? scrollY : scrollX));
}"""


class PictureError(Exception):
    """Why there is no picture: what was wanted, what was found, what to do."""


def picture(path: Path, title: str, *, scheme: str = "light", width: int = 1200, scale: float = 2.0) -> bytes:
    """Return the PNG of the first figure or section on the page that is headed `title` and is seen.

    Args:
        path: of the page.
        title: the text of its heading, as the page shows it.
        scheme: light or dark.
        width: of the window, CSS pixels.
        scale: pixels of the picture in a CSS pixel.

    Raises:
        PictureError: no such page or title, or no browser.
    """
    if not path.is_file():
        raise PictureError(f"{path}: wanted a page, such as `evogen report RUN -o {path}` writes")
    if find_spec("playwright") is None:
        raise PictureError("playwright is not installed: pip install playwright")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            device_scale_factor=scale,
            color_scheme="dark" if scheme == "dark" else "light",
            bypass_csp=True,  # for STYLE
        )
        page = context.new_page()
        page.goto(path.resolve().as_uri())
        try:
            return shot(page, title)
        finally:
            browser.close()


def shot(page: Page, title: str) -> bytes:
    """Return the picture of what is headed `title` on an open page."""
    page.evaluate(PREPARE)
    heads = [head for head in page.locator("figure > h4, h1, h2").all() if head.is_visible()]
    titles = [head.inner_text().strip() for head in heads]
    if title not in titles:
        known = "\n  ".join(dict.fromkeys(filter(None, titles)))
        raise PictureError(f"no figure or section is headed '{title}'; there are:\n  {known}")
    picked = heads[titles.index(title)].locator("xpath=ancestor::*[self::figure or self::section][1]")
    picked.evaluate("picked => picked.classList.add('picked')")
    page.add_style_tag(content=STYLE)
    left, top, right, bottom = picked.evaluate(EXTENT)
    return page.screenshot(
        full_page=True,
        clip={
            "x": left - MARGIN,
            "y": top - MARGIN,
            "width": right - left + 2 * MARGIN,
            "height": bottom - top + 2 * MARGIN,
        },
    )


def chromium() -> str:
    """Return the path of the browser."""
    named = os.environ.get("CHROMIUM")
    found = next((path for name in ([named] if named else NAMES) if (path := shutil.which(name))), None)
    if found is None and named:
        raise PictureError(f"CHROMIUM={named} is no program: name the browser, or unset it")
    if found is None:
        raise PictureError(f"no Chromium: none of {', '.join(NAMES)} is there; install one, or set CHROMIUM")
    return found


def reduced(png: bytes) -> bytes:
    """Return the picture in at most 256 colours, where Pillow is there and that is smaller."""
    if find_spec("PIL") is None:
        return png
    from PIL import Image

    with Image.open(io.BytesIO(png)) as image, io.BytesIO() as out:
        image.convert("RGB").quantize(256, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
        return min(png, out.getvalue(), key=len)


def main() -> None:
    """Write one picture."""
    parser = argparse.ArgumentParser(description="Take a figure or a section out of a page as a picture.")
    parser.add_argument("page", type=Path, metavar="PAGE.html")
    parser.add_argument("title", metavar="TITLE")
    parser.add_argument("out", type=Path, metavar="OUT.png")
    parser.add_argument("--scheme", choices=("light", "dark"), default="light")
    parser.add_argument("--width", type=int, default=1200, help="of the window in CSS pixels")
    parser.add_argument("--scale", type=float, default=2.0, help="pixels of the picture in one of those")
    given = parser.parse_args()
    try:
        png = picture(given.page, given.title, scheme=given.scheme, width=given.width, scale=given.scale)
        given.out.parent.mkdir(parents=True, exist_ok=True)
        given.out.write_bytes(reduced(png))
    except (PictureError, OSError) as error:
        parser.error(str(error))


if __name__ == "__main__":
    main()
