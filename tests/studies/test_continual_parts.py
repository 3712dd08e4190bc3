"""What the studies of forgetting are made of: gated networks, pruning, spiking predictive coding."""

import numpy as np
import pytest
import torch

from evogen.keys import Key
from evogen.studies.coding import Coding
from evogen.studies.dendrites import ARMS, network
from evogen.studies.gated import Gated
from evogen.studies.lessons import responding, stacked, task_matrix
from evogen.studies.nets import Layer, Net
from evogen.studies.pruning import by_lot, by_magnitude, pruned
from evogen.tasks.permuted_digits import PermutedDigits
from evogen.tasks.split_digits import SplitDigits
from evogen.tasks.stages import Scenario

KEYS = [Key(seed) for seed in range(2)]


def draws(*shape, seed=0):
    return torch.from_numpy(Key(seed).child("draws").generator().normal(size=shape)).float()


@pytest.mark.parametrize("arm", ["winners", "dendrites"])
def test_a_gated_network_says_what_the_phenotype_of_its_neuron_kind_says(arm):
    task, hidden, segments = PermutedDigits(stages=3), 20, 5
    own = Gated(task.inputs, hidden, 10, 0.25, segments if arm == "dendrites" else 0, 3)
    settings = {"share": 0.25} | ({"segments": segments, "context": 3} if arm == "dendrites" else {})
    layer = Layer(hidden, "identity", arm, settings)
    phenotype = Net((layer, layer)).phenotype(task, (0, 1), Key(0))
    flat, values = own.start(KEYS), own.values(own.start(KEYS))
    whole = torch.zeros_like(phenotype.flat)
    for slot in phenotype.slots:
        at, _, symbol = slot.name.partition(".")
        into = whole[:, slot.start : slot.start + slot.size].view(-1, *slot.shape)
        if symbol == "W":
            pre, post = (int(part) for part in at.split(">"))
            if post == pre + 1:
                W = values[f"{post}.W"]
                into[:, : W.shape[1], : W.shape[2]] = W
        elif symbol == "b":
            into[:, : values[f"{at}.b"].shape[1]] = values[f"{at}.b"]
        else:
            u = values[f"{at}.u"].permute(0, 3, 1, 2)  # (P, N, S, C)
            into[:, :hidden, :segments, -3:] = u
    x = task.stage(1, "validation").inputs[:50].expand(2, -1, -1)
    torch.testing.assert_close(own.respond(flat, x), responding(phenotype)(whole, x), rtol=1e-5, atol=1e-5)


def test_of_winners_so_many_speak_and_no_more():
    net = Gated(6, 40, 3, 0.1)
    values = net.values(net.start(KEYS))
    u = torch.bmm(draws(2, 7, 6), values["1.W"])
    spoken = net._fire(u, u, None) != 0
    assert (spoken.sum(-1) == 4).all()
    assert (u.masked_fill(~spoken, torch.inf).amin(-1) > u.masked_fill(spoken, -torch.inf).amax(-1)).all()


def test_the_wide_arm_has_as_many_parameters_as_dendrites():
    wide, dendrites = (network(arm, 74, 256, 10) for arm in ("dense-wide", "dendrites"))
    assert abs(wide.parameters - dendrites.parameters) / dendrites.parameters < 0.005
    assert {network(arm, 74, 256, 10).inputs for arm in ARMS} == {74}


def test_arms_begin_with_the_same_weights():
    dense, gated = Gated(9, 8, 3), Gated(9, 8, 3, 0.5, 2, 4)
    one, other = dense.values(dense.start(KEYS)), gated.values(gated.start(KEYS))
    for name, values in one.items():
        assert torch.equal(values, other[name])


def test_the_smallest_weights_of_each_row_are_dropped_and_never_a_bias():
    weights = torch.tensor([True] * 10 + [False] * 2)
    trained = draws(2, 12)
    trained[:, 10:] = 0.0
    mask = by_magnitude(torch.ones(2, 12), trained, weights, 0.3)
    again = by_magnitude(mask, trained, weights, 0.5)
    for row in range(2):
        order = np.argsort(np.abs(trained[row, :10].numpy()))
        assert sorted(np.flatnonzero(mask[row].numpy() == 0)) == sorted(order[:3])
        assert sorted(np.flatnonzero(again[row].numpy() == 0)) == sorted(order[:7])  # round(3.5) is even: 4


def test_lots_drop_as_many_whatever_their_size():
    weights = torch.tensor([True] * 100)
    mask = by_lot(torch.ones(2, 100), KEYS, weights, 0.2)
    assert (mask.sum(1) == 80).all()
    assert not torch.equal(*mask)


