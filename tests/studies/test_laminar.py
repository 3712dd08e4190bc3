"""The trial of the laminar column: what a seed's numbers depend on, and what first weights may be."""

from __future__ import annotations

import pytest
import torch

from evogen.keys import Key
from evogen.studies import laminar
from evogen.studies.laminar import ARMS, FULL, INNATE, measure

SIZES = {"epochs": 1}


@pytest.mark.parametrize("arm", ["full", "no layernorm"])
def test_numbers_are_those_of_one_choice_for_all_seeds(arm):
    found = measure("digits", arm, [0, 1], SIZES)
    assert len(set(found["rate"])) == len(set(found["innate"])) == 1
    assert found["innate"][0] == pytest.approx(INNATE[0]) or found["innate"][0] == pytest.approx(INNATE[1])


def test_without_layernorm_smaller_first_weights_say_less_and_with_it_the_same():
    keys, images = [Key(0)], torch.from_numpy(Key(1).generator().normal(size=(1, 5, 64))).float()
    for arm, same in (("full", True), ("no layernorm", False)):
        column = laminar._column([0], ARMS[arm][1])
        w = column.born(keys)
        _, large = column.lived(w, images, None)
        _, small = column.lived(w | {"W": 0.3 * w["W"], "in": 0.3 * w["in"]}, images, None)
        assert torch.allclose(large, small, rtol=1e-3, atol=1e-3) is same


def test_a_seed_has_a_mask_and_a_split_of_its_own():
    column = laminar._column([laminar.FIRST, laminar.FIRST + 1], FULL)
    assert not torch.equal(column.mask[0], column.mask[1])
