"""What every task does: see `evogen.tasks`."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

from evogen.keys import Key
from evogen.phenotype import Network
from evogen.tasks import Fold, Sequences, Step, TaskKind, Turn
from evogen.tasks.episodes import uniforms
from evogen.testing import tiny

B = 4


def says_what_it_wants(task: Any) -> None:
    """It has input and output neurons, a kind, and words for what a report is measured on."""
    assert task.inputs > 0
    assert task.outputs > 0
    assert isinstance(task.kind, TaskKind)
    assert task.reported


def scores_every_agent(task: Any) -> None:
    """There is one finite score an agent, the same when asked again."""
    agents = tiny.network(task)
    for fold in Fold:
        scores = task.score(agents, tiny.keys(), fold)
        assert scores.shape == (3,)
        assert scores.isfinite().all()
        assert torch.equal(scores, task.score(agents, tiny.keys(), fold))


def scores_alone_as_in_company(task: Any) -> None:
    """A score depends on the agent, static or plastic, and its key only, to the last bit."""
    for rule in ("none", "abcd"):
        company, alone = tiny.network(task, rule=rule), tiny.network(task, [1], rule=rule)
        for fold in Fold:
            together = task.score(company, tiny.keys(), fold)
            assert torch.equal(task.score(alone, tiny.keys([1]), fold)[0], together[1])


def gives_nan_to_a_broken_agent_only(task: Any) -> None:
    """An agent whose output is not finite scores NaN, never a number, and the others what they would."""
    agents = tiny.network(task)
    biases = (*agents.biases[:-1], agents.biases[-1].clone())
    biases[-1][1] = torch.nan
    broken = Network(agents.layout, agents.weights, biases, agents.traits)
    for fold in Fold:
        scores = task.score(broken, tiny.keys(), fold)
        assert scores[1].isnan()
        assert torch.equal(scores[[0, 2]], task.score(agents, tiny.keys(), fold)[[0, 2]])


def starts_from_its_uniforms(task: Any) -> None:
    """A control task resets to float64 states and float32 observations that its uniforms alone decide."""
    numbers = uniforms(tiny.keys(), (B, task.draws))
    state, observation = task.reset(numbers)
    assert state.dtype == torch.float64
    assert state.shape[:2] == (3, B)
    assert observation.dtype == torch.float32
    assert observation.shape == (3, B, task.inputs)
    assert observation.isfinite().all()
    again, seen = task.reset(numbers[1:2].clone())
    assert torch.equal(again[0], state[1])
    assert torch.equal(seen[0], observation[1])


def steps_every_environment_for_itself(task: Any) -> None:
    """A step is pure, has the shapes of `Step`, and gives one candidate the bits that it gives a cohort."""
    for state, action, step in _episode(task):
        assert step.observation.shape == (3, B, task.inputs)
        assert step.state.shape == state.shape
        assert step.reward.shape == step.terminated.shape == step.truncated.shape == (3, B)
        assert step.terminated.dtype == step.truncated.dtype == torch.bool
        before = state.clone()
        alone = task.step(state[1:2].clone(), action[1:2].clone())
        for own, together in zip(alone, task.step(state, action), strict=True):
            assert torch.equal(own[0], together[1])
        assert torch.equal(state, before)


def acts_on_any_finite_output(task: Any) -> None:
    """An action has a row and a life for every output: int64 indices, or components in between two bounds."""
    output = _outputs(task, 1)[0]
    action, most, least = task.act(output), task.act(output + 1e6), task.act(output - 1e6)
    if task.kind is TaskKind.CONTROL:
        assert action.dtype == torch.int64
        assert action.shape == (3, B)
        assert action.min() >= 0
        assert action.max() < task.outputs
    else:
        assert action.shape == (3, B, task.outputs)
        assert (least <= action).all()
        assert (action <= most).all()
        assert (least < most).all()
        assert most.isfinite().all()
        assert least.isfinite().all()


def runs_every_row_for_itself(task: Any) -> None:
    """Running episodes have the shapes of `Turn`, and a row alone the bits that it has in company."""
    company, alone = _run(task), _run(task, rows=[1])
    ends = 0
    for (seen, turn), (own_seen, own) in zip(company, alone, strict=True):
        assert seen.shape == turn.after.shape == (3, B, task.inputs)
        assert turn.reward.shape == turn.terminated.shape == turn.truncated.shape == (3, B)
        assert seen.dtype == turn.after.dtype == turn.reward.dtype == torch.float32
        assert turn.terminated.dtype == turn.truncated.dtype == torch.bool
        assert torch.equal(own_seen[0], seen[1])
        for ours, theirs in zip(own, turn, strict=True):
            assert torch.equal(ours[0], theirs[1])
        ends += int((own.terminated | own.truncated).sum())
    assert ends, "no episode ended within the horizon"


def begins_anew_where_an_episode_ended(task: Any) -> None:
    """After an end a fresh start is seen, `after` being what came before it; elsewhere the two are one."""
    for (_, turn), (seen, _) in pairwise(_run(task)):
        over = turn.terminated | turn.truncated
        assert torch.equal(seen[~over], turn.after[~over])
        assert (seen[over] != turn.after[over]).any(-1).all()


def ends_every_episode_in_time(task: Any) -> None:
    """An episode ends by its step `horizon` whatever is done, and not every one with its first step."""
    over = torch.zeros(3, B, dtype=torch.bool)
    for number, (_, turn) in enumerate(_run(task)[: task.horizon]):
        over |= turn.terminated | turn.truncated
        assert number or not over.all()
    assert over.all()


def plays_once_what_it_plays_again(task: Any) -> None:
    """Without `again` an episode is, up to its end, what it is with it."""
    running = torch.ones(3, B, dtype=torch.bool)
    for (_, again), (_, once) in zip(_run(task), _run(task, again=False), strict=True):
        for ours, theirs in zip(once, again, strict=True):
            assert torch.equal(ours[running], theirs[running])
        running = running & ~again.terminated & ~again.truncated


def keeps_a_broken_action_to_its_row(task: Any) -> None:
    """Actions of one row that are not numbers raise nothing and leave the other rows' bits alone."""
    broken = [action.clone() for action in _outputs(task, task.horizon + 2)]
    for action in broken[2:]:
        action[1] = torch.nan
    for (_, healthy), (_, sick) in zip(_run(task), _run(task, outputs=broken), strict=True):
        for ours, theirs in zip(sick, healthy, strict=True):
            assert torch.equal(ours[[0, 2]], theirs[[0, 2]])


