from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from evogen.keys import Key
from evogen.metrics.robustness import Robustness, cut, dead, orders, shuffled
from evogen.phenotype import Development, develop, embryo
from evogen.plasticity.local import Local
from evogen.tasks import TaskKind
from evogen.testing import tiny
from evogen.testing.metric import subject


@pytest.fixture
def candidates():
    return subject(TaskKind.CONTROL)


def answers(agents, seen):
    return agents.step(seen, agents.start(seen.shape[1]))[0]


def seen(agents, inputs, batch=5):
    return torch.randn(agents.rows, batch, inputs, generator=torch.Generator().manual_seed(0))


def test_a_share_of_a_candidates_own_neurons_dies(candidates):
    for share in (0.0, 0.25, 1.0):
        lost = dead(candidates, share, candidates.streams("x"))
        for row in range(candidates.agents.rows):
            sizes = candidates.phenotype.bodies[row // candidates.copies].sizes[1:-1]
            assert sum(int(level[row].sum()) for level in lost) == round(share * sum(sizes))
            for level, size in zip(lost, sizes, strict=True):
                assert not level[row, size:].any()  # padding cannot die


def test_no_dead_neuron_is_heard_and_the_others_are(candidates):
    agents = tiny.network(tiny.TASKS[TaskKind.CONTROL])
    lost = [torch.zeros(agents.rows, level.size, dtype=torch.bool) for level in agents.layout.levels[1:-1]]
    assert torch.equal(answers(cut(agents, lost), seen(agents, 2)), answers(agents, seen(agents, 2)))
    lost[0][:, 0] = True
    network = cut(agents, lost)
    activity = network.activity(seen(agents, 2), network.start(5))
    assert not activity[1][..., 0].any()
    assert activity[1][..., 1:].any()
    for W, link in zip(network.weights, network.layout.links, strict=True):
        if link.pre == 1:
            assert not W[:, 0].any()
    everything = cut(agents, [~torch.zeros_like(level) for level in lost])
    said = answers(everything, seen(agents, 2))
    direct = [link for link in agents.layout.links if (link.pre, link.post) == (0, len(lost) + 1)]
    assert direct or torch.equal(said, agents.biases[-1][:, None, : said.shape[-1]].expand_as(said))


def test_a_dead_plastic_neuron_learns_nothing():
    agents = tiny.network(tiny.TASKS[TaskKind.CONTROL], rule="abcd")
    lost = [torch.zeros(agents.rows, level.size, dtype=torch.bool) for level in agents.layout.levels[1:-1]]
    lost[0][:, 1] = True
    network = cut(agents, lost)
    _, state = network.step(seen(agents, 2), network.start(5))
    fast = {name: part for name, part in state.items() if name.endswith(".abcd")}
    assert fast
    for number, link in enumerate(agents.layout.links):
        if link.pre == 1:
            assert not fast[f"{number}.abcd"][:, :, 1].any()
        if link.post == 1:
            assert not fast[f"{number}.abcd"][..., 1].any()


def test_no_dead_neuron_speaks_to_a_modulator():
    task = tiny.TASKS[TaskKind.CONTROL]
    rules = {"local": Local(("A",), modulator="layer")}
    how = Development(tiny.FREE, rules, Key(0).child("tiny"))
    genome = tiny.genome(0, rules=False)
    plan = tiny.plan(genome, task, rule="local")
    layer = plan.groups[1]._replace(activation="gauss")  # 1 at rest
    body = develop(how, [embryo(how, genome, replace(plan, groups=(plan.groups[0], layer, plan.groups[2])))])
    agents = body.network(body.flat).detach()
    lost = [torch.zeros(1, level.size, dtype=torch.bool) for level in agents.layout.levels[1:-1]]
    lost[0][:, 1] = True
    before, after = (each.traits.neuron["1.local~modulator"] for each in (agents, cut(agents, lost)))
    assert before[..., 1].all()
    assert not after[..., 1].any()
    assert torch.equal(before[..., 2:], after[..., 2:])


def test_a_shuffled_agent_sees_the_same_things_elsewhere(candidates):
    agents = candidates.agents
    inputs = candidates.task.inputs
    order = orders(inputs, candidates.streams("order"))
    assert torch.equal(order.sort(1).values, torch.arange(inputs).expand_as(order))
    mixed, looked = shuffled(agents, order), seen(agents, inputs)
    moved = torch.stack([row[:, own] for row, own in zip(looked, order, strict=True)])
    assert torch.equal(answers(mixed, looked), answers(agents, moved))


def test_what_nothing_is_taken_from_loses_nothing(candidates):
    found = Robustness(share=0.0).measure(candidates)
    assert not found["damage_loss"].any()


def test_losses_are_the_scores_with_and_without(candidates):
    metric = Robustness(share=0.5)
    found = metric.measure(candidates)
    blank = replace(candidates, task=Counting())
    assert metric.measure(blank)["damage_loss"].tolist() == [1.0] * 3
    assert metric.measure(blank)["permutation_loss"].tolist() == [2.0] * 3
    assert all(each.isfinite().all() for each in found.values())


class Counting:
    """Scores 3, then 2, then 1."""

    inputs = 2

    def __init__(self):
        self.calls = 0

    def score(self, agents, keys, fold):
        self.calls += 1
        return torch.full((agents.rows,), 4.0 - self.calls, dtype=torch.float64)
