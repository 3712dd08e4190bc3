"""Measures: the numbers of a candidate that a search may aim at, bound, or spread out over.

Each is the same on every machine, so that a strategy may depend on it.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from evogen.genome import Genome
from evogen.grammar.plan import Plan

MEASURES: Mapping[str, str] = {
    "fitness": "mean score of the born agents",
    "expected_score": "score of the average network",
    "steps": "environment steps or samples that the inner loop spent",
    "neurons": "neurons beyond the input and the output",
    "synapses": "expected number of pairs that may connect",
    "modules": "genes of the architecture",
    "depth": "projections on the longest way from input to output",
    "genes": "genes of the wiring rules, 0 without rules",
    "rules": "gene pairs that may have a rule, 0 without rules",
}


def structure(genome: Genome, plan: Plan) -> dict[str, float]:
    """Return what a genome and its plan have, by name."""
    groups = plan.groups
    depth = [0] * len(groups)
    for link in plan.projections:
        if link.pre < link.post:
            depth[link.post] = max(depth[link.post], depth[link.pre] + 1)
    rules = genome.rules
    allowed = 0 if rules is None else rules.O.size if rules.mask is None else int(np.sum(rules.mask != 0))
    return {
        "neurons": float(sum(group.size for group in groups[1:-1])),
        "synapses": float(
            sum(groups[link.pre].size * groups[link.post].size * link.density for link in plan.projections)
        ),
        "modules": float(len(genome.architecture)),
        "depth": float(depth[-1]),
        "genes": 0.0 if rules is None else float(len(rules.genes)),
        "rules": float(allowed),
    }
