"""Is the winner real: the search's own estimate beside freshly born agents, and the gap between the two.

    gap = estimate - mean of the fresh scores
    reference = sd / sqrt(agents) E[max of n N(0, 1)]      the gap of the best of n candidates of equal worth

The winner is the best of n noisy estimates, so that a gap above 0 is expected even of an honest search; the
reference says how large, had all n candidates the winner's spread and one true worth.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy.special import ndtr

from evogen.experiment.checks import parameters
from evogen.keys import Key
from evogen.report import charts
from evogen.report.facts import Assessment, Facts
from evogen.report.figures import figure
from evogen.report.markup import Child, Element, absent, cell, element, number, numeric, table
from evogen.runs.records import Row
from evogen.strategies.goals import Goals
from evogen.tasks import TaskKind

RESAMPLES = 5000
LEVEL = 0.95


class Gap(NamedTuple):
    """The gap, its interval over agents, and the reference.

    The last two are None where agents are too few to say anything of their spread, or all equal.
    """

    value: float
    interval: tuple[float, float] | None
    reference: float | None


def verdict(facts: Facts) -> Element:
    """Return the winner's fresh scores beside the search's own estimate, and the baselines."""
    kind = None if facts.experiment is None else facts.experiment.task.kind
    parts: list[Child] = [element("h2", "Is the winner real?")]
    if facts.winner is None or facts.assessment is None:
        text = "Not assessed yet: only the scores of the search itself are known."
        parts.append(absent(text))
    else:
        parts += _assessed(facts, facts.winner.row, facts.assessment)
    if facts.baselines or kind is TaskKind.CLASSIFICATION:
        parts += [element("h3", "Beside ordinary models"), *_baselines(facts)]
    return element("section", *parts)


def values(facts: Facts) -> dict[str, Any] | None:
    """Return the verdict's numbers for report.json; None without an assessment."""
    if facts.winner is None or facts.assessment is None:
        return None
    row, fresh = facts.winner.row, facts.assessment
    found = gap_of(facts, row, fresh)
    return {
        "candidate": str(row.ref),
        "search": {"fitness": row.fitness, "scores": list(row.scores)},
        "fresh": {
            "on": fresh.title,
            "mean": _known(fresh.mean),
            "scores": [_known(score) for score in fresh.scores],
        },
        "optimism": {"gap": _known(found.value), "interval": found.interval, "reference": found.reference},
    }


def gap_of(facts: Facts, row: Row, fresh: Assessment) -> Gap:
    """Return the optimism of a run's winner, as far as its search lets anything be said of it.

    Of several lives the estimate is the mean, and the fresh agents are born of what the first one learnt: so
    there is no interval and no reference. A winner that was not chosen for its fitness alone has none either.
    """
    found = gap(row, fresh.scores, sum(one.fitness is not None for one in facts.rows))
    if lives(facts) > 1:
        return Gap(found.value, None, None)
    return found if chosen_by_fitness(facts) else found._replace(reference=None)


def chosen_by_fitness(facts: Facts) -> bool:
    """Whether the winner is the candidate of the best fitness, whatever else it is."""
    return facts.goals == Goals()


def lives(facts: Facts) -> int:
    """Return how many lives a candidate's fitness is the mean of."""
    return 1 if facts.experiment is None else facts.experiment.search.lives


def gap(row: Row, fresh: Sequence[float], candidates: int) -> Gap:
    """Return the optimism of a winner that was the best of so many candidates.

    The interval is that of a percentile bootstrap: the agents of both sides are drawn again, each side from
    its own; it says what other agents of the same genome would have given, not what another search would.
    """
    value = (row.fitness or 0.0) - statistics.fmean(fresh)
    own = np.array(row.scores)
    if (
        not math.isfinite(value)
        or min(len(own), len(fresh)) < 2
        or float(np.ptp(own)) == float(np.ptp(fresh)) == 0
    ):
        return Gap(value, None, None)
    generator = Key(0).child("report", "optimism", row.genome).generator()
    means = [
        np.asarray(scores)[generator.integers(len(scores), size=(RESAMPLES, len(scores)))].mean(1)
        for scores in (own, fresh)
    ]
    low, high = np.quantile(means[0] - means[1], ((1 - LEVEL) / 2, (1 + LEVEL) / 2))
    noise = float(own.std(ddof=1)) / math.sqrt(len(own))
    return Gap(value, (float(low), float(high)), noise * largest_of(candidates))


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None


def largest_of(count: int) -> float:
    """Return the expected largest of so many independent standard normal numbers, E[max]."""
    # E[max] = int x d(Phi^n), by parts: int_0^inf (1 - Phi^n) dx - int_-inf^0 Phi^n dx
    x = np.linspace(0.0, 12.0, 4001)
    return float(np.trapezoid(1 - ndtr(x) ** count, x) - np.trapezoid(ndtr(-x) ** count, x))


