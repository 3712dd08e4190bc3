"""Teaching: how the teachers that come with evogen were made, and how others are.

Several networks with free weights (two hidden layers of 64 tanh units) learn a task by PPO as one cohort; the
one with the best mean return over greedy episodes is kept, with its return over as many other episodes.
Equal task, key, versions and kind of processor give equal files.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from importlib.metadata import version

import numpy as np
import torch

from evogen.connectome.direct import Direct
from evogen.errors import SpecError
from evogen.genome import Gene, Genome
from evogen.grammar.plan import INPUT, OUTPUT, Group, Plan, Projection
from evogen.keys import Key
from evogen.learning.ppo import PPO
from evogen.learning.teacher import Origin, Teacher, name_of
from evogen.phenotype import Development, Phenotype, develop, embryo
from evogen.phenotype.network import Lens
from evogen.registry import evolvable_fields
from evogen.tasks import ControlTask
from evogen.tasks.play import play

HIDDEN = 64

PATIENT = PPO(
    learning_rate=0.002,
    gamma=0.995,
    gae_lambda=0.97,
    entropy=0.003,
    iterations=250,
    environments=16,
    horizon=256,
    minibatches=16,
)
"""For tasks without a recipe of their own."""

_BRIEF = replace(PATIENT, learning_rate=0.005, iterations=200, environments=32, minibatches=8, entropy=0.01)
RECIPES: Mapping[str, PPO] = {
    "cartpole": PPO(
        learning_rate=0.003,
        gamma=0.99,
        gae_lambda=0.95,
        iterations=40,
        environments=8,
        horizon=256,
        minibatches=8,
    ),
    "mountain-car": _BRIEF,
    "acrobot": replace(_BRIEF, learning_rate=0.003, iterations=150, entropy=0.001),
    "LunarLander-v3": PATIENT,
}
"""How the teachers that come with evogen were trained, each with seed 0."""


def train(
    task: ControlTask, key: Key, *, learner: PPO | None = None, candidates: int = 8, episodes: int = 100
) -> Teacher:
    """Return the best of several networks with free weights, trained on the mean by PPO.

    Args:
        task: what to learn.
        key: all randomness.
        learner: how; by default what `RECIPES` has for the task.
        candidates: networks that are trained, as one cohort.
        episodes: greedy ones of each network, by whose mean return the best is chosen.

    Raises:
        SpecError: PPO cannot learn the task, or no network stayed finite.
    """
    if task.kind not in PPO.fits:
        raise SpecError(f"a teacher's task is of kind {', '.join(sorted(PPO.fits))}, found {task.kind}")
    learner = learner or RECIPES.get(name_of(task), PATIENT)
    phenotype = _cohort(task, key, candidates)
    values = {
        item.name: torch.full((candidates,), getattr(learner, item.name)) for item in evolvable_fields(PPO)
    }
    fit = learner.fit(phenotype, task, [key.child("learn", row) for row in range(candidates)], values)
    network = phenotype.network(fit.flat)
    measured = {
        fold: play(task, network, keys=[key.child(fold)] * candidates, episodes=episodes).mean(1)
        for fold in ("validation", "report")
    }
    best = int(measured["validation"].nan_to_num(nan=-torch.inf).argmax())
    if not fit.flat[best].isfinite().all():
        raise SpecError(f"no network for the task '{name_of(task)}' stayed finite: lower the learning rate")
    named = phenotype.trim(fit.flat, best)
    mean = named.get("0.m", np.zeros(task.inputs, np.float32))
    spread = named.get("0.s", np.ones(task.inputs, np.float32))
    layers = tuple(
        (torch.tensor(named[f"{at}>{at + 1}.W"]), torch.tensor(named[f"{at + 1}.b"])) for at in range(3)
    )
    origin = Origin(
        task=name_of(task),
        kind=str(task.kind),
        seed=key.seed,
        learner=asdict(learner),
        steps=int(fit.steps[best]),
        validation=float(measured["validation"][best]),
        returns=float(measured["report"][best]),
        candidates=candidates,
        episodes=episodes,
        evogen=version("evogen"),
        torch=torch.__version__,
    )
    return Teacher(Lens(torch.tensor(mean)[None], torch.tensor(spread)[None]), layers, origin)


def _cohort(task: ControlTask, key: Key, candidates: int) -> Phenotype:
    """Return networks of two hidden layers, which differ in what they were born with."""
    development = Development(Direct(), {}, key.child("innate"), normalised=task.normalised)
    embryos = []
    for row in range(candidates):
        interface, gene = 2 * row + 1, 2 * row + 2
        layers = [Group(gene, f"l{number}", HIDDEN, "tanh") for number in range(2)]
        groups = (Group(interface, INPUT, task.inputs), *layers, Group(interface, OUTPUT, task.outputs))
        links = tuple(Projection(at, at + 1, gene) for at in range(3))
        genome = Genome(None, Gene(interface, ()), (Gene(gene, ()),))
        embryos.append(embryo(development, genome, Plan(groups, links)))
    return develop(development, embryos)
