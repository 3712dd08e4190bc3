"""Measures: the numbers of a candidate that a search may aim at, bound, or spread out over.

Each is the same on every machine, so that a strategy may depend on it.
"""

from __future__ import annotations

import math

import numpy as np

from evogen.connectome.priors import expected
from evogen.genome import Genome, Rules
from evogen.grammar.plan import Plan, Projection
from evogen.registry import find

MEASURES: dict[str, str] = {
    "fitness": "mean score of the born agents",
    "expected_score": "score of the average network",
    "steps": "environment steps or samples that the inner loop spent",
    "neurons": "neurons beyond the input and the output",
    "synapses": "expected number of pairs that may connect",
    "modules": "genes of the architecture",
    "depth": "projections on the longest way from input to output",
    "genes": "genes of the wiring rules, 0 without rules",
    "rules": "gene pairs that may have a rule, 0 without rules",
    "parameters": "numbers that a learner can tune, without genetic rules: weights and biases, or expression",
    "links": "genes of the architecture that share another one's codons and expression",
}


def structure(genome: Genome, plan: Plan) -> dict[str, float]:
    """Return what a genome and its plan have, by name; `repairs` only where a search has constraints."""
    groups = plan.groups
    depth = [0] * len(groups)
    for link in plan.projections:
        if link.pre < link.post:
            depth[link.post] = max(depth[link.post], depth[link.pre] + 1)
    rules = genome.rules
    allowed = 0 if rules is None else rules.O.size if rules.mask is None else int(np.sum(rules.mask != 0))
    found = {
        "neurons": float(sum(group.size for group in groups[1:-1])),
        "synapses": synapses(plan),
        "modules": float(len(genome.architecture)),
        "depth": float(depth[-1]),
        "genes": 0.0 if rules is None else float(len(rules.genes)),
        "rules": float(allowed),
        "parameters": (weights(plan) if rules is None else _expressed(plan, rules)) + _owned(plan),
        "links": float(sum(gene.link != 0 for gene in genome.architecture)),
    }
    return found if plan.repairs is None else found | {"repairs": float(plan.repairs)}


def synapses(plan: Plan) -> float:
    """Return the expected number of pairs of neurons that may connect."""
    return float(sum(_pairs(plan, link) for link in plan.projections))


def weights(plan: Plan) -> float:
    """Return the expected number of weights and biases; synapses of a circuit may share some."""
    if plan.anatomy is None:
        return synapses(plan) + _biases(plan)
    used = [np.unique(link.pattern.tie[link.pattern.tuned]) for link in plan.projections if link.pattern]
    shared = len(np.unique(np.concatenate(used)))
    return float(shared + (_biases(plan) if plan.anatomy.bias == "free" else 0))


def _biases(plan: Plan) -> int:
    return sum(group.size for group in plan.groups[1:])


def _expressed(plan: Plan, rules: Rules) -> float:
    """Count X of every neuron, T of those before the output, R and bias of those behind the input.

    And the weights of projections that are wired freely.
    """
    g, n = len(rules.genes), len(rules.c)
    inputs, outputs = plan.groups[0].size, plan.groups[-1].size
    neurons = inputs + _biases(plan)
    free = sum(_pairs(plan, link) for link in plan.projections if link.free)
    return neurons * g + (neurons - outputs) * n + (neurons - inputs) * (2 * n + 1) + free


def _owned(plan: Plan) -> float:
    """Count what neurons of some kinds train beside their weights."""
    total = 0.0
    for at, group in enumerate(plan.groups):
        lengths = {"inputs": plan.groups[0].size, "sources": 0.0, "neurons": group.size}
        owns = find("neuron", group.neuron).nature.owns
        if any("sources" in own.shape for own in owns.values()):
            lengths["sources"] = sum(_pairs(plan, link) for link in plan.projections if link.post == at)
            lengths["sources"] /= group.size
        for own in owns.values():
            shape = [lengths[axis] if isinstance(axis, str) else axis for axis in own.shape]
            total += group.size * math.prod(shape)
    return total


def _pairs(plan: Plan, link: Projection) -> float:
    pre, post = (
        plan.groups[at].size if named is None else len(named)
        for at, named in ((link.pre, link.rows), (link.post, link.columns))
    )
    if link.prior:
        return expected(link.prior, link.settings, pre, post)
    return pre * post * link.density
