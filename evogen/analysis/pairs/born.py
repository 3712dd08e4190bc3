"""Born weights: the expected weights of two genomes, compared synapse by synapse where both have one.

    relative change = |W_1 - W_0|_F / |W_1|_F          over synapses that both have

A neuron is known by its gene, the name of its group and its number in it, wherever it lies; input and output
neurons by the name of their group and their number, whatever the id of their gene.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from evogen.analysis.screen import batches
from evogen.cohort import Evaluation
from evogen.evaluation import Problem, guarded, together
from evogen.genome import Genome
from evogen.learning.racing import Candidate
from evogen.phenotype.layout import Body

Neuron = tuple[int, str, int]


class Wired(NamedTuple):
    """A network as it is expected at birth.

    Attributes:
        neurons: (N,) place of each neuron on the axes, by its gene, group and number.
        weights: (N, N) expected weights, 0 where there is no synapse.
        synapses: (N, N) whether there may be one.
    """

    neurons: Mapping[Neuron, int]
    weights: npt.NDArray[np.float64]
    synapses: npt.NDArray[np.bool_]


class Change(NamedTuple):
    """How the synapses of one network differ from those of another.

    Attributes:
        relative: see above; NaN where they have no synapse in common, infinite where all became 0.
        common, gained, lost: synapses of both, of the second only, of the first only.
    """

    relative: float
    common: int
    gained: int
    lost: int


def wired(problem: Problem, genomes: Sequence[Genome]) -> tuple[dict[int, Wired], dict[int, str]]:
    """Develop genomes, those of one layout together, and return their networks and failures, by row."""
    errors: dict[int, str] = {}
    found: dict[int, Wired] = {}

    def work(group: Sequence[Candidate]) -> list[Wired]:
        phenotype = together(problem, group)
        with torch.no_grad():
            weights = [part.double().cpu().numpy() for part in phenotype.network(phenotype.flat).weights]
        masks = [part.cpu().numpy() > 0 for part in phenotype.masks]
        return [
            _wired(
                body, phenotype.layout.pairs, [part[row] for part in weights], [part[row] for part in masks]
            )
            for row, body in enumerate(phenotype.bodies)
        ]

    for group in batches(problem, genomes, errors, agents=1):
        for candidate, each in zip(group, guarded(problem, work, group), strict=True):
            if isinstance(each, Evaluation):
                errors[candidate.row] = each.message.strip().rpartition("\n")[2]
            else:
                found[candidate.row] = each
    return found, errors


def change(first: Wired, second: Wired) -> Change:
    """Return how the second network's synapses differ from the first one's."""
    shared = [neuron for neuron in first.neurons if neuron in second.neurons]
    mine, other = ([one.neurons[neuron] for neuron in shared] for one in (first, second))
    (W0, here), (W1, there) = (
        (one.weights[np.ix_(places, places)], one.synapses[np.ix_(places, places)])
        for one, places in ((first, mine), (second, other))
    )
    both = here & there
    common = int(both.sum())
    size, moved = (float(np.linalg.norm(values[both])) for values in (W1, W1 - W0))
    relative = moved / size if size else (0.0 if moved == 0 else math.inf)
    return Change(
        relative if common else math.nan,
        common,
        int(second.synapses.sum()) - common,
        int(first.synapses.sum()) - common,
    )


def _wired(
    body: Body, pairs: Sequence[tuple[int, int]], weights: Sequence[np.ndarray], masks: Sequence[np.ndarray]
) -> Wired:
    starts = [0, *accumulate(body.sizes)]
    N = starts[-1]
    W, synapses = np.zeros((N, N)), np.zeros((N, N), dtype=bool)
    for (pre, post), values, mask in zip(pairs, weights, masks, strict=True):
        to = slice(starts[pre], starts[pre + 1]), slice(starts[post], starts[post + 1])
        own = slice(body.sizes[pre]), slice(body.sizes[post])
        W[to], synapses[to] = values[own], mask[own]
    return Wired(dict(_neurons(body, starts)), W, synapses)


def _neurons(body: Body, starts: Sequence[int]) -> Iterator[tuple[Neuron, int]]:
    interface = body.plan.groups[0].gene
    for number, group in enumerate(body.plan.groups):
        begin = starts[body.level[number]] + body.offset[number]
        for at in range(group.size):
            yield (0 if group.gene == interface else group.gene, group.name, at), begin + at
