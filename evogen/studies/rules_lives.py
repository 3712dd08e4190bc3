"""Lives under given rules: fresh expression, a gradient inner loop that leaves the rules alone, born agents.

One genome a training seed, inputs-64-outputs with SELU, as in the search. All that a seed draws (expression,
learning, births, episodes) follows from the seed and the task, so that arms are compared in pairs; and none
of it is a stream of any search.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from evogen.connectome.birth import Birth
from evogen.connectome.synaptogen import SynaptoGen
from evogen.genome import Gene, Genome, Rules
from evogen.grammar.plan import Group, Plan, Projection
from evogen.keys import Key
from evogen.learning.ppo import PPO
from evogen.phenotype import Development, Phenotype, develop, embryo
from evogen.registry import evolvable_fields
from evogen.tasks import ControlTask, Fold

HIDDEN = 64
_SHARED = Key(0).child("study rules")


@dataclass(frozen=True, eq=False)
class Lives:
    """What came of one life a seed; S seeds, K iterations, A agents.

    Attributes:
        scores: (S, A) mean return of each born agent; NaN where its output became non-finite.
        curve: (S, K) mean return of the episodes that ended in each iteration.
        reached: (S,) environment steps until the curve was first at the task's threshold; NaN if never.
        steps: environment steps of each life.
    """

    scores: np.ndarray
    curve: np.ndarray
    reached: np.ndarray
    steps: int


def root(task: str, seed: int) -> Key:
    """Return the key of everything that a seed decides on a task."""
    return Key(seed).child("study rules", task)


@dataclass(frozen=True)
class World:
    """What lives have in common: the task, with the episodes of a score, the learner and the law of birth."""

    task: ControlTask
    learner: PPO
    birth: Birth


def live(rules: Sequence[Rules], wiring: SynaptoGen, world: World, keys: Sequence[Key]) -> Lives:
    """Let one life a key pass, all in one batch.

    Args:
        rules: one a key, with equally many transmitters.
        wiring: which does not tune rules.
        world: where they live.
        keys: one a seed.
    """
    task, learner, agents = world.task, world.learner, world.birth.agents
    body = bodies(rules, wiring, world)
    values = {
        field.name: torch.full((len(keys),), float(getattr(learner, field.name)))
        for field in evolvable_fields(PPO)
    }
    fit = learner.fit(body, task, [key.child("learn") for key in keys], values)
    with torch.no_grad():
        born = body.agents(fit.flat, [key.child("birth") for key in keys])
        starts = [key.child("score", agent) for key in keys for agent in range(agents)]
        scores = task.score(born, starts, Fold.SEARCH).reshape(len(keys), agents).numpy()
    curve, each = fit.curve.numpy(), learner.horizon * learner.environments
    return Lives(scores, curve, reached(curve, task.threshold) * each, each * learner.iterations)


def bodies(rules: Sequence[Rules], wiring: SynaptoGen, world: World) -> Phenotype:
    """Develop one candidate a row; row s has the expression of seed s, column by rule gene."""
    task, innate = world.task, _SHARED.child("innate")
    development = Development(wiring, {}, innate, birth=world.birth, normalised=task.normalised)
    embryos = []
    for seed, of_one in enumerate(rules):
        module, outer = 2 * seed + 1, 2 * seed + 2  # expression is drawn by innovation id
        groups = (
            Group(outer, "in", task.inputs),
            Group(module, "l0", HIDDEN, "selu"),
            Group(outer, "out", task.outputs),
        )
        plan = Plan(groups, (Projection(0, 1, module), Projection(1, 2, module)))
        embryos.append(embryo(development, Genome(of_one, Gene(outer, ()), (Gene(module, ()),)), plan))
    return develop(development, embryos)


def reached(curve: np.ndarray, threshold: float | None) -> np.ndarray:
    """Return (S,) iterations until a row of (S, K) was first at the threshold; NaN if it never was.

    A curve is 0 until an episode has ended; that is no return, though it be above a negative threshold.
    """
    if threshold is None:
        return np.full(len(curve), np.nan)
    there = (curve >= threshold) & np.logical_or.accumulate(curve != 0, axis=1)
    return np.where(there.any(1), there.argmax(1) + 1.0, np.nan)