def has_three_folds_of_examples(task: Any) -> None:
    """A classification task's folds hold finite float32 features and int64 labels in range, and differ."""
    seen: list[Tensor] = []
    for fold in ("train", "validation", "test"):
        features, labels = task.examples(fold)
        assert features.dtype == torch.float32
        assert features.shape == (len(labels), task.inputs)
        assert features.isfinite().all()
        assert labels.dtype == torch.int64
        assert labels.unique().tolist() == list(range(task.outputs))
        assert not any(torch.equal(features, other) for other in seen)
        seen.append(features)


def draws_sequences_by_their_keys(task: Any) -> None:
    """Sequences have the shapes of `Sequences`, finite inputs, something asked in every row, and own keys."""
    seen: list[Tensor] = []
    for fold in ("train", "validation", "test"):
        drawn = task.sequences(tiny.keys(), B, fold)
        assert drawn.inputs.dtype == drawn.weight.dtype == torch.float32
        assert drawn.inputs.shape == (3, B, drawn.inputs.shape[2], task.inputs)
        assert drawn.weight.shape == drawn.inputs.shape[:3]
        assert drawn.inputs.isfinite().all()
        assert (drawn.weight >= 0).all()
        assert (drawn.weight.sum((1, 2)) > 0).all()
        if drawn.targets.dtype == torch.int64:
            assert drawn.targets.shape == drawn.weight.shape
            assert drawn.targets.min() >= 0
            assert drawn.targets.max() < task.outputs
        else:
            assert drawn.targets.dtype == torch.float32
            assert drawn.targets.shape == (*drawn.weight.shape, task.outputs)
        for own, together in zip(task.sequences(tiny.keys([1]), B, fold), drawn, strict=True):
            assert torch.equal(own[0], together[1])
        assert not any(torch.equal(drawn.inputs, other) for other in seen)
        seen.append(drawn.inputs)


