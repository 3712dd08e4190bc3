"""Living through sequences: what tasks of kind SEQUENCE share.

    cross-entropy  L_p = -sum w log softmax(f_p)[y] / sum w         share     = sum w [argmax f_p = y] / sum w
    squared error  L_p = sum w |f_p - y|^2 / sum w                  explained = 1 - sum w |f_p - y|^2
                                                                                   / sum w |y - mean_w y|^2

Sums are over the sequences b and steps t of a row; w is the weight of a step.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from evogen.keys import Key
from evogen.phenotype import Network, State
from evogen.tasks import Fold, Sequences, SequenceTask
from evogen.tasks.digits import SCORED_ON

Step = Callable[[Tensor, State], tuple[Tensor, State]]

SEQUENCES_AT_A_TIME = 64  # fast weights (P, B, pre, post) of all may not fit in memory


def lived(agents: Network, inputs: Tensor) -> Tensor:
    """Return the outputs (P, B, T, outputs) of newly started networks along sequences (P, B, T, inputs)."""
    return _outputs(agents.step, agents, inputs)


@torch.no_grad()
def scored(task: SequenceTask, agents: Network, keys: Sequence[Key], fold: Fold, *, copies: int) -> Tensor:
    """Return (P,) scores of agents on so many sequences of the fold; what `SequenceTask.score` may be."""
    assert len(keys) == agents.rows
    drawn = task.sequences([key.child(fold.value) for key in keys], copies, SCORED_ON[fold])
    return task.rate(answered(agents, drawn.inputs), moved(drawn, agents.device))


@torch.no_grad()
def answered(agents: Network, inputs: Tensor) -> Tensor:
    """Return what `lived` does, a few sequences at a time."""
    parts = torch.split(inputs, SEQUENCES_AT_A_TIME, 1)
    return torch.cat([_outputs(agents.live, agents, part) for part in parts], 1)


def _outputs(step: Step, agents: Network, inputs: Tensor) -> Tensor:
    state, said = agents.start(inputs.shape[1]), []
    for seen in inputs.to(agents.device, agents.dtype).unbind(2):
        output, state = step(seen, state)
        said.append(output)
    return torch.stack(said, 2)


def moved(asked: Sequences, device: torch.device) -> Sequences:
    """Return sequences on this device."""
    return Sequences(*(part.to(device) for part in asked))


def cross_entropy(output: Tensor, asked: Sequences) -> Tensor:
    """Return the (P,) cross-entropy of (P, B, T, classes) outputs, in nats."""
    chance = torch.log_softmax(output, -1).gather(-1, asked.targets.unsqueeze(-1)).squeeze(-1)
    weight = asked.weight.to(output)
    # where, not a product alone: what nobody asked for may be infinite
    return -(torch.where(weight > 0, chance, 0.0) * weight).sum((1, 2)) / weight.sum((1, 2))


def squared_error(output: Tensor, asked: Sequences) -> Tensor:
    """Return the (P,) mean squared error of (P, B, T, outputs) outputs, summed over the outputs."""
    weight = asked.weight.to(output)
    miss = (output - asked.targets.to(output)).square().sum(-1)
    return (torch.where(weight > 0, miss, 0.0) * weight).sum((1, 2)) / weight.sum((1, 2))


def share(output: Tensor, asked: Sequences) -> Tensor:
    """Return the (P,) share of right answers among (P, B, T, classes) outputs."""
    right = (output.argmax(-1) == asked.targets).double()
    right = right.masked_fill(~output.isfinite().all(-1), torch.nan)
    return _rowwise(_mean, right, asked.weight.double())


def explained(output: Tensor, asked: Sequences) -> Tensor:
    """Return (P,), the share of the targets' variance that (P, B, T, outputs) outputs explain; at most 1.

    0 is what the best constant explains; a worse output has less. NaN where the targets do not vary.
    """
    targets, weight = asked.targets.double(), asked.weight.double()
    output = output.double()
    output = output.masked_fill(~output.isfinite(), torch.nan)
    return _rowwise(_explained, output, targets, weight)


def _rowwise(measure: Callable[..., Tensor], *parts: Tensor) -> Tensor:
    # one row after another: a sum of fractions depends on how many rows there are
    return torch.stack([measure(*rows) for rows in zip(*parts, strict=True)])


def _mean(right: Tensor, weight: Tensor) -> Tensor:
    asked = weight > 0
    return (right[asked] * weight[asked]).sum() / weight.sum()


def _explained(output: Tensor, targets: Tensor, weight: Tensor) -> Tensor:
    asked = weight > 0
    output, targets, weight = output[asked], targets[asked], weight[asked].unsqueeze(-1)  # (M, outputs)
    mean = (weight * targets).sum(0) / weight.sum()
    spread = (weight * (targets - mean).square()).sum()
    return 1.0 - (weight * (output - targets).square()).sum() / spread
