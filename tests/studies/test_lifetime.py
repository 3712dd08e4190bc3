from __future__ import annotations

import pytest

from evogen.studies.lifetime import ARMS, net
from evogen.studies.neuromodulation import net as modulated
from evogen.studies.small import Net, grown, roots
from evogen.tasks.cartpole import CartPole
from evogen.tasks.cue_reward import CueReward

TASK = CartPole(horizon=20, normalised=False)


@pytest.mark.parametrize("arm", ARMS)
def test_every_arm_develops_with_the_weights_of_the_static_one(arm):
    keys = roots("lifetime", "cartpole", [0, 1])
    plastic, static = (grown(net(name), TASK, keys) for name in (arm, "rate-static"))
    for ours, theirs in zip(
        plastic.network(plastic.flat).weights, static.network(static.flat).weights, strict=True
    ):
        assert ours.equal(theirs)


def test_plastic_synapses_are_those_into_the_hidden_layer():
    for arm in ARMS:
        first, readout = grown(net(arm), TASK, roots("lifetime", "cartpole", [0])).layout.links
        assert first.rules == (() if arm.endswith("static") else ("local",))
        assert readout.rules == ()


def test_coefficients_of_a_synapse_are_parameters():
    body = grown(net("rate-abcd"), TASK, roots("lifetime", "cartpole", [0]))
    assert {slot.name for slot in body.slots} >= {f"0>1.local~{name}" for name in "ABCD"}


def test_seeds_differ_and_a_seed_is_itself_in_any_company():
    keys = roots("lifetime", "cartpole", [0, 1, 2])
    together, alone = grown(Net(8), TASK, keys), grown(Net(8), TASK, keys[1:2])
    assert together.flat[1].equal(alone.flat[0])
    assert not together.flat[0].equal(together.flat[1])


def test_a_modulator_is_learnt_by_the_modulated_arm_alone():
    world, keys = CueReward(trials=3), roots("neuromodulation", "cue-reward", [0])
    found = {
        name: {slot.name for slot in grown(modulated(f"rate-{name}"), world, keys).slots}
        for name in ("none", "plastic", "modulated")
    }
    assert {name for name in found["modulated"] if "modulator" in name}
    assert not {name for name in found["plastic"] if "modulator" in name}
    assert found["none"] < found["plastic"] < found["modulated"]
