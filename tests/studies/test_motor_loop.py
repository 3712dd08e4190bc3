"""The arms of `motor-loop`: their graphs, their sizes and what they are said to cost."""

import numpy as np
import pytest
import torch

from evogen.keys import Key
from evogen.studies import motor_loop
from evogen.studies.baselines.spiking import Blocks
from evogen.tasks.synthetic_reach import SyntheticReach

KEYS = [Key(2).child(row) for row in range(2)]
TASK = SyntheticReach()


def test_arms_have_about_as_many_parameters():
    wanted = motor_loop.model_of("loop", TASK).parameters
    for arm in ("flat", "gru", "lstm"):
        assert motor_loop.model_of(arm, TASK).parameters == pytest.approx(wanted, rel=0.03)
    open_ = motor_loop.model_of("no-feedback", TASK)
    assert wanted - open_.parameters == 3 * 12 * 32


def test_the_loop_is_closed_by_its_feedback_alone():
    def reached(edges):
        found = {motor_loop.PREMOTOR, motor_loop.SOMATOSENSORY, motor_loop.THALAMUS}
        while more := {post for pre, post in edges if pre in found} - found:
            found |= more
        return found

    assert motor_loop.M1 in reached(motor_loop.LOOP.edges)
    assert motor_loop.M1 not in reached(motor_loop.LOOP.without(*motor_loop.FEEDBACK).edges)


def test_a_gru_pays_for_every_weight_at_every_step():
    model = motor_loop.model_of("gru", TASK)
    hidden = model.cell.hidden
    drawn = TASK.sequences(KEYS, 3, "test")
    cost = motor_loop.watched(model, model.start(KEYS), drawn.inputs).picojoules
    assert cost.tolist() == pytest.approx([4.6 * (40 * 3 * hidden + 3 * hidden**2 + 4 * hidden)] * 2)


def test_a_spiking_network_pays_for_its_spikes_and_for_a_readout_of_traces():
    model = motor_loop.model_of("loop", TASK)
    drawn = TASK.sequences(KEYS, 3, "test")
    flat = model.start(KEYS)
    seen = motor_loop.watched(model, flat, drawn.inputs)
    values, cell = model.values(flat), model.cell
    assert isinstance(cell, Blocks)
    state, total = cell.start(values, 3), torch.zeros(2, dtype=torch.float64)
    for step in drawn.inputs.unbind(2):
        state = cell.step(values, step, state).state
        reached = (state[3] != 0).sum(-1)  # (P, neurons)
        total += 0.9 * (state[1].sum(1).double() * reached).sum(-1) + 0.9 * 32 * step.sum((1, 2)).double()
    torch.testing.assert_close(seen.picojoules, total / (3 * 25) + 4.6 * 32 * 4)
    torch.testing.assert_close(seen.output, model.live(flat, drawn.inputs))


def test_the_ideal_observer_is_ahead_of_what_is_hardly_trained():
    sizes = {"updates": 1, "batch": 4, "asked": 100}
    ideal, loop = (motor_loop.measure("reach", arm, [1, 2], sizes) for arm in ("reference", "loop"))
    assert min(ideal["at_50"]) > max(loop["at_50"])
    assert set(loop) == {*ideal, "energy", "tuned", "tuned_before", "gained", "tuned_cut"}
    assert loop["gained"] == pytest.approx(np.subtract(loop["tuned"], loop["tuned_before"]))
