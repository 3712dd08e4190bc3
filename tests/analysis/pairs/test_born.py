from __future__ import annotations

import math

import numpy as np
import pytest

from evogen.analysis.pairs.born import Wired, change, wired
from evogen.evaluation import developed
from evogen.genome import Genome

from ..planted import posed, trained


def network(names: str, weights: object, synapses: object = None) -> Wired:
    W = np.array(weights, dtype=float)
    there = W != 0 if synapses is None else np.array(synapses, dtype=bool)
    return Wired({(1, name, 0): at for at, name in enumerate(names)}, W, there)


def test_weights_are_compared_where_both_have_a_synapse() -> None:
    first = network("abc", [[0, 3, 1], [0, 0, 4], [0, 0, 0]])
    second = network("abc", [[0, 3, 0], [0, 0, 1], [9, 0, 0]])
    found = change(first, second)
    assert found.relative == pytest.approx(3 / math.hypot(3, 1))
    assert found[1:] == (2, 1, 1)


def test_neurons_are_known_by_name_not_by_place() -> None:
    first = network("ab", [[0, 2], [0, 0]])
    second = network("xba", [[0, 7, 0], [0, 0, 0], [0, 2, 0]])
    assert change(first, second) == (0.0, 1, 1, 0)


def test_without_common_synapses_nothing_is_known() -> None:
    assert math.isnan(change(network("ab", [[0, 2], [0, 0]]), network("ab", [[0, 0], [2, 0]])).relative)


def test_a_network_whose_weights_all_became_0_is_infinitely_far() -> None:
    there = [[0, 1], [0, 0]]
    assert (
        change(network("ab", [[0, 2], [0, 0]]), network("ab", [[0, 0], [0, 0]], there)).relative == math.inf
    )
    nothing = network("ab", [[0, 0], [0, 0]], there)
    assert change(nothing, nothing).relative == 0.0


def test_expected_weights_are_those_of_the_phenotype() -> None:
    problem, genome = posed(), trained()
    networks, errors = wired(problem, [genome])
    phenotype = developed(problem, genome)
    weights = phenotype.network(phenotype.flat).weights
    assert not errors
    total = sum(float(np.square(part.detach().double().numpy()).sum()) for part in weights)
    assert np.square(networks[0].weights).sum() == pytest.approx(total)
    assert networks[0].synapses.sum() == sum(int((mask > 0).sum()) for mask in phenotype.masks)


def test_what_cannot_be_developed_is_an_error_of_its_row() -> None:
    genome = trained()
    empty = Genome(genome.rules, genome.interface, ())
    networks, errors = wired(posed(), [genome, empty, genome])
    assert sorted(networks) == [0, 2]
    assert "no architecture gene" in errors[1]
