"""The page about arms: what is claimed first, then every score, then what the claims rest on."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from evogen.analysis.comparison import Comparison, Standing, wording
from evogen.analysis.comparison.fairness import counts
from evogen.analysis.comparison.trials import Fate
from evogen.analysis.statistics import Interval
from evogen.report.comparison import arms
from evogen.report.figures import figure
from evogen.report.markup import Child, Element, absent, cell, element, number, numeric, table


def sections(found: Comparison) -> list[Element]:
    """Return the sections of the page about a comparison."""
    return [
        _verdict(found),
        _scores(found),
        _contrasts(found),
        _speed(found),
        _budgets(found),
        _basis(found),
        _runs(found),
    ]


def _verdict(found: Comparison) -> Element:
    names = [standing.arm.name for standing in found.standings]
    runs = sum(len(standing.arm.every) for standing in found.standings)
    claims = [contrast for contrast in found.contrasts if contrast.verdict.better is not None]
    said = [element("li", wording.claim(contrast)) for contrast in (claims or found.contrasts)]
    left = len(found.contrasts) - len(claims)
    rest = f"No claim in the other {left} of {len(found.contrasts)} comparisons." if claims and left else None
    return element(
        "section",
        element("h1", f"Comparison of {len(names)} arms"),
        element("p", f"{', '.join(names)}; {runs} runs on {', '.join(found.tasks)}", class_="lead"),
        *(element("p", text, class_="warning") for text in found.loud),
        element("h2", "What is claimed"),
        element("ul", *said, class_="claims"),
        None if rest is None else element("p", rest),
        element("p", wording.RULE, class_="note"),
    )


def _scores(found: Comparison) -> Element:
    head = ["arm", "task", "runs", "failed", "interquartile mean", "95 % interval"]
    charts = element("div", arms.seeds(found), arms.middles(found), arms.profiles(found), class_="pair")
    return element(
        "section",
        element("h2", "How the arms did"),
        element("p", f"Scores: {found.options.by.sentence} ({found.measured})."),
        *(element("p", f"Scale of {text}.") for text in wording.scales(found)),
        charts,
        element("h3", "Interquartile means"),
        table(
            head, [row for standing in found.standings for row in _rows(found, standing)], class_="sortable"
        ),
        element("p", wording.INTERVALS, class_="note"),
    )


def _rows(found: Comparison, standing: Standing) -> Iterator[list[Child]]:
    if found.scaled:
        yield _row(standing, "all, scaled", list(standing.arm.trials), standing.middle)
    for task in found.tasks:
        yield _row(standing, task, [task], standing.by_task[task])


def _row(standing: Standing, label: str, tasks: Sequence[str], middle: Interval) -> list[Child]:
    fates = counts({task: standing.arm.trials[task] for task in tasks})
    failed = fates[Fate.FAILED] + fates[Fate.UNFINISHED]
    return [
        standing.arm.name,
        label,
        numeric(sum(fates.values())),
        numeric(failed),
        numeric(middle.mean),
        cell(_ends(middle), kind="number"),
    ]


def _contrasts(found: Comparison) -> Element:
    head = [
        "first",
        "second",
        "P(first better)",
        "95 %",
        "Cliff's delta",
        "Hedges' g",
        "95 %",
        "test",
        "p",
        "Holm",
    ]
    rows: list[list[Child]] = [
        [
            one.verdict.first,
            one.verdict.second,
            numeric(one.improvement.mean),
            cell(_ends(one.improvement), kind="number"),
            numeric(one.delta),
            numeric(one.effect.mean),
            cell(_ends(one.effect), kind="number"),
            one.verdict.test.value,
            numeric(one.verdict.p, digits=2),
            numeric(one.verdict.adjusted, digits=2),
        ]
        for one in found.contrasts
    ]
    return element(
        "section",
        element("h2", "Arm by arm"),
        _chances(found),
        table(head, rows, class_="sortable"),
        element("h3", "What the tests can find"),
        *(element("p", text) for text in wording.powers(found)),
    )


def _chances(found: Comparison) -> Element:
    """Return the matrix of chances to be better."""
    names = [standing.arm.name for standing in found.standings]
    chance = {(one.verdict.first, one.verdict.second): one.improvement for one in found.contrasts}
    chance |= {(b, a): Interval(1 - one.mean, 1 - one.high, 1 - one.low) for (a, b), one in chance.items()}

    def entry(row: str, column: str) -> Child:
        found_here = chance.get((row, column))
        if found_here is None:
            return cell("–", kind="number")
        small = element("span", f" ({_ends(found_here)})", class_="note")
        content = element("span", number(found_here.mean, digits=2), small)
        return cell(content, order=found_here.mean, kind="number")

    rows = [[element("th", row, scope="row"), *(entry(row, name) for name in names)] for row in names]
    note = (
        "Chance that a run of the row's arm beats a run of the column's on the same task; 0.5 is a toss-up."
    )
    return figure("Probability of improvement", table(["", *names], rows), note=note)


def _speed(found: Comparison) -> Element:
    if not found.thresholds:
        said = "The tasks declare no score from which they count as solved; --threshold TASK=X sets one."
        return element("section", element("h2", "How soon"), absent(said))
    return element(
        "section",
        element("h2", "How soon"),
        element(
            "p", "When the search's own fitness first reached a threshold; runs that never did are counted."
        ),
        element("div", *(arms.arrivals(found, task) for task in found.thresholds), class_="pair"),
    )


def _budgets(found: Comparison) -> Element:
    head = [
        "arm",
        "task",
        "runs",
        "candidates",
        "steps",
        "unit of a step",
        "agents scored",
        "seconds of work",
    ]
    rows: list[list[Child]] = [
        [one.arm, one.task, *map(numeric, one[2:5]), one.unit, *map(numeric, one[6:])]
        for one in found.budgets
    ]
    return element("section", element("h2", "What a run spent"), table(head, rows, class_="sortable"))


def _basis(found: Comparison) -> Element:
    said = [element("p", f"{text[0].upper()}{text[1:]}.") for text in wording.reasons(found)]
    return element("section", element("h2", "Which tests, and why"), *said)


def _runs(found: Comparison) -> Element:
    head = ["arm", "task", "seed", "score", "agents", "how it ended", "candidates", "steps", "folder"]
    rows: list[list[Child]] = [
        [
            standing.arm.name,
            task,
            numeric(trial.seed),
            numeric(None if math.isnan(trial.score) else trial.score),
            numeric(trial.agents),
            trial.fate.value,
            numeric(trial.candidates),
            numeric(trial.steps),
            str(trial.path),
        ]
        for standing in found.standings
        for task, trials in standing.arm.trials.items()
        for trial in trials
    ]
    differs = [
        element(
            "li", f"{one.arm.name}: {', '.join(f'{path} {value}' for path, value in one.arm.differs.items())}"
        )
        for one in found.standings
        if one.arm.differs
    ]
    return element(
        "section",
        element("h2", "The runs"),
        element("p", "Settings in which the arms differ:") if differs else None,
        element("ul", *differs) if differs else None,
        table(head, rows, class_="sortable"),
    )


def _ends(interval: Interval) -> str:
    return (
        "–"
        if math.isnan(interval.low)
        else f"{number(interval.low, digits=3)} to {number(interval.high, digits=3)}"
    )
