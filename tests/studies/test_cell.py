from __future__ import annotations

import math
from dataclasses import asdict, replace

import numpy as np
import pytest
import torch

from evogen.genetics.adhesion import adhesion_mask
from evogen.keys import Key
from evogen.studies.arms import ARMS
from evogen.studies.cell import Cell, train
from evogen.studies.founders import SHUFFLES, bodies, founder, root
from evogen.studies.recipes import RECIPES, Effort
from evogen.studies.regimes import BIOLOGICAL
from evogen.studies.sweep import DEGREES, relative_noise, sweep

BY_NAME = {arm.name: arm for arm in ARMS}


def test_a_seed_is_the_same_in_any_number_of_seeds() -> None:
    cell = Cell("cartpole", BY_NAME["noise"], Effort(3, 2, 1, 1, 0.01))
    three, two = train(cell), train(replace(cell, effort=Effort(2, 2, 1, 1, 0.01)))
    for regime, scores in two.scores.items():
        assert np.array_equal(scores, three.scores[regime][:2])
    assert two.genomes == three.genomes[:2]
    assert np.array_equal(two.sweep["born"], three.sweep["born"][:2])


@pytest.mark.parametrize("task", RECIPES)
def test_learners_spend_equal_steps(task: str) -> None:
    recipe = RECIPES[task]
    for part in (1.0, 0.4):
        ppo = recipe.learner("ppo", part)
        spent = ppo.iterations * ppo.environments * ppo.horizon  # type: ignore[attr-defined]
        others = ["snes"] if recipe.dqn is None else ["snes", "dqn"]
        assert [recipe.learner(name, part).steps for name in others] == [spent] * len(others)  # type: ignore[attr-defined]


def test_arms_of_equal_shape_begin_with_equal_networks() -> None:
    task = RECIPES["cartpole"].play(1)
    key = root("cartpole", 0)
    flats = [
        bodies(BY_NAME[name], task, [founder(BY_NAME[name], 0, key)]).flat
        for name in ("noise", "mean", "dqn")
    ]
    assert torch.equal(flats[0], flats[1])
    assert torch.equal(flats[0], flats[2])


def test_masks_are_the_worms_and_its_five_shuffles() -> None:
    key = Key(0)
    rules = founder(BY_NAME["mask"], 0, key).rules
    _, mask = adhesion_mask()
    assert rules is not None
    assert np.array_equal(rules.mask, mask)
    masks = [founder(BY_NAME["shuffled"], seed, key).rules.mask for seed in range(2 * SHUFFLES)]  # type: ignore[union-attr]
    assert len({part.tobytes() for part in masks if part is not None}) == SHUFFLES
    assert all(part is not None and part.sum() == 47 for part in masks)


def test_relative_noise_falls_as_the_root_of_the_degree() -> None:
    task = RECIPES["cartpole"].play(1)
    body = bodies(BY_NAME["noise"], task, [founder(BY_NAME["noise"], 0, Key(0))])
    few, many = (
        relative_noise(replace(body, birth=replace(BIOLOGICAL.birth, degree=degree)))
        for degree in (30.0, 3e3)
    )
    assert few / many == pytest.approx(10, rel=1e-5)


def test_relative_noise_is_that_of_born_agents() -> None:
    # 200 agents x 768 weights: the ratio of sums has a standard error near 1 %
    task = RECIPES["cartpole"].play(1)
    body = bodies(BY_NAME["noise"], task, [founder(BY_NAME["noise"], 0, Key(0))])
    law = replace(BIOLOGICAL.birth, degree=100.0, agents=200)
    born, mean = body.agents(body.flat, [Key(1)], law), body.network(body.flat)
    spread = sum(
        float((W - E).square().mean(0).sum()) for W, E in zip(born.weights, mean.weights, strict=True)
    )
    power = sum(float(E.square().sum()) for E in mean.weights)
    assert math.sqrt(spread / power) == pytest.approx(relative_noise(replace(body, birth=law)), rel=0.05)


def test_agents_with_many_synapses_do_what_is_predicted() -> None:
    task = RECIPES["cartpole"].play(2)
    body = bodies(BY_NAME["noise"], task, [founder(BY_NAME["noise"], 0, Key(0))])
    found = sweep(body, task, Key(1), agents=3)
    assert found["born"].shape == found["predicted"].shape == (len(DEGREES), 3)
    assert np.all(np.diff(found["noise"]) < 0)
    # untrained agents fall soon; at 1e5 synapses both kinds differ from their mean by 1 %
    assert np.abs(found["born"][-1] - found["predicted"][-1]).max() <= 5


def test_settings_tell_cells_apart() -> None:
    noise = Cell("cartpole", BY_NAME["noise"], Effort())
    assert noise.settings() != replace(noise, effort=Effort(seeds=9)).settings()
    assert noise.settings()["arm"] == asdict(noise.arm)
    child = Cell("cartpole", BY_NAME["random"], Effort(), noise)
    assert child.settings()["parent"] == noise.settings()
