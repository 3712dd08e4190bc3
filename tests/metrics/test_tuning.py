"""Cosine tuning: exact cosines are found, chance is what the F distribution says, scipy's fit agrees."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.optimize import curve_fit

from evogen.keys import Key
from evogen.metrics import measured
from evogen.metrics.tuning import CosineTuning, rates_of, tuning
from evogen.tasks import TaskKind
from evogen.tasks.synthetic_reach import SyntheticReach
from evogen.testing import metric, tiny

RNG = Key(0).child("tuning")


def circle(count):
    return np.arange(count) * 2 * math.pi / count


@pytest.mark.parametrize("directions", [4, 8, 9])
def test_a_cosine_is_found_as_it_is(directions):
    rates = 7 + 3 * np.cos(circle(directions)[:, None] - np.array([0.4, 5.0]))
    found = tuning(torch.from_numpy(rates))
    assert found.baseline.tolist() == pytest.approx([7, 7])
    assert found.modulation.tolist() == pytest.approx([3, 3])
    assert found.preferred.tolist() == pytest.approx([0.4, 5.0])
    assert found.explained.tolist() == pytest.approx([1, 1])
    assert found.depth.tolist() == pytest.approx([3 / 7, 3 / 7])


def test_noisy_rates_are_fitted_as_by_least_squares():
    rates = RNG.generator().normal(size=(8, 5))
    found = tuning(torch.from_numpy(rates))

    def cosine(angle, base, along, across):
        return base + along * np.cos(angle) + across * np.sin(angle)

    for unit in range(5):
        (base, along, across), _ = curve_fit(cosine, circle(8), rates[:, unit])
        miss = ((rates[:, unit] - cosine(circle(8), base, along, across)) ** 2).sum()
        explained = 1 - miss / ((rates[:, unit] - rates[:, unit].mean()) ** 2).sum()
        assert float(found.modulation[unit]) == pytest.approx(math.hypot(along, across), rel=1e-5)
        assert float(found.explained[unit]) == pytest.approx(explained, rel=1e-5)


@pytest.mark.parametrize("directions", [4, 8, 16])
def test_chance_passes_as_often_as_stated(directions):
    found = tuning(torch.from_numpy(RNG.child(directions).generator().normal(size=(directions, 20_000))))
    assert float(found.share(0.7)) == pytest.approx(0.3 ** ((directions - 3) / 2), abs=0.012)


def test_what_does_not_vary_is_not_tuned():
    rates = torch.ones(8, 2)
    rates[:, 1] += 0.1 * torch.from_numpy(np.cos(circle(8))).float()
    found = tuning(rates)
    assert found.explained[0].isnan()
    assert float(found.share(0.7)) == 0.5


def test_rates_are_means_for_each_direction():
    activity = torch.tensor([[[1.0, 0.0], [3.0, 2.0], [5.0, 5.0]]])
    found = rates_of(activity, torch.tensor([[1, 1, 0]]), 2)
    assert found.tolist() == [[[5.0, 5.0], [2.0, 1.0]]]
    assert rates_of(activity, torch.tensor([[1, 1, 1]]), 2)[0, 0].isnan().all()


def test_units_that_hear_a_cosine_tuned_population_are_tuned_and_deaf_ones_are_not():
    task = SyntheticReach(units=30, directions=8)
    body = tiny.phenotype(task)
    agents = body.network(body.flat).detach()
    subject = replace(metric.subject(TaskKind.SEQUENCE), task=task, phenotype=body, agents=agents, copies=1)
    found = measured([CosineTuning(lives=400)], subject)["cosine_tuned"]
    assert (found > 0.5).all()
    deaf = replace(agents, weights=(agents.weights[0] * 0, agents.weights[1]))
    silent = replace(subject, agents=deaf)
    assert measured([CosineTuning(lives=400)], silent)["cosine_tuned"].tolist() == [0, 0, 0]
