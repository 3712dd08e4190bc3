"""Frozen genes have plasticity: what neither the inner loop nor the own life changes would be dead weight."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from evogen.grammar.constraints import Repaired, frozen
from evogen.grammar.plan import Plan
from evogen.registry import register


@register("constraint", "frozen-have-plasticity")
@dataclass(frozen=True)
class FrozenHavePlasticity:
    """A frozen gene (learn:none) without a plastic projection learns as the learner does."""

    def repair(self, plan: Plan) -> Repaired:
        """Let frozen genes learn whose projections are all without a plasticity rule."""
        lively = {link.gene for link in plan.projections if link.rule != "none"}
        stiff = frozen(plan) - lively
        if not stiff:
            return Repaired(plan, 0)
        learning = {gene: how for gene, how in plan.learning.items() if gene not in stiff}
        return Repaired(dataclasses.replace(plan, learning=learning), len(stiff))
