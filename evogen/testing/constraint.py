"""What every constraint does: see `evogen.grammar.constraints`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from evogen.grammar.plan import INPUT, OUTPUT, Group, Learning, Plan, Projection
from evogen.keys import Key

PLANS = 40
_NEURONS, _RULES, _ACTS = ("rate", "leaky", "lif"), ("none", "none", "abcd"), ("tanh", "relu")


def drawn(rng: np.random.Generator) -> Plan:
    """Return up to three modules of up to five layers, recurrent ones and frozen genes among them."""
    chains = [int(rng.integers(1, 6)) for _ in range(rng.integers(1, 4))]
    groups, links, learning = [Group(1, INPUT, 3)], list[Projection](), dict[int, Learning]()
    last = 1 + sum(chains)
    for gene, length in enumerate(chains, 10):
        pre = 0
        for layer in range(length):
            neuron = str(rng.choice(_NEURONS))
            act = "identity" if neuron == "lif" else str(rng.choice(_ACTS))
            at, rule = len(groups), str(rng.choice(_RULES))
            groups.append(Group(gene, f"l{layer}", int(rng.integers(1, 300)), act, neuron))
            links += [Projection(one, at, gene, rule=rule) for one in [pre, at][: rng.integers(1, 3)]]
            pre = at
        links.append(Projection(pre, last, gene, rule=str(rng.choice(_RULES))))
        if rng.random() < 0.6:
            learning[gene] = Learning(0.0 if rng.random() < 0.7 else 0.5)
    return Plan((*groups, Group(1, OUTPUT, 2)), tuple(links), learning)


def _plans() -> Iterator[Plan]:
    rng = Key(0).child("constraint").generator()
    yield from (drawn(rng) for _ in range(PLANS))


def repairs_once(constraint: Any) -> None:
    """A repaired plan keeps the constraint; one that keeps it is given back as it is."""
    for plan in _plans():
        found, repairs = constraint.repair(plan)
        assert repairs >= 0
        assert (found == plan) == (repairs == 0)
        assert constraint.repair(found) == (found, 0)


def is_pure(constraint: Any) -> None:
    """The plan that it was given stays as it was, and a second call says the same."""
    for plan, same in zip(_plans(), _plans(), strict=True):
        first = constraint.repair(plan)
        assert plan == same
        assert constraint.repair(same) == first


def leaves_a_network(constraint: Any) -> None:
    """Interface and order stay, no projection goes back, and every group still has a way in."""
    for plan in _plans():
        found = constraint.repair(plan).plan
        assert (found.groups[0], found.groups[-1]) == (plan.groups[0], plan.groups[-1])
        assert all(0 <= link.pre <= link.post < len(found.groups) for link in found.projections)
        assert all(group.size > 0 for group in found.groups)
        reached = {link.post for link in found.projections if link.pre < link.post}
        assert reached == set(range(1, len(found.groups)))


FACTS = (repairs_once, is_pure, leaves_a_network)
