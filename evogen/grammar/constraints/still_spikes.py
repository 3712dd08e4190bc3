"""Still spikes: rules that are made for rates stay away from neurons that speak in spikes."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from evogen.grammar.constraints import Repaired
from evogen.grammar.plan import Plan
from evogen.registry import find, register


@register("constraint", "still-spikes")
@dataclass(frozen=True)
class StillSpikes:
    """A projection from or to spiking neurons has no plasticity rule."""

    def repair(self, plan: Plan) -> Repaired:
        """Take the rule from every plastic projection with a spiking end."""
        spiking = [find("neuron", group.neuron).nature.spiking for group in plan.groups]
        links = tuple(
            link._replace(rule="none", coefficients={})
            if link.rule != "none" and (spiking[link.pre] or spiking[link.post])
            else link
            for link in plan.projections
        )
        repairs = sum(old is not new for old, new in zip(plan.projections, links, strict=True))
        return Repaired(dataclasses.replace(plan, projections=links) if repairs else plan, repairs)
