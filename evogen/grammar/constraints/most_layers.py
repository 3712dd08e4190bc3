"""Most layers: a gene's chain of layers is cut behind the last allowed one, which feeds what it fed."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from evogen.grammar.constraints import Repaired, genes
from evogen.grammar.plan import Plan
from evogen.registry import register, setting


@register("constraint", "most-layers")
@dataclass(frozen=True)
class MostLayers:
    """No module has more than `limit` layers; how deep neuron groups lie is their structure's setting."""

    limit: int = setting(3, low=1, high=1000, doc="layers that a gene keeps")

    def repair(self, plan: Plan) -> Repaired:
        """Remove the layers past the limit; what the last one fed is fed by the last that stays."""
        if plan.levels:
            return Repaired(plan, 0)
        instead: dict[int, int] = {}
        for gene in genes(plan):
            own = [at for at, group in enumerate(plan.groups[1:-1], 1) if group.gene == gene]
            for at in own[self.limit :]:
                instead[at] = own[self.limit - 1]
        if not instead:
            return Repaired(plan, 0)
        kept = [at for at in range(len(plan.groups)) if at not in instead]
        new = {at: number for number, at in enumerate(kept)}
        links = tuple(
            link._replace(pre=new[instead.get(link.pre, link.pre)], post=new[link.post])
            for link in plan.projections
            if link.post not in instead
        )
        groups = tuple(plan.groups[at] for at in kept)
        return Repaired(dataclasses.replace(plan, groups=groups, projections=links), len(instead))
