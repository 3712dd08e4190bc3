"""Energy: what a network's synapses would cost, by two readings that need no hardware.

    conductance   E = sum_ij |G_ij| z_i^2           power: signals are voltages, weights conductances
    operations    E = 0.9 pJ x spikes x fan-out     one addition for every synapse that a spike reaches
                    + 4.6 pJ x other synapses       one multiplication with its addition, at every step

The first is Garcia Rodriguez, Guo, Moraitis 2022 (STPN; its code), in arbitrary units that are the same for
all networks on a task. The second is the usual estimate for 45 nm CMOS at 32 bits (Horowitz 2014,
"Computing's energy problem"), without memory: a neuron, also of the input, counts as spiking if it lives in
ticks or never says anything but 0 and 1. Fast weights count in G; weights that a neuron kind keeps to itself
do not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, cast

import torch
from torch import Tensor

from evogen.keys import Key
from evogen.learning.rollout import forget
from evogen.metrics import Subject
from evogen.neurons import TICKS
from evogen.phenotype import Network, State
from evogen.registry import register, setting
from evogen.tasks import ClassificationTask, ControlTask, SequenceTask, TaskKind

ADDITION, MULTIPLICATION = 0.9, 4.6  # pJ

Moment = tuple[Tensor, State]
"""What lives see in a step, (P, B, inputs), and their state before it."""


@register("metric", "energy")
@dataclass(frozen=True)
class Energy:
    """What one step of the born agents costs, on the search's own kind of examples."""

    lives: int = setting(8, low=1, high=4096, doc="examples, sequences or episodes that are looked at")
    steps: int = setting(50, low=1, high=100_000, doc="most steps of each")

    fits: ClassVar[frozenset[TaskKind]] = frozenset(
        {TaskKind.CLASSIFICATION, TaskKind.SEQUENCE, TaskKind.CONTROL, TaskKind.CONTINUOUS}
    )
    measures: ClassVar[dict[str, str]] = {
        "conductance": "sum of |weight| x signal^2 over all synapses, mean of a step",
        "picojoules": "0.9 pJ a spike and synapse, 4.6 pJ a synapse of other neurons, mean of a step",
    }

    @torch.no_grad()
    def measure(self, subject: Subject) -> dict[str, Tensor]:
        """Return both of the born agents, means over agents, lives and steps."""
        agents = subject.agents
        power = torch.zeros(agents.rows, dtype=torch.float64, device=agents.device)
        counted = [_Counter(agents, level) for level in range(len(agents.layout.levels))]
        moments = 0
        for seen, state in self._moments(subject.task, agents, subject.streams("life")):
            activity, weights = agents.activity(seen, state), agents.effective(state)
            for link, W in zip(agents.layout.links, weights, strict=True):
                own = link.pre == link.post
                power += conductance(W, state[f"{link.pre}>{link.pre}"] if own else activity[link.pre])
            for counter, said in zip(counted, activity, strict=True):
                counter.count(said)
            moments += 1
        cost = torch.zeros_like(power)
        for link, W in zip(agents.layout.links, agents.weights, strict=True):
            cost += counted[link.pre].cost((W != 0).sum(-1))
        return {
            "conductance": subject.mean(power / moments),
            "picojoules": subject.mean(cost / (moments * self.lives)),
        }

    def _moments(self, task: object, agents: Network, keys: Sequence[Key]) -> Iterator[Moment]:
        kind = cast("SequenceTask", task).kind
        if kind is TaskKind.CLASSIFICATION:
            return _examples(cast("ClassificationTask", task), agents, self.lives)
        if kind is TaskKind.SEQUENCE:
            drawn = cast("SequenceTask", task).sequences(keys, self.lives, "validation")
            return _lived(agents, drawn.inputs[:, :, : self.steps])
        return _played(cast("ControlTask", task), agents, keys, self.lives, self.steps)


class _Counter:
    """Counts what the neurons of a level say; all (P, N)."""

    def __init__(self, agents: Network, level: int) -> None:
        shape, device = (agents.rows, agents.layout.levels[level].size), agents.device
        self._ticking = torch.zeros(shape, dtype=torch.bool, device=device)
        for kind in agents.layout.levels[level].spiking:
            self._ticking |= agents.traits.neuron[f"{level}.{kind}"][:, 0] > 0
        self._spikes = torch.zeros(shape, dtype=torch.float64, device=device)
        self._graded = torch.zeros(shape, dtype=torch.bool, device=device)
        self._said = 0

    def count(self, said: Tensor) -> None:
        """Take (P, B, N) signals of a step in."""
        self._graded |= (((said != 0) & (said != 1)) & ~self._ticking.unsqueeze(1)).any(1)
        self._spikes += said.double().sum(1) * torch.where(self._ticking, float(TICKS), 1.0)
        self._said += said.shape[1]

    def cost(self, fan_out: Tensor) -> Tensor:
        """Return the (P,) picojoules of all signals, each through (P, N) synapses."""
        spiking = torch.where(self._graded, 0.0, self._spikes)
        graded = (self._graded * fan_out).sum(-1)
        return events(spiking, fan_out) + operations(graded.double() * self._said)


def conductance(weights: Tensor, signals: Tensor) -> Tensor:
    """Return the (P,) means over B of sum |G| z^2, float64.

    Args:
        weights: G, (P, pre, post), or (P, B, pre, post) where every life has its own (B = 1: all the same).
        signals: z, (P, B, pre).
    """
    load = weights.abs().sum(-1)
    load = load.unsqueeze(1) if load.ndim == 2 else load  # (P, B or 1, pre)
    power = (load * signals.square()).double()
    return torch.stack([row.sum() for row in power]) / signals.shape[1]  # row by row: each has its own bits


def events(spikes: Tensor, fan_out: Tensor) -> Tensor:
    """Return the (P,) picojoules of spikes, each added at every synapse that it reaches.

    Args:
        spikes: (P, N) numbers of spikes.
        fan_out: (P, N) or (N,), synapses that a spike of each neuron reaches.
    """
    found: Tensor = ADDITION * (spikes.double() * fan_out).sum(-1)
    return found


def operations(multiplications: Tensor) -> Tensor:
    """Return the picojoules of so many multiplications with their additions."""
    return MULTIPLICATION * multiplications


def _examples(task: ClassificationTask, agents: Network, lives: int) -> Iterator[Moment]:
    features = task.examples("validation")[0].to(agents.device, agents.dtype)
    features = features[torch.arange(lives) % len(features)]
    yield features.expand(agents.rows, -1, -1), agents.start(lives)


def _lived(agents: Network, inputs: Tensor) -> Iterator[Moment]:
    state = agents.start(inputs.shape[1])
    for seen in inputs.to(agents.device, agents.dtype).unbind(2):
        yield seen, state
        _, state = agents.live(seen, state)


def _played(
    task: ControlTask, agents: Network, keys: Sequence[Key], lives: int, steps: int
) -> Iterator[Moment]:
    played, state = task.start(keys, lives, agents.device), agents.start(lives)
    for _ in range(min(steps, task.horizon)):
        seen = played.observation.to(agents.dtype)
        yield seen, state
        output, state = agents.live(seen, state)
        turn = played.step(task.act(output))
        state = forget(state, turn.terminated | turn.truncated) if state else state
