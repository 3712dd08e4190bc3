"""Effects: what each difference between two genomes does, by undoing it alone in the second one.

For genomes a and b and every group d of their differences, with b - d the genome b without it:

    effect of d     = score(b) - score(b - d)         d brought so much
    interaction     = score(b) - score(a) - sum of effects

All of them are scored side by side, as born agents that meet the same births and episodes; the interval of a
mean is Student's over agents (see `evogen.analysis.losses`). A d that changes nothing has exactly 0.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from evogen.analysis.losses import Losses, losses
from evogen.analysis.pairs.born import Change, change, wired
from evogen.analysis.screen import fold_of, screen
from evogen.diff import Kind, What, apply, diff
from evogen.diff.copies import origin
from evogen.diff.groups import Group, grouped, replaced
from evogen.diff.meaning import meaning
from evogen.errors import EvogenError
from evogen.evaluation import Problem
from evogen.genome import Genome
from evogen.grammar.architecture import plan_of
from evogen.grammar.plan import Plan
from evogen.keys import Key

Values = npt.NDArray[np.float64]


class Estimate(NamedTuple):
    """A mean over agents and its 95 % interval; NaN where it is not known."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Part:
    """One group of differences and, as far as they were asked for and found, its effects.

    Attributes:
        group: the differences.
        meaning: what they did to the network's plan, and what is a copy of what; empty: nothing.
        weights: how the second genome's born weights differ from those without the group; None: not known.
        effect: on the score; None: not known.
        p: of no effect, corrected for the number of groups; NaN: not known.
        failure: why the genome without the group cannot be made or developed; empty: it can.
    """

    group: Group
    meaning: tuple[str, ...] = ()
    weights: Change | None = None
    effect: Estimate | None = None
    p: float = math.nan
    failure: str = ""


@dataclass(frozen=True)
class Comparison:
    """Two genomes and everything between them.

    Attributes:
        before, after: the genomes.
        parts: groups of differences; chromosome by chromosome.
        weights: how the second's born weights differ from the first's; None: not known.
        scores: mean of the first, mean of the second; NaN: not known. None: nothing was scored.
        whole: mean of the second minus the first.
        together: sum of the single effects.
        interaction: whole minus together; NaN where an effect is not known.
        agents: born of every genome; 0: nothing was scored.
        alike: whether all agents are born equal and asked the same, so that intervals are empty.
        level: the one score of all agents of the second genome; None where they differ.
        failure: what of it could not be found, and why; empty: nothing.
    """

    before: Genome
    after: Genome
    parts: tuple[Part, ...]
    weights: Change | None = None
    scores: tuple[float, float] | None = None
    whole: Estimate | None = None
    together: Estimate | None = None
    interaction: Estimate | None = None
    agents: int = 0
    alike: bool = False
    level: float | None = None
    failure: str = ""


def compared(problem: Problem, a: Genome, b: Genome) -> Comparison:
    """Return the differences of two genomes and what each does to the plan, without developing anything.

    Args:
        problem: of the second genome's search.
        a: the first genome, tuned or as it was born.
        b: the second one.

    Raises:
        GenomeError: in one of them two genes share an identity.
    """
    plan = _plan(problem, b)
    parts = [_said(problem, b, plan, group) for group in grouped(diff(a, b))]
    failed = [part.group for part in parts if part.failure and _is_whole(part.group, Kind.ADDED)]
    lost = [part.group for part in parts if _is_whole(part.group, Kind.LOST)]
    if failed and lost:  # a network needs some gene: what took the place of others is undone with them
        gone = {*failed, *lost}
        both = _said(problem, b, plan, replaced(lost, failed))
        at = min(number for number, part in enumerate(parts) if part.group in gone)
        rest = [part for part in parts if part.group not in gone]
        parts = [*rest[:at], both, *rest[at:]]
    return Comparison(a, b, tuple(parts))


def _is_whole(group: Group, kind: Kind) -> bool:
    return group.kind is kind and {each.what for each in group.differences} == {What.MODULE}


def effects(problem: Problem, found: Comparison, *, agents: int) -> Comparison:
    """Return a comparison with the effects of its parts on the born weights and on the score.

    Args:
        problem: of the second genome's search.
        found: what `compared` says.
        agents: born of every variant, at least 2.
    """
    b = found.after
    made = [_without(b, part.group) if not part.failure else None for part in found.parts]
    rows = [b, found.before, *(genome for genome in made if genome is not None)]
    present = [at for at, genome in enumerate(made) if genome is not None]
    place = {at: row for row, at in enumerate(present, 2)}
    networks, unborn = wired(problem, rows)
    key = problem.key.child("report", b.id)
    screened = screen(problem, rows, agents=agents, key=key, fold=fold_of(problem.task))
    errors = {**screened.errors, **unborn}
    scores, chance = screened.scores, key.child("signs")
    brought = losses(scores[0], scores[2:], chance)
    changes = {row: change(networks[row], networks[0]) for row in networks if 0 in networks}
    parts = tuple(_with(part, place.get(at), changes, brought, errors) for at, part in enumerate(found.parts))
    whole = scores[0] - scores[1]
    single = np.full(agents, np.nan) if None in made else (scores[0] - scores[2:]).sum(0)
    return replace(
        found,
        parts=parts,
        weights=changes.get(1),
        scores=(float(scores[1].mean()), float(scores[0].mean())),
        whole=_estimate(whole, chance),
        together=_estimate(single, chance),
        interaction=_estimate(whole - single, chance),
        agents=agents,
        alike=bool((scores == scores[:, :1]).all(1)[np.isfinite(scores).all(1)].all()),
        level=float(scores[0, 0]) if np.ptp(scores[0]) == 0 else None,
        failure=next(_failures(scores, errors), ""),
    )


def _failures(scores: Values, errors: Mapping[int, str]) -> Iterator[str]:
    for row, name in enumerate(("the second genome", "the first genome")):
        if row in errors:
            yield f"{name} cannot be developed here: {errors[row]}"
        elif not np.isfinite(scores[row]).all():
            yield f"{name} has agents whose score is not finite"


def _said(problem: Problem, b: Genome, plan: Plan | None, group: Group) -> Part:
    copied = tuple(text for each in group.differences if (text := origin(each, b)))
    try:
        without = _without(b, group)
        if group.chromosome != "architecture" or plan is None:
            return Part(group, copied)
        return Part(group, (*copied, *meaning(_derived(problem, without), plan)))
    except EvogenError as error:
        return Part(group, copied, failure=str(error))


def _without(b: Genome, group: Group) -> Genome:
    return apply([each.inverse() for each in group.differences], b)


def _plan(problem: Problem, genome: Genome) -> Plan | None:
    try:
        return _derived(problem, genome)
    except EvogenError:
        return None


def _derived(problem: Problem, genome: Genome) -> Plan:
    return plan_of(problem.space.architecture, genome, problem.task.inputs, problem.task.outputs)


def _with(
    part: Part, row: int | None, changes: Mapping[int, Change], brought: Losses, errors: Mapping[int, str]
) -> Part:
    """Return the part with what was found in the row of the genome without it."""
    if row is None:
        return part
    mean, low, high, p = (float(values[row - 2]) for values in brought)
    known = not math.isnan(mean)
    failure = errors.get(row, "")
    effect = Estimate(mean, low, high) if known else None
    return replace(part, weights=changes.get(row), effect=effect, p=p, failure=failure)


def _estimate(values: Values, key: Key) -> Estimate:
    found = losses(values, np.zeros((1, len(values))), key)
    return Estimate(*(float(each[0]) for each in found[:3]))
