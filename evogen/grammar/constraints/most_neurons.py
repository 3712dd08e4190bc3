"""Most neurons: where a network has too many hidden neurons, its largest groups give up some."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evogen.grammar.constraints import Repaired
from evogen.grammar.plan import Group, Plan, Projection
from evogen.registry import register, setting


@register("constraint", "most-neurons")
@dataclass(frozen=True)
class MostNeurons:
    """All hidden groups together have at most `limit` neurons, or one each where there are more groups."""

    limit: int = setting(256, low=1, high=1_000_000, doc="hidden neurons of a network")

    def repair(self, plan: Plan) -> Repaired:
        """Cap all groups at the largest size at which the network is small enough."""
        sizes = [group.size for group in plan.groups[1:-1]]
        if sum(sizes) <= self.limit:
            return Repaired(plan, 0)
        cap = self._cap(sizes)
        groups = (plan.groups[0], *(_capped(group, cap) for group in plan.groups[1:-1]), plan.groups[-1])
        cut = sum(size > cap for size in sizes)
        if not cut:
            return Repaired(plan, 0)
        links = tuple(_fitting(link, plan.groups, groups) for link in plan.projections)
        return Repaired(dataclasses.replace(plan, groups=groups, projections=links), cut)

    def _cap(self, sizes: list[int]) -> int:
        """Return the largest c >= 1 with sum min(size, c) <= limit; 1 if there is none."""
        low, high = 1, max(sizes)
        while low < high:
            middle = (low + high + 1) // 2
            if sum(min(size, middle) for size in sizes) <= self.limit:
                low = middle
            else:
                high = middle - 1
        return low


def _capped(group: Group, cap: int) -> Group:
    if group.size <= cap:
        return group
    return group._replace(size=cap, activations=group.activations[:cap])


def _fitting(link: Projection, before: Sequence[Group], after: Sequence[Group]) -> Projection:
    """Return a projection without its explicit synapses of neurons that are gone."""
    rows, columns = (
        range(before[at].size) if named is None else named
        for at, named in ((link.pre, link.rows), (link.post, link.columns))
    )
    stay = [at for at, row in enumerate(rows) if row < after[link.pre].size]
    stay_too = [at for at, column in enumerate(columns) if column < after[link.post].size]
    weights: tuple[float, ...] = ()
    if link.weights:
        table = np.reshape(link.weights, (len(rows), len(columns)))[np.ix_(stay, stay_too)]
        weights = tuple(float(weight) for weight in table.ravel())
    return link._replace(
        rows=None if link.rows is None else tuple(link.rows[at] for at in stay),
        columns=None if link.columns is None else tuple(link.columns[at] for at in stay_too),
        weights=weights,
    )
