"""The table of the joint study as text, within 80 columns, with what it says of each chromosome in words."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from evogen.studies.joint_arms import BY_NAME
from evogen.studies.joint_rows import LEVEL
from evogen.studies.joint_tasks import WORLDS, World
from evogen.studies.table import p_value


def lines(whole: Mapping[str, Any]) -> Iterator[str]:
    """Yield the table of a record."""
    tasks = list(dict.fromkeys(row["task"] for row in whole["rows"]))
    for task in tasks:
        yield from _task(WORLDS[task], whole)
        yield ""
    yield from _answers(whole)
    yield ""
    for arm in dict.fromkeys(row["arm"] for row in whole["rows"]):
        yield f"{arm:20}{BY_NAME[arm].says}"
    yield ""
    yield "A frozen chromosome is the same in every candidate of a search: rules and"
    yield "architecture (with the neurons' innate expression) as one draw of the first"
    yield "genomes' law, new for each seed; plasticity as the declared defaults of the"
    yield "rule and the learner. Equal in all arms: candidates, and each one's environment"
    yield "steps and gradient steps; not equal: time, because networks differ in size. No"
    yield "child inherits what its parents learnt. score: of agents newly born of the"
    yield "winner, on episodes or examples that no search saw; found: the fitness by which"
    yield "it was chosen. Intervals are bootstrapped over seeds; differences are in pairs"
    yield "of seeds: d is mean over standard deviation, wins the share of seeds in which"
    yield "joint is better; p by sign-flip tests, Holm-adjusted over all tasks, for the"
    yield "frozen chromosomes and for the two controls apart."


def _task(world: World, whole: Mapping[str, Any]) -> Iterator[str]:
    rows = [row for row in whole["rows"] if row["task"] == world.name]
    first = rows[0]
    gradients = f"{first['gradient_steps']:,}" if first["gradient_steps"] else "no"
    yield f"{world.name}: {world.score}"
    yield f"{first['seeds']} searches an arm x {first['agents']} born agents; each search has"
    yield f"{first['candidates']} candidates, {first['steps']:,} {world.what} and {gradients} gradient steps"
    yield ""
    yield f"{'':20}{'score [95 % interval]':>26}{'found':>10}{'failed':>12}"
    for row in rows:
        failed = f"{row['failed']}/{row['candidates'] * row['seeds']}"
        found = _number(row["fitness"]["mean"], world)
        yield f"{row['arm']:20}{_bracketed(row['score'], world):>26}{found:>10}{failed:>12}"
    contrasts = [item for item in whole["contrasts"] if item["task"] == world.name]
    if contrasts:
        yield ""
        yield f"{'joint':20}{'mean [95 % interval]':>26}{'d':>7}{'wins':>7}{'p':>8}"
    for item in contrasts:
        d, wins = _plain(item["d"], "+.2f"), _plain(item["wins"], ".0%")
        told = p_value(math.nan if item["p"] is None else item["p"])
        difference = _bracketed(item["difference"], world)
        yield f"{'- ' + item['second']:20}{difference:>26}{d:>7}{wins:>7}{told:>8}"


def _answers(whole: Mapping[str, Any]) -> Iterator[str]:
    """Yield a sentence for each chromosome and task, and for each control."""
    if whole["contrasts"]:
        seeds = len(whole["seeds"])
        yield f"What each adds to the score (p <= {LEVEL:g} after Holm; with {seeds} seeds no single"
        yield f"test can fall below p = {2 / 2**seeds:.2g}):"
    for item in whole["contrasts"]:
        yield f"  {item['task']:12}{verdict(item)}"


def verdict(item: Mapping[str, Any]) -> str:
    """Return what a contrast says in words."""
    told = item["p"] is not None and item["p"] <= LEVEL
    amount = _number(abs(item["difference"]["mean"]), WORLDS[item["task"]]) if told else ""
    more = told and item["difference"]["mean"] > 0
    if item["chromosome"] is None:
        if told:
            return f"joint scores {amount} {'more' if more else 'less'} than {item['second']}"
        return f"no evidence that joint scores otherwise than {item['second']}"
    what = f"evolving the {item['chromosome']}"
    if told:
        return f"{what} {'adds' if more else 'costs'} {amount}"
    return f"no evidence that {what} changes the score"


def _bracketed(value: Mapping[str, float | None], world: World) -> str:
    mean, low, high = (_number(value[name], world) for name in ("mean", "low", "high"))
    return f"{mean} [{low}, {high}]"


def _number(value: float | None, world: World) -> str:
    return _plain(value, f".{world.decimals}f")


def _plain(value: float | None, form: str) -> str:
    return "-" if value is None else f"{value:{form}}"
