import pytest
import torch

from evogen.keys import Key
from evogen.tasks import Fold
from evogen.tasks.converter import Converter, levels, nonlinearity, rising

KEYS = [Key(0).child("row", row) for row in range(2)]


def said(codes, bits):
    """Outputs (1, B, 1, bits) that say these codes."""
    shifts = torch.arange(bits - 1, -1, -1)
    return (((torch.tensor(codes)[:, None] >> shifts) & 1) * 2.0 - 1)[None, :, None]


def test_codes_are_those_of_the_concentration_in_binary():
    task = Converter(bits=3)
    c = torch.tensor([0.0, 0.124, 0.126, 0.5, 0.74, 0.999])
    assert task.bits_of(c).tolist() == [[0, 0, 0], [0, 0, 0], [0, 0, 1], [1, 0, 0], [1, 0, 1], [1, 1, 1]]
    assert levels(said([0, 3, 5, 7], 3)).tolist() == [[0, 3, 5, 7]]


def test_a_concentration_stays_and_only_its_last_step_counts():
    asked = Converter(steps=4).sequences(KEYS, 50, "train")
    assert (asked.inputs == asked.inputs[:, :, :1]).all()
    assert asked.weight.sum(2).eq(1).all()
    assert asked.weight[..., -1].eq(1).all()
    assert asked.inputs.min() >= 0
    assert asked.inputs.max() < 1


def test_outside_of_training_concentrations_fill_the_range_evenly():
    c = Converter().sequences(KEYS, 64, "test").inputs[:, :, 0, 0]
    assert torch.equal((c * 64).floor(), torch.arange(64.0).expand(2, -1))


class Perfect:
    """An agent that knows the code."""

    rows, device, dtype = 2, torch.device("cpu"), torch.float32

    def __init__(self, task, wrong=0.0):
        self.task, self.wrong = task, wrong

    def start(self, batch):
        return {}

    def step(self, observation, state):
        bits = self.task.bits_of((observation[..., 0] + self.wrong).clamp(0, 0.999))
        return bits * 2 - 1, state

    live = step


@pytest.mark.parametrize("bits", [2, 3])
def test_who_knows_the_code_scores_1_and_loses_little(bits):
    task = Converter(bits=bits, asked=512)
    assert task.score(Perfect(task), KEYS, Fold.REPORT).tolist() == [1, 1]
    off = task.score(Perfect(task, 0.25 / 2**bits), KEYS, Fold.REPORT)  # the last code has no upper end
    assert off.tolist() == pytest.approx([1 - 0.25 * (1 - 2**-bits)] * 2, abs=0.01)


def test_the_loss_is_the_cross_entropy_of_a_bit():
    task = Converter(steps=1)
    asked = task.sequences(KEYS, 3, "train")
    output = torch.zeros(2, 3, 1, 2)
    assert task.loss(output, asked).tolist() == pytest.approx([0.6931472] * 2)


def test_what_is_not_finite_is_no_code():
    task = Converter(steps=1)
    asked = task.sequences(KEYS, 3, "train")
    output = torch.zeros(2, 3, 1, 2)
    output[0, 1, 0, 0] = torch.nan
    assert task.rate(output, asked).isnan().tolist() == [True, False]


def test_the_nonlinearity_of_known_converters():
    c = (torch.arange(800) + 0.5) / 800
    ideal = (c * 4).floor().long()
    late = torch.bucketize(c, torch.tensor([0.25, 0.6, 0.75]))  # the middle transition is 0.4 of a step late
    missing = torch.where(ideal == 2, 3, ideal)
    found = nonlinearity(torch.stack([ideal, late, missing, torch.zeros_like(ideal)]), 2)
    assert found.tolist() == pytest.approx([0, 0.4, 1, 3], abs=0.01)


def test_falling_codes_are_counted():
    assert rising(torch.tensor([[0, 1, 1, 3, 2], [0, 0, 0, 0, 0]])).tolist() == [0.75, 1]
