from __future__ import annotations

import numpy as np
import pytest
import torch
from worm import torques

from evogen.studies import ncap
from evogen.tasks.swimmer import Swimmer

pytest.importorskip("mujoco")

SIZES = {"early": 2, "late": 4, "episodes": 1, "steps": 1000}


def answers(arm, seed=0, links=6, theta=None):
    """Return what an arm says at random observations, and these."""
    task = Swimmer(links=links)
    body = ncap.bodies(arm, [seed], task)
    flat = body.flat.clone()
    if theta is not None:
        flat[0, :4] = torch.tensor(theta)
    seen = torch.rand(1, 50, task.inputs, generator=torch.Generator().manual_seed(0))
    network = body.network(flat)
    return task.act(network.step(seen, network.start(50))[0])[0].numpy(), seen[0].double().numpy()


@pytest.mark.parametrize("links", [4, 6, 9])
@pytest.mark.parametrize("weights", [(1.0, 1.0, 1.0, -1.0), (0.6, 0.4, 1.7, -0.9)])
def test_the_circuit_says_what_its_equations_say(links, weights):
    said, seen = answers("ncap", links=links, theta=[abs(weight) for weight in weights])
    np.testing.assert_allclose(said, torques(seen, links - 1, weights), atol=1e-6)


@pytest.mark.parametrize("seed", range(15))
def test_flipped_circuits_have_the_signs_of_their_pattern(seed):
    pattern = ncap.PATTERNS[seed]
    weights = np.array([1.0, 1.0, 1.0, -1.0]) * pattern
    said, seen = answers("flipped", seed)
    np.testing.assert_allclose(said, torques(seen, 5, weights), atol=1e-6)


def test_every_pattern_has_a_wrong_sign():
    assert len(set(ncap.PATTERNS)) == 15
    assert (1, 1, 1, 1) not in ncap.PATTERNS


def test_magnitudes_are_drawn_for_each_seed():
    task = Swimmer()
    drawn = ncap.bodies("magnitudes", range(20), task).flat[:, :4]
    assert ((drawn > 0) & (drawn < 1)).all()
    assert len(drawn.unique()) == 80


@pytest.mark.parametrize("arm", ["mask", "rewired"])
def test_controls_are_drawn_for_each_seed_and_keep_the_count_of_edges(arm):
    task, seeds = Swimmer(), range(6)
    found = []
    for rows in ncap.alike(arm, seeds, task):
        body = ncap.bodies(arm, [seeds[row] for row in rows], task)
        weights = body.network(body.flat).weights
        found += [torch.cat([W[row].flatten() for W in weights]) for row in range(len(rows))]
    counts = {int((W != 0).sum()) for W in found}
    assert counts == {40}  # 30 with parameters, and each muscle to its torque
    assert len({tuple(torch.nonzero(W).flatten().tolist()) for W in found}) == 6


def test_shared_weights_are_carried_to_a_longer_body():
    short, long = (ncap.bodies("ncap", [0, 1], Swimmer(links=links)) for links in (6, 12))
    flat = short.flat.clone()
    flat[:, :4] = torch.tensor([[0.5, 0.6, 0.7, 0.8], [1.0, 2.0, 3.0, 4.0]])
    assert torch.equal(ncap.carried(short, flat, long)[:, :4], flat[:, :4])


def test_evogens_own_circuit_swims_before_training():
    task = Swimmer()
    body = ncap.bodies("ncap", [0, 1], task)
    found = ncap.returns(task, body, body.flat, [0, 1], SIZES)
    assert found.min() > 700
    alone = ncap.bodies("ncap", [1], task)
    assert ncap.returns(task, alone, alone.flat, [1], SIZES)[0] == found[1]


def test_a_cell_has_a_number_for_every_seed():
    sizes = {**SIZES, "steps": 20, "early": 8, "late": 16}
    for arm in ("mlp", "mask"):
        found = ncap.measure("swimmer", arm, [0, 1], sizes)
        assert ("transfer" in found) == (arm == "mlp")
        assert all(len(each) == 2 and np.isfinite(each).all() for each in found.values())
        assert found["parameters"] == ([581.0] * 2 if arm == "mlp" else [4.0] * 2)
