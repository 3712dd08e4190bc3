"""Clustered heat maps: matrices over common columns, with the trees of their rows and columns beside them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from evogen.report.figures import drawing
from evogen.report.markup import Child, Element, element
from evogen.report.matrices import Block, image, summary
from evogen.report.winner import clusters
from evogen.report.winner.clusters import Tree

TREE = 40  # pixels from the leaves of a tree to its root
LEGIBLE = 11  # pixels that a name needs
STRIP = 9  # pixels of the strip that says which part a column is of
PARTS = ("blue", "green", "purple", "yellow", "grey", "red")


class Axis(NamedTuple):
    """One side of a heat map.

    Attributes:
        title: what a row (or column) is.
        names: of each, in the order of the matrix.
        tree: their order in the drawing.
        parts: CSS class of the part that each belongs to, drawn as a strip; empty: no strip.
    """

    title: str
    names: tuple[str, ...]
    tree: Tree
    parts: tuple[str, ...] = ()

    def plain(self) -> Axis:
        """Return the same axis in the order of the matrix."""
        return self._replace(tree=clusters.unclustered(len(self.names)))


class Part(NamedTuple):
    """A matrix and its rows; all parts of a heat map have the same columns."""

    block: Block
    rows: Axis


def heat(title: str, parts: Sequence[Part], columns: Axis, *, cell: tuple[float, float]) -> Element:
    """Return matrices below one another.

    Args:
        title: what is drawn, for who cannot see it.
        parts: from above.
        columns: of all of them.
        cell: width and height of a cell in pixels.
    """
    width, height = cell
    grown = any(part.rows.tree.branches for part in parts)
    left = 20.0 + (TREE + 6 if grown else 0)
    top = TREE + 4.0 if columns.tree.branches else 2.0
    right = left + len(columns.names) * width
    drawn: list[Child] = [clusters.above(columns.tree, left, top - 2, width, TREE)]
    for part in parts:
        tall = len(part.rows.names) * height
        drawn.append(image(_ordered(part, columns), left, top, right - left, tall))
        drawn.append(clusters.beside(part.rows.tree, left - 3, top, height, TREE))
        drawn.append(_turned(part.rows.title, 12, top + tall / 2, "name middle"))
        drawn += _rows(part, right + 5, top, height)
        top += tall + 7
    drawn += _strip(columns, left, top - 4, width)
    top += STRIP if columns.parts else -2.0
    names = _columns(columns, left, top, width)
    top += _reach(columns) if names else 4.0
    drawn += [*names, element("text", columns.title, x=(left + right) / 2, y=top + 12, class_="name middle")]
    label = f"{title}. " + "; ".join(f"{part.block.name}: {summary(part.block.values)}" for part in parts)
    room = max((7.0 * len(name) for part in parts for name in (*part.rows.names, part.block.name)), default=0)
    return drawing(
        max(right + 8 + min(room, 150), 8.0 * len(columns.title)), top + 18, label, *drawn, kind="wide"
    )


def _ordered(part: Part, columns: Axis) -> Block:
    values = part.block.values[np.ix_(part.rows.tree.order, columns.tree.order)]
    return part.block._replace(values=values)


def _rows(part: Part, x: float, y: float, step: float) -> list[Element]:
    """Return the names of the rows, or that of the matrix where they would not be legible."""
    names = [part.rows.names[row] for row in part.rows.tree.order]
    if step < LEGIBLE:
        middle = y + len(names) * step / 2
        return [element("text", part.block.name, x=x, y=middle + 4, class_="small")]
    return [
        element("text", name, x=x, y=y + (at + 0.5) * step + 4, class_="small")
        for at, name in enumerate(names)
    ]


def _columns(columns: Axis, x: float, y: float, step: float) -> list[Element]:
    names = [columns.names[column] for column in columns.tree.order]
    if step < LEGIBLE:
        return []
    if max(map(len, names)) <= 2:
        return [
            element("text", name, x=x + (at + 0.5) * step, y=y + 11, class_="small middle")
            for at, name in enumerate(names)
        ]
    return [_turned(name, x + (at + 0.5) * step + 4, y + 3, "small end") for at, name in enumerate(names)]


def _reach(columns: Axis) -> float:
    longest = max(map(len, columns.names))
    return 16.0 if longest <= 2 else 8.0 + 6.0 * longest


def _strip(columns: Axis, x: float, y: float, step: float) -> list[Element]:
    if not columns.parts:
        return []
    kinds = [columns.parts[column] for column in columns.tree.order]
    starts = [at for at, kind in enumerate(kinds) if at == 0 or kind != kinds[at - 1]]
    ends = [*starts[1:], len(kinds)]
    return [
        element(
            "rect", x=x + a * step, y=y, width=(b - a) * step, height=STRIP - 2.0, class_=f"part {kinds[a]}"
        )
        for a, b in zip(starts, ends, strict=True)
    ]


def _turned(text: str, x: float, y: float, kind: str) -> Element:
    place = f"translate({x:.1f} {y:.1f}) rotate(-90)"
    return element("text", text, x=0, y=0, class_=kind, transform=place)
