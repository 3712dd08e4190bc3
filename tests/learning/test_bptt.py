"""Backpropagation through time, against torch's own Adam on a network unrolled by hand."""

import dataclasses
from itertools import pairwise

import pytest
import torch
from torch_fakes import defaults

from evogen.connectome.birth import Birth
from evogen.connectome.synaptogen import SynaptoGen
from evogen.grammar.plan import Plan, Projection
from evogen.keys import Key
from evogen.learning.bptt import BPTT
from evogen.phenotype import Development, develop, embryo
from evogen.plasticity.local import Local
from evogen.plasticity.none import NoRule
from evogen.registry import known
from evogen.tasks import Fold
from evogen.tasks.sequences import lived
from evogen.testing import tiny


def phenotype(rows, *, recurrent, dtype=torch.float64):
    """A layer of seven units that hears itself, or not."""
    rules = {name: part() for name, part in known("rule").items()}
    how = Development(tiny.FREE, rules, Key(0).child("tiny"), dtype)
    embryos = []
    for number in range(rows):
        genome = tiny.genome(number, rules=False)
        plan = tiny.plan(genome, tiny.Recall())
        if recurrent:
            own = Projection(1, 1, plan.projections[0].gene)
            plan = Plan(plan.groups, (*plan.projections, own))
        embryos.append(embryo(how, genome, plan))
    return develop(how, embryos)


def keys(rows):
    return [Key(5).child(row) for row in range(rows)]


def test_a_recurrent_layer_learns_to_remember_and_a_layer_without_memory_cannot():
    learner, task = BPTT(updates=150, batch=16, learning_rate=0.03), tiny.Recall()
    found = {}
    for recurrent in (False, True):
        body = phenotype(2, recurrent=recurrent, dtype=torch.float32)
        fit = learner.fit(body, task, keys(2), defaults(learner, 2, torch.float32))
        found[recurrent] = task.score(body.network(fit.flat).detach(), keys(2), Fold.REPORT)
        assert fit.curve.shape == (2, 40)
        assert fit.steps.tolist() == [150 * 16] * 2
        assert not recurrent or (fit.curve[:, -1] > 0.95).all()
    assert (found[True] > 0.95).all()
    assert (found[False] < 0.75).all()


def test_updates_are_torchs_adam_through_the_whole_sequence():
    learner, task = BPTT(updates=5, batch=8, clip=1e6), tiny.Recall()
    body = phenotype(1, recurrent=True)
    fit = learner.fit(body, task, keys(1), defaults(learner, 1, torch.float64))
    flat = body.flat.clone().requires_grad_()
    optimiser = torch.optim.Adam([flat], lr=learner.learning_rate)
    for number in range(5):
        asked = task.sequences([keys(1)[0].child("update", number)], 8, "train")
        network = body.network(flat)
        state = network.start(8)
        for t in range(3):
            output, state = network.step(asked.inputs[:, :, t], state)
        loss = torch.nn.functional.cross_entropy(output[0], asked.targets[0, :, 2])
        optimiser.param_groups[0]["lr"] = learner.learning_rate * (1 - number / 5)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    # the padding of a row is untouched by both
    torch.testing.assert_close(fit.flat, flat.detach(), rtol=1e-6, atol=1e-9)


def test_the_gradient_of_a_sequence_is_that_of_finite_differences():
    body, task = phenotype(1, recurrent=True), tiny.Recall()
    asked = task.sequences(keys(1), 2, "train")
    own = body.trainable(0)

    def loss(entries):
        flat = body.flat.clone()
        flat[0, own] = entries
        return task.loss(lived(body.network(flat), asked.inputs), asked)

    assert torch.autograd.gradcheck(loss, body.flat[0, own].clone().requires_grad_())


def test_training_through_the_noise_of_birth_looks_at_other_agents():
    rules = {name: part() for name, part in known("rule").items()}
    fits = []
    for training in ("mean", "noise"):
        law = Birth(training=training)
        how = Development(SynaptoGen(), rules, Key(0).child("tiny"), torch.float32, birth=law)
        genome = tiny.genome(0)
        body = develop(how, [embryo(how, genome, tiny.plan(genome, tiny.Recall()))])
        learner = BPTT(updates=2, batch=8)
        fits.append(learner.fit(body, tiny.Recall(), keys(1), defaults(learner, 1, torch.float32)))
    assert fits[1].flat.isfinite().all()
    assert not torch.equal(fits[0].flat, fits[1].flat)


@pytest.mark.parametrize("updates", [1, 7, 40, 90])
def test_every_update_is_in_one_point_of_the_curve(updates):
    @dataclasses.dataclass(frozen=True)
    class Counting(tiny.Recall):
        """Scores the number of times that it was asked."""

        def rate(self, output, asked):
            seen.append(len(seen) + 1.0)
            return torch.full((1,), seen[-1], dtype=torch.float64)

    seen = []
    learner = BPTT(updates=updates, batch=1)
    fit = learner.fit(phenotype(1, recurrent=False), Counting(), keys(1), defaults(learner, 1, torch.float64))
    points = min(40, updates)
    ends = [-(-point * updates // points) for point in range(points + 1)]
    means = [sum(seen[a:b]) / (b - a) for a, b in pairwise(ends)]
    assert fit.curve[0].tolist() == pytest.approx(means)


def changed(body, fit):
    """Return the names of the slots of which an entry moved."""
    moved = (fit.flat != body.flat).any(0)
    return {slot.name for slot in body.slots if moved[slot.start : slot.start + slot.size].any()}


def test_numbers_that_neurons_own_are_learnt_too():
    rules = {name: part() for name, part in known("rule").items()}
    how = Development(tiny.FREE, rules, Key(0).child("tiny"), torch.float32)
    genome = tiny.genome(0, rules=False)
    plan = tiny.plan(genome, tiny.Recall(), neuron="stpn")
    layer = plan.groups[1]._replace(activation="identity")
    own = Projection(1, 1, plan.projections[0].gene)
    groups = (plan.groups[0], layer, plan.groups[2])
    plan = Plan(groups, (*plan.projections, own))
    body = develop(how, [embryo(how, genome, plan)])
    learner = BPTT(updates=3, batch=8)
    fit = learner.fit(body, tiny.Recall(), keys(1), defaults(learner, 1, torch.float32))
    # of three steps the first hears nothing of itself, so that no trace of its own is old enough to decay
    own = {"0>1.stpn:Lambda", "0>1.stpn:Gamma", "1>1.stpn:Gamma"}
    assert changed(body, fit) == own | {"0>1.W", "1>1.W", "1>2.W", "1.b", "2.b"}


def test_coefficients_of_plasticity_are_learnt_where_they_are_tuned():
    coefficients = {}
    for granularity in ("layer", "synapse"):
        rule = Local(terms=("A", "decay"), granularity=granularity, tuned={"A": 0.1, "eta": 0.01})
        how = Development(tiny.FREE, {"none": NoRule(), "local": rule}, Key(0).child("tiny"), torch.float32)
        genome = tiny.genome(0, rules=False)
        body = develop(how, [embryo(how, genome, tiny.plan(genome, tiny.Recall(), rule="local"))])
        learner = BPTT(updates=3, batch=8)
        fit = learner.fit(body, tiny.Recall(), keys(1), defaults(learner, 1, torch.float32))
        coefficients[granularity] = {name for name in changed(body, fit) if "local" in name}
    assert coefficients["layer"] == {f"{level}.local~{name}" for level in (1, 2) for name in ("A", "eta")}
    assert coefficients["synapse"] == {
        f"{pair}.local~{name}" for pair in ("0>1", "1>2") for name in ("A", "eta")
    }
