"""Constraints: what a context-free grammar cannot say about a network, as checks that also repair.

A constraint is a registered frozen dataclass whose `repair` is a pure function of a plan. An experiment names
those that hold, in order, under `architecture.constraints`. Repairs are counted for each candidate and never
written into a genome: it goes on meaning what it says, in another search too.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import NamedTuple, Protocol

from evogen.grammar.plan import Plan


class Repaired(NamedTuple):
    """A plan that keeps a constraint, and how many of its parts had to change for that."""

    plan: Plan
    repairs: int


class Constraint(Protocol):
    """One rule that every network of a search keeps."""

    def repair(self, plan: Plan) -> Repaired:
        """Return a plan that keeps the constraint, as close to this one as it can be; 0 repairs: this one."""
        ...


def repaired(plan: Plan, constraints: Sequence[Constraint]) -> Plan:
    """Return the plan with all constraints kept in this order, `repairs` filled in; without any, as it is."""
    if not constraints:
        return plan
    total = 0
    for constraint in constraints:
        plan, count = constraint.repair(plan)
        total += count
    return dataclasses.replace(plan, repairs=total)


def genes(plan: Plan) -> tuple[int, ...]:
    """Return the innovation ids of the genes that have hidden neurons, in order."""
    return tuple(dict.fromkeys(group.gene for group in plan.groups[1:-1]))


def frozen(plan: Plan) -> set[int]:
    """Return the genes whose parameters the inner loop leaves alone."""
    return {gene for gene, learning in plan.learning.items() if learning.rate == 0}
