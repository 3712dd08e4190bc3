"""Which operator paid: what the children that each one helped to make are worth beside their best parent."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from evogen.report.facts import Facts
from evogen.report.markup import Element, cell, element, numeric, table
from evogen.runs.records import Row

_Z = 1.959963984540054  # 97.5 % of the normal law lie below


class Yield(NamedTuple):
    """What became of the children that an operator helped to make.

    Attributes:
        operator: its name; an empty one stands for all.
        children: candidates with a parent that has a fitness.
        ended: those of them that ended ok.
        better: those with more fitness than their best parent.
        half: median of the gains over the best parent, of those that ended ok; None without one.
        most: the largest gain.
    """

    operator: str
    children: int
    ended: int
    better: int
    half: float | None
    most: float | None


def operators(facts: Facts) -> Element | None:
    """Return the section on the operators; None for a search without parents."""
    found = yields(facts.rows)
    if not found:
        return None
    body = [_cells(one) for one in found]
    head = (
        "operator",
        "children",
        "ended ok",
        "better",
        "95 % interval",
        "median gain",
        "largest gain",
    )
    note = (
        "Better: than its best parent, which a gain is over as well. A child of several operators counts for "
        "each. Parents were chosen for scores with luck in them, so a child that changed nothing is, on "
        "average, worse than its parent: compare operators with one another, not with 0. The interval is "
        "Wilson's."
    )
    return element(
        "section",
        element("h2", "Which operator paid"),
        table(head, body, class_="sortable"),
        element("p", note, class_="note"),
    )


def yields(rows: Sequence[Row]) -> list[Yield]:
    """Return the yield of each operator, most children first, then of all together; empty without a child."""
    fitness = {row.ref: row.fitness for row in rows}
    gains: dict[str, list[float]] = {}
    for row in rows:
        known = [score for ref in row.parents if (score := fitness.get(ref)) is not None]
        if known:
            gain = math.nan if row.fitness is None else row.fitness - max(known)
            for name in {*row.operator.split("+"), ""}:
                gains.setdefault(name, []).append(gain)
    return [
        _yield(name, each)
        for name, each in sorted(gains.items(), key=lambda item: (not item[0], -len(item[1]), item[0]))
    ]


def wilson(count: int, of: int) -> tuple[float, float]:
    """Return the 95 % interval of a share by Wilson's score (1927)."""
    share, spread = count / of, _Z**2 / of
    middle = (share + spread / 2) / (1 + spread)
    half = math.sqrt(share * (1 - share) * spread + spread**2 / 4) / (1 + spread)
    return max(middle - half, 0.0), min(middle + half, 1.0)


def values(facts: Facts) -> list[dict[str, object]]:
    """Return the yields as a JSON value; that of all has an empty name."""
    return [one._asdict() for one in yields(facts.rows)]


def _yield(name: str, each: Sequence[float]) -> Yield:
    gains = [gain for gain in each if math.isfinite(gain)]
    half, most = (float(np.median(gains)), max(gains)) if gains else (None, None)
    return Yield(name, len(each), len(gains), sum(gain > 0 for gain in gains), half, most)


def _cells(one: Yield) -> list[Element]:
    low, high = wilson(one.better, one.children)
    share = one.better / one.children
    ended = one.ended / one.children
    return [
        cell(one.operator or "all children"),
        numeric(one.children),
        cell(f"{ended:.0%}", order=ended, kind="number"),
        cell(f"{share:.1%}", order=share, kind="number"),
        cell(f"{low:.1%} to {high:.1%}", order=low, kind="number"),
        numeric(one.half),
        numeric(one.most),
    ]
