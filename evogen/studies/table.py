"""The table as text, within 80 columns: a block a task, then contrasts, then the degree sweep."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from evogen.analysis.statistics import Interval
from evogen.learning.teacher import teacher_for
from evogen.studies.arms import ARMS
from evogen.studies.published import FIGURES
from evogen.studies.recipes import RECIPES
from evogen.studies.rows import Contrast, Point, Row, Tables


def lines(found: Tables) -> Iterator[str]:
    """Yield the table of a study's cells."""
    for task in dict.fromkeys(row.task for row in found.rows):
        yield from _task(task, [row for row in found.rows if row.task == task])
        yield ""
    if found.contrasts:
        yield from _contrasts(found.contrasts, found.cells[0][0].effort.seeds)
        yield ""
    if found.points:
        yield from _sweep(found.points)
        yield ""
    yield from _cost(found)
    yield ""
    yield from _legend(found)


def _task(task: str, every: Sequence[Row]) -> Iterator[str]:
    recipe, first = RECIPES[task], every[0]
    threshold = recipe.play(1).threshold
    steps = max(row.steps for row in every)
    solved = "no threshold" if threshold is None else f"solved from {threshold:g}"
    yield f"{recipe.title}: {solved}; {first.seeds} training seeds x {first.agents} born agents;"
    yield f"{steps:,.0f} environment steps of training a seed at most"
    regimes = [regime for regime in recipe.regimes if any(row.regime == regime.name for row in every)]
    for start in range(0, len(regimes), 2):
        shown = regimes[start : start + 2]
        yield ""
        yield f"{'':9}{'average':>7}" + "".join(f"{regime.name + ' regime':>32}" for regime in shown)
        heads = "".join(f"{'mean [95 % interval]':>25}{'solved':>7}" for _ in shown)
        yield f"{'':9}{'network':>7}{heads}"
        for arm in dict.fromkeys(row.arm for row in every):
            own = {row.regime: row for row in every if row.arm == arm}
            head = f"{arm:9}{number(next(iter(own.values())).average.mean):>7}"
            yield head + "".join(_scores(own[regime.name]) for regime in shown)
    yield from _published(task, every)


def _scores(row: Row) -> str:
    mark = "*" if row.lost else ""
    return f"{bracketed(row.score) + mark:>26}{percent(row.solved.mean):>6}"


def _published(task: str, every: Sequence[Row]) -> Iterator[str]:
    """Yield our figures in the reference's regime beside those of its paper."""
    if task not in FIGURES:
        return
    figure = FIGURES[task]
    theirs = {
        "noise": figure.sampled,
        "mean": figure.sampled,
        "dqn": figure.sampled,
        "snes": figure.snes,
        "random": figure.expression,
    }
    yield ""
    yield f"paper, best of 9 runs: average network {figure.trained:g}, its agents {figure.sampled:g}"
    others = f"SNES {figure.snes:g}, random expression {figure.expression:g}"
    yield f"({figure.least:g}..{figure.most:g}), {others}; 500,000 steps of training"
    yield ""
    yield f"{'':9}{'our agents, reference regime (range)':>40}{'paper':>9}  ours"
    for row in every:
        if row.arm in theirs and row.regime == "reference":
            its = theirs[row.arm]
            ours = f"{number(row.score.mean)} ({number(row.least)}..{number(row.most)})"
            yield f"{row.arm:9}{ours:>40}{its:>9g}  {_verdict(row.score, its, figure.error)}"


def _verdict(ours: Interval, theirs: float, error: float) -> str:
    """Say on which side of a figure our whole interval lies, with the error of reading the figure."""
    if ours.low > theirs + error:
        return "higher"
    return "lower" if ours.high < theirs - error else "as high"


def _contrasts(found: Sequence[Contrast], seeds: int) -> Iterator[str]:
    yield "Differences in pairs of training seeds: sign-flip test, Holm over each contrast"
    yield f"(with {seeds} seeds no single test can fall below p = {2 / 2**seeds:.2g})"
    yield ""
    yield f"{'':17}{'task':13}{'regime':11}{'mean [95 % interval]':>27}{'p':>8}"
    for item in found:
        name = f"{item.first} - {item.second}"
        yield f"{name:17}{item.task:13}{item.regime:11}{bracketed(item.difference):>27}{p_value(item.p):>8}"


def _sweep(found: Sequence[Point]) -> Iterator[str]:
    yield "Degree sweep: agents born, against agents predicted by the closed-form moments"
    yield ""
    yield f"{'':14}{'':7}{'synapses':>9}{'noise of W':>12}{'born':>19}{'predicted':>19}"
    for item in found:
        yield (
            f"{item.task:14}{item.arm:7}{item.degree:>9.0f}{percent(item.noise):>12}"
            f"{number(item.born.mean):>19}{number(item.predicted.mean):>19}"
        )


def _cost(found: Tables) -> Iterator[str]:
    yield "Cost: environment steps of a seed, and seconds of all seeds together, which"
    yield "depend on the machine and on what else it did"
    yield ""
    yield f"{'':14}{'':9}{'steps':>12}{'training':>12}{'scoring':>12}"
    for cell, result in found.cells:
        steps = f"{result.steps.mean():>12,.0f}"
        yield f"{cell.task:14}{cell.arm.name:9}{steps}{result.training:>10.0f} s{result.scoring:>10.0f} s"
    for cell, _ in found.cells:
        if cell.arm.learner == "distill":
            taught = teacher_for(cell.recipe.play(1), "").origin
            best = f"best of {taught.candidates} of {taught.steps:,} steps each"
            yield f"{cell.task}: the teacher was the {best}"


def _legend(found: Tables) -> Iterator[str]:
    present = {cell.arm.name for cell, _ in found.cells}
    for arm in ARMS:
        if arm.name in present:
            yield f"{arm.name:11}{arm.says}"
    regimes = {regime.name: regime for cell, _ in found.cells for regime in cell.recipe.regimes}
    for regime in regimes.values():
        yield f"{regime.name:11}{regime.says}"
    effort = found.cells[0][0].effort
    official = ", ".join(arm.name for arm in ARMS if arm.official and arm.name in present)
    yield ""
    yield f"An agent's score is its mean over {effort.episodes} fresh episodes, acting greedily;"
    yield f"that of an average network over {effort.average_episodes}."
    yield f"Played in Gymnasium's own environments: {official or 'no arm'}."
    yield "The other arms and the sweep: in batched copies that equal them step for step"
    yield "(but LunarLander is Gymnasium's own everywhere)."
    yield "Intervals: 95 % bootstrap over training seeds (means of their agents)."
    yield "solved: agents at or over the threshold."
    if any(row.lost for row in found.rows):
        yield "* some agents have no score, an output or a training became non-finite; they are"
        yield "  not in the mean, and not solved."


def number(value: float) -> str:
    """Return a score for people."""
    return "-" if math.isnan(value) else f"{value:.1f}"


def bracketed(value: Interval) -> str:
    """Return `mean [low, high]`."""
    return f"{number(value.mean)} [{number(value.low)}, {number(value.high)}]"


def percent(value: float) -> str:
    """Return a share in per cent."""
    return "-" if math.isnan(value) else f"{100 * value:.0f} %" if value >= 0.1 else f"{100 * value:.1f} %"


def p_value(p: float) -> str:
    """Return a p-value for people."""
    return "-" if math.isnan(p) else "<0.001" if p < 0.001 else f"{p:.3f}"
