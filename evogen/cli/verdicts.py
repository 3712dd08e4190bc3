"""How a comparison of arms looks on the terminal."""

from __future__ import annotations

import math
from collections.abc import Iterator

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from evogen.analysis.comparison import Comparison, wording
from evogen.analysis.comparison.fairness import counts
from evogen.analysis.comparison.trials import Fate
from evogen.analysis.statistics import Interval


def parts(found: Comparison) -> Iterator[RenderableType]:
    """Return what is printed, from the warnings to the claims."""
    for text in found.loud:
        yield Text(f"warning: {text}", style="bold red")
    yield _arms(found)
    for text in wording.scales(found):
        yield Text(f"scale of {text}")
    yield _contrasts(found)
    yield _budgets(found)
    if found.thresholds:
        yield _reached(found)
    for text in [*wording.reasons(found), *wording.powers(found), wording.RULE, wording.INTERVALS]:
        yield Text(f"\n{text}")
    yield Text("")
    for contrast in found.contrasts:
        claimed = contrast.verdict.better is not None
        yield Text(
            f"{'claim: ' if claimed else ''}{wording.claim(contrast)}", style="bold green" if claimed else ""
        )


def _arms(found: Comparison) -> Table:
    table = _table(f"arms, by {found.options.by.sentence}", "arm", ("task", "runs", "failed", "IQM", "95 %"))
    several = len(found.tasks) > 1
    for at, standing in enumerate(found.standings, 1):
        name, fates = f"{at} {standing.arm.name}", counts(standing.arm.trials)
        if several or found.scaled:
            runs, failed = sum(fates.values()), fates[Fate.FAILED] + fates[Fate.UNFINISHED]
            _row(table, name, "scaled", runs, failed, *_interval(standing.middle))
        for task in found.tasks:
            fates = counts({task: standing.arm.trials[task]})
            runs, failed = sum(fates.values()), fates[Fate.FAILED] + fates[Fate.UNFINISHED]
            _row(table, name, task, runs, failed, *_interval(standing.by_task[task]))
    return table


def _contrasts(found: Comparison) -> Table:
    heads = ("P(better)", "95 %", "Hedges' g", "95 %", "p (Holm)")
    table = _table("comparisons: is the first arm better than the second", "arms", heads)
    places = {standing.arm.name: at for at, standing in enumerate(found.standings, 1)}
    for one in found.contrasts:
        verdict = one.verdict
        _row(
            table,
            f"{places[verdict.first]} : {places[verdict.second]}",
            *_interval(one.improvement),
            *_interval(one.effect),
            f"{verdict.adjusted:.2g}",
        )
    return table


def _budgets(found: Comparison) -> Table:
    unit = " or ".join(dict.fromkeys(one.unit for one in found.budgets))
    heads = ("task", "candidates", "steps", "agents", "seconds")
    table = _table(f"spent by a run, mean (steps: {unit}; agents: scored)", "arm", heads)
    for one in found.budgets:
        amounts = (f"{value:,.0f}" for value in (one.candidates, one.steps, one.born))
        _row(table, one.arm, one.task, *amounts, f"{one.seconds:,.3g}")
    return table


def _reached(found: Comparison) -> Table:
    heads = ("task", "fitness", "reached", "median")
    table = _table("steps until the search's fitness reached a threshold", "arm", heads)
    for standing in found.standings:
        for task, one in standing.reached.items():
            median = "–" if math.isinf(one.median) else f"{one.median:,.0f}"
            level = f"{found.thresholds[task]:g}"
            _row(table, standing.arm.name, task, level, f"{one.arrived} of {one.runs}", median)
    return table


def _table(title: str, first: str, heads: tuple[str, ...]) -> Table:
    table = Table(title=title, box=box.SIMPLE_HEAD, title_justify="left", pad_edge=False)
    table.add_column(first, overflow="fold", min_width=7)
    for head in heads:
        table.add_column(
            head, justify="left" if head == "task" else "right", no_wrap=head != "task", overflow="fold"
        )
    return table


def _row(table: Table, *cells: object) -> None:
    table.add_row(*(Text(str(cell)) for cell in cells))


def _interval(value: Interval) -> tuple[str, str]:
    if math.isnan(value.mean):
        return "–", "–"
    if math.isnan(value.low):
        return f"{value.mean:.4g}", "–"
    return f"{value.mean:.4g}", f"{value.low:.4g} to {value.high:.4g}"
