"""Where the winner comes from: its ancestors back to the founders, as a drawing and as its main line."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple, Protocol

from evogen.cohort import Ref
from evogen.report.facts import Facts
from evogen.report.figures import Frame, axes, drawing, extent, figure, legend, line, marks
from evogen.report.markup import Child, Element, cell, change, element, number, numeric, row, table

MOST, LABELLED, LISTED = 200, 6, 12
_LONG = 50  # letters of a label


class Relative(Protocol):
    """What is drawn of a candidate; a `Row` of the records is one, and a `Kin`."""

    @property
    def ref(self) -> Ref:
        """Its place."""

    @property
    def parents(self) -> tuple[Ref, ...]:
        """The places of its parents."""

    @property
    def operator(self) -> str:
        """What made it."""

    @property
    def fitness(self) -> float | None:
        """None where it failed."""


class Jump(NamedTuple):
    """What a candidate has more than its fitter parent."""

    child: Relative
    parent: Relative
    gain: float


@dataclass(frozen=True)
class Pedigree:
    """A candidate and its ancestors.

    Attributes:
        kin: itself and at most `MOST` - 1 ancestors, the latest first.
        line: itself, its fitter parent, the fitter parent of that one, ..., within `kin`.
        whole: whether no ancestor was left out.
    """

    kin: Mapping[Ref, Relative]
    line: Sequence[Relative]
    whole: bool

    @property
    def jumps(self) -> list[Jump]:
        """The gains along the main line, the latest first; negative ones are losses."""
        pairs = pairwise(self.line)
        return [
            Jump(child, parent, (child.fitness or 0.0) - (parent.fitness or 0.0)) for child, parent in pairs
        ]


def pedigree(rows: Sequence[Relative], winner: Relative) -> Pedigree:
    """Follow the parents of a candidate; one that is not there is left out."""
    known = {row.ref: row for row in rows}
    kin: dict[Ref, Relative] = {}
    waiting = {winner.ref: winner}
    while waiting and len(kin) < MOST:
        ref = max(waiting)
        kin[ref] = waiting.pop(ref)
        waiting |= {one: known[one] for one in kin[ref].parents if one in known and one not in kin}
    found: list[Relative] = [winner]
    while parents := [kin[ref] for ref in found[-1].parents if ref in kin and ref < found[-1].ref]:
        fitter = max(parents, key=lambda one: -math.inf if one.fitness is None else one.fitness)
        found.append(fitter)
    return Pedigree(kin, found, not waiting)


def phylogeny(facts: Facts) -> Element | None:
    """Return the section on the winner's ancestors; None without a winner."""
    if facts.winner is None:
        return None
    winner = facts.winner.row
    title = element("h2", "Where the winner comes from")
    if not winner.parents:
        said = f"Candidate {winner.ref} has no parents: it was made by '{winner.operator}'."
        return element("section", title, element("p", said))
    found = pedigree(facts.rows, winner)
    return element("section", title, tree(found), _line(found))


def values(facts: Facts) -> dict[str, object] | None:
    """Return the main line as a JSON value; None without a winner."""
    if facts.winner is None:
        return None
    found = pedigree(facts.rows, facts.winner.row)
    line_ = [
        {"candidate": str(one.ref), "fitness": one.fitness, "operator": one.operator} for one in found.line
    ]
    return {"ancestors": len(found.kin) - 1, "whole": found.whole, "line": line_}


