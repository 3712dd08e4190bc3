"""Matrices as heat maps: palette PNG images inside SVG, and colour bars beside them.

Colours: viridis for amounts; blue - grey - orange for signed numbers; both are told apart by colour-blind
readers. What is not finite is transparent, over a rectangle of the reader's own grey.
"""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from evogen.report.figures import drawing
from evogen.report.markup import Element, element, number

Matrix = npt.NDArray[np.floating]
AMOUNT = (
    "440154", "482878", "3e4989", "31688e", "26828e", "1f9e89", "35b779", "6ece58", "b5de2b", "fde725",
)  # fmt: skip
SIGNED = ("08457e", "3d86bd", "a3c9e2", "f1f1f0", "f6c08a", "dd7a1f", "8f4300")
_MISSING = 255
LARGE = 500  # numbers on a side, beyond which one has one pixel


@dataclass(frozen=True)
class Scale:
    """Colours for numbers in [low, high]; `power` 1/2 spreads small ones out (amounts only, low = 0)."""

    low: float
    high: float
    colours: tuple[str, ...] = AMOUNT
    power: float = 1.0

    def levels(self, values: Matrix) -> npt.NDArray[np.uint8]:
        """Return palette entries, 0 at low to 254 at high."""
        with np.errstate(invalid="ignore"):
            unit = np.clip((values - self.low) / ((self.high - self.low) or 1.0), 0, 1) ** self.power
            return np.where(np.isfinite(values), np.rint(254 * unit), _MISSING).astype(np.uint8)


class Block(NamedTuple):
    """A matrix of a panel: the name of its rows, its numbers (rows, columns) and their colours."""

    name: str
    values: Matrix
    scale: Scale


def signed(*matrices: Matrix) -> Scale:
    """Return one scale for signed matrices, symmetric about zero."""
    return Scale(-(top := largest(*matrices)), top, SIGNED)


def largest(*matrices: Matrix) -> float:
    """Return the largest finite absolute value; 1 where there is none above 0."""
    return max((float(np.abs(m[np.isfinite(m)]).max(initial=0)) for m in matrices), default=0.0) or 1.0


def image(
    block: Block, x: float, y: float, width: float, height: float, *, behind: str = "masked"
) -> Element:
    """Return the picture of a matrix at this place of a drawing; `behind` shows where no number is."""
    # Four pixels a number keep its edges where a reader smooths images, as printers do.
    each = 4 if max(block.values.shape) <= LARGE else 1
    levels = block.scale.levels(block.values).repeat(each, 0).repeat(each, 1)
    data = base64.b64encode(png(levels, block.scale.colours)).decode()
    place = {"x": x, "y": y, "width": width, "height": height}
    picture = element("image", href=f"data:image/png;base64,{data}", preserveAspectRatio="none", **place)
    if np.isfinite(block.values).all():
        return picture
    return element("g", element("rect", class_=behind, **place), picture)


def square(title: str, block: Block, *, rows: str, columns: str, size: float) -> Element:
    """Return one matrix with the names of both axes and the first and last index on each."""
    left, top = 34, 34
    (m, n), (height, width) = block.values.shape, (size * np.array(block.values.shape)).tolist()
    middle = top + height / 2
    parts = [
        image(block, left, top, width, height),
        element("text", columns, x=left + width / 2, y=12, class_="name middle"),
        element(
            "text", rows, x=0, y=0, class_="name middle", transform=f"translate(11 {middle:.0f}) rotate(-90)"
        ),
        *(element("text", str(j + 1), x=left + (j + 0.5) * size, y=29, class_="middle") for j in (0, n - 1)),
        *(
            element("text", str(i + 1), x=left - 5, y=top + (i + 0.5) * size + 4, class_="end")
            for i in (0, m - 1)
        ),
    ]
    return drawing(
        left + width + 8, top + height + 2, f"{title}. {summary(block.values)}", *parts, kind="matrix"
    )


def bar(scale: Scale, name: str) -> Element:
    """Return the colour bar of a scale: its ends and its middle as numbers."""
    width, height = 200, 12
    middle = scale.low + (scale.high - scale.low) * 0.5 ** (1 / scale.power)
    ramp = scale.low + (scale.high - scale.low) * np.linspace(0, 1, 128)[None] ** (1 / scale.power)
    marks = ((0, scale.low, "start"), (width / 2, middle, "middle"), (width, scale.high, "end"))
    texts = [
        element("text", number(value, digits=3), x=x, y=height + 30.0, class_=side)
        for x, value, side in marks
    ]
    colours = image(Block(name, ramp, scale), 0, 16, width, height)
    label = f"Colours of {name}: {number(scale.low)} to {number(scale.high)}"
    return drawing(
        width, 46, label, element("text", name, x=0, y=11, class_="name"), colours, *texts, kind="bar"
    )


def summary(values: Matrix) -> str:
    """Say in words what a heat map shows."""
    found = values[np.isfinite(values)]
    if not found.size:
        return "no finite number"
    low, half, high = (number(float(value), digits=3) for value in np.quantile(found, (0, 0.5, 1)))
    row, column = np.unravel_index(int(np.where(np.isfinite(values), values, -np.inf).argmax()), values.shape)
    shape = f"{values.shape[0]} by {values.shape[1]}"
    return f"{shape}, from {low} to {high}, median {half}, largest in row {row + 1}, column {column + 1}"


def png(levels: npt.NDArray[np.uint8], colours: Sequence[str]) -> bytes:
    """Return an indexed PNG (ISO/IEC 15948), one pixel an entry of `levels` (rows, columns)."""
    stops = np.array([list(bytes.fromhex(colour)) for colour in colours], dtype=float)
    at = np.linspace(0, len(stops) - 1, 255)
    palette = np.stack([np.interp(at, np.arange(len(stops)), stops[:, i]) for i in range(3)], 1)
    palette = np.vstack([palette, [128.0] * 3])
    clear = bytes([255] * _MISSING + [0])
    return _picture(levels, 3, (b"PLTE", np.rint(palette).astype(np.uint8).tobytes()), (b"tRNS", clear))


def photograph(colours: npt.NDArray[np.uint8]) -> bytes:
    """Return a PNG of (rows, columns, 3) colours."""
    return _picture(colours, 2)


def _picture(pixels: npt.NDArray[np.uint8], kind: int, *before: tuple[bytes, bytes]) -> bytes:
    """Return a PNG of this colour type, with chunks before its data."""
    rows, columns = pixels.shape[:2]
    lines = b"".join(b"\0" + row.tobytes() for row in pixels)
    header = struct.pack(">IIBBBBB", columns, rows, 8, kind, 0, 0, 0)
    chunks = ((b"IHDR", header), *before, (b"IDAT", zlib.compress(lines, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, data) for name, data in chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
