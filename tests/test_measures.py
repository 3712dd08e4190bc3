from dataclasses import replace

import numpy as np

from evogen.genome import Gene, frozen
from evogen.grammar.plan import INPUT, OUTPUT, Group, Plan, Projection
from evogen.measures import MEASURES, structure
from evogen.testing.tiny import genome

GROUPS = (Group(1, INPUT, 4), Group(2, "l0", 3), Group(2, "l1", 5), Group(1, OUTPUT, 2))
LINKS = (Projection(0, 1, 2), Projection(1, 2, 2, density=0.5), Projection(2, 3, 2), Projection(0, 3, 2))


def test_structure_of_a_plan_counted_by_hand():
    found = structure(genome(0), Plan(GROUPS, LINKS))
    assert found["neurons"] == 3 + 5
    assert found["synapses"] == 4 * 3 + 0.5 * 3 * 5 + 5 * 2 + 4 * 2
    assert found["depth"] == 3
    assert (found["modules"], found["genes"], found["rules"]) == (1, 5, 25)
    assert found.keys() | {"fitness", "expected_score", "steps"} == MEASURES.keys()


def test_a_mask_leaves_out_pairs_and_a_free_wiring_has_none():
    whole = genome(0)
    mask = np.zeros((5, 5))
    mask[1, 2] = mask[0, 4] = 1
    masked = replace(whole, rules=replace(whole.rules, mask=frozen(mask)))
    assert structure(masked, Plan(GROUPS, LINKS))["rules"] == 2
    assert structure(genome(0, rules=False), Plan(GROUPS, LINKS))["rules"] == 0


def test_parameters_are_weights_and_biases_or_expression_counted_by_hand():
    rules = genome(0).rules
    g, n = len(rules.genes), len(rules.c)
    free = structure(genome(0, rules=False), Plan(GROUPS, LINKS))["parameters"]
    assert free == 4 * 3 + 0.5 * 3 * 5 + 5 * 2 + 4 * 2 + (3 + 5 + 2)
    expressed = structure(genome(0), Plan(GROUPS, LINKS))["parameters"]
    assert expressed == (4 + 8 + 2) * g + (4 + 8) * n + (8 + 2) * (2 * n + 1)


def test_explicit_synapses_are_counted_one_by_one():
    links = (
        Projection(0, 1, 2, rows=(0, 3)),
        Projection(1, 3, 2, columns=(1,)),
        Projection(0, 2, 2, rows=()),
    )
    found = structure(genome(0, rules=False), Plan(GROUPS, links))
    assert found["synapses"] == 2 * 3 + 3 * 1 + 0
    assert found["parameters"] == 9 + 3 + 5 + 2


def test_links_are_counted():
    whole = genome(0)
    linked = replace(whole, architecture=(*whole.architecture, Gene(900, (), link=2)))
    assert structure(linked, Plan(GROUPS, LINKS))["links"] == 1
    assert structure(whole, Plan(GROUPS, LINKS))["links"] == 0
