"""The trial of the protein reserve: distances, pairing, and what a seed's numbers depend on."""

from __future__ import annotations

import numpy as np
import pytest

from evogen.studies.reserve import TARGET, inputs, measure, octaves, roots

SIZES = {"seconds": 4}


def test_silence_is_further_from_the_target_than_twice_its_rate():
    found = octaves(np.array([TARGET, 2 * TARGET, TARGET / 2, 0.0]), 1000)
    assert found[:3] == pytest.approx([0, 1, 1])
    assert found[3] == pytest.approx(np.log2(20))  # half a spike in 1,000 ms, by ten


def test_a_seed_gives_alone_what_it_gives_in_company():
    together, alone = measure("poisson", "reserve", [4, 9], SIZES), measure("poisson", "reserve", [9], SIZES)
    assert {name: values[1:] for name, values in together.items()} == alone


def test_arms_hear_the_same_inputs_which_are_louder_in_the_second_half():
    keys = roots("poisson", [3])
    first, again, late = (inputs("poisson", keys, 4000, second) for second in (0, 0, 3))
    assert (first == again).all()
    assert late[..., 20:].mean() > 3 * first[..., 20:].mean()
