"""Generations that need not be cohorts, for the evolution strategies.

A generation is the `size` candidates that were told next, in the order of telling, whatever cohort they are
from; those left over wait in the state. It says nothing, and is dropped, if none of its candidates ended OK.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np

from evogen.cohort import Ref
from evogen.keys import Key
from evogen.strategies import Stock, Told
from evogen.variation.vector import Flat, Vector

SIGMAS = 1e-100, 1e6  # bounds of deviations, so that nothing becomes infinite or is divided by zero

Record = list[Any]  # cohort, row, fitness, violation, guest; a list as JSON gives back no tuple


class Seen(NamedTuple):
    """A candidate that counts in its generation.

    Attributes:
        ref: its place.
        fitness: see Told.
        violation: see Told.
        guest: whether another strategy drew it, so that no noise of this one's is behind it.
    """

    ref: Ref
    fitness: float | None
    violation: float
    guest: bool

    @property
    def standing(self) -> tuple[bool, float, float]:
        """What generations sort by: whether it ended OK, then its merit."""
        return self.fitness is not None, *Told(self.ref, self.fitness, violation=self.violation).merit


def gather(
    waiting: Sequence[Record], results: Sequence[Told], size: int, *, guests: bool
) -> tuple[list[list[Seen]], list[Record]]:
    """Return the generations that are complete now, and who goes on waiting.

    Args:
        waiting: records of candidates that were seen before.
        results: told now.
        size: candidates of a generation.
        guests: whether another strategy drew the results.
    """
    told = [*map(_read, waiting), *(Seen(one.ref, one.fitness, one.violation, guests) for one in results)]
    whole = len(told) - len(told) % size
    groups = [told[start : start + size] for start in range(0, whole, size)]
    alive = [group for group in groups if any(one.fitness is not None for one in group)]
    return alive, [[*one.ref, *one[1:]] for one in told[whole:]]


def by_rank(generation: Sequence[Seen], weights: Vector) -> Vector:
    """Return a weight for each candidate: those of the ranks, best first; equals share theirs evenly.

    Args:
        generation: `size` candidates.
        weights: (size,) of rank 1, 2, ...

    Returns:
        (size,) in the order of the generation.
    """
    standings = [one.standing for one in generation]
    order = sorted(range(len(standings)), key=standings.__getitem__, reverse=True)
    found = np.empty(len(standings))
    first = 0
    for _, equals in groupby(order, key=standings.__getitem__):
        rows = list(equals)
        found[rows] = weights[first : first + len(rows)].mean()
        first += len(rows)
    return found


def size_for(dimension: int) -> int:
    """Return 4 + floor(3 ln d), the usual size of a generation (Hansen 2016, eq. 48)."""
    return 4 + math.floor(3 * math.log(dimension))


def noise(key: Key, refs: Sequence[Ref], dimension: int) -> Vector:
    """Return the (R, d) draws behind these places: row by row of one stream a cohort.

    A row has the same draw however many there are in its cohort.
    """
    rows = {
        cohort: 1 + max(row for _, row in of) for cohort, of in groupby(sorted(refs), lambda ref: ref.cohort)
    }
    blocks = {
        cohort: key.child("noise", cohort).generator().standard_normal((count, dimension))  # ~ N(0, I)
        for cohort, count in rows.items()
    }
    return np.stack([blocks[cohort][row] for cohort, row in refs])


def steps(
    generation: Sequence[Seen], z: Vector, mean: Vector, sigma: Vector, *, view: Flat, stock: Stock
) -> tuple[Vector, Vector]:
    """Return what was drawn, and y = (x - mean) / sigma: where that lies as seen from now.

    Args:
        generation: of R candidates.
        z: (R, d) their noise; whatever stands in the rows of guests.
        mean: (d,) of the distribution now.
        sigma: (d,) its standard deviations.
        view: vectors of the search's genomes.
        stock: of the scene.

    Returns:
        (R, d) twice: z, with the shortened y of each guest in its row; and y, which equals z bit for bit in
        every coordinate that was drawn from this distribution and kept.
    """
    drawn, seen = z.copy(), z.copy()
    for row, one in enumerate(generation):
        likely = mean if one.guest else mean + sigma * z[row]
        x = view.vector(stock(one.ref), likely, mean)
        if one.guest:
            drawn[row] = seen[row] = shortened((x - mean) / sigma)
        elif not np.array_equal(x, likely):
            seen[row] = np.where(x == likely, z[row], (x - mean) / sigma)
    return drawn, seen


def shortened(z: Vector) -> Vector:
    """Return a guest's (d,) step, in standard deviations, no longer than sqrt(d) + 2 d / (d + 2).

    Source: Hansen 2011, "Injecting external solutions into CMA-ES", eq. 4 and table 1 (c_y).
    """
    d, length = z.size, float(np.linalg.norm(z))
    return z * min(1.0, (math.sqrt(d) + 2 * d / (d + 2)) / max(length, 1e-300))


def _read(record: Record) -> Seen:
    cohort, row, fitness, violation, guest = record
    return Seen(Ref(cohort, row), fitness, violation, guest)
