"""Something learns: where all genes are frozen, one learns again, lest the inner loop tunes nothing."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from evogen.grammar.constraints import Repaired, frozen, genes
from evogen.grammar.plan import Plan
from evogen.registry import register


@register("constraint", "something-learns")
@dataclass(frozen=True)
class SomethingLearns:
    """Where every gene is frozen (learn:none), the first one learns as the learner does."""

    def repair(self, plan: Plan) -> Repaired:
        """Let the first gene learn if none does."""
        own = genes(plan)
        if not own or not frozen(plan).issuperset(own):
            return Repaired(plan, 0)
        learning = {gene: how for gene, how in plan.learning.items() if gene != own[0]}
        return Repaired(dataclasses.replace(plan, learning=learning), 1)
