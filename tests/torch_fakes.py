"""Genomes, plans and phenotypes for tests of the torch core, and a plain numpy network beside them."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import torch

from evogen.connectome.synaptogen import SynaptoGen
from evogen.genome import Gene, Genome, Rules, frozen
from evogen.grammar.plan import INPUT, OUTPUT, Group, Plan, Projection
from evogen.keys import Key
from evogen.phenotype import Development, develop, embryo
from evogen.registry import evolvable_fields, known

INTERFACE = 1


@dataclass(frozen=True)
class Layer:
    """A layer of a module and the projection that comes into it."""

    size: int
    activation: str = "tanh"
    neuron: str = "rate"
    tau: float = 1.0
    density: float = 1.0
    rule: str = "none"
    coefficients: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class Readout:
    """The projection from a module's last layer to the output."""

    density: float = 1.0
    rule: str = "none"
    coefficients: tuple[tuple[str, float], ...] = ()


def random_rules(g=5, n=2, *, seed=0, temperature=0.1, mask=None):
    rng = Key(seed).child("rules").generator()
    O, c = rng.normal(0, 1 / g, (g, g)), rng.normal(0, 1 / (math.sqrt(2) * n), (n, 2 * n))
    return Rules(tuple(range(100, 100 + g)), frozen(O), frozen(c), temperature, mask)


def genome_of(modules, *, rules=None, plasticity=None, expression=None):
    """A genome with one gene a module; `modules` maps innovation ids to layers (a Readout may end them)."""
    expression = expression or {}
    genes = tuple(Gene(number, (), expression.get(number, {})) for number in modules)
    return Genome(rules, Gene(INTERFACE, (), expression.get(INTERFACE, {})), genes, plasticity or {})


def plan_of(modules, *, inputs=4, outputs=2):
    groups, projections = [Group(INTERFACE, INPUT, inputs)], []
    last = 1 + sum(isinstance(part, Layer) for parts in modules.values() for part in parts)
    for gene, parts in modules.items():
        layers, readout = [part for part in parts if isinstance(part, Layer)], Readout()
        if isinstance(parts[-1], Readout):
            readout = parts[-1]
        pre = 0
        for number, layer in enumerate(layers):
            projections.append(_projection(pre, len(groups), gene, layer))
            pre = len(groups)
            settings = {"tau": layer.tau} if layer.neuron == "leaky" else {}
            groups.append(Group(gene, f"l{number}", layer.size, layer.activation, layer.neuron, settings))
        projections.append(_projection(pre, last, gene, readout))
    groups.append(Group(INTERFACE, OUTPUT, outputs))
    return Plan(tuple(groups), tuple(projections))


def _projection(pre, post, gene, part):
    return Projection(pre, post, gene, part.density, part.rule, dict(part.coefficients))


def development(wiring=None, *, dtype=torch.float64, seed=0):
    rules = {name: part() for name, part in known("rule").items()}
    return Development(wiring or SynaptoGen(), rules, Key(seed).child("innate"), dtype)


def phenotype_of(*candidates, wiring=None, dtype=torch.float64, inputs=4, outputs=2):
    """Develop (genome, modules) pairs of one layout together."""
    how = development(wiring, dtype=dtype)
    plans = [plan_of(modules, inputs=inputs, outputs=outputs) for _, modules in candidates]
    formed = [embryo(how, genome, plan) for (genome, _), plan in zip(candidates, plans, strict=True)]
    assert len({each.layout for each in formed}) == 1, "these candidates do not fit one phenotype"
    return develop(how, formed)


def inherit(genome, expression, tuned_rules=None):
    """The genome with this expression (innovation id -> name -> array), and these O and c, written in."""
    genes = [replace(gene, expression=expression.get(gene.innovation, {})) for gene in genome.genes()]
    rules = replace(genome.rules, **tuned_rules) if tuned_rules else genome.rules
    return replace(genome, rules=rules, interface=genes[0], architecture=tuple(genes[1:]))


def settled(*candidates, **how):
    """The candidates with their innate expression written into their genomes, so rounded to float32."""
    found = phenotype_of(*candidates, **how)
    return [
        (inherit(genome, found.expression(found.flat, row)), modules)
        for row, (genome, modules) in enumerate(candidates)
    ]


def defaults(part, rows, dtype=torch.float64):
    """A learner's evolvable fields as (P,) tensors."""
    fields = evolvable_fields(type(part))
    return {item.name: torch.full((rows,), getattr(part, item.name), dtype=dtype) for item in fields}


