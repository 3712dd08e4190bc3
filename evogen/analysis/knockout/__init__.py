"""Knock-out: every part of a tuned genome silenced in turn, in one batched screen of born agents.

The loss of a part is the mean over agents of (intact - silenced), see `evogen.analysis.losses`; what silenced
means is in `silenced`, the prediction beside it in `prediction`, what comes of it in `worth`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import torch

from evogen.analysis import losses
from evogen.analysis.knockout import prediction, silenced
from evogen.analysis.knockout.prediction import Slopes
from evogen.analysis.knockout.silenced import Kind, Variant
from evogen.analysis.knockout.worth import Knockout, Label, Part
from evogen.analysis.screen import Screened, batches, fold_of, screen
from evogen.errors import EvogenError
from evogen.evaluation import Problem, developed, together
from evogen.genome import Genome
from evogen.keys import Key
from evogen.phenotype import Network
from evogen.tasks import ClassificationTask, Fold, Task, TaskKind

AGENTS, FEWEST, PAIRS = 16, 6, 1024
FULL = 0.9
"""Share of the gap from which on a loss is called essential."""

Values = npt.NDArray[np.float64]


def knockout(
    problem: Problem,
    genome: Genome,
    *,
    agents: int = AGENTS,
    pairs: int = PAIRS,
    fold: Fold | None = None,
    seen: Callable[[int, int], None] | None = None,
) -> Knockout:
    """Silence every part of a tuned genome in turn.

    Args:
        problem: the search's.
        genome: with its tuned expression written back.
        agents: born of the intact genome and of each variant, at least 6.
        pairs: of rule genes, so many of those with the largest predicted losses (or changes of wiring where
            there is no prediction).
        fold: what is scored on; None: the report's examples, or for environments fresh episodes in the
            search's own copy, which hundreds of agents can live in together.
        seen: told how many networks of how many are scored, now and then.

    Raises:
        EvogenError: too few agents, or the genome cannot be developed.
    """
    if agents < FEWEST:
        raise EvogenError(f"agents: wanted at least {FEWEST}, found {agents}: no loss is told from chance")
    key, task = problem.key.child("report", genome.id), problem.task
    phenotype = developed(problem, genome)
    plan = phenotype.bodies[0].plan
    intact = silenced.written(genome, phenotype.expression(phenotype.flat, 0))
    average = phenotype.network(phenotype.flat).detach()
    slopes = prediction.slopes(problem, average, key.child("prediction"))
    single = silenced.parts(intact, plan, problem.rules)
    everyone = [*single, *silenced.pairs(intact, plan, problem.wiring)]
    predicted, wiring = _expected(problem, average, slopes, everyone)
    chosen = _chosen(everyone, wiring if slopes is None else np.abs(predicted), pairs)
    scored = fold or fold_of(task)
    found = screen(
        problem,
        [intact, *(everyone[at].genome for at in chosen)],
        agents=agents,
        key=key,
        fold=scored,
        plans={0: plan} | {row: everyone[at].plan for row, at in enumerate(chosen, 1)},
        seen=None if seen is None else lambda done: seen(done, len(chosen) + 1),
    )
    foretold = map(_part, everyone, predicted.tolist(), wiring.tolist())
    parts, alike = _judged(found, foretold, chosen, key.child("signs"))
    return Knockout(
        genome.id,
        "fresh episodes" if scored is Fold.SEARCH else task.reported,
        None if slopes is None else slopes.unit,
        tuple(found.scores[0].tolist()),
        parts,
        len(everyone) - len(chosen),
        alike,
        _examples(task),
        tuple(name for name in genome.plasticity if name.startswith("learner.")),
    )


def _examples(task: Task) -> int:
    if task.kind is not TaskKind.CLASSIFICATION:
        return 0
    return len(cast("ClassificationTask", task).examples("test")[1])


def _judged(
    found: Screened, foretold: Iterable[Part], chosen: Sequence[int], key: Key
) -> tuple[tuple[Part, ...], bool]:
    """Return all parts with what was measured of those that were chosen, and whether all agents are alike."""
    if not np.isfinite(found.scores[0]).all():
        why = found.errors.get(0, "an agent's answers are not finite")
        raise EvogenError(f"the intact genome cannot be compared with: {why}; name another candidate")
    measured = losses.losses(found.scores[0], found.scores[1:], key)
    known = found.scores[np.isfinite(found.scores).all(1)]
    alike = bool((np.ptp(known, axis=1) == 0).all())
    if alike:  # one agent, over and over: what it does is a fact, and no chance can be given
        measured = measured._replace(p=np.where(measured.mean == 0, 1.0, np.nan))
    parts = list(foretold)
    for row, at in enumerate(chosen):
        numbers = [float(each[row]) for each in measured]
        still = bool((found.scores[row + 1] == found.scores[0]).all())
        everything = parts[0] if row else None
        note = found.errors.get(row + 1, parts[at].note)
        parts[at] = replace(_measured(parts[at], numbers, everything, still=still), note=note)
    return tuple(parts), alike


def _part(variant: Variant, predicted: float, wiring: float) -> Part:
    """Return a part that was not screened."""
    nan = float("nan")
    own = variant.kind, variant.name, variant.where
    return Part(*own, nan, nan, nan, nan, Label.LEFT_OUT, predicted, wiring, variant.note)


def _measured(part: Part, numbers: Sequence[float], everything: Part | None, *, still: bool) -> Part:
    """Return a part with its loss and label; `everything` is None for itself."""
    loss, low, high, p = numbers
    if not np.isfinite(loss):
        label = Label.FAILED
    elif p > losses.LEVEL:
        label = Label.NONE if still else Label.NO_EFFECT
    elif loss < 0:
        label = Label.HARMFUL
    elif everything is None or (everything.label is Label.ESSENTIAL and loss >= FULL * everything.loss):
        label = Label.ESSENTIAL
    else:
        label = Label.USEFUL
    return replace(part, loss=loss, low=low, high=high, p=p, label=label)


def _chosen(everyone: Sequence[Variant], weight: Values, pairs: int) -> list[int]:
    """Return which variants are screened, in order: all but the pairs of least weight."""
    own = [at for at, variant in enumerate(everyone) if variant.kind is Kind.PAIR]
    best = sorted(own, key=lambda at: -np.nan_to_num(weight[at], nan=np.inf))[:pairs]
    others = [at for at, variant in enumerate(everyone) if variant.kind is not Kind.PAIR]
    return sorted([*others, *best])


def _expected(
    problem: Problem, average: Network, slopes: Slopes | None, everyone: Sequence[Variant]
) -> tuple[Values, Values]:
    """Return (V,) predicted losses and (V,) shares of the wiring, both from average networks."""
    predicted, wiring = (np.full(len(everyone), np.nan) for _ in range(2))
    for rows, network in _averages(problem, everyone):
        wiring[rows] = prediction.moved(average, network)
        if slopes is not None:
            predicted[rows] = prediction.predict(slopes, network)
    return predicted, wiring


def _averages(problem: Problem, everyone: Sequence[Variant]) -> Iterator[tuple[list[int], Network]]:
    errors: dict[int, str] = {}  # said by the screen
    plans: Mapping[int, Any] = {row: variant.plan for row, variant in enumerate(everyone)}
    genomes = [variant.genome for variant in everyone]
    for group in batches(problem, genomes, errors, agents=1, plans=plans):
        phenotype = together(problem, group)
        with torch.no_grad():
            yield [candidate.row for candidate in group], phenotype.network(phenotype.flat)
