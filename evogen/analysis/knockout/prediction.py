"""Prediction: what silencing a part should cost to first order, by the gradient at the intact network.

    predicted = -<dJ/dtheta, theta_silenced - theta_intact>      theta = (W, numbers and masks of rules)

theta are those of a candidate's average network (expected weights in closed form), so the change is the whole
change and only J is linearised: one gradient serves every part. J by the kind of task:

    classification  mean over the report fold of softmax(output / s)[label]: a smooth share of right answers
    control         mean over episodes of the intact network of softmax(output / s)[its own action]: a smooth
                    share of its own actions. It has a slope where the return has none, at the best score
    continuous      predicted = root mean square of the linearised change of the actions in those episodes,
                    from PROBES random signs: E (r . d)^2 = |d|^2 (Hutchinson 1990)

s is the standard deviation of the outputs over what the network sees: answers and actions do not depend on
it. Through fast weights and memory the gradient goes by backpropagation through WINDOW steps. A task that
scores whole lives has no prediction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, cast

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from evogen.evaluation import Problem
from evogen.keys import Key
from evogen.phenotype import Network
from evogen.tasks import ClassificationTask, ControlTask, TaskKind

EPISODES, STEPS, WINDOW, PROBES = 8, 500, 50, 16
SMALLEST = 1e-12
UNITS = {
    TaskKind.CLASSIFICATION: "share of right answers",
    TaskKind.CONTROL: "share of its own actions",
    TaskKind.CONTINUOUS: "change of its actions (root mean square)",
}


@dataclass(frozen=True, eq=False)
class Slopes:
    """Gradients of J with K probes; K = 1 but for continuous actions.

    Attributes:
        intact: the average network, one row.
        weights: (K, pre, post) for each link.
        rules: of masks and coefficients by name, (K, 1, pre, post).
        signed: whether K = 1 and the sign means a loss.
        unit: what J is measured in.
    """

    intact: Network
    weights: tuple[Tensor, ...]
    rules: dict[str, Tensor]
    signed: bool
    unit: str


class _Seen(NamedTuple):
    """What the intact network sees, (T, 1, B, inputs), says, and whether it was alive, (T, 1, B)."""

    observations: Tensor
    outputs: Tensor
    alive: Tensor


def slopes(problem: Problem, intact: Network, key: Key) -> Slopes | None:
    """Return the gradients at the intact network; None where the task has no J.

    Args:
        problem: the search's.
        intact: the average network of one candidate.
        key: of episodes and probes.
    """
    kind = problem.task.kind
    if kind not in UNITS:
        return None
    intact = intact.detach()
    with torch.enable_grad():
        weights = [W.clone().requires_grad_() for W in intact.weights]
        rules = {name: part.clone().requires_grad_() for name, part in intact.traits.rule.items()}
        network = replace(intact, weights=tuple(weights), traits=replace(intact.traits, rule=rules))
        leaves = [*weights, *rules.values()]
        if kind is TaskKind.CLASSIFICATION:
            pieces = _answers(cast("ClassificationTask", problem.task), network)
        else:
            pieces = _actions(cast("ControlTask", problem.task), network, key)
        stacked = _gradients(pieces, leaves)
    return Slopes(
        intact,
        tuple(stacked[: len(weights)]),
        dict(zip(rules, stacked[len(weights) :], strict=True)),
        kind is not TaskKind.CONTINUOUS,
        UNITS[kind],
    )


def predict(found: Slopes, silenced: Network) -> npt.NDArray[np.float64]:
    """Return the predicted loss (P,) of average networks from which parts were cut."""
    change = torch.zeros(silenced.rows, len(found.weights[0]), dtype=torch.float64)
    for slope, W, was in zip(found.weights, silenced.weights, found.intact.weights, strict=True):
        change += torch.einsum("pij,kij->pk", (W - was).double(), slope.double()).cpu()
    for name, slope in found.rules.items():
        was, now = found.intact.traits.rule[name], silenced.traits.rule.get(name)
        moved = -was.expand(silenced.rows, *was.shape[1:]) if now is None else now - was
        if name.count(".") > 1:  # a coefficient acts where the rule still does
            mask = silenced.traits.rule.get(name.rpartition(".")[0])
            moved = torch.zeros_like(moved) if mask is None else moved * mask
        change += torch.einsum("pxij,kxij->pk", moved.double(), slope.double()).cpu()
    if found.signed:
        return np.asarray(-change[:, 0].numpy())
    return np.asarray(change.square().mean(1).sqrt().numpy())


def moved(intact: Network, silenced: Network) -> npt.NDArray[np.float64]:
    """Return how much of the born weights goes, (P,): |W_silenced - W_intact| / |W_intact|."""
    change = sum(
        (W - was).double().square().sum((1, 2))
        for W, was in zip(silenced.weights, intact.weights, strict=True)
    )
    whole = sum(was.double().square().sum() for was in intact.weights)
    return np.asarray(torch.sqrt(torch.as_tensor(change) / (whole + SMALLEST)).cpu().numpy())


def _gradients(pieces: Iterator[Sequence[Tensor]], leaves: Sequence[Tensor]) -> list[Tensor]:
    """Return the gradients (K, ...) of the sums over all pieces of K values each; 0 without a piece."""
    total = [torch.zeros_like(leaf[:1]) for leaf in leaves]
    for values in pieces:
        each = [
            torch.autograd.grad(value, leaves, retain_graph=True, materialize_grads=True) for value in values
        ]
        total = [sofar + torch.cat(own) for sofar, own in zip(total, zip(*each, strict=True), strict=True)]
    return total


def _answers(task: ClassificationTask, network: Network) -> Iterator[Sequence[Tensor]]:
    features, labels = task.examples("test")
    parts = torch.split(features.to(network.device, network.dtype), 128)
    with torch.no_grad():
        spread = _spread(torch.cat([_first(network, part) for part in parts], 1))
    for part, own in zip(parts, torch.split(labels.to(network.device), 128), strict=True):
        chance = torch.softmax(_first(network, part) / spread, -1)  # (1, B, classes)
        yield [chance[0].gather(-1, own[:, None]).sum() / len(features)]


def _first(network: Network, features: Tensor) -> Tensor:
    return network.step(features[None], network.start(len(features)))[0]


def _actions(task: ControlTask, network: Network, key: Key) -> Iterator[Sequence[Tensor]]:
    seen = _lived(task, network.detach(), key.child("episodes"))
    steps = float(seen.alive.sum())
    if not steps:
        return
    spread = _spread(seen.outputs[seen.alive][None])

    def own(output: Tensor, at: slice) -> list[Tensor]:
        """Return the sum over (T, 1, B, outputs) of the chance of what was done."""
        chance = torch.softmax(output / spread, -1)
        done = seen.outputs[at].argmax(-1, keepdim=True)
        return [(chance.gather(-1, done).squeeze(-1) * seen.alive[at]).sum() / steps]

    generator = key.child("probes").generator()

    def probed(output: Tensor, at: slice) -> list[Tensor]:
        acted = task.act(output.flatten(0, 1)).view_as(output) * seen.alive[at].unsqueeze(-1)
        signs = generator.integers(0, 2, (PROBES, *acted.shape)) * 2.0 - 1.0  # ~ U{-1, 1}
        scale = float(np.sqrt(steps * acted.shape[-1]))
        return [(acted * torch.from_numpy(sign).to(acted)).sum() / scale for sign in signs]

    weigh = own if task.kind is TaskKind.CONTROL else probed
    yield from (_at_once if not network.layout.stateful else _in_turn)(network, seen, weigh)


def _at_once(
    network: Network, seen: _Seen, weigh: Callable[[Tensor, slice], list[Tensor]]
) -> Iterator[Sequence[Tensor]]:
    steps, _, batch, inputs = seen.observations.shape
    output = network.forward(seen.observations.reshape(1, steps * batch, inputs))
    yield weigh(output.view(steps, 1, batch, -1), slice(None))


def _in_turn(
    network: Network, seen: _Seen, weigh: Callable[[Tensor, slice], list[Tensor]]
) -> Iterator[Sequence[Tensor]]:
    state = network.start(seen.observations.shape[2])
    for start in range(0, len(seen.observations), WINDOW):
        at, outputs = slice(start, start + WINDOW), []
        state = {name: part.detach() for name, part in state.items()}
        for observation in seen.observations[at]:
            output, state = network.step(observation, state)
            outputs.append(output)
        yield weigh(torch.stack(outputs), at)


@torch.no_grad()
def _lived(task: ControlTask, network: Network, key: Key) -> _Seen:
    """Let the intact network act by its raw output until every episode is over, at most STEPS steps."""
    episodes = task.start([key], EPISODES, network.device, again=False)
    state, running = network.start(EPISODES), torch.ones(1, EPISODES, dtype=torch.bool)
    observations, outputs, alive = [], [], []
    for _ in range(min(task.horizon, STEPS)):
        observation = episodes.observation.to(network.dtype)
        output, state = network.step(observation, state)
        running = running & output.isfinite().all(-1).cpu()
        if not running.any():
            break
        observations.append(observation)
        outputs.append(output)
        alive.append(running)
        turn = episodes.step(task.act(output))
        running = running & ~(turn.terminated | turn.truncated).cpu()
    if not observations:  # the first answer is not finite
        nothing = network.weights[0].new_zeros(0, 1, EPISODES, 1)
        return _Seen(nothing, nothing, nothing[..., 0].bool())
    return _Seen(torch.stack(observations), torch.stack(outputs), torch.stack(alive).to(network.device))


def _spread(outputs: Tensor) -> Tensor:
    """Return the standard deviation of (1, M, outputs) about the mean answer to each sight."""
    centred = outputs - outputs.mean(-1, keepdim=True)
    return centred.square().mean().sqrt().clamp_min(SMALLEST)
