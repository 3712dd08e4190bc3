"""Learning stage after stage, and what keeps the stages before."""

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy
from torch_fakes import Layer, defaults, evenly, genome_of, phenotype_of

from evogen.connectome.direct import Direct
from evogen.keys import Key
from evogen.learning.continual import Continual
from evogen.learning.deadline import Overdue, limited
from evogen.learning.protections.ewc import EWC, Held, fisher, merged
from evogen.learning.protections.none import Unprotected
from evogen.learning.protections.replay import Replay
from evogen.learning.stages import Pass, learn
from evogen.metrics.forgetting import backward_transfer, matrix
from evogen.tasks import Stage
from evogen.tasks.split_digits import SplitDigits
from evogen.tasks.stages import Scenario
from evogen.testing.tiny import Moving

MODULES = {7: [Layer(32)]}
KEYS = [Key(5).child(row) for row in range(2)]


def phenotype(task, rows=2, *, modules=MODULES, dtype=torch.float32):
    candidates = [(genome_of(modules, rules=None), modules) for _ in range(rows)]
    return phenotype_of(*candidates, inputs=task.inputs, outputs=task.outputs, dtype=dtype, wiring=Direct())


def linear(inputs, outputs):
    """Return softmax regression without a bias, parameters (P, inputs outputs)."""

    def respond(flat, x):
        return torch.bmm(x, flat.view(-1, inputs, outputs))

    return respond


def everything(inputs, labels, outputs):
    return Stage(inputs, labels, torch.ones(outputs, dtype=torch.bool))


def draws(shape, seed=0):
    return torch.from_numpy(Key(seed).child("draws").generator().normal(size=shape))


def test_whole_stage_batches_are_torchs_adam_begun_anew_in_each_stage():
    task, rates = Moving(), torch.tensor([0.05, 0.01]).double()
    found = evenly(phenotype(task, dtype=torch.float64))
    learner = Continual(epochs=4, batch=1000, clip=0.05)
    fit = learner.fit(found, task, KEYS, defaults(learner, 2) | {"learning_rate": rates})
    rows = [row.clone() for row in found.flat]
    for number in range(2):
        x, y, heads = task.stage(number, "train")
        parameters = [torch.nn.Parameter(row) for row in rows]
        optimisers = [
            torch.optim.Adam([row], lr=float(rate)) for row, rate in zip(parameters, rates, strict=True)
        ]
        for _ in range(4):
            flat = torch.stack([row.detach() for row in parameters]).requires_grad_()
            output = found.network(flat).forward(x.double().expand(2, -1, -1))[..., heads]
            loss = torch.nn.functional.cross_entropy(
                output.transpose(1, 2), y.expand(2, -1), reduction="none"
            )
            (gradient,) = torch.autograd.grad(loss.mean(1).sum(), flat)
            for row, own, optimiser in zip(parameters, gradient, optimisers, strict=True):
                row.grad = own * min(1.0, 0.05 / float(own.norm()))
                optimiser.step()
        rows = [row.detach().clone() for row in parameters]
        torch.testing.assert_close(fit.after[number], torch.stack(rows), rtol=1e-6, atol=1e-7)
    assert fit.flat is fit.after[-1]
    assert fit.curve.shape == (2, 8)
    assert fit.steps.tolist() == [4 * (32 + 48)] * 2


def test_only_the_training_fold_of_the_stage_at_hand_is_read_and_in_its_order():
    asked = []

    class Watched(Moving):
        def stage(self, number, fold):
            asked.append((number, fold))
            return super().stage(number, fold)

    learner = Continual(epochs=1)
    learner.fit(phenotype(Moving()), Watched(), KEYS, defaults(learner, 2, torch.float32))
    assert asked == [(0, "train"), (1, "train")]


def test_a_stream_is_passed_once_whatever_the_epochs():
    class Stream(Moving):
        passes = 1

    learner = Continual(epochs=9, batch=8)
    fit = learner.fit(phenotype(Moving()), Stream(), KEYS, defaults(learner, 2, torch.float32))
    assert fit.curve.shape == (2, 2)
    assert fit.steps.tolist() == [32 + 48] * 2


def test_the_time_limit_is_looked_at():
    learner = Continual(epochs=1)
    with limited(0.0), pytest.raises(Overdue):
        learner.fit(phenotype(Moving()), Moving(), KEYS, defaults(learner, 2, torch.float32))


def test_fisher_information_of_softmax_regression_is_its_closed_form():
    """E_y (d log p_y / d W_io)^2 = x_i^2 p_o (1 - p_o), here the mean over many draws of one example."""
    x, W = draws((1, 3)), draws((1, 12), seed=1)
    stage = everything(x.expand(6000, -1), torch.zeros(6000, dtype=torch.int64), 4)
    found = fisher(linear(3, 4), W, stage, [Key(1)], samples=6000).view(3, 4)
    p = torch.softmax(x @ W.view(3, 4), -1)[0]
    expected = x[0].square()[:, None] * (p * (1 - p))
    # the mean of 6000 draws is within 5 standard errors of each of 12 numbers: false alarm below 1e-5
    spread = x[0].square()[:, None] * (p * (1 - p) * (1 - 3 * p * (1 - p)) - (p * (1 - p)) ** 2).sqrt()
    assert ((found - expected).abs() < 5 * spread / 6000**0.5).all()


