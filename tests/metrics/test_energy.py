"""Energy, against sums written out, and as a metric of candidates."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from evogen.keys import Key
from evogen.metrics import measured
from evogen.metrics.energy import Energy, _played, conductance, events, operations
from evogen.neurons import TICKS
from evogen.phenotype import Development, develop, embryo
from evogen.tasks import TaskKind
from evogen.testing import metric, tiny

RNG = Key(0).child("energy")


def test_conductance_is_the_sum_over_synapses():
    rng = RNG.generator()
    weights, signals = rng.normal(size=(2, 3, 4)), rng.normal(size=(2, 5, 3))
    wanted = [
        sum(
            abs(weights[p, i, j]) * signals[p, b, i] ** 2
            for b in range(5)
            for i in range(3)
            for j in range(4)
        )
        / 5
        for p in range(2)
    ]
    ours = conductance(torch.from_numpy(weights), torch.from_numpy(signals))
    assert ours.tolist() == pytest.approx(wanted)
    each = torch.from_numpy(weights).unsqueeze(1).expand(-1, 5, -1, -1)
    assert conductance(each, torch.from_numpy(signals)).tolist() == pytest.approx(wanted)


def test_spikes_cost_additions_and_other_signals_multiplications():
    assert events(torch.tensor([[2.0, 0.0], [1.0, 1.0]]), torch.tensor([3, 10])).tolist() == pytest.approx(
        [0.9 * 6, 0.9 * 13]
    )
    assert float(operations(torch.tensor(100.0))) == pytest.approx(460.0)


def test_an_ordinary_network_pays_for_every_weight_at_every_step():
    asked = metric.subject(TaskKind.CLASSIFICATION)
    found = measured([Energy()], asked)
    weights = sum((W != 0).sum((1, 2)) for W in asked.agents.weights).reshape(3, -1).double().mean(1)
    torch.testing.assert_close(found["picojoules"], 4.6 * weights)
    x, _ = asked.task.examples("validation")
    hidden = asked.agents.activity(x[:8].expand(6, -1, -1), {})
    wanted = conductance(asked.agents.weights[0], hidden[0]) + conductance(asked.agents.weights[1], hidden[1])
    torch.testing.assert_close(found["conductance"], wanted.reshape(3, -1).mean(1))


def firing(task):
    """Return networks with a layer of `lif` neurons."""
    how = Development(tiny.FREE, {}, Key(0).child("tiny"))
    embryos = []
    for number in range(3):
        genome = tiny.genome(number, rules=False)
        plan = tiny.plan(genome, task)
        layer = plan.groups[1]._replace(activation="identity", neuron="lif")
        embryos.append(embryo(how, genome, replace(plan, groups=(plan.groups[0], layer, plan.groups[2]))))
    found = develop(how, embryos)
    return found.network(found.flat).detach()


def test_a_spiking_layer_pays_for_its_spikes():
    task = tiny.TASKS[TaskKind.CLASSIFICATION]
    asked = metric.subject(TaskKind.CLASSIFICATION)
    spiking = firing(task)
    asked = replace(asked, agents=spiking, copies=1)
    found = measured([Energy()], asked)["picojoules"]
    x, _ = task.examples("validation")
    spikes = spiking.activity(x[:8].expand(3, -1, -1), {})[1].double() * TICKS
    fan_out = (spiking.weights[1] != 0).sum(-1)
    wanted = 4.6 * (spiking.weights[0] != 0).sum((1, 2)) + 0.9 * (spikes.mean(1) * fan_out).sum(-1)
    torch.testing.assert_close(found, wanted)
    assert (spikes.sum() > 0).all()
    assert np.isfinite(found.numpy()).all()


def test_episodes_and_sequences_are_lived_through():
    for kind in (TaskKind.CONTROL, TaskKind.CONTINUOUS, TaskKind.SEQUENCE):
        found = measured([Energy(lives=4, steps=3)], metric.subject(kind))
        assert (found["conductance"] > 0).all()
        assert (found["picojoules"] > 0).all()


def test_a_life_that_ends_begins_anew_without_its_memory():
    """Some walks end within their five steps; plastic synapses change in every step of one."""
    task = tiny.TASKS[TaskKind.CONTROL]
    agents = tiny.network(task, rule="abcd")
    states = [state["0.abcd"].clone() for _, state in _played(task, agents, tiny.keys(), 4, 12)]
    new = torch.stack([(part == 0).all(-1).all(-1) for part in states])  # (T, P, B)
    assert new[0].all()
    assert new[1:].any()
    assert not new[1:].all()