def judges_what_is_asked_only(task: Any) -> None:
    """Loss and score of a row are its own, and outputs at steps of weight 0 change neither."""
    drawn = task.sequences(tiny.keys(), B, "train")
    rng = Key(0).child("outputs").generator()
    shape = (*drawn.weight.shape, task.outputs)
    output = torch.from_numpy(rng.normal(size=shape)).float().requires_grad_()
    loss, rate = task.loss(output, drawn), task.rate(output.detach(), drawn)
    (slope,) = torch.autograd.grad(loss.sum(), output)
    assert loss.shape == rate.shape == (3,)
    assert rate.isfinite().all()
    assert torch.equal(slope.abs().sum(-1) > 0, drawn.weight > 0)
    alone = Sequences(*(part[1:2] for part in drawn))
    assert torch.equal(task.rate(output.detach()[1:2], alone)[0], rate[1])
    other = torch.where((drawn.weight > 0).unsqueeze(-1), output.detach(), 7.0)
    assert torch.equal(task.rate(other, drawn), rate)
    assert torch.equal(task.loss(other, drawn), loss.detach())


def has_stages_of_examples(task: Any) -> None:
    """A continual task's stages have inputs, labels among their heads, and folds that share no example."""
    assert task.stages >= 2
    assert task.passes is None or task.passes >= 1
    for number in range(task.stages):
        seen: list[Tensor] = []
        for fold in ("train", "validation", "test"):
            inputs, labels, heads = task.stage(number, fold)
            assert inputs.dtype == torch.float32
            assert inputs.shape == (len(labels), task.inputs)
            assert inputs.isfinite().all()
            assert labels.dtype == torch.int64
            assert heads.dtype == torch.bool
            assert heads.shape == (task.outputs,)
            assert heads.sum() >= 2
            assert heads[labels].all()
            seen.append(inputs)
        everything = torch.cat(seen)
        shared = len(everything) - len(torch.unique(everything, dim=0))
        assert shared == sum(len(one) - len(torch.unique(one, dim=0)) for one in seen)


def _episode(task: Any) -> list[tuple[Tensor, Tensor, Step]]:
    state, _ = task.reset(uniforms(tiny.keys(), (B, task.draws)))
    steps = []
    for output in _outputs(task, task.horizon):
        action = task.act(output)
        steps.append((state, action, task.step(state, action)))
        state = steps[-1][2].state
    return steps


def _outputs(task: Any, steps: int) -> Tensor:
    """Return (steps, 3, B, outputs) outputs of networks that know nothing, ~ N(0, 1)."""
    rng = Key(0).child("actions").generator()
    return torch.from_numpy(rng.normal(size=(steps, 3, B, task.outputs))).float()


def _run(
    task: Any, rows: Sequence[int] = (0, 1, 2), *, outputs: Sequence[Tensor] | None = None, again: bool = True
) -> list[tuple[Tensor, Turn]]:
    """Return what is seen before each of horizon + 2 steps, and that step."""
    episodes = task.start(tiny.keys(rows), B, torch.device("cpu"), again=again)
    seen = []
    for output in _outputs(task, task.horizon + 2) if outputs is None else outputs:
        before = episodes.observation
        seen.append((before, episodes.step(task.act(output[list(rows)]))))
    return seen


FACTS = (
    says_what_it_wants,
    scores_every_agent,
    scores_alone_as_in_company,
    gives_nan_to_a_broken_agent_only,
)
CONTROL = (
    acts_on_any_finite_output,
    runs_every_row_for_itself,
    begins_anew_where_an_episode_ended,
    ends_every_episode_in_time,
    plays_once_what_it_plays_again,
)
CONTINUOUS = (keeps_a_broken_action_to_its_row,)
BATCHED = (starts_from_its_uniforms, steps_every_environment_for_itself)
CLASSIFICATION = (has_three_folds_of_examples,)
SEQUENCE = (draws_sequences_by_their_keys, judges_what_is_asked_only)
CONTINUAL = (has_stages_of_examples,)
