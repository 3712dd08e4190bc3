"""A distribution of its own with one small part of each kind, all called `outside`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import torch

from evogen.cohort import Individual, Ref
from evogen.connectome import Moments, Parameter
from evogen.grammar.constraints import Repaired
from evogen.learning import Fit
from evogen.neurons import Nature
from evogen.registry import evolvable, register, setting
from evogen.tasks import TaskKind
from evogen.variation.sample import sample


@register("rule", "outside")
@dataclass(frozen=True)
class Forgetful:
    """F follows the product of both activities: F <- F + eta (a_pre a_post - F)."""

    eta: float = evolvable(0.1, low=0.0, high=1.0, doc="speed")

    def step(self, fast, pre, post, weight, values):
        return fast + values["eta"] * (pre * post - fast)


@register("neuron", "outside")
@dataclass(frozen=True)
class Shy:
    """A unit that needs a drive above theta."""

    theta: float = evolvable(0.5, low=0.0, high=10.0, doc="threshold")
    nature: ClassVar[Nature] = Nature()

    def step(self, seen, state, values):
        return seen.drive - values["theta"], state


@register("wiring", "outside")
@dataclass(frozen=True)
class Bilinear:
    """W = X O X^T, without counts and conductances; every agent is born equal."""

    genetic: ClassVar[bool] = True
    tune_rules: ClassVar[bool] = True
    paces: ClassVar[dict[str, float]] = {}
    initial: ClassVar[str] = "normal"

    def parameters(self, dimensions, pairs):
        sizes, g = dimensions[:2]
        found = {f"{level}.X": Parameter((size, g), g**-0.5) for level, size in enumerate(sizes)}
        return found | {f"{post}.b": Parameter((sizes[post],), 0.0) for _, post in pairs}

    def weights(self, values, pairs):
        X, O = {name: part for name, part in values.items() if name.endswith(".X")}, values["O"]
        return [X[f"{pre}.X"].bmm(O).bmm(X[f"{post}.X"].transpose(1, 2)) for pre, post in pairs]

    def moments(self, values, pairs, masks, birth):
        return [Moments(W, None) for W in self.weights(values, pairs)]

    def birth(self, candidate, pairs, generators, birth):
        values, found = candidate.values, []
        for (pre, post), mask in zip(pairs, candidate.masks, strict=True):
            W = values[f"{pre}.X"] @ values["O"] @ values[f"{post}.X"].T
            found.append(np.repeat((W * mask)[None], len(generators), axis=0))
        return found


@register("prior", "outside")
@dataclass(frozen=True)
class Half:
    """Every pair by the toss of a coin."""

    chance: float = evolvable(0.5, low=0.0, high=1.0, doc="of a pair")

    def chances(self, pre, post):
        return np.full((pre, post), self.chance)


@register("constraint", "outside")
@dataclass(frozen=True)
class Fair:
    """All genes learn."""

    def repair(self, plan):
        return Repaired(replace(plan, learning={}), len(plan.learning))


@register("task", "outside")
@dataclass(frozen=True)
class Loud:
    """Answer a constant input with a large first output."""

    steps: int = setting(3, low=1, doc="steps of a life")

    kind = TaskKind.LIFE
    reported = "the same input"
    inputs = 3
    outputs = 2

    @torch.no_grad()
    def score(self, agents, keys, fold):
        x = torch.ones(agents.rows, 1, self.inputs, dtype=agents.dtype)
        state = agents.start(1)
        for _ in range(self.steps):
            output, state = agents.step(x, state)
        return torch.where(output.isfinite().all(-1), output[..., 0], torch.nan)[:, 0].double()


@register("learner", "outside")
@dataclass(frozen=True)
class Shrink:
    """Make every parameter smaller, once."""

    rate: float = evolvable(0.1, low=0.0, high=1.0, doc="part that is lost")
    fits: ClassVar[frozenset[TaskKind]] = frozenset(TaskKind)

    def fit(self, phenotype, task, keys, values):
        flat = phenotype.flat * (1 - values["rate"].to(phenotype.flat)[:, None])
        return Fit(flat, flat[:, :0], torch.zeros(phenotype.rows, dtype=torch.int64))


@register("strategy", "outside")
@dataclass(frozen=True)
class Backwards:
    """Draw the last row first."""

    many: ClassVar[bool] = False

    def start(self):
        return {"told": 0}

    def ask(self, state, cohort, size, *, scene):
        rows = reversed(range(size))
        return tuple(
            Individual(sample(scene.space, scene.key.child("mine"), Ref(cohort, row))) for row in rows
        )

    def tell(self, state, results, *, scene):
        return {"told": state["told"] + len(results)}
