"""The course of a search: fitness and diversity, over the candidates told and over the steps they took.

Steps are those of all inner loops together, in the order in which candidates were told.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from evogen.report import charts
from evogen.report.facts import Facts
from evogen.report.figures import (
    Frame,
    axes,
    band,
    drawing,
    extent,
    figure,
    legend,
    line,
    marks,
    rug,
    switch,
)
from evogen.report.markup import Element, absent, number
from evogen.runs.records import Row

Numbers = npt.NDArray[np.float64]
DOTS, BANDS = 3000, 200
PARTS = {
    "rules": ("blue", "rules"),
    "architecture": ("orange", "architecture"),
    "plasticity": ("green", "plasticity"),
    "expression": ("purple", "inherited expression"),
}


@dataclass(frozen=True)
class Course:
    """One of the two x axes of a search.

    Attributes:
        label: of the axis, with its unit.
        ends: (P,) where each candidate was told.
        edges: (cohorts + 1,) where cohorts begin and end.
        end: of the axis.
    """

    label: str
    ends: Numbers
    edges: Numbers
    end: float


def courses(facts: Facts) -> list[Course]:
    """Return the axes of a run: candidates, and steps where inner loops took any."""
    widths = [len(rows) for rows in facts.cohorts]
    told = np.cumsum([0, *widths]).astype(float)
    total = max(len(facts.rows), (facts.planned or 0) * max(widths, default=0))
    made = [
        Course(
            "candidates, in the order they were told",
            np.arange(1.0, len(facts.rows) + 1),
            told + 0.5,
            total + 1.0,
        )
    ]
    spent = np.cumsum([0.0, *(row.steps for row in facts.rows)])
    if spent[-1] > 0:
        label = f"{charts.unit(facts)}, of all candidates together"
        made.append(Course(label, spent[1:], spent[told.astype(int)], float(spent[-1]) * 1.02))
    return made


def over(facts: Facts, draw: Callable[[Course], Element]) -> Element:
    """Draw something over both axes, with a switch between them; prints show both."""
    drawn = [draw(course) for course in courses(facts)]
    if len(drawn) == 1:
        return drawn[0]
    return switch(f"over {charts.unit(facts)} instead of candidates", *drawn)


def fitness(facts: Facts, course: Course) -> Element:
    """Draw every candidate, the best so far, and the median and quartiles of each cohort."""
    ys = np.array([math.nan if row.fitness is None else row.fitness for row in facts.rows])
    scored = np.flatnonzero(np.isfinite(ys))
    if not scored.size:
        return absent("No candidate has a fitness yet, so there is no curve of it.")
    shown = thinned(facts, scored)
    best_at, best = best_so_far(facts)
    edges, (low, half, high), pooled = _quartiles(facts.cohorts, course)
    frame = Frame((0.0, course.end), _level(ys[scored]), course.label, "fitness (mean score of its agents)")
    inside = shown[ys[shown] >= frame.y[0]]
    failed = np.flatnonzero(~np.isfinite(ys))
    last = float(course.ends[-1])
    xs = course.ends[best_at]
    drawn = drawing(
        frame.width,
        frame.height,
        f"Fitness of {len(scored)} candidates over {course.label}, from {number(ys[scored].min())} to "
        f"{number(ys[scored].max())}. {_best(best)}.",
        axes(frame),
        band(frame, edges, np.maximum(low, frame.y[0]), np.maximum(high, frame.y[0]), "blue"),
        marks(frame, course.ends[inside], ys[inside], [facts.rows[at].ref for at in inside], "grey"),
        line(frame, edges, np.where(half < frame.y[0], np.nan, half), "blue"),
        line(frame, [*np.repeat(xs, 2)[1:], last], np.repeat(best, 2), "ink") if best.size else None,
        rug(frame, course.ends[_even(failed, 500)], "orange") if failed.size else None,
    )
    bounded = " that keeps the constraints" if facts.goals.constraints else ""
    of = "the cohort" if pooled == 1 else f"{pooled} cohorts"
    keys = [("dot grey", "a candidate"), ("ink", f"best so far{bounded}"), ("blue", f"median of {of}")]
    keys.append(("area blue", "its quartiles"))
    keys += [("orange", f"{len(failed)} without a fitness")] * bool(failed.size)
    notes = []
    if len(shown) < len(scored):
        notes.append(
            f"{number(len(shown))} of {number(len(scored))} dots are drawn: the best, and an even sample"
        )
    if below := int(np.sum(ys[scored] < frame.y[0])):
        notes.append(
            f"{number(below)} candidates lie below the axis, the worst at {number(ys[scored].min())}"
        )
    return figure("Fitness over the search", drawn, legend(*keys), note="; ".join(notes), kind="chart")


def diversity(facts: Facts, course: Course) -> Element:
    """Draw the mean distance of two genomes of a cohort, part by part, and the share of distinct ones."""
    found = facts.diversity
    if found is None or not found.cohorts:
        return absent("The diversity is not known: there is no cohort yet, or it cannot be read.")
    xs = course.edges[np.array(found.cohorts) + 1]
    frame = Frame((0.0, course.end), (0.0, 1.05), course.label, "mean distance of two genomes of a cohort")
    keys = [(colour, name) for part, (colour, name) in PARTS.items() if part in found.distances]
    lines = [
        line(frame, xs, values, PARTS[part][0])
        for part, values in found.distances.items()
        if any(map(math.isfinite, values))
    ]
    cohorts = facts.cohorts
    distinct = [_distinct(cohorts[at]) for at in found.cohorts]
    ends = [f"{PARTS[part][1]} {_ends(values)}" for part, values in found.distances.items()]
    ends.append(f"distinct genomes {_ends(distinct)} of the cohort")
    label = f"Diversity of {len(xs)} cohorts over {course.label}, first to last: {'; '.join(ends)}."
    image = drawing(
        frame.width, frame.height, label, axes(frame), *lines, line(frame, xs, distinct, "ink thin")
    )
    note = (
        "0: equal; 1: nothing in common. Each part has a scale of its own: compare a line with itself only."
    )
    if found.missing:
        note += f" Something of {len(found.missing)} cohorts cannot be read."
    keys.append(("ink thin", "share of distinct genomes"))
    return figure("Diversity within a cohort", image, legend(*keys), note=note, kind="chart")


def best_so_far(facts: Facts) -> tuple[npt.NDArray[np.int64], Numbers]:
    """Return the places in `rows` at which the best fitness rose, and what it rose to.

    Who breaks the constraints does not count.
    """
    found: list[tuple[int, float]] = []
    for at, row in enumerate(facts.rows):
        if row.fitness is not None and (not found or row.fitness > found[-1][1]) and keeps(facts, row):
            found.append((at, row.fitness))
    return np.array([at for at, _ in found], dtype=np.int64), np.array([value for _, value in found])


def keeps(facts: Facts, row: Row) -> bool:
    """Whether a candidate that ended ok keeps the constraints of the search."""
    if not facts.goals.constraints:
        return True
    measured = {**row.metrics, "fitness": row.fitness or 0.0, "steps": float(row.steps)}
    return facts.goals.told(row.ref, measured).violation == 0


def thinned(facts: Facts, places: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    """Return at most about `DOTS` of these places in `rows`: the leaders, and an even sample."""
    if len(places) <= DOTS:
        return places
    lead = {row.ref for row in facts.leaders}
    best = [at for at in places if facts.rows[at].ref in lead]
    return np.unique(np.concatenate([_even(places, DOTS), np.array(best, dtype=np.intp)]))


def values(facts: Facts) -> dict[str, object]:
    """Return what the section draws, as a JSON value."""
    at, best = best_so_far(facts)
    spent = np.cumsum([0, *(row.steps for row in facts.rows)])
    rises = [
        {
            "candidate": str(facts.rows[i].ref),
            "candidates": int(i) + 1,
            "steps": int(spent[i + 1]),
            "fitness": value,
        }
        for i, value in zip(at, best.tolist(), strict=True)
    ]
    found = facts.diversity
    return {
        "best_so_far": rises,
        "diversity": None
        if found is None
        else {
            "cohorts": list(found.cohorts),
            **found.distances,
        },
    }


def _distinct(rows: Sequence[Row]) -> float:
    return len({row.genome for row in rows}) / len(rows) if rows else math.nan


def _best(best: Numbers) -> str:
    if not best.size:
        return "None keeps the constraints"
    return f"Best so far {number(best[0])} at first, {number(best[-1])} after {len(best) - 1} improvements"


def _ends(found: Sequence[float]) -> str:
    known = [value for value in found if math.isfinite(value)]
    return f"{number(known[0], digits=2)} to {number(known[-1], digits=2)}" if known else "unknown"


def _level(ys: Numbers) -> tuple[float, float]:
    """Return the interval of an axis; a few numbers far below the others do not stretch it."""
    top, quarter = float(ys.max()), float(np.quantile(ys, 0.25))
    floor = quarter - 3 * (top - quarter)
    return extent([max(float(ys.min()), floor) if top > quarter else float(ys.min()), top])


def _quartiles(cohorts: Sequence[Sequence[Row]], course: Course) -> tuple[Numbers, Numbers, int]:
    """Return x of both edges of every pool of cohorts, its (3, x) quartiles, and the cohorts in a pool."""
    size = math.ceil(len(cohorts) / BANDS)
    bounds = [*range(0, len(cohorts), size), len(cohorts)]
    found = []
    for begin, end in pairwise(bounds):
        scores = [row.fitness for rows in cohorts[begin:end] for row in rows if row.fitness is not None]
        found += [np.quantile(scores, (0.25, 0.5, 0.75)) if scores else np.full(3, np.nan)] * 2
    return np.repeat(course.edges[bounds], 2)[1:-1], np.array(found).T, size


def _even(places: npt.NDArray[np.intp], most: int) -> npt.NDArray[np.intp]:
    return places[np.unique(np.linspace(0, len(places) - 1, min(most, len(places))).astype(np.intp))]
