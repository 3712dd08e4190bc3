"""Local learning against autograd and closed limits."""

import dataclasses

import numpy as np
import pytest
import torch

from evogen.errors import DevelopmentError, SpecError
from evogen.keys import Key
from evogen.learning.errors.backpropagation import Backpropagation
from evogen.learning.errors.direct import Direct
from evogen.learning.errors.feedback import Feedback
from evogen.learning.errors.none import NoError
from evogen.learning.errors.output import OutputError
from evogen.learning.errors.prediction import Prediction
from evogen.learning.local import Local
from evogen.learning.schedules.clamped import Clamped
from evogen.learning.schedules.settle import Settle
from evogen.learning.schedules.single import Single
from evogen.metrics.alignment import alignment
from evogen.studies.nets import Layer, Net
from evogen.tasks import Fold, TaskKind
from evogen.tasks.digits import Digits
from evogen.testing import local, tiny

BLOBS = tiny.TASKS[TaskKind.CLASSIFICATION]


def descent():
    """Minus the gradient of the cross-entropy in every weight and bias, by autograd."""
    phenotype = tiny.phenotype(BLOBS)
    network = phenotype.network(phenotype.flat)
    parts = [part.detach().requires_grad_() for part in (*network.weights, *network.biases)]
    links = len(network.weights)
    network = dataclasses.replace(network, weights=tuple(parts[:links]), biases=tuple(parts[links:]))
    x, y = (part[: local.EXAMPLES] for part in BLOBS.examples("train"))
    output = network.forward(x.expand(3, *x.shape))
    loss = torch.nn.functional.cross_entropy(output.flatten(0, 1), y.repeat(3), reduction="none")
    return [-part for part in torch.autograd.grad(loss.mean() * 3, parts)]


def cosine(found, wanted):
    flat = [torch.cat([part.flatten(1) for part in parts], 1) for parts in (found, wanted)]
    return torch.nn.functional.cosine_similarity(*flat, dim=1)


def test_back_propagation_is_the_gradient_of_autograd():
    found = local.updates(Local(error=Backpropagation()))
    for ours, theirs in zip(found, descent(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("nudge", [0.1, 0.01])
def test_predictive_coding_is_back_propagation_where_the_error_is_small(nudge):
    learner = Local(error=Prediction(), schedule=Settle(steps=200, nudge=nudge))
    assert (cosine(local.updates(learner), descent()) > 0.99).all()


def test_predictive_coding_nears_back_propagation_the_longer_it_settles():
    found = [
        cosine(
            local.updates(Local(error=Prediction(), schedule=Settle(steps=steps, nudge=0.01))), descent()
        ).mean()
        for steps in (1, 5, 20, 100)
    ]
    assert np.all(np.diff(found) > 0)


def test_before_it_settles_prediction_knows_the_error_of_the_output_only():
    once = local.updates(Local(error=Prediction(), schedule=Settle(steps=1, pace=1e-4)))
    for ours, delta in zip(once, local.updates(Local(error=OutputError())), strict=True):
        torch.testing.assert_close(ours, delta, rtol=0, atol=1e-4)


@pytest.mark.parametrize("gamma", [0.1, 0.01])
def test_contrastive_hebbian_learning_is_back_propagation_with_weak_feedback(gamma):
    learner = Local(error=NoError(), schedule=Clamped(gamma=gamma))
    assert (cosine(local.updates(learner), descent()) > 0.99).all()


def test_the_output_source_teaches_the_last_synapses_exactly_and_no_others():
    found, wanted = local.updates(Local(error=OutputError())), descent()
    layout = tiny.phenotype(BLOBS).layout
    last = len(layout.levels) - 1
    for link, ours, theirs in zip(layout.links, found, wanted, strict=False):
        if link.post == last:
            torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-6)
        else:
            assert not ours.any()


def test_random_feedback_with_the_network_s_own_weights_would_be_back_propagation():
    learner = Local(error=Feedback())
    phenotype = tiny.phenotype(BLOBS)
    network = phenotype.network(phenotype.flat).detach()
    x, y = (
        part[: local.EXAMPLES].expand(3, *part[: local.EXAMPLES].shape) for part in BLOBS.examples("train")
    )
    fixed = learner.fixed(phenotype, tiny.keys())._replace(source=network.weights)
    for ours, theirs in zip(learner.updates(network, x, y, fixed)[0], descent(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-6)


def test_hebb_s_update_is_the_product_of_what_neurons_say():
    phenotype = tiny.phenotype(BLOBS)
    network = phenotype.network(phenotype.flat)
    x, y = (part[: local.EXAMPLES] for part in BLOBS.examples("train"))
    said = [part.detach().numpy() for part in network.activity(x.expand(3, *x.shape), {})]
    said[-1] = np.eye(said[-1].shape[-1])[y.numpy()][None].repeat(3, 0)
    for link, found in zip(phenotype.layout.links, local.updates(Local(error=NoError())), strict=False):
        wanted = np.einsum("pbi,pbj->pij", said[link.pre], said[link.post]) / len(x)
        np.testing.assert_allclose(found.numpy(), wanted, atol=1e-6)


@pytest.mark.parametrize(
    ("error", "schedule", "least"),
    [
        (Backpropagation(), Single(), 0.93),
        (Feedback(), Single(), 0.9),
        (Direct(), Single(), 0.9),
        (Prediction(), Settle(), 0.93),
        (NoError(), Clamped(), 0.93),
    ],
    ids=lambda part: type(part).__name__ if dataclasses.is_dataclass(part) else "",
)
def test_it_learns_digits(error, schedule, least):
    learner, digits = Local(error=error, schedule=schedule, epochs=5), Digits()
    phenotype = Net((Layer(32),)).phenotype(digits, range(3), Key(1))
    values = {"learning_rate": torch.full((3,), 0.01), "noise": torch.zeros(3)}
    fit = learner.fit(phenotype, digits, tiny.keys(), values)
    with torch.no_grad():
        assert digits.score(phenotype.network(fit.flat), tiny.keys(), Fold.SEARCH).min() > least


def test_feedback_comes_to_align_with_the_gradient():
    """Lillicrap et al. 2016: forward weights turn towards the random ones that carry errors back."""
    learner, digits = Local(error=Feedback(), epochs=5), Digits()
    phenotype = Net((Layer(32),)).phenotype(digits, range(3), Key(1))
    values = {"learning_rate": torch.full((3,), 0.01), "noise": torch.zeros(3)}
    fit = learner.fit(phenotype, digits, tiny.keys(), values)
    x, y = (part[:100].expand(3, *part[:100].shape) for part in digits.examples("train"))
    before, after = (
        alignment(learner, phenotype, flat, tiny.keys(), x, y) for flat in (phenotype.flat, fit.flat)
    )
    assert (after > before + 0.2).all()


@pytest.mark.parametrize(
    ("error", "schedule"),
    [(Prediction(), Single()), (Feedback(), Settle()), (Backpropagation(), Clamped())],
)
def test_an_error_source_that_a_schedule_cannot_use_is_refused(error, schedule):
    with pytest.raises(SpecError, match="wanted"):
        Local(error=error, schedule=schedule).check(BLOBS)


def test_networks_with_memory_are_refused():
    phenotype = tiny.phenotype(BLOBS, rule="abcd")
    with pytest.raises(DevelopmentError, match="without plastic"):
        Local().fit(phenotype, BLOBS, tiny.keys(), {})