def _assessed(facts: Facts, row: Row, fresh: Assessment) -> Iterator[Element]:
    behind = "" if fresh.episodes is None else f", {fresh.episodes} episodes each"
    told = f"Candidate {row.ref} on {fresh.title}: {len(fresh.scores)} agents born anew{behind}."
    yield element("p", told)
    groups = [("orange", "in the search", row.scores), ("blue", "fresh", fresh.scores)]
    groups = [(colour, name, tuple(filter(math.isfinite, scores))) for colour, name, scores in groups]
    groups = [group for group in groups if group[2]]
    image = charts.strips(groups, "score of an agent (mean over its episodes or examples)")
    rows = [_scores(name, scores) for _, name, scores in groups]
    shown = table(("scores", "mean", "sd over agents", "smallest", "largest", "agents"), rows)
    key = "bar: mean; faint line: ± 1 sd; a dot is an agent"
    drawn = figure("Scores of born agents", image, note=key, kind="chart")
    yield element("div", drawn, element("div", shown, *_optimism(facts, row, fresh)), class_="pair")


def _optimism(facts: Facts, row: Row, fresh: Assessment) -> Iterator[Element]:
    found = gap_of(facts, row, fresh)
    kind = None if facts.experiment is None else facts.experiment.task.kind
    between = ""
    if found.interval is not None:
        low, high = (number(end, digits=3) for end in found.interval)
        between = f" ({LEVEL:.0%} interval {low} to {high})"
    if lost := sum(not math.isfinite(score) for score in fresh.scores):
        said = f"{lost} of {len(fresh.scores)} fresh agents gave answers that are not finite"
        yield element("p", f"{said}: the winner has no fresh mean, and there is no gap.", class_="warning")
        return
    estimate, mean = number(row.fitness), number(fresh.mean)
    yield element(
        "p",
        element("strong", f"Optimism gap: {number(found.value, digits=3)}"),
        f"{between}: the search's estimate of {estimate} minus the fresh mean of {mean}.",
    )
    if lives(facts) > 1:
        said = (
            f"The estimate is the mean over {lives(facts)} lives, and the fresh agents are born of what the "
            "first one learnt: no interval says how much of the gap is luck."
        )
        yield element("p", said, class_="note")
        return
    texts = [
        "The interval is of this genome's agents, drawn again on both sides, and of nothing else."
        if found.interval is not None
        else "There is no interval: these agents are too few or too alike to say how much the gap varies."
    ]
    if kind is TaskKind.CLASSIFICATION:
        texts.append("How much it matters which examples a fold holds is not told here.")
    texts.append(_chosen(facts, found.reference))
    yield element("p", " ".join(texts), class_="note")


def _chosen(facts: Facts, reference: float | None) -> str:
    """Say what gap the winner's choice alone would give."""
    if not chosen_by_fitness(facts):
        return "It was not chosen for its fitness alone, so that no gap is foretold."
    kept = f"The best of {sum(one.fitness is not None for one in facts.rows):,} noisy estimates was kept"
    if reference is None:
        return f"{kept}, which favours a gap above 0."
    return (
        f"{kept}: were all candidates equally good and as noisy as the winner, a gap of about "
        f"{number(reference, digits=3)} would be expected."
    )


def _scores(name: str, scores: Sequence[float]) -> list[Child]:
    spread = statistics.stdev(scores) if len(scores) > 1 else 0.0
    found = (statistics.fmean(scores), spread, min(scores), max(scores))
    return [
        name,
        *(cell(number(value), kind="number") for value in found),
        cell(str(len(scores)), kind="number"),
    ]


def _baselines(facts: Facts) -> Iterator[Element]:
    if not facts.baselines:
        yield absent("Not assessed yet: no baseline was stored.")
        return
    rows: list[list[Child]] = []
    if facts.winner is not None:
        fresh = facts.assessment
        test = None if fresh is None else fresh.mean
        size = None if facts.winner.plan is None else parameters(facts.winner.plan)
        rows.append([element("th", "the winner", scope="row"), *_cells(facts.winner.row.fitness, test, size)])
    rows += [[name, *_cells(validation, test, size)] for name, validation, test, size in facts.baselines]
    yield table(("model", "validation", "test", "weights, biases"), rows, class_="sortable")
    note = "The winner was chosen on validation, the baselines were not: compare the test column."
    yield element("p", note, class_="note")


def _cells(validation: float | None, test: float | None, size: int | None) -> list[Child]:
    shown = [numeric(value) for value in (validation, test)]
    return [*shown, numeric(size)]
