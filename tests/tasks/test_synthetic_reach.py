"""The synthetic population: its spikes follow its rates, and nothing beats the ideal observer."""

import numpy as np
import torch
from scipy.stats import poisson

from evogen.keys import Key
from evogen.tasks.synthetic_reach import SyntheticReach

KEYS = [Key(3).child(row) for row in range(2)]


def test_spikes_are_as_many_as_the_cosine_says():
    task = SyntheticReach(units=6, directions=8, bin=50.0, steps=4, noise=3.0)
    drawn = task.sequences(KEYS, 4000, "train")
    spikes, labels = drawn.inputs[0].mean(1).double().numpy(), drawn.targets[0, :, 0].numpy()
    baseline, modulation, preferred = task.population
    assert (modulation < baseline).all()
    for direction in range(8):
        rates = baseline + modulation * np.cos(direction * np.pi / 4 - preferred) + 3.0
        own = spikes[labels == direction]
        deviation = np.sqrt(rates * 0.05 / 4 / len(own))
        assert (abs(own.mean(0) - rates * 0.05) < 5 * deviation).all()


def test_the_ideal_observer_is_bayes_rule():
    task = SyntheticReach(units=5, steps=3, bin=20.0)
    drawn = task.sequences(KEYS, 10, "test")
    counts = drawn.inputs.double().cumsum(2).unsqueeze(-2).numpy()
    steps = np.arange(1, 4)[:, None, None]
    likelihood = poisson.logpmf(counts, steps * task.means).sum(-1)
    assert np.array_equal(task.ideal(drawn.inputs).numpy(), likelihood.argmax(-1))


def test_more_time_and_less_noise_tell_more():
    def right(**settings):
        task = SyntheticReach(**settings)
        drawn = task.sequences(KEYS[:1], 2000, "test")
        return (task.ideal(drawn.inputs) == drawn.targets).double().mean((0, 1))

    quiet, noisy = right(), right(noise=100.0)
    assert quiet[0] < 0.45
    assert quiet[-1] > 0.75
    assert noisy[-1] < quiet[-1] - 0.2


def test_a_population_is_that_of_its_seed():
    first, again, other = (SyntheticReach(population_seed=seed).population for seed in (1, 1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(first.preferred, other.preferred)


def test_targets_hold_at_every_step():
    drawn = SyntheticReach(directions=3).sequences(KEYS, 30, "train")
    assert torch.equal(drawn.targets, drawn.targets[..., :1].expand_as(drawn.targets))
    assert sorted(drawn.targets.unique().tolist()) == [0, 1, 2]
