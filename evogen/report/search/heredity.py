"""Like parent, like child: the fitness of every child over that of its fitter parent."""

from __future__ import annotations

import numpy as np

from evogen.report.facts import Facts
from evogen.report.figures import Frame, axes, drawing, extent, figure, legend, line, marks
from evogen.report.markup import Element, number
from evogen.report.search.course import DOTS, thinned


def heredity(facts: Facts) -> Element | None:
    """Draw children over parents, with the line on which nothing changed; None without both."""
    fitness = {row.ref: row.fitness for row in facts.rows}
    pairs: list[tuple[int, float, float]] = []
    for at, row in enumerate(facts.rows):
        known = [score for ref in row.parents if (score := fitness.get(ref)) is not None]
        if known and row.fitness is not None:
            pairs.append((at, max(known), row.fitness))
    if len(pairs) < 2:
        return None
    places, parents, children = (np.array(column) for column in zip(*pairs, strict=True))
    shown = np.isin(places, thinned(facts, places))
    low, high = extent([*parents, *children])
    frame = Frame((low, high), (low, high), "fitness of the fitter parent", "fitness of the child")
    better, r = int(np.sum(children > parents)), correlation(parents, children)
    refs = [facts.rows[at].ref for at in places[shown]]
    told = (
        f"{number(len(pairs))} children over their fitter parents: {better / len(pairs):.1%} are better; {r}."
    )
    image = drawing(
        frame.width,
        frame.height,
        told,
        axes(frame),
        line(frame, frame.x, frame.y, "ink thin"),
        marks(frame, parents[shown], children[shown], refs, "blue"),
    )
    keys = legend(("dot blue", "a child"), ("ink thin", "as fit as its parent"))
    drawn = f"{number(int(shown.sum()))} of {number(len(pairs))} are drawn; " if len(pairs) > DOTS else ""
    note = f"{drawn}{better / len(pairs):.0%} lie above the line; {r}"
    return figure("Children and their parents", image, keys, note=note, kind="chart")


def correlation(xs: np.ndarray, ys: np.ndarray) -> str:
    """Say Pearson's correlation, which there is none of where one side does not vary."""
    if np.ptp(xs) == 0 or np.ptp(ys) == 0:
        return "no correlation, as one side does not vary"
    return f"correlation {number(float(np.corrcoef(xs, ys)[0, 1]), digits=2)}"
