import numpy as np
import pytest
import torch

from evogen.keys import Key
from evogen.studies.regulatory import GENES, Flowers, body_of, measure
from evogen.tasks.converter import Converter

SIZES = {
    "generations": 40,
    "population": 12,
    "sigma": 1.0,
    "updates": 80,
    "batch": 24,
    "steps": 3,
    "asked": 64,
}


@pytest.mark.parametrize("arm", ["hill", "hill-trained", "tanh"])
def test_a_seed_gives_alone_what_it_gives_in_company(arm):
    short = SIZES | {"generations": 3, "updates": 3}
    together, alone = measure("2 bits", arm, [4, 9], short), measure("2 bits", arm, [9], short)
    assert {name: values[1:] for name, values in together.items()} == alone


def test_genes_evolve_into_more_than_one_threshold_can_say():
    """One threshold a bit is right for half of the concentrations: the lower bit is one of two."""
    found = measure("2 bits", "hill", [1, 3], SIZES)
    assert max(found["accuracy"]) > 60
    assert measure("2 bits", "logistic", [1], SIZES)["accuracy"][0] < 60


def test_flowers_are_told_apart_in_a_fold_that_nobody_saw():
    found = measure("iris", "hill", [0, 1], SIZES)
    assert np.mean(found["accuracy"]) > 80
    assert found.keys() == {"accuracy", "parameters"}


def test_rows_of_flowers_have_folds_of_their_own_and_stay_for_all_steps():
    task, keys = Flowers((0, 1, 2, 3, 4), 3), [Key(0)] * 5
    test = task.sequences(keys, 1, "test")
    assert test.inputs.shape == (5, 30, 3, 4)
    assert (test.inputs == test.inputs[:, :, :1]).all()
    rows = {tuple(row) for row in test.inputs[:, :, 0].flatten(0, 1).mul(1e4).round().tolist()}
    assert len(rows) > 100  # scales differ a little between folds; some flowers are equal
    assert torch.equal(test.weight.sum(2), torch.ones(5, 30))


def test_what_is_searched_is_the_network_and_the_numbers_of_its_genes():
    task = Converter(bits=3)
    sizes = {arm: int(body_of(arm, task, [0]).trainable(0).sum()) for arm in ("hill", "tanh", "logistic")}
    network = GENES * (1 + GENES + 3) + GENES + 3
    assert sizes == {"hill": network + 4 * GENES, "tanh": network, "logistic": 2 * 3}