def tree(found: Pedigree, name: str = "the winner") -> Element:
    """Return the drawing of a pedigree: fitness over cohorts, the main line and what made its largest gains.

    Args:
        found: whose drawing.
        name: what the candidate itself is called.
    """
    kin = found.kin
    rows = max(one.ref.row for one in kin.values()) + 1
    at = {
        ref: (ref.cohort + 0.8 * ((ref.row + 0.5) / rows - 0.5), _height(one, kin))
        for ref, one in kin.items()
    }
    first, last = min(kin).cohort, max(kin).cohort
    frame = Frame(
        (first - 0.6, last + 0.6),
        extent([y for _, y in at.values()], margin=0.1),
        "cohort",
        "fitness",
        980,
        380,
    )
    main = [one.ref for one in found.line]
    on = set(pairwise(main))
    edges = [(ref, parent) for ref, one in kin.items() for parent in one.parents if parent in kin]
    faint = "".join(f"M{frame.at(*at[p])}L{frame.at(*at[c])}" for c, p in edges if (c, p) not in on)
    founders = [ref for ref, one in kin.items() if not one.parents and ref != main[0]]
    others = [ref for ref in kin if ref not in main and ref not in founders]
    jumps = sorted((jump for jump in found.jumps if jump.gain > 0), key=lambda jump: -jump.gain)
    rises = "".join(f"M{frame.at(*at[j.parent.ref])}L{frame.at(*at[j.child.ref])}" for j in jumps[:LABELLED])
    xs, ys = zip(*(at[ref] for ref in main), strict=True)
    drawn: list[Child] = [
        element("path", d=faint, class_="edge") if faint else None,
        line(frame, xs, ys, "blue"),
        element("path", d=rises, class_="edge rise") if rises else None,
    ]
    bred = [ref for ref in main[1:] if ref not in founders]
    for refs, kind in ((others, "grey"), (founders, "green"), (bred, "blue"), (main[:1], "large ink")):
        drawn.append(marks(frame, [at[ref][0] for ref in refs], [at[ref][1] for ref in refs], refs, kind))
    drawn += _labels(frame, at, jumps[:LABELLED])
    gain = (found.line[0].fitness or 0.0) - (found.line[-1].fitness or 0.0)
    told = (
        f"{len(kin) - 1} ancestors of candidate {main[0]} in cohorts {first} to {last}, {len(founders)} of "
        f"them founders; its main line of {len(main)} candidates rose by {number(gain)}"
    )
    if jumps:
        told += f", most at {jumps[0].child.ref} ({jumps[0].child.operator}: {change(jumps[0].gain)})"
    keys = legend(
        ("dot ink", name),
        ("blue", "main line: the fitter parent of each"),
        *[("orange", "its largest gains, with what made them")] * bool(jumps),
        ("dot green", "founders"),
        ("grey", "other ancestors"),
    )
    note = "" if found.whole else f"Only the last {len(kin)} ancestors are drawn."
    image = drawing(frame.width, frame.height, f"{told}.", axes(frame), *drawn)
    return figure(f"Ancestors of {name}", image, keys, note=note, kind="chart")


def _height(one: Relative, kin: Mapping[Ref, Relative]) -> float:
    """Return the fitness; a parent that failed stands at the lowest one."""
    if one.fitness is not None and math.isfinite(one.fitness):
        return one.fitness
    known = [other.fitness for other in kin.values() if other.fitness is not None]
    return min(filter(math.isfinite, known), default=0.0)


def _labels(frame: Frame, at: Mapping[Ref, tuple[float, float]], jumps: Sequence[Jump]) -> list[Element]:
    """Name what made the largest gains, the largest first, where there is room."""
    taken: list[tuple[float, float, float]] = []
    drawn = []
    for jump in jumps:
        x, y = at[jump.child.ref]
        text = f"{jump.child.operator.replace('+', ' + ')} {change(jump.gain)}"
        if len(text) > _LONG:  # without the chromosomes
            names = " + ".join(name.rpartition(".")[2] for name in jump.child.operator.split("+"))
            text = f"{names[:_LONG]}{'…' * (len(names) > _LONG)} {change(jump.gain)}"
        half, column, level = 3.1 * len(text), frame.across(x), frame.up(y) - 9
        # A gain comes up from the left below: the side above it is free.
        column = min(max(column + 8 - half, 54 + half), frame.width - 24 - half)
        if level < 24:
            level = frame.up(y) + 19
        if any(abs(column - c) < half + h + 4 and abs(level - r) < 15 for c, r, h in taken):
            continue
        taken.append((column, level, half))
        drawn.append(element("text", text, x=column, y=level, class_="name small middle halo page"))
    return drawn


def _line(found: Pedigree) -> Element:
    jumps = found.jumps
    body = []
    for place, one in enumerate(found.line[:LISTED]):
        gain = jumps[place].gain if place < len(jumps) else None
        body.append(
            row(
                one.ref,
                [
                    str(one.ref),
                    numeric(one.fitness),
                    cell(change(gain), order=gain, kind="number"),
                    one.operator.replace("+", " + "),
                    " ".join(map(str, one.parents)) or "–",
                ],
            )
        )
    more = len(found.line) - len(body)
    note = "Each line is the fitter parent of the one above; a gain is over that parent."
    if more:
        note += f" {more} older ones are left out; 'evogen lineage' lists them."
    head = ("candidate", "fitness", "gain", "made by", "parents")
    return element("div", table(head, body), element("p", note, class_="note"))
