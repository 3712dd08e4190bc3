"""Rows: what a table says, from the results of the cells."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from evogen.analysis.statistics import Interval, holm, interval, sign_flip
from evogen.keys import Key
from evogen.studies.cell import Cell, Result
from evogen.studies.sweep import DEGREES

Cells = Sequence[tuple[Cell, Result]]

CONTRASTS = (
    ("noise", "mean"),
    ("noise", "dqn"),
    ("noise", "snes"),
    ("noise", "direct"),
    ("mask", "shuffled"),
)


@dataclass(frozen=True)
class Row:
    """One arm on one task in one regime.

    Attributes:
        score: mean return over the agents of each training seed, over seeds.
        solved: share of agents at or over the environment's threshold, over seeds.
        least, most: of all agents.
        lost: agents without a score, because an output or a training became non-finite.
        average: mean return of the average networks; NaN where the arm has none.
        steps: environment steps of training, mean over seeds.
    """

    task: str
    arm: str
    regime: str
    seeds: int
    agents: int
    score: Interval
    solved: Interval
    least: float
    most: float
    lost: int
    average: Interval
    steps: float


@dataclass(frozen=True)
class Contrast:
    """Two arms on one task in one regime, in pairs of training seeds; p is Holm-adjusted in its contrast."""

    task: str
    regime: str
    first: str
    second: str
    difference: Interval
    p: float


@dataclass(frozen=True)
class Point:
    """One arm at one degree: scores of born and of predicted agents over seeds, mean weight noise."""

    task: str
    arm: str
    degree: float
    born: Interval
    predicted: Interval
    noise: float


@dataclass(frozen=True)
class Tables:
    """All that a table says."""

    cells: Cells
    rows: Sequence[Row]
    contrasts: Sequence[Contrast]
    points: Sequence[Point]


def tables(cells: Cells) -> Tables:
    """Return what the results of these cells come to."""
    every = [_row(cell, result, regime) for cell, result in cells for regime in result.scores]
    return Tables(cells, every, contrasts(cells), points(cells))


def per_seed(scores: np.ndarray) -> np.ndarray:
    """Return (S,) means of (S, A) scores over the agents that have one; NaN where none has."""
    finite = np.isfinite(scores)
    total = np.where(finite, scores, 0.0).sum(1)
    counts = finite.sum(1)
    return np.where(counts > 0, total / np.maximum(counts, 1), np.nan)


def _row(cell: Cell, result: Result, regime: str) -> Row:
    scores = result.scores[regime]
    key = _key(cell.task, cell.arm.name, regime)
    threshold = cell.recipe.play(1).threshold
    shares = np.zeros(len(scores)) + np.nan if threshold is None else (scores >= threshold).mean(1)
    finite = scores[np.isfinite(scores)]
    return Row(
        cell.task,
        cell.arm.name,
        regime,
        scores.shape[0],
        scores.shape[1],
        interval(per_seed(scores), key.child("score")),
        interval(shares, key.child("solved")),
        float(finite.min()) if finite.size else math.nan,
        float(finite.max()) if finite.size else math.nan,
        scores.size - finite.size,
        interval(result.average, _key(cell.task, cell.arm.name, "average")),
        float(result.steps.mean()),
    )


def contrasts(cells: Cells) -> list[Contrast]:
    """Return all comparisons of CONTRASTS whose two arms are there."""
    found: list[Contrast] = []
    by_place = {(cell.task, cell.arm.name): result for cell, result in cells}
    for first, second in CONTRASTS:
        places = [
            (task, regime)
            for task in dict.fromkeys(cell.task for cell, _ in cells)
            if (task, first) in by_place and (task, second) in by_place
            for regime in by_place[task, first].scores
        ]
        differences, p = [], []
        for task, regime in places:
            pair = [per_seed(by_place[task, arm].scores[regime]) for arm in (first, second)]
            key = _key(task, f"{first} {second}", regime)
            differences.append(interval(pair[0] - pair[1], key.child("difference")))
            p.append(sign_flip(pair[0] - pair[1], key.child("test")))
        for (task, regime), difference, adjusted in zip(places, differences, holm(p), strict=True):
            found.append(Contrast(task, regime, first, second, difference, adjusted))
    return found


def points(cells: Cells) -> list[Point]:
    """Return the degree sweep of every swept cell."""
    found = []
    for cell, result in cells:
        for index, degree in enumerate(DEGREES if result.sweep else ()):
            key = _key(cell.task, cell.arm.name, f"degree {degree}")
            born, predicted = (
                interval(per_seed(result.sweep[name][:, index]), key.child(name))
                for name in ("born", "predicted")
            )
            noise = float(np.nanmean(result.sweep["noise"][:, index]))
            found.append(Point(cell.task, cell.arm.name, degree, born, predicted, noise))
    return found


def thresholds(cells: Cells) -> Mapping[str, float | None]:
    """Return the environments' own thresholds by task."""
    return {cell.task: cell.recipe.play(1).threshold for cell, _ in cells}


def _key(*names: str) -> Key:
    return Key(0).child("study", "interval", *names)
