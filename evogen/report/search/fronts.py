"""Several objectives, or bounds: every candidate over pairs of measures, and those that none dominates."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from evogen import ranking
from evogen.cohort import Ref
from evogen.report.facts import Facts
from evogen.report.figures import Frame, axes, drawing, extent, figure, legend, line, marks
from evogen.report.markup import Element, cell, element, number, numeric, row, table
from evogen.report.search.course import DOTS, thinned
from evogen.runs.records import Row
from evogen.strategies import Told
from evogen.strategies.goals import measured_in

LISTED = 20
_SIGNS = {"at_most": "≤", "at_least": "≥"}


def front(facts: Facts) -> Element | None:
    """Return the section on the goals; None for a search of one objective without bounds."""
    several, bounded = len(facts.goals.objectives) > 1, bool(facts.goals.constraints)
    if not several and not bounded:
        return None
    title = element("h2", "The front of the objectives" if several else "The constraints")
    judged = told(facts)
    if not judged:
        return element("section", title, element("p", "No candidate has a fitness yet.", class_="empty"))
    found = ranking.dominant(judged)
    drawn = [_plane(facts, judged, found, x) for x in _others(facts)]
    parts = [title, element("div", *drawn, class_="pair")]
    if bounded:
        kept = sum(one.violation == 0 for one in judged)
        said = f"{number(kept)} of {number(len(judged))} candidates with a fitness keep {_bounds(facts)}."
        parts.append(element("p", said, class_="note"))
    if several:
        parts.append(_listed(facts, found))
    return element("section", *parts)


def told(facts: Facts) -> list[Told]:
    """Return every candidate with a fitness as its strategy was told of it."""
    every = (
        facts.goals.told(row.ref, measured_in(row.fitness, row.metrics, row.steps)) for row in facts.rows
    )
    return [one for one in every if one.fitness is not None]


def steps(xs: Sequence[float], ys: Sequence[float], *, least: bool) -> tuple[list[float], list[float]]:
    """Return the corners of the line that bounds what a front of two objectives dominates, y being maximised.

    Args:
        xs: of the front.
        ys: likewise.
        least: whether x is minimised; else maximised.
    """
    order = sorted(range(len(xs)), key=lambda at: xs[at], reverse=not least)
    corners_x, corners_y = [], []
    for before, at in zip([None, *order], order, strict=False):
        if before is not None:
            corners_x.append(xs[at])
            corners_y.append(ys[before])
        corners_x.append(xs[at])
        corners_y.append(ys[at])
    return corners_x, corners_y


def values(facts: Facts) -> dict[str, object] | None:
    """Return the front as a JSON value; None for a search of one objective."""
    if len(facts.goals.objectives) < 2:
        return None
    found = ranking.dominant(told(facts))
    return {
        "front": [{"candidate": str(one.ref), **ranking.objectives(facts.goals, one)} for one in found],
        "violation": found[0].violation if found else None,
    }


def _others(facts: Facts) -> list[str]:
    """Return the measures to draw the first objective against: further objectives, then bounded measures."""
    first, *others = facts.goals.objectives
    return [name for name in dict.fromkeys([*others, *facts.goals.constraints]) if name != first] or ["steps"]


def _plane(facts: Facts, judged: Sequence[Told], found: Sequence[Told], x: str) -> Element:
    goals = facts.goals
    y = next(iter(goals.objectives))
    known = {one.ref: (one.metrics.get(x, math.nan), one.metrics[y]) for one in judged}
    places = {row.ref: at for at, row in enumerate(facts.rows)}
    sampled = {facts.rows[at].ref for at in thinned(facts, np.array([places[one.ref] for one in judged]))}
    finite = [one for one in judged if all(map(math.isfinite, known[one.ref]))]
    ends = [facts.goals.constraints.get(name, {}).values() for name in (x, y)]
    frame = Frame(
        extent([*(known[one.ref][0] for one in finite), *ends[0]]),
        extent([*(known[one.ref][1] for one in finite), *ends[1]]),
        _named(facts, x),
        _named(facts, y),
    )
    shown = [one for one in finite if one.ref in sampled]
    best = found if len(goals.objectives) > 1 else []
    breaking = [one for one in shown if one.violation > 0]
    drawn = [_marks(frame, known, [one for one in shown if one.violation == 0], "grey")]
    drawn.append(_marks(frame, known, breaking, "orange"))
    keys = [("dot grey", "a candidate")] + [("dot orange", "breaks a bound")] * bool(breaking)
    there = {one.ref for one in finite}
    on = [one for one in best if one.ref in there]
    if set(goals.objectives) == {x, y} and on:
        across, up = zip(*(known[one.ref] for one in on), strict=True)
        if goals.objectives[y] == "minimise":
            flipped = steps(across, [-v for v in up], least=goals.objectives[x] == "minimise")
            corners = flipped[0], [-v for v in flipped[1]]
        else:
            corners = steps(across, up, least=goals.objectives[x] == "minimise")
        drawn.append(line(frame, *corners, "blue"))
    if on:
        drawn.append(_marks(frame, known, on[:: 1 + len(on) // DOTS], "large blue"))
        keys.append(("dot blue", f"{len(best)} that none dominates"))
    limits = list(_limits(frame, facts, x, y))
    keys += [("ink thin", "bound")] * bool(limits)
    winner = [] if facts.winner is None else [one for one in finite if one.ref == facts.winner.row.ref]
    drawn += [_marks(frame, known, winner, "large ink")] * bool(winner)
    keys += [("dot ink", "the best by the goals")] * bool(winner)
    label = f"{_named(facts, y)} over {_named(facts, x)} of {number(len(finite))} candidates"
    if best:
        label += f"; {len(best)} on the front, {_spans(facts, best)}"
    note = f"{number(len(shown))} of {number(len(finite))} dots are drawn." if len(finite) > DOTS else ""
    image = drawing(frame.width, frame.height, label, axes(frame), *limits, *drawn)
    return figure(
        f"{y.replace('_', ' ').capitalize()} against {x.replace('_', ' ')}",
        image,
        legend(*keys),
        note=note,
        kind="chart",
    )


def _marks(frame: Frame, known: dict[Ref, tuple[float, float]], shown: Sequence[Told], kind: str) -> Element:
    points = [known[one.ref] for one in shown]
    return marks(frame, [x for x, _ in points], [y for _, y in points], [one.ref for one in shown], kind)


def _limits(frame: Frame, facts: Facts, x: str, y: str) -> Iterator[Element]:
    for limit in facts.goals.constraints.get(x, {}).values():
        yield line(frame, [limit, limit], frame.y, "ink thin")
    for limit in facts.goals.constraints.get(y, {}).values():
        yield line(frame, frame.x, [limit, limit], "ink thin")


def _named(facts: Facts, name: str) -> str:
    aim = facts.goals.objectives.get(name)
    return name.replace("_", " ") + (f" ({aim})" if aim else "")


def _bounds(facts: Facts) -> str:
    found = (
        f"{name} {_SIGNS[bound]} {number(limit)}"
        for name, bounds in facts.goals.constraints.items()
        for bound, limit in bounds.items()
    )
    return ", ".join(found)


def _spans(facts: Facts, found: Sequence[Told]) -> str:
    each = [ranking.objectives(facts.goals, one) for one in found]
    names = facts.goals.objectives
    ends = {name: sorted(one[name] for one in each) for name in names}
    return ", ".join(f"{name} {number(known[0])} to {number(known[-1])}" for name, known in ends.items())


def _listed(facts: Facts, found: Sequence[Told]) -> Element:
    rows = {one.ref: one for one in facts.rows}
    aims = list(facts.goals.objectives)
    rest = [name for name in ("fitness", "steps") if name not in aims]
    body = [_line(facts, one, rows[one.ref], rest) for one in found[:LISTED]]
    bounded = ["violation"] if facts.goals.constraints else []
    listed = table(("candidate", *aims, *bounded, *rest, "operator"), body, class_="sortable")
    more = f" {len(found) - LISTED} more are in the drawing." if len(found) > LISTED else ""
    note = f"Best by {aims[0]} first.{more} Of candidates equal in everything the first told is kept."
    return element("div", listed, element("p", note, class_="note"))


def _line(facts: Facts, one: Told, stored: Row, rest: Sequence[str]) -> Element:
    shown = list(ranking.objectives(facts.goals, one).values())
    shown += [one.violation] if facts.goals.constraints else []
    shown += [{"fitness": stored.fitness or 0.0, "steps": float(stored.steps)}[name] for name in rest]
    numbers = (numeric(value) for value in shown)
    place = cell(str(one.ref), order=one.ref.cohort * 1e6 + one.ref.row)
    return row(one.ref, [place, *numbers, stored.operator.replace("+", " + ")])
