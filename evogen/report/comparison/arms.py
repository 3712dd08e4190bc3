"""The charts of arms: every run, interquartile means, performance profiles, and who arrived when."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from evogen.analysis.comparison import Comparison, Standing
from evogen.analysis.statistics import Values
from evogen.report.figures import Frame, axes, band, dots, drawing, extent, figure, legend, line
from evogen.report.markup import Element, element, number

_COLOURS = ("blue", "orange", "green", "purple", "red", "yellow", "grey", "ink")
_LANE = 34
_MEASURED = {True: "score on the scale of its task", False: "score of a run"}


def seeds(found: Comparison) -> Element:
    """Draw one dot a run, in a lane for each arm and task."""
    lanes = [(standing, task) for standing in found.standings for task in found.tasks]
    values = [_shown(found, task, standing.scores[task]) for standing, task in lanes]
    frame = _lanes(found, [value for each in values for value in each], len(lanes))
    parts: list[Element] = [axes(frame, rows=[])]
    for at, ((standing, task), each) in enumerate(zip(lanes, values, strict=True)):
        finite = each[np.isfinite(each)]
        y = len(lanes) - at - 0.62
        parts.append(dots(frame, finite, np.full(len(finite), y), _colour(found, standing)))
        parts.append(_label(frame, standing.arm.name, task, y, several=len(found.tasks) > 1))
        middle = standing.by_task[task]
        if math.isfinite(middle.low):
            ends = _shown(found, task, np.array([middle.low, middle.high]))
            parts.append(line(frame, ends, [y - 0.22, y - 0.22], "ink"))
        if lost := len(each) - len(finite):
            parts.append(dots(frame, [frame.x[0]] * lost, [y] * lost, "large red"))
    text = f"Scores of {sum(map(len, values))} runs in {len(lanes)} lanes, one for each arm and task."
    note = "One dot is one run. The line is the interval of the interquartile mean."
    return figure(
        "Every run",
        drawing(frame.width, frame.height, text, *parts),
        note=note + (" Failed runs are at the left edge, in red." if _failed(found) else ""),
        kind="chart",
    )


def middles(found: Comparison) -> Element:
    """Draw the interquartile mean of each arm with its interval."""
    middles = [standing.middle for standing in found.standings]
    frame = _lanes(
        found, [value for middle in middles for value in middle if math.isfinite(value)], len(middles)
    )
    parts: list[Element] = [axes(frame, rows=[])]
    for at, standing in enumerate(found.standings):
        y, colour, middle = len(middles) - at - 0.62, _colour(found, standing), standing.middle
        parts += [
            *[line(frame, [middle.low, middle.high], [y, y], colour)] * math.isfinite(middle.low),
            dots(frame, [middle.mean], [y], f"large {colour}"),
            _label(frame, standing.arm.name, "", y, several=False),
        ]
    said = ", ".join(f"{one.arm.name} {number(one.middle.mean)}" for one in found.standings)
    return figure(
        "Interquartile mean of each arm",
        drawing(frame.width, frame.height, f"Interquartile means: {said}.", *parts),
        note="The mean of the middle half of all runs, and its 95 % interval.",
        kind="chart",
    )


def profiles(found: Comparison) -> Element:
    """Draw the share of runs above each score."""
    frame = Frame(extent(found.levels), (0.0, 1.02), _MEASURED[found.scaled], "share of runs above it")
    parts: list[Element] = [axes(frame)]
    for standing in found.standings:
        share, low, high = standing.profile
        colour = _colour(found, standing)
        parts += [band(frame, found.levels, low, high, colour), line(frame, found.levels, share, colour)]
    return figure(
        "Performance profiles",
        drawing(frame.width, frame.height, "Share of the runs of each arm above each score.", *parts),
        _legend(found),
        note="Higher is better; a failed run is above nothing. Bands are 95 % intervals, point by point.",
        kind="chart",
    )


def arrivals(found: Comparison, task: str) -> Element:
    """Draw the share of runs that reached the threshold of a task by each number of steps."""
    last = {
        standing.arm.name: max(float(trial.steps or trial.candidates) for trial in standing.arm.trials[task])
        for standing in found.standings
    }
    steps = any(trial.steps for one in found.standings for trial in one.arm.trials[task])
    unit = found.standings[0].arm.trials[task][0].unit if steps else "candidates"
    frame = Frame((0.0, max(last.values()) * 1.02 or 1.0), (0.0, 1.02), unit, "share of runs that reached it")
    parts: list[Element] = [axes(frame)]
    said = []
    for standing in found.standings:
        one = standing.reached[task]
        xs = [0.0, *np.repeat(one.steps, 2), last[standing.arm.name]]
        ys = [0.0, 0.0, *np.repeat(one.shares, 2)]
        parts.append(line(frame, xs, ys, _colour(found, standing)))
        said.append(f"{standing.arm.name} {one.arrived} of {one.runs}")
    title = f"Fitness {found.thresholds[task]:g} on {task}"
    text = f"Share of runs that reached it: {', '.join(said)}."
    drawn = drawing(frame.width, frame.height, text, *parts)
    return figure(title, drawn, _legend(found), note=text, kind="chart")


def _lanes(found: Comparison, values: Sequence[float], count: int) -> Frame:
    low, high = extent(values)
    return Frame((low, high), (0.0, float(count)), _MEASURED[found.scaled], "", height=80 + _LANE * count)


def _label(frame: Frame, arm: str, task: str, y: float, *, several: bool) -> Element:
    text = f"{arm} on {task}" if several else arm
    return element(
        "text", text, x=frame.across(frame.x[0]) + 4, y=frame.up(y + 0.3), class_="small halo page"
    )


def _shown(found: Comparison, task: str, scores: Values) -> Values:
    return found.scales[task].of(scores) if found.scaled else scores


def _colour(found: Comparison, standing: Standing) -> str:
    return _COLOURS[found.standings.index(standing) % len(_COLOURS)]


def _legend(found: Comparison) -> Element:
    return legend(*((_colour(found, standing), standing.arm.name) for standing in found.standings))


def _failed(found: Comparison) -> bool:
    return any(np.isneginf(scores).any() for one in found.standings for scores in one.scores.values())
