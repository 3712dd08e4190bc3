"""The archive of MAP-Elites: the best candidate of every kind over the grid of measures, from the rows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from evogen.report.facts import Facts
from evogen.report.figures import Frame, axes, drawing, figure, legend, line, marks
from evogen.report.markup import Element, element, number
from evogen.runs.records import Row
from evogen.strategies.goals import measured_in
from evogen.strategies.islands import Islands
from evogen.strategies.map_elites import MAPElites

LEVELS = 6
Cell = tuple[int, ...]


@dataclass(frozen=True)
class Filled:
    """An archive as it grew.

    Attributes:
        elites: the candidate of each filled cell.
        coverage: (P,) filled cells after each candidate.
        score: (P,) QD score after each: sum over the filled cells of worth minus the search's lowest.
        worth: by cell, what the strategy compares: the search's objective, turned so that more is better.
        objective: its name.
        least: whether it is minimised.
    """

    elites: Mapping[Cell, Row]
    coverage: npt.NDArray[np.float64]
    score: npt.NDArray[np.float64]
    worth: Mapping[Cell, float]
    objective: str
    least: bool

    def shown(self, worth: float) -> float:
        """Return the objective as it was measured."""
        return -worth if self.least else worth


def archive(facts: Facts) -> Element | None:
    """Return the section on the archive; None where the strategy keeps none."""
    strategy = kept_by(facts)
    if strategy is None:
        return None
    title = element("h2", "The archive of kinds")
    found = filled(facts, strategy)
    if not found.elites:
        return element("section", title, element("p", "No candidate has entered it yet.", class_="empty"))
    return element(
        "section", title, element("div", _map(strategy, found), _growth(strategy, found), class_="pair")
    )


def kept_by(facts: Facts) -> MAPElites | None:
    """Return the strategy that keeps an archive, on islands or not."""
    strategy = None if facts.experiment is None else facts.experiment.strategy
    if isinstance(strategy, Islands):
        strategy = strategy.inner
    return strategy if isinstance(strategy, MAPElites) else None


def filled(facts: Facts, strategy: MAPElites) -> Filled:
    """Return the archive of all candidates; islands are taken together."""
    elites: dict[Cell, Row] = {}
    worth: dict[Cell, float] = {}
    told = [facts.goals.told(row.ref, measured_in(row.fitness, row.metrics, row.steps)) for row in facts.rows]
    floor = min((one.fitness for one in told if one.fitness is not None), default=0.0)
    coverage, score, total = [], [], 0.0
    for row, one in zip(facts.rows, told, strict=True):
        kept = one.fitness is not None and one.violation == 0
        place = cell_of(strategy, one.metrics) if kept else None
        if place is not None and one.fitness is not None and one.fitness > worth.get(place, -math.inf):
            total += one.fitness - worth.get(place, floor)
            elites[place], worth[place] = row, one.fitness
        coverage.append(len(elites))
        score.append(total)
    name, aim = next(iter(facts.goals.objectives.items()))
    grown = np.array(coverage, dtype=float), np.array(score)
    return Filled(elites, *grown, worth, name, least=aim == "minimise")


def cell_of(strategy: MAPElites, metrics: Mapping[str, float]) -> Cell | None:
    """Return the cell of a candidate; one beyond a range counts to the cell at its end; None unmeasured."""
    place = []
    for name, (low, high, cells) in strategy.measures.items():
        value = metrics.get(name, math.nan)
        if not math.isfinite(value):
            return None
        place.append(min(max(math.floor((value - low) / (high - low) * cells), 0), cells - 1))
    return tuple(place)


def values(facts: Facts) -> dict[str, object] | None:
    """Return the archive as a JSON value; None where the strategy keeps none."""
    strategy = kept_by(facts)
    if strategy is None:
        return None
    found = filled(facts, strategy)
    elites = [
        {
            "cell": list(place),
            "candidate": str(row.ref),
            "fitness": row.fitness,
            found.objective: found.shown(found.worth[place]),
        }
        for place, row in sorted(found.elites.items())
    ]
    return {"measures": list(strategy.measures), "cells": strategy.cells, "elites": elites}


def _map(strategy: MAPElites, found: Filled) -> Element:
    """Draw the first two measures; of further ones the best counts."""
    names = list(strategy.measures)
    flat: dict[tuple[int, int], Cell] = {}
    for place, worth in found.worth.items():
        at = (place[0], place[1] if len(place) > 1 else 0)
        if at not in flat or worth > found.worth[flat[at]]:
            flat[at] = place
    low, high, columns = strategy.measures[names[0]]
    bottom, top, rows = strategy.measures[names[1]] if len(names) > 1 else (0.0, 1.0, 1)
    label = names[1] if len(names) > 1 else "no second measure"
    frame = Frame((low, high), (bottom, top), names[0], label)
    known = [found.worth[place] for place in flat.values()]
    least, most = min(known), max(known)
    paths: dict[int, list[str]] = {}
    xs, ys = [], []
    for (column, line_), place in flat.items():
        left, right = (low + (high - low) * (column + i) / columns for i in (0, 1))
        down, up = (bottom + (top - bottom) * (line_ + i) / rows for i in (0, 1))
        level = min(int(LEVELS * (found.worth[place] - least) / ((most - least) or 1.0)), LEVELS - 1)
        corner = (
            f"M{frame.at(left, up)}H{frame.across(right):.1f}V{frame.up(down):.1f}H{frame.across(left):.1f}Z"
        )
        paths.setdefault(level, []).append(corner)
        xs.append((left + right) / 2)
        ys.append((down + up) / 2)
    cells = [
        element("path", d="".join(parts), class_="cell blue", fill_opacity=(level + 1) / LEVELS)
        for level, parts in sorted(paths.items())
    ]
    best = found.elites[max(found.worth, key=found.worth.__getitem__)]
    ends = f"{found.objective.replace('_', ' ')} {number(found.shown(least))}", number(found.shown(most))
    share = len(found.elites) / strategy.cells
    cells_of = f"{number(len(found.elites))} of {number(strategy.cells)} cells filled"
    told = (
        f"Archive over {' and '.join(names)}: {cells_of} ("
        f"{share:.1%}), {ends[0]} to {ends[1]}, best {best.ref}."
    )
    image = drawing(
        frame.width,
        frame.height,
        told,
        axes(frame),
        *cells,
        marks(frame, xs, ys, [found.elites[place].ref for place in flat.values()], "tiny ink"),
    )
    note = f"A dot is the best candidate of its cell; {ends[0]} (faint) to {ends[1]} (full)."
    if len(names) > 2:
        note += f" Of the kinds that differ only in {', '.join(names[2:])} the best is shown."
    better = "lower" if found.least else "higher"
    worse = "higher" if found.least else "lower"
    keys = legend(
        *(
            (f"area{full} blue", f"{side} {found.objective}")
            for full, side in (("", worse), (" full", better))
        )
    )
    return figure("The best of every kind", image, keys, note=note, kind="chart")


def _growth(strategy: MAPElites, found: Filled) -> Element:
    ends = np.arange(1.0, len(found.coverage) + 1)
    rises = np.flatnonzero(np.diff(found.coverage, prepend=0.0))
    share = found.coverage / strategy.cells
    score = found.score / (found.score[-1] or 1.0)
    frame = Frame((0.0, len(ends) + 1.0), (0.0, 1.05), "candidates, in the order they were told", "share")
    corners = np.concatenate([rises, [len(ends) - 1]])
    even = np.unique(np.linspace(0, len(ends) - 1, 200).astype(int))
    told = (
        f"Share of the cells that are filled, up to {share[-1]:.1%} after {number(len(ends))} candidates; "
        f"half of the final QD score after {number(int(np.argmax(score >= 0.5)) + 1)}."
    )
    drawn = (
        line(frame, np.repeat(ends[corners], 2)[1:], np.repeat(share[corners], 2)[:-1], "blue"),
        line(frame, ends[even], score[even], "orange"),
    )
    image = drawing(frame.width, frame.height, told, axes(frame), *drawn)
    keys = legend(
        ("blue", "filled cells"), ("orange", f"QD score, of its final {number(float(found.score[-1]))}")
    )
    turned = f"the negative of {found.objective}" if found.least else found.objective
    note = f"QD score: sum over the filled cells of {turned} minus its lowest in the search."
    return figure("How the archive grew", image, keys, note=note, kind="chart")
