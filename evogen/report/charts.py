"""The charts of candidates: inner-loop curves, scores of born agents."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from evogen.report.facts import Facts
from evogen.report.figures import (
    Frame,
    axes,
    band,
    drawing,
    extent,
    figure,
    labels,
    legend,
    line,
    ticks,
)
from evogen.report.markup import Element, absent, element, number
from evogen.runs.records import Row
from evogen.tasks import TaskKind

Curve = npt.NDArray[np.float64]
_POINTS = 100
_MEASURES = {
    TaskKind.CONTROL: "return of an episode (mean of a rollout)",
    TaskKind.CONTINUOUS: "return of an episode (mean of a rollout)",
    TaskKind.CLASSIFICATION: "accuracy on the training batches (share)",
    TaskKind.CONTINUAL: "accuracy on the training batches of the stage (share)",
    TaskKind.SEQUENCE: "score on the training sequences",
}


def curves(facts: Facts) -> Element:
    """Draw what the inner loop measured: first cohort, last cohort, winner."""
    cohorts = [grid for rows in facts.cohorts if (grid := _curves(rows)) is not None]
    if not cohorts:
        return absent("The inner loop left no curve (it had no step, or nothing was told yet).")
    winner = [] if facts.winner is None else [facts.winner.row]
    own = _curves(winner)
    shown = [("orange", "first cohort", cohorts[0]), ("blue", "last cohort", cohorts[-1])][-len(cohorts) :]
    used = [grid for _, _, grid in shown] + ([] if own is None else [own])
    end, unit = _span(facts)
    frame = Frame((0.0, end), extent(np.concatenate(used, axis=None)), unit, _measure(facts))
    xs = np.linspace(0, end, _POINTS)
    drawn, keys = [], []
    for colour, name, grid in shown:
        low, half, high = _spread(grid)
        drawn += [band(frame, xs, low, high, colour), line(frame, xs, half, colour)]
        drawn.append(line(frame, xs, grid[0], f"{colour} thin"))
        keys.append((colour, name))
    if own is not None:
        drawn.append(line(frame, xs, own[0], "ink"))
        keys.append(("ink", "the winner"))
    ends = "; ".join(f"{name} median {number(float(_spread(grid)[1][-1]))}" for _, name, grid in shown)
    image = drawing(frame.width, frame.height, f"Inner-loop curves, at the end: {ends}.", axes(frame), *drawn)
    note = "line: median; area: quartiles; dotted: the best candidate of the cohort"
    return figure("Learning within a life", image, legend(*keys), note=note, kind="chart")


def strips(groups: Sequence[tuple[str, str, Sequence[float]]], label: str) -> Element:
    """Draw groups of scores, (colour, name, scores) each, one above another on one axis, with mean and sd."""
    every = [score for _, _, scores in groups for score in scores]
    width, lane, left = 470, 62, 26
    low, high = extent(every, margin=0.08)
    bottom = lane * len(groups) + 4

    def across(x: float) -> float:
        return left + (x - low) / (high - low) * (width - 2 * left)

    marks = ticks(low, high)
    parts: list[Element] = [element("path", d=f"M{across(x):.1f} 4V{bottom}", class_="grid") for x in marks]
    parts += [
        element("text", text, x=across(x), y=bottom + 16, class_="middle")
        for x, text in zip(marks, labels(marks), strict=True)
    ]
    for at, (colour, name, scores) in enumerate(groups):
        parts += _lane(name, [across(score) for score in scores], at * lane, colour)
    parts.append(element("text", label, x=width - 4, y=bottom + 34, class_="name end"))
    told = "; ".join(f"{name}: {', '.join(number(score) for score in scores)}" for _, name, scores in groups)
    return drawing(width, bottom + 42, f"{label}. {told}", *parts)


def strip(scores: Sequence[float], span: tuple[float, float]) -> Element:
    """Return one line of dots for a table cell."""
    low, high = span
    path = "".join(
        f"M{6 + 108 * (score - low) / (high - low):.1f} {9 + _jitter(i, 3)}h0"
        for i, score in enumerate(scores)
    )
    label = f"scores {', '.join(number(score) for score in scores)}"
    return drawing(
        120,
        18,
        label,
        element("path", d="M0 9H120", class_="grid"),
        element("path", d=path, class_="dots blue"),
    )


def _lane(name: str, columns: list[float], top: int, colour: str) -> list[Element]:
    middle, mean = top + 38, float(np.mean(columns))
    spread = float(np.std(columns, ddof=1)) if len(columns) > 1 else 0.0
    path = "".join(f"M{x:.1f} {middle + _jitter(i, 7)}h0" for i, x in enumerate(columns))
    return [
        element("text", name, x=4, y=top + 18, class_="name"),
        element("path", d=f"M{mean - spread:.1f} {middle}H{mean + spread:.1f}", class_=f"spread {colour}"),
        element("path", d=path, class_=f"dots large {colour}"),
        element("path", d=f"M{mean:.1f} {middle - 13}v26", class_=f"line {colour}"),
    ]


def _jitter(index: int, size: int) -> int:
    return (-size, 0, size)[index % 3]


def _curves(rows: Iterable[Row]) -> Curve | None:
    """Return (candidates, points) curves on one grid, best candidate first; None where there is none."""
    kept = [row for row in rows if row.fitness is not None and row.curve]
    kept.sort(key=lambda row: -(row.fitness or 0.0))
    grid = np.linspace(0, 1, _POINTS)
    found = [np.interp(grid, np.linspace(0, 1, len(row.curve)), row.curve) for row in kept]
    return np.array(found) if found else None


def _spread(grid: Curve) -> Curve:
    return np.asarray(np.quantile(grid, (0.25, 0.5, 0.75), axis=0))


def _span(facts: Facts) -> tuple[float, str]:
    steps = {row.steps for row in facts.rows if row.fitness is not None}
    if len(steps) != 1 or 0 in steps:
        return 100.0, "share of each candidate's inner loop (%)"
    return float(steps.pop()), f"inner loop ({unit(facts)})"


def unit(facts: Facts) -> str:
    """Return what one step of the inner loop is."""
    control = facts.experiment is not None and facts.experiment.task.kind in (
        TaskKind.CONTROL,
        TaskKind.CONTINUOUS,
    )
    known = facts.experiment is not None
    return "environment steps" if control else "training examples seen" if known else "steps"


def _measure(facts: Facts) -> str:
    other = "the inner loop's own measure"
    return other if facts.experiment is None else _MEASURES.get(facts.experiment.task.kind, other)
