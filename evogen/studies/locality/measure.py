"""What single-codon mutations change, counted."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest
from typing import NamedTuple

import numpy as np

from evogen.studies.locality.codes import Cell, Code, Lists, Place


class Mutation(NamedTuple):
    """One redrawn codon: its class, its outcomes, the groups that it changed, and those that there were."""

    kind: str
    outcomes: int
    changed: int
    groups: int


class Shares(NamedTuple):
    """What some mutations amount to; NaN where there is nothing to divide by.

    Attributes:
        local: of those that changed anything, the share that changed exactly one neuron group.
        changed: groups that these changed, on average.
        silent: share that changed nothing.
    """

    local: float
    changed: float
    silent: float


def mutations(code: Code, lists: Lists, rng: np.random.Generator, count: int) -> Iterator[Mutation]:
    """Redraw one codon of a genome again and again, each time from the genome as it is.

    The codon is any of those that are read and can have more than one outcome, its new value any other.
    """
    before, places = code.cells(lists), code.places(lists)
    for _ in range(count if places else 0):
        place = places[int(rng.integers(len(places)))]
        changed = differing(before, code.cells(redrawn(lists, place, rng)))
        yield Mutation(place.kind, place.outcomes, changed, len(before))


def redrawn(lists: Lists, place: Place, rng: np.random.Generator) -> Lists:
    """Return the lists with another value of one codon."""
    i, j = place.list, place.position
    drawn = int(rng.integers(place.limit - 1))  # ~ U{other values}
    value = drawn + (drawn >= lists[i][j])
    return (*lists[:i], (*lists[i][:j], value, *lists[i][j + 1 :]), *lists[i + 1 :])


def differing(before: tuple[Cell, ...], after: tuple[Cell, ...]) -> int:
    """Return how many neuron groups differ, those that only one of the two networks has included."""
    return sum(one != other for one, other in zip_longest(before, after))


def shares(found: list[Mutation]) -> Shares:
    """Return the shares among some mutations."""
    effective = [each.changed for each in found if each.changed]
    if not effective:
        return Shares(float("nan"), float("nan"), 1.0 if found else float("nan"))
    local = sum(changed == 1 for changed in effective) / len(effective)
    return Shares(local, sum(effective) / len(effective), 1 - len(effective) / len(found))


def through_mod(found: list[Mutation]) -> float:
    """Return the local share if a codon's outcome were drawn among all, the one that it has included.

    So it is where codons are taken modulo the number of outcomes n: 1 in n draws is silent, and mutations
    with few outcomes count less among the effective ones.
    """
    weights = [(1 - 1 / each.outcomes, each.changed == 1) for each in found if each.changed]
    total = sum(weight for weight, _ in weights)
    return sum(weight for weight, local in weights if local) / total if total else float("nan")