def test_pruning_goes_back_to_the_start_each_round():
    starts = []
    start, weights = draws(2, 10) + 3, torch.tensor([True] * 10)

    def train(respond, flat, number):
        starts.append(flat.clone())
        return flat + number

    found, mask = pruned(
        lambda flat, x: flat,
        start,
        weights,
        train,
        drop=lambda mask, flat, _: by_magnitude(mask, flat, weights, 0.5),
        rounds=2,
    )
    assert [int((one != 0).sum()) for one in starts] == [20, 10, 6]  # of 5, round(2.5) = 2 go
    for one in starts:
        assert torch.equal(one, start * (one != 0))
    assert torch.equal(found, (start + 2) * mask)


def test_predictions_and_local_changes_are_those_of_a_plain_loop():
    """One network, one image, step by step with scalars in the order of the equations."""
    net = Coding(4, 2, (5, 3), steps=30, theta=0.05, bound=0.9)
    weights = net.start(KEYS[:1])
    x, y = draws(1, 1, 4).abs(), torch.tensor([[[1.0, 0.0]]])
    told = net.see(weights, x, y, torch.tensor([True, False]))
    W = [each[0].double().numpy() for each in weights]
    sensed = np.concatenate([x[0, 0].numpy(), y[0, 0].numpy()])
    J, V, z = ([np.zeros(5), np.zeros(3)] for _ in range(3))
    change, spikes = [np.zeros_like(each) for each in W], 0
    for t in range(30):
        e0 = sensed - z[0] @ W[0]
        e0[5] = 0.0  # this output may not answer
        e1 = z[0] - z[1] @ W[1]
        if t >= 15:
            change[0] += np.outer(z[0], e0) / 15
            change[1] += np.outer(z[1], e1) / 15
        for at, (pull, own) in enumerate(((W[0] @ e0, e1), (W[1] @ e1, 0.0))):
            J[at] = J[at] + (-0.25 * J[at] + pull - own) / 5
            V[at] = V[at] + (J[at] - V[at]) / 10
            fired = V[at] > 0.05
            V[at][fired] = 0
            z[at] = z[at] + (fired - z[at]) / 10
            spikes += fired.sum()
    assert told.spikes.item() == spikes > 5
    for ours, theirs in zip(told.change, change, strict=True):
        np.testing.assert_allclose(ours[0], theirs, atol=1e-5)
    assert all(each.norm(dim=2).max() <= 0.9 + 1e-6 for each in net.learnt(weights, told, 5.0))


def test_a_free_label_unit_changes_nothing_that_spikes():
    net = Coding(4, 2, (6,), theta=0.05)
    weights = net.start(KEYS)
    other = (weights[0].clone(),)
    other[0][..., 4:] += 1.0
    x, heads = draws(2, 3, 4).abs(), torch.ones(2, dtype=torch.bool)
    first, second = (net.see(each, x, None, heads) for each in (weights, other))
    assert torch.equal(first.spikes, second.spikes)
    assert not torch.equal(first.labels, second.labels)
    assert (first.change[0][..., 4:] == 0).all()


def test_local_learning_in_company_is_that_alone():
    net = Coding(4, 2, (6,))
    x, y = draws(2, 3, 4).abs(), torch.eye(2).expand(2, -1, -1)[:, [0, 1, 0]]
    heads = torch.ones(2, dtype=torch.bool)
    both, alone = net.start(KEYS), net.start(KEYS[1:])
    together = net.learnt(both, net.see(both, x, y, heads), 0.3)
    apart = net.learnt(alone, net.see(alone, x[1:], y[1:], heads), 0.3)
    torch.testing.assert_close(together[0][1], apart[0][0])


def test_seeds_have_stages_of_their_own_and_a_matrix_each():
    tasks = [SplitDigits(scenario=Scenario.CLASS, stage_seed=seed, split_seed=seed) for seed in range(2)]
    stages = stacked(tasks, "validation")
    for number, stage in enumerate(stages):
        for row in range(2):
            inputs, labels, _ = tasks[row].stage(number, "validation")
            count = stage.labels.shape[1]
            assert torch.equal(stage.inputs[row], inputs[:count])
            assert torch.equal(stage.labels[row], labels[:count])
    flat = draws(2, 640)
    R = task_matrix(lambda flat, x: torch.bmm(x, flat.view(2, 64, 10)), [flat, flat], stages)
    assert R.shape == (2, 2, 5)
    output = torch.bmm(stages[3].inputs, flat.view(2, 64, 10))
    expected = (output.argmax(-1) == stages[3].labels).double().mean(-1)
    assert torch.equal(R[:, 1, 3], expected)
