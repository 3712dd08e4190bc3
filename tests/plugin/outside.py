"""A distribution of its own with one small part of each kind, all called `outside`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import torch

from evogen.cohort import Individual, Ref
from evogen.connectome import Moments, Parameter
from evogen.connectome.circuits import Circuit, Node
from evogen.grammar.constraints import Repaired
from evogen.learning import Fit
from evogen.learning.schedules.single import Single
from evogen.neurons import Nature
from evogen.plasticity import FAST, Extent
from evogen.registry import evolvable, register, setting
from evogen.tasks import TaskKind
from evogen.variation.sample import sample


@register("rule", "outside")
@dataclass(frozen=True)
class Forgetful:
    """F follows the product of both activities: F <- F + eta (a_pre a_post - F)."""

    eta: float = evolvable(0.1, low=0.0, high=1.0, doc="speed")
    memory: ClassVar[dict[str, Extent]] = {FAST: Extent.SYNAPSE}
    coefficients: ClassVar[tuple[str, ...]] = ("eta",)

    def step(self, state, seen, values):
        fast = state[FAST]
        return {FAST: fast + values["eta"] * (seen.pre * seen.post - fast)}

    def added(self, state, born, values):
        return state[FAST]


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


@register("circuit", "outside")
@dataclass(frozen=True)
class Ring:
    """Neurons that pass on what they hear, each to the next, all round."""

    neurons: int = setting(6, low=3, high=100, doc="on the ring")

    def circuit(self, inputs, outputs):
        edges = np.roll(np.eye(self.neurons), 1, axis=1)
        roles = ["in", *["hid"] * (self.neurons - 2), "out"]
        nodes = tuple(Node(f"n{at}", "ring", role) for at, role in enumerate(roles))
        return Circuit(nodes, edges, edges.astype(int), "a ring")


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


@register("metric", "outside")
@dataclass(frozen=True)
class Squares:
    """Sum of squared parameters."""

    fits: ClassVar[frozenset[TaskKind]] = frozenset(TaskKind)
    measures: ClassVar[dict[str, str]] = {"squares": "sum of squared parameters"}

    def measure(self, subject):
        return {"squares": subject.fit.flat.square().sum(1)}


@register("protection", "outside")
@dataclass(frozen=True)
class Anchor:
    """Stay near what the last stage left: |flat - kept|^2."""

    def keep(self, state, respond, flat, stage, keys):
        return flat.detach()

    def guard(self, state, respond, keys, *, batches, size):
        return None if state is None else lambda flat, batch: (flat - state).square().sum(1)


@register("error", "outside")
@dataclass(frozen=True)
class Target:
    """Hidden neurons learn nothing, the output its target."""

    locality: ClassVar[str] = ""

    def fixed(self, layout, keys, like):
        return ()

    def factors(self, network, sweep, target, fixed):
        return [*(torch.zeros_like(activity) for activity in sweep.activity[1:-1]), target]


@register("schedule", "outside")
@dataclass(frozen=True)
class Twice:
    """One pass, whose update counts twice."""

    def check(self, source):
        Single().check(source)

    def fixed(self, layout, keys, like):
        return ()

    def phases(self, network, observation, target, source, fixed):
        return 2 * tuple(Single().phases(network, observation, target, source, fixed))


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
