import base64
from dataclasses import replace

import numpy as np
import pytest

from evogen.genome import Rules, frozen
from evogen.report.facts import gather
from evogen.report.markup import element
from evogen.report.winner.genetics import affinities, expression, probabilities, rules

from ..searches import DIRECT
from ..test_matrices import read


def drawn(parts):
    return element("div", *parts)


def images(root):
    return [read(base64.b64decode(item.get("href").partition(",")[2])) for item in root.iter("image")]


def test_probabilities_follow_the_equation_and_the_mask():
    O = frozen([[0.0, 0.1], [-0.2, 30.0]])
    P = 1 / (1 + np.exp(-np.array([[0.0, 1.0], [-2.0, 300.0]])))
    free = Rules((1, 2), O, frozen(np.zeros((1, 2))), temperature=0.1)
    assert probabilities(free) == pytest.approx(P, rel=1e-6)
    assert affinities(free) == pytest.approx(O / 0.1)
    masked = Rules((1, 2), O, free.c, temperature=0.1, mask=frozen([[1, 0], [0, 1]]))
    assert probabilities(masked) == pytest.approx(P * np.eye(2), rel=1e-6)
    assert np.isnan(affinities(masked)).tolist() == [[False, True], [True, False]]


def test_rules_show_both_matrices_in_two_orders_and_each_transmitter_s_conductances(search):
    genome = gather(search()[0]).winner.genome
    root = drawn(rules(genome))
    found = [picture for picture in images(root) if picture.shape == (12 * 4, 12 * 4, 3)]
    assert len(found) == 4
    for clustered, plain in zip(found[:2], found[2:], strict=True):
        assert sorted(map(tuple, clustered.reshape(-1, 3))) == sorted(map(tuple, plain.reshape(-1, 3)))
    *_, last = root.iter("table")
    rows = [[item.text for item in row.iter("td")] for row in last.iter("tr")][1:]
    C = 1 / (1 + np.exp(-genome.rules.c.astype(float)))
    assert rows[1] == ["2", f"+{C[1, 2]:.3f}", f"−{C[1, 3]:.3f}"]
    assert len(rows) == 3


def test_few_genes_are_listed_as_numbers_and_forbidden_pairs_counted(search):
    genome = gather(search()[0]).winner.genome
    mask = np.ones((12, 12))
    mask[0, :5] = 0
    root = drawn(rules(replace(genome, rules=replace(genome.rules, mask=frozen(mask)))))
    table = next(root.iter("table"))
    shown = [[float(item.text) for item in row.iter("td")] for row in table.iter("tr")][1:]
    assert np.array(shown) == pytest.approx(probabilities(genome.rules) * mask, abs=6e-4)
    assert "5 pairs that the mask forbids" in "".join(root.itertext())


def test_expression_has_a_column_for_every_neuron_and_a_row_for_every_gene(search):
    facts = gather(search()[0])
    root = drawn(expression(facts.portrait))
    neurons, genes = facts.portrait.neurons, len(facts.winner.genome.rules.genes)
    shapes = [(picture.shape[0] // 4, picture.shape[1] // 4) for picture in images(root)]
    assert shapes[:3] == shapes[3:6] == [(genes, neurons), (3, neurons), (6, neurons)]
    legend = [item.tail for item in root.iter("span")]
    assert legend[0] == "input"
    assert legend[-1] == "output"


def test_free_weights_express_nothing(search):
    facts = gather(search(text=DIRECT)[0])
    assert "no gene is expressed" in "".join(drawn(expression(facts.portrait)).itertext())
    assert "no genetic rules" in "".join(drawn(rules(facts.winner.genome)).itertext())