def test_fisher_information_counts_the_outputs_that_may_answer_only():
    stage = Stage(
        draws((40, 3)), torch.zeros(40, dtype=torch.int64), torch.tensor([True, True, False, False])
    )
    found = fisher(linear(3, 4), draws((1, 12)), stage, [Key(1)], samples=40).view(3, 4)
    assert (found[:, :2] > 0).all()
    assert (found[:, 2:] == 0).all()


def test_two_penalties_are_one_up_to_a_constant():
    held = [Held(draws((2, 5), seed).abs(), draws((2, 5), seed + 10)) for seed in range(3)]
    one = merged(merged(held[0], held[1]), held[2])
    at, other = draws((2, 5), 20), draws((2, 5), 21)

    def penalty(part, flat):
        return 0.5 * (part.fisher * (flat - part.centre) ** 2).sum(1)

    apart = sum(penalty(part, at) - penalty(part, other) for part in held)
    torch.testing.assert_close(penalty(one, at) - penalty(one, other), apart)


def test_what_never_mattered_is_held_nowhere():
    nothing = torch.zeros(1, 2)
    one = merged(Held(nothing, nothing), Held(nothing, torch.ones(1, 2)))
    assert one.fisher.tolist() == [[0.0, 0.0]]
    assert one.centre.tolist() == [[1.0, 1.0]]


def test_strong_consolidation_keeps_what_mattered_and_lets_the_rest_move():
    """An input that was always 0 in the first stage does not matter to it."""
    first = everything(torch.cat([draws((60, 2)), torch.zeros(60, 2).double()], 1), torch.arange(60) % 2, 2)
    second = everything(draws((60, 4), 1), torch.arange(60) % 2, 2)
    found = learn(
        linear(4, 2),
        draws((2, 8), 2),
        [first, second],
        KEYS,
        Pass(epochs=20, batch=20, clip=1.0),
        protection=EWC(samples=60),
        strength=torch.tensor([0.0, 1e6]).double(),
        rate=torch.full((2,), 0.01).double(),
    )
    moved = (found.after[1] - found.after[0]).abs().view(2, 4, 2)
    assert (moved[0] > 0.02).all()
    assert moved[1, :2].max() < 0.01
    assert (moved[1, 2:] > 0.02).all()


def test_the_store_keeps_as_many_examples_of_every_stage_and_shows_them_with_their_heads():
    shown = []

    def respond(flat, x):
        shown.append(x.detach().clone())
        return torch.bmm(x, flat.view(-1, 1, 3))

    protection, state = Replay(size=12), None
    for number in range(3):
        x = torch.arange(100.0).view(-1, 1) + 1000 * number
        heads = torch.ones(3, dtype=torch.bool)
        heads[number] = False
        stage = Stage(x, torch.full((100,), (number + 1) % 3), heads)
        state = protection.keep(state, respond, None, stage, [key.child(number) for key in KEYS])
    guard = protection.guard(state, respond, KEYS, batches=200, size=16)
    penalties = [guard(torch.zeros(2, 3), batch) for batch in range(200)]
    seen = torch.stack(shown).transpose(0, 1).flatten(1)  # (P, examples)
    for row in seen:
        stored, counts = row.unique(return_counts=True)
        assert torch.bincount((stored / 1000).long()).tolist() == [4, 4, 4]
        assert counts.min() > 200  # 3200 draws of 12: 267 each, the least likely below 200 in 10^-4 of cases
    assert not torch.equal(*(row.unique() for row in seen))
    for penalty in penalties:
        torch.testing.assert_close(penalty, torch.full((2,), float(np.log(2))))  # two outputs may answer


def test_rehearsal_of_all_that_was_seen_is_learning_all_at_once():
    """With a store of everything and whole batches the gradient is that of old and new together."""
    stages = [everything(draws((30, 4), seed), torch.arange(30) % 2, 2) for seed in (1, 2)]
    flat, respond = draws((1, 8), 3), linear(4, 2)
    state = Replay(size=1000).keep(None, respond, flat, stages[0], KEYS[:1])
    guard = Replay(size=1000).guard(state, respond, KEYS[:1], batches=1, size=20_000)
    whole = cross_entropy(respond(flat, stages[0].inputs[None])[0], stages[0].labels)
    assert float(guard(flat, 0)) == pytest.approx(float(whole), abs=0.02)


@pytest.mark.parametrize(("protection", "strength"), [(EWC(samples=100), 300.0), (Replay(size=100), 1.0)])
def test_protected_digits_are_forgotten_less(protection, strength):
    task = SplitDigits(scenario=Scenario.TASK)
    found = phenotype(task, 1, modules={7: [Layer(48)]})
    learnt = []
    for one, weight in ((Unprotected(), 0.0), (protection, strength)):
        learner = Continual(epochs=5, batch=32, learning_rate=0.01, strength=weight, protection=one)
        fit = learner.fit(found, task, KEYS[:1], defaults(learner, 1, torch.float32))
        learnt.append(matrix(task, [found.network(flat).detach() for flat in fit.after], "validation"))
    bare, safe = (float(backward_transfer(R)) for R in learnt)
    assert bare < -0.02
    assert safe > bare + 0.02
