"""Screen: variants of a genome scored side by side, as born agents, without learning again.

Every variant meets the same births and the same episodes or examples (common random numbers), so that one
that is wired and acts as the reference does differs from it by exactly 0. Variants of one layout are
developed together, so many at a time that memory stays bounded; no bit depends on how many:

    P = max(1, ROOM / (A S (8 + d + 3 d LIVES [plastic]) + 32 (S + D + g^2)))

for A agents of each, S synapses and D parameters of the padded layout, g rule genes, d bytes a number, and
fast weights of LIVES parallel lives if a level remembers.
"""

from __future__ import annotations

import math
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from evogen.cohort import Evaluation
from evogen.errors import EvogenError
from evogen.evaluation import Problem, conceived, guarded, together
from evogen.genome import Genome
from evogen.grammar.plan import Plan
from evogen.keys import Key
from evogen.learning.racing import Candidate
from evogen.phenotype import Layout
from evogen.tasks import Fold, Task, TaskKind

ROOM = 2**28
"""Bytes that are alive together, about."""
LIVES = 128
"""Parallel lives of an agent: as many examples as are shown at a time, and more than most episodes."""

Scores = npt.NDArray[np.float64]


class Screened(NamedTuple):
    """What a screen found.

    Attributes:
        scores: (V, A), one row a variant in the order given, one column an agent; NaN where a variant failed
            or the agent's answers were not finite.
        errors: why, for each row that could not be scored: the last line of its traceback.
    """

    scores: Scores
    errors: Mapping[int, str]


def screen(
    problem: Problem,
    genomes: Sequence[Genome],
    *,
    agents: int,
    key: Key,
    fold: Fold = Fold.REPORT,
    plans: Mapping[int, Plan] = MappingProxyType({}),
    room: int = ROOM,
    seen: Callable[[int], None] | None = None,
) -> Screened:
    """Score agents born of (tuned) genomes, under the same draws for all of them.

    Args:
        problem: the search's.
        genomes: with their tuned expression written back, in any mixture of layouts.
        agents: A, born of each.
        key: of the births and episodes. With `problem.key.child("report", ID)` and the REPORT fold, the row
            of the genome with this id is `evogen.evaluation.assess` of it, bit for bit.
        fold: which episodes or examples. SEARCH with a key that the search never used: for environments,
            fresh episodes in the search's own copy of them.
        plans: by row, what stands in for the plan that the genome's own architecture asks for.
        room: bytes, see above.
        seen: told how many genomes are done, now and then.
    """
    torch.set_num_threads(problem.threads)
    scores, errors, done = np.full((len(genomes), agents), np.nan), dict[int, str](), 0
    work = partial(_scores, problem, agents, key, fold)
    for group in batches(problem, genomes, errors, agents=agents, plans=plans, room=room):
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "a batch of .* raised")  # said in `errors`
            results = guarded(problem, work, group)
        for candidate, found in zip(group, results, strict=True):
            if isinstance(found, Evaluation):
                errors[candidate.row] = _last_line(found.message)
            else:
                scores[candidate.row] = found
        done += len(group)
        if seen is not None:
            seen(done)
    return Screened(scores, errors)


def fold_of(task: Task) -> Fold:
    """Return where scores are measured: an environment has fresh episodes for every key, examples are few.

    The examples of the search's own fold chose the genome, so that those of the report's are asked.
    """
    environments = (TaskKind.CONTROL, TaskKind.CONTINUOUS)
    return Fold.SEARCH if task.kind in environments else Fold.REPORT


def batches(
    problem: Problem,
    genomes: Sequence[Genome],
    errors: dict[int, str],
    *,
    agents: int,
    plans: Mapping[int, Plan] = MappingProxyType({}),
    room: int = ROOM,
) -> Iterator[list[Candidate]]:
    """Yield candidates of one layout, as many as there is room for; those that cannot be laid out, never.

    Args:
        problem: the search's.
        genomes: the candidates.
        errors: takes why, by row.
        agents: born of each.
        plans: see `screen`.
        room: bytes.
    """
    waiting: dict[Layout, list[Candidate]] = {}
    for row, genome in enumerate(genomes):
        try:
            candidate = conceived(problem, row, genome, plans.get(row))
        except EvogenError:
            errors[row] = _last_line(traceback.format_exc())
            continue
        layout = candidate.embryo.layout
        waiting.setdefault(layout, []).append(candidate)
        if len(waiting[layout]) == _rows(
            candidate, agents, room, {"float32": 4, "float64": 8}[problem.dtype]
        ):
            yield waiting.pop(layout)
    yield from waiting.values()


def _rows(candidate: Candidate, agents: int, room: int, number: int) -> int:
    """Return P of the formula above."""
    layout, padded = candidate.embryo.layout, candidate.embryo.body.padded
    synapses = sum(layout.levels[pre].size * layout.levels[post].size for pre, post in layout.pairs)
    parameters = sum(math.prod(spec.shape) for spec in padded.values()) + layout.genes**2
    lives = 3 * number * LIVES if layout.stateful else 0
    return max(1, room // (agents * synapses * (8 + number + lives) + 32 * (synapses + parameters)))


def _scores(
    problem: Problem, agents: int, key: Key, fold: Fold, group: Sequence[Candidate]
) -> Sequence[Scores]:
    phenotype, rows = together(problem, group), len(group)
    birth = replace(problem.birth, agents=agents)
    keys = [key.child("score", agent) for agent in range(agents)]
    with torch.no_grad():
        born = phenotype.agents(phenotype.flat, [key.child("birth")] * rows, birth)
        scores = problem.task.score(born, keys * rows, fold)
    return list(scores.double().cpu().numpy().reshape(rows, agents))


def _last_line(message: str) -> str:
    return message.strip().rpartition("\n")[2]
