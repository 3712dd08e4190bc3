import base64

import numpy as np
import pytest

from evogen.genome import Rules, frozen
from evogen.report.facts import gather
from evogen.report.genetics import expression, probabilities, rules
from evogen.report.markup import element

from .searches import DIRECT
from .test_matrices import read


def drawn(parts):
    return element("div", *parts)


def images(root):
    return [read(base64.b64decode(item.get("href").partition(",")[2])) for item in root.iter("image")]


def test_probabilities_follow_the_equation_and_the_mask():
    O = frozen([[0.0, 0.1], [-0.2, 30.0]])
    P = 1 / (1 + np.exp(-np.array([[0.0, 1.0], [-2.0, 300.0]])))
    free = Rules((1, 2), O, frozen(np.zeros((1, 2))), temperature=0.1)
    assert probabilities(free) == pytest.approx(P, rel=1e-6)
    masked = Rules((1, 2), O, free.c, temperature=0.1, mask=frozen([[1, 0], [0, 1]]))
    assert probabilities(masked) == pytest.approx(P * np.eye(2), rel=1e-6)


def test_rules_show_the_matrix_and_each_transmitter_s_conductances(search):
    genome = gather(search()[0]).winner.genome
    root = drawn(rules(genome))
    assert images(root)[0].shape == (12 * 4, 12 * 4, 3)
    rows = [[item.text for item in row.iter("td")] for row in root.iter("tr")][1:]
    C = 1 / (1 + np.exp(-genome.rules.c.astype(float)))
    assert rows[1] == ["2", f"+{C[1, 2]:.3f}", f"−{C[1, 3]:.3f}"]
    assert len(rows) == 3


def test_expression_has_a_panel_for_every_group_from_input_to_output(search):
    winner = gather(search()[0]).winner
    root = drawn(expression(winner.genome))
    titles = [item.text for item in root.iter("h4")]
    assert [int(title.partition("(")[2][:-1]) for title in titles] == [g.size for g in winner.plan.groups]
    assert titles[0] == "in (4)"
    assert titles[-1] == "out (2)"


def test_free_weights_are_shown_one_panel_a_projection(search):
    winner = gather(search(text=DIRECT)[0]).winner
    root = drawn(expression(winner.genome))
    assert len(list(root.iter("h4"))) == len(winner.plan.projections)
    assert "weight" in [item.text for item in root.iter("text")]
    assert "no genetic rules" in "".join(drawn(rules(winner.genome)).itertext())
