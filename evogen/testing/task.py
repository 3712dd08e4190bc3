"""What every task does: see `evogen.tasks`."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from evogen.keys import Key
from evogen.phenotype import Network
from evogen.tasks import Fold, Step, TaskKind
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


def ends_every_episode_in_time(task: Any) -> None:
    """An episode ends by its step `horizon` whatever is done, and not every one with its first step."""
    over = torch.zeros(3, B, dtype=torch.bool)
    for number, (_, _, step) in enumerate(_episode(task)):
        over |= step.terminated | step.truncated
        assert number or not over.all()
    assert over.all()


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


def _episode(task: Any) -> list[tuple[Tensor, Tensor, Step]]:
    state, _ = task.reset(uniforms(tiny.keys(), (B, task.draws)))
    rng = Key(0).child("actions").generator()
    steps = []
    for _ in range(task.horizon):
        action = torch.from_numpy(rng.integers(0, task.outputs, (3, B)))
        steps.append((state, action, task.step(state, action)))
        state = steps[-1][2].state
    return steps


FACTS = (
    says_what_it_wants,
    scores_every_agent,
    scores_alone_as_in_company,
    gives_nan_to_a_broken_agent_only,
)
CONTROL = (starts_from_its_uniforms, steps_every_environment_for_itself, ends_every_episode_in_time)
CLASSIFICATION = (has_three_folds_of_examples,)
