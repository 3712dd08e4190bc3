"""Local learning against autograd and closed limits."""

import dataclasses

import numpy as np
import pytest
import torch

from evogen.connectome import direct
from evogen.errors import DevelopmentError, SpecError
from evogen.grammar.plan import INPUT, OUTPUT, Group, Plan, Projection
from evogen.keys import Key
from evogen.learning.errors import Transport
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
from evogen.phenotype import Development, develop, embryo
from evogen.registry import known
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


@pytest.mark.parametrize("neuron", [name for name in known("neuron") if name != "rate"])
def test_networks_of_other_neurons_are_refused(neuron):
    """Activities are found by f(u) alone, which knows nothing of winners, dendrites or trained slopes."""
    genome = tiny.genome(0, rules=False)
    plan = tiny.plan(genome, BLOBS)
    layer = plan.groups[1]._replace(neuron=neuron, activation="identity")
    how = Development(direct.Direct(), {}, Key(0).child("others"))
    plan = dataclasses.replace(plan, groups=(plan.groups[0], layer, plan.groups[2]))
    phenotype = develop(how, [embryo(how, genome, plan)])
    with pytest.raises(DevelopmentError, match="wanted rate neurons"):
        Local().fit(phenotype, BLOBS, tiny.keys([0]), {})


def stacked(activations, sizes=(7, 5), *, skips=False, first=0):
    """One candidate an activation function: in -> 7 -> 5 -> out, and perhaps from the first layer to out."""
    rules = {name: part() for name, part in known("rule").items()}
    how, embryos = Development(direct.Direct(), rules, Key(0).child("stacked")), []
    for number, activation in enumerate(activations, first):
        genome = tiny.genome(number, rules=False)
        interface, gene = (item.innovation for item in genome.genes())
        layers = [Group(gene, f"l{at}", size, activation) for at, size in enumerate(sizes)]
        groups = (Group(interface, INPUT, BLOBS.inputs), *layers, Group(interface, OUTPUT, BLOBS.outputs))
        links = [Projection(at, at + 1, gene) for at in range(3)] + [Projection(1, 3, gene)] * skips
        embryos.append(embryo(how, genome, Plan(groups, tuple(links))))
    return develop(how, embryos)


def asked(learner, phenotype, first=0):
    """What a learner asks of these candidates at a few examples, and what it sends errors by."""
    numbers = range(first, first + phenotype.rows)
    x, y = (part[:20].expand(phenotype.rows, *part[:20].shape).clone() for part in BLOBS.examples("train"))
    fixed = learner.fixed(phenotype, tiny.keys(numbers))
    return learner.updates(phenotype.network(phenotype.flat).detach(), x, y, fixed)[0], fixed


@pytest.mark.parametrize("gamma", [0.1, 0.01])
def test_contrastive_hebbian_learning_is_back_propagation_where_synapses_skip_levels(gamma):
    phenotype = stacked(["tanh"] * 3, skips=True)
    found, _ = asked(Local(error=NoError(), schedule=Clamped(gamma=gamma, steps=20)), phenotype)
    wanted, _ = asked(Local(error=Backpropagation()), phenotype)
    parts = [
        [update * mask for update, mask in zip(each, phenotype.masks, strict=False)]
        for each in (found, wanted)
    ]
    assert (cosine(*parts) > 0.99).all()


def test_random_feedback_goes_the_way_of_the_synapses_level_by_level():
    """A layout has a link from every level to the output; what has no synapses there hears nothing by it."""
    phenotype = stacked(["tanh"])
    found, fixed = asked(Local(error=Feedback()), phenotype)
    network = phenotype.network(phenotype.flat).detach()
    at = {(link.pre, link.post): number for number, link in enumerate(phenotype.layout.links)}
    assert (1, 3) in at
    x, y = (part[:20].numpy() for part in BLOBS.examples("train"))
    W = {pair: network.weights[number][0].numpy() for pair, number in at.items()}
    B = {pair: fixed.source[number][0].numpy() * (W[pair] != 0) for pair, number in at.items()}
    b = [part[0].numpy() for part in network.biases]
    first = np.tanh(x @ W[0, 1] + b[0])
    second = np.tanh(first @ W[1, 2] + b[1])
    e = np.eye(3)[y] - torch.softmax(torch.from_numpy(second @ W[2, 3] + b[2]), -1).numpy()
    q2 = (1 - second**2) * (e @ B[2, 3].T)
    q1 = (1 - first**2) * (q2 @ B[1, 2].T)
    np.testing.assert_allclose(found[at[0, 1]][0].numpy(), x.T @ q1 / 20, atol=1e-6)


@pytest.mark.parametrize(
    "learner",
    [
        Local(error=NoError()),
        Local(error=Direct()),
        Local(error=Feedback()),
        Local(error=Prediction(path=Transport.RANDOM), schedule=Settle(steps=3)),
        Local(error=NoError(), schedule=Clamped(path=Transport.RANDOM)),
    ],
    ids=lambda learner: f"{type(learner.error).__name__}-{type(learner.schedule).__name__}",
)
def test_padding_which_fires_as_others_in_the_cohort_do_changes_no_bit(learner):
    """Padding takes the first activation function of its level in the cohort, and gauss is 1 at rest."""
    functions = ["tanh", "gauss", "sigmoid"]
    together, _ = asked(learner, stacked(functions))
    for row in range(3):
        alone, _ = asked(learner, stacked([functions[row]], first=row), row)
        for ours, theirs in zip(alone, together, strict=True):
            assert torch.equal(ours[0], theirs[row])
    phenotype = stacked(functions)
    for at, part in enumerate(together[len(phenotype.masks) :], 1):
        assert not part[:, phenotype.bodies[0].sizes[at] :].any()
