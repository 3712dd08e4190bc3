"""The parts of charts as SVG: frame with axes, line, band, dots, marks; pure functions of numbers.

Coordinates are data units of a Frame; one SVG unit is one CSS pixel at natural size. Colours are CSS classes
(`line blue`), so that they follow the reader's light or dark setting.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from evogen.report.markup import Child, Element, element

Numbers = Sequence[float] | npt.NDArray[np.float64]
_LEFT, _RIGHT, _TOP, _BOTTOM = 50, 22, 30, 40
_BROAD = 640
_HALF_DIGIT, _ALONE = 3.7, 3.0  # pixels: half a digit's width; half the stroke of a point without neighbours


@dataclass(frozen=True)
class Frame:
    """The plane of a chart: interval and label (with its unit) of each axis, and the size in pixels."""

    x: tuple[float, float]
    y: tuple[float, float]
    x_label: str
    y_label: str
    width: int = 470
    height: int = 290

    def across(self, x: float) -> float:
        """Return the pixel column of x."""
        low, high = self.x
        return _LEFT + (x - low) / (high - low) * (self.width - _LEFT - _RIGHT)

    def up(self, y: float) -> float:
        """Return the pixel row of y."""
        low, high = self.y
        return self.height - _BOTTOM - (y - low) / (high - low) * (self.height - _TOP - _BOTTOM)

    def at(self, x: float, y: float) -> str:
        """Return both as an SVG coordinate pair."""
        return f"{self.across(x):.1f} {self.up(y):.1f}"


def extent(values: Iterable[float], *, margin: float = 0.05) -> tuple[float, float]:
    """Return an interval around all finite values with a margin, never empty; (0, 1) without values."""
    found = [value for value in values if math.isfinite(value)]
    if not found:
        return 0.0, 1.0
    low, high = min(found), max(found)
    pad = margin * (high - low) or margin * abs(low) or 1.0
    return low - pad, high + pad


def ticks(low: float, high: float, *, most: int = 5) -> list[float]:
    """Return at most `most` + 1 multiples of 1, 2 or 5 times a power of ten in [low, high]."""
    raw = (high - low) / most
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= raw * (1 - 1e-9))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [whole * step for whole in range(first, last + 1)]


def labels(values: Sequence[float]) -> list[str]:
    """Return the texts of evenly spaced ticks, with as many decimals as their spacing needs."""
    step = abs(values[1] - values[0]) if len(values) > 1 else abs(values[0]) if values else 1.0
    if not 1e-5 < step < 1e7:
        return [f"{value:.3g}".replace("-", "−") for value in values]
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    return [f"{value + 0.0:,.{decimals}f}".replace("-", "−") for value in values]


def axes(frame: Frame, *, rows: Sequence[float] | None = None) -> Element:
    """Return grid lines, tick labels and axis labels; `rows` are the ticks of the y axis, if not `ticks`."""
    parts: list[Element] = []
    bottom, right = frame.height - _BOTTOM, frame.width - _RIGHT
    columns, rows = ticks(*frame.x), ticks(*frame.y) if rows is None else rows
    for y, text in zip(rows, labels(rows), strict=True):
        at = frame.up(y)
        parts.append(element("path", d=f"M{_LEFT} {at:.1f}H{right}", class_="grid"))
        parts.append(element("text", text, x=_LEFT - 7, y=at + 4, class_="end"))
    for x, text in zip(columns, labels(columns), strict=True):
        at = frame.across(x)
        parts.append(element("path", d=f"M{at:.1f} {bottom}v4", class_="axis"))
        inside = min(at, frame.width - _HALF_DIGIT * len(text))  # a long number at the end would be cut
        parts.append(element("text", text, x=inside, y=bottom + 17, class_="middle"))
    parts.append(element("path", d=f"M{_LEFT} {bottom}H{right}", class_="axis"))
    parts.append(element("text", frame.y_label, x=4, y=14, class_="name"))
    parts.append(element("text", frame.x_label, x=right, y=bottom + 34, class_="name end"))
    # What the page's script needs to draw them again for a part of the plane.
    plane = f"{_LEFT} {right} {_TOP} {bottom}"
    span = " ".join(repr(float(end)) for end in (*frame.x, *frame.y))
    return element("g", *parts, class_="axes", data_span=span, data_plane=plane)


def line(frame: Frame, xs: Numbers, ys: Numbers, kind: str) -> Element:
    """Return a line through the points, broken where a y is not finite; a point alone is a short stroke."""
    pieces: list[list[tuple[float, float]]] = [[]]
    for x, y in zip(xs, ys, strict=True):
        if math.isfinite(y):
            pieces[-1].append((x, y))
        elif pieces[-1]:
            pieces.append([])
    path = "".join(_piece(frame, piece) for piece in pieces if piece)
    return element("path", d=path, class_=f"line {kind}")


def _piece(frame: Frame, points: Sequence[tuple[float, float]]) -> str:
    if len(points) > 1:
        return f"M{'L'.join(frame.at(x, y) for x, y in points)}"
    x, y = points[0]
    return f"M{frame.across(x) - _ALONE:.1f} {frame.up(y):.1f}h{2 * _ALONE:g}"


def band(frame: Frame, xs: Numbers, low: Numbers, high: Numbers, kind: str) -> Element:
    """Return the area between two lines over the x at which both are finite."""
    kept = [item for item in zip(xs, low, high, strict=True) if all(map(math.isfinite, item))]
    upper = [frame.at(x, top) for x, _, top in kept]
    lower = [frame.at(x, bottom) for x, bottom, _ in reversed(kept)]
    return element("path", d=f"M{'L'.join(upper + lower)}Z" if kept else "", class_=f"band {kind}")


def dots(frame: Frame, xs: Numbers, ys: Numbers, kind: str) -> Element:
    """Return round dots, as one path."""
    pairs = zip(xs, ys, strict=True)
    return element("path", d="".join(f"M{frame.at(x, y)}h0" for x, y in pairs), class_=f"dots {kind}")


def marks(frame: Frame, xs: Numbers, ys: Numbers, refs: Iterable[object], kind: str) -> Element:
    """Return dots that stand for candidates, which a reader can point at, step through and select.

    Args:
        frame: their plane.
        xs: their places on the x axis; what is not finite is left out.
        ys: and on the y axis.
        refs: COHORT:ROW of each.
        kind: CSS classes.
    """
    found = [
        (frame.at(x, y), str(ref))
        for x, y, ref in zip(xs, ys, refs, strict=True)
        if math.isfinite(x) and math.isfinite(y)
    ]
    if not found:
        return element("g", class_="marks")
    path = "".join(f"M{at}h0" for at, _ in found)
    return element("path", d=path, class_=f"dots marks {kind}", data_refs=" ".join(ref for _, ref in found))


def rug(frame: Frame, xs: Numbers, kind: str) -> Element:
    """Return short strokes that stand on the x axis."""
    bottom = frame.height - _BOTTOM
    return element("path", d="".join(f"M{frame.across(x):.1f} {bottom}v-9" for x in xs), class_=f"rug {kind}")


def drawing(width: float, height: float, label: str, *parts: Child, kind: str | None = None) -> Element:
    """Return an SVG image with the text that stands for it; one too wide for half a page is `broad`."""
    box = f"0 0 {width:g} {height:g}"
    kinds = ([kind] if kind else []) + ["broad"] * (width > _BROAD)
    return element(
        "svg",
        *parts,
        viewBox=box,
        width=float(width),
        height=float(height),
        role="img",
        aria_label=label,
        class_=" ".join(kinds) or None,
    )


def figure(title: str, *content: Child, note: str = "", kind: str | None = None) -> Element:
    """Return a figure under its title, with a note below."""
    caption = element("figcaption", note) if note else None
    return element("figure", element("h4", title), *content, caption, class_=kind)


def legend(*items: tuple[str, str]) -> Element:
    """Return a list of (CSS class of the swatch, text)."""
    return element(
        "ul",
        *(element("li", element("span", class_=f"swatch {kind}"), text) for kind, text in items),
        class_="legend",
    )


def switch(label: str, first: Element, second: Element) -> Element:
    """Return two drawings of the same thing, of which a reader sees the first until the box is ticked."""
    toggle = element("label", element("input", type="checkbox"), f" {label}", class_="toggle")
    shown = (element("div", one, class_="choice") for one in (first, second))
    return element("div", toggle, *shown, class_="switch")