FUNCTIONS = {
    "abs": np.abs,
    "gauss": lambda x: np.exp(-(x**2)),
    "identity": lambda x: x,
    "sin": np.sin,
    "square": np.square,
    "tanh": np.tanh,
    "relu": lambda x: np.maximum(x, 0),
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "selu": lambda x: (
        1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * np.expm1(np.minimum(x, 0)))
    ),
}
ABCD = {"eta": 0.01, "A": 1.0, "B": 0.0, "C": 0.0, "D": 0.0, "decay": 0.0, "oja": 0.0, "bound": 1.0}


def synaptogen_weights(pre, post, O, c, temperature, *, scale=1.0, mask=None):
    """W of one projection, in matrix form, from the expression of its two ends."""
    P = 1 / (1 + np.exp(-np.float64(O) / temperature))
    P = P if mask is None else P * mask
    T, R = (np.exp(np.float64(part)) for part in (pre["T"], post["R"]))
    T, R = T / T.sum(1, keepdims=True), R / R.sum(1, keepdims=True)
    S = np.zeros(np.shape(c))
    for t in range(len(S)):
        S[t, 2 * t], S[t, 2 * t + 1] = 1, -1
    C = scale * S / (1 + np.exp(-np.float64(c)))
    return (T @ C @ R.T) * (np.float64(pre["X"]) ** 2 @ P @ (np.float64(post["X"]) ** 2).T)


class Plain:
    """One life of one candidate of SynaptoGen wiring: group by group, without padding, levels or batches."""

    def __init__(self, phenotype, row, genome):
        """Take expression and sparse masks from the phenotype, everything else from plan and genome."""
        body = phenotype.bodies[row]
        self.plan = body.plan
        expression = phenotype.expression(phenotype.flat, row)
        groups = self.plan.groups
        self.own = [
            {
                name: expression[group.gene][f"{group.name}.{name}"]
                for name in ("X", "T", "R", "b")
                if f"{group.name}.{name}" in expression[group.gene]
            }
            for group in groups
        ]
        rules, self.weights, self.masks = genome.rules, [], []
        levels = {pair: number for number, pair in enumerate(phenotype.layout.pairs)}
        for link in self.plan.projections:
            at = levels[body.level[link.pre], body.level[link.post]]
            mask = phenotype.masks[at][row][body.rows(link.pre), body.rows(link.post)].double().numpy()
            W = synaptogen_weights(
                self.own[link.pre], self.own[link.post], rules.O, rules.c, rules.temperature, mask=rules.mask
            )
            self.weights.append(W * mask)
            self.masks.append(mask)
        self.fast = [np.zeros_like(W) for W in self.weights]
        self.potential = [np.zeros(group.size) for group in groups]
        self.genome = genome

    def step(self, observation, teach=None):
        """Return the output after one step of the equations in evogen.phenotype.network."""
        groups, links = self.plan.groups, list(enumerate(self.plan.projections))
        activity = [np.asarray(observation, dtype=np.float64)]
        for number, group in list(enumerate(groups))[1:]:
            drive = np.float64(self.own[number]["b"]).copy()
            for i, link in links:
                if link.post == number:
                    drive += activity[link.pre] @ (self.weights[i] + self.fast[i])
            tau = group.settings.get("tau", 1.0)
            self.potential[number] = self.potential[number] + (drive - self.potential[number]) / tau
            activity.append(FUNCTIONS[group.activation](self.potential[number]))
        seen = activity if teach is None else [*activity[:-1], np.asarray(teach)]
        for i, link in links:
            if link.rule == "abcd":
                self.fast[i] = self._abcd(i, link, seen[link.pre][:, None], seen[link.post][None, :])
        return activity[-1]

    def _abcd(self, i, link, pre, post):
        genes = {name: self.genome.plasticity.get(f"rule.abcd.{name}", value) for name, value in ABCD.items()}
        k = genes | dict(link.coefficients)
        F, w = self.fast[i], self.weights[i] + self.fast[i]
        h = k["A"] * pre * post + k["B"] * pre + k["C"] * post + k["D"] - k["oja"] * post**2 * w
        return np.clip(F + k["eta"] * h - k["decay"] * F, -k["bound"], k["bound"]) * self.masks[i]


def evenly(phenotype):
    """Return a phenotype all of whose parameters learn at the same pace, as torch's optimisers make them."""
    return replace(phenotype, slots=tuple(replace(slot, pace=1.0) for slot in phenotype.slots))
