"""The table of the study of evolved rules as text, within 80 columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from evogen.analysis.statistics import Interval
from evogen.studies.rules_arms import EVOLVED
from evogen.studies.rules_rows import Entry
from evogen.studies.rules_search import Found
from evogen.studies.table import bracketed, number, p_value, percent


def lines(found: Found, entries: Sequence[Entry], whole: Mapping[str, Any]) -> Iterator[str]:
    """Yield the table of a record and its entries."""
    yield from _winner(found)
    for part in dict.fromkeys(entry.part for entry in entries):
        yield ""
        yield from _part(next(entry for entry in entries if entry.part == part), whole)
    yield ""
    for arm in dict.fromkeys(entry.arm for entry in entries):
        yield f"{arm.name:9} {arm.says}"
    yield "Each seed is one life: expression, learning, births and episodes of its own, the"
    yield "same for every arm with as many genes. score: of agents born at the end of the"
    yield "life. steps: thousands of environment steps until the training curve was at the"
    yield "threshold, all steps of the life where it never was ('failed'). Intervals are"
    yield "bootstrapped over seeds; differences are in pairs of seeds, with sign-flip tests"
    yield "after Holm. A difference in steps below 0 is in favour of the evolved rules."


def _winner(found: Found) -> Iterator[str]:
    rules, birth = found.rules, found.experiment.birth
    P = 1 / (1 + np.exp(-rules.O / rules.temperature)) * (1 if rules.mask is None else rules.mask)
    shown = "all" if rules.mask is None else f"{int(rules.mask.sum())}"
    yield f"winner: {found.candidate} of {found.path}"
    yield f"        fitness {found.fitness:.1f} in the search, by which it was chosen"
    strong = int((P > 0.5).sum())
    yield f"        {len(rules.genes)} genes; {shown} of {rules.O.size} pairs allowed, {strong} with P > 1/2"
    yield f"born with {birth.degree:g} synapses a neuron, in the search and here"


def _part(first: Entry, whole: Mapping[str, Any]) -> Iterator[str]:
    part, name = first.part, type(first.task).__name__
    here = part if part.endswith("life") else f"transfer to {part}"
    yield f"{here} ({name}, {first.lives.steps:,} steps; threshold {first.task.threshold})"
    yield ""
    yield f"{'':9}{'score [95 % interval]':>24}{'solved':>8}{'steps [95 % interval]':>22}{'failed':>9}"
    for row in whole["rows"]:
        if row["part"] == part:
            score, failed = _interval(row["score"]), f"{row['failed']}/{row['seeds']}"
            steps = Interval(*(each / 1000 for each in _interval(row["steps"])))
            share = percent(_interval(row["solved"]).mean)
            mark = "*" if row["lost"] else ""
            yield f"{row['arm']:9}{bracketed(score) + mark:>24}{share:>8}{bracketed(steps):>22}{failed:>9}"
    yield ""
    yield f"{EVOLVED.name:19}{'mean [95 % interval]':>26}{'p':>9}"
    for item in whole["contrasts"]:
        if item["part"] == part:
            each = _interval(item["difference"])
            told = number(float("nan")) if item["p"] is None else p_value(item["p"])
            scale = 1000 if item["measure"] == "steps" else 1
            shown = bracketed(Interval(*(value / scale for value in each)))
            what = f"- {item['second']}, {item['measure']}"
            yield f"{what:19}{shown:>26}{told:>9}  {_verdict(item, each)}"


def _verdict(item: Mapping[str, Any], difference: Interval) -> str:
    """Say which is better at the 5 % level: more score or fewer steps."""
    if item["p"] is None or item["p"] > 0.05:
        return "not told apart"
    better = (difference.mean > 0) == (item["measure"] == "score")
    return "better" if better else "worse"


def _interval(value: Mapping[str, float | None]) -> Interval:
    return Interval(*(float("nan") if each is None else each for each in value.values()))
