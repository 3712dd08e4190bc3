"""Network: concrete weights of P agents, and one step of their lives.

    u_post = b_post + sum_pre a_pre (W + F)      a_post = f(neuron(u_post))      F <- rule(F, a_pre, a_post)

F is what a plasticity rule adds to born weights: its fast part, or what it makes of all that it remembers.

Weights are [pre, post]; activities (P, B, N); fast weights F (P, B, pre, post), one per life. A recurrent
level hears itself too: through its own link comes what it said a step before, nothing at the start of a life.

Spiking neurons live T ticks within a step. The observation is a constant current, and u at tick t is made of
the spikes of the same tick, without delay between levels (as in snntorch). All other neurons, also the
output, answer once a step, to the mean of their input over the ticks, b + (firing rates) (W + F): so the
output is the mean membrane of a readout without memory (a leak would only weigh early ticks more), time
constants of leaky neurons stay in steps, and rules see rates. Weights mean the same as in a network without
spikes. No level hears a later one, so that level after level, all ticks at once, equals tick after tick.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import torch
from torch import Tensor

from evogen.phenotype import firing, plastic
from evogen.phenotype.layout import Layout, Link
from evogen.phenotype.plastic import Heard, Plastic
from evogen.phenotype.traits import Traits

CLIP = 10.0

State = Mapping[str, Tensor]
"""What a life leaves behind: `LEVEL.KIND.NAME` what neurons remember (P, B, ...), `LINK.RULE` fast weights
(P, B, pre, post), `LINK.RULE.MEMORY` what else a rule remembers (with one entry where it is of the neurons of
the other end), `LEVEL>LEVEL` what a recurrent level said (P, B, N)."""


class Lens(NamedTuple):
    """Standardisation of observations by what the candidate saw in training: (o - centre) / spread, clipped.

    Both (P, inputs); gradients do not reach them.
    """

    centre: Tensor
    spread: Tensor

    def view(self, observation: Tensor) -> Tensor:
        """Return what the input neurons fire at an observation (P, B, inputs), within +-CLIP."""
        scaled = (observation - self.centre.unsqueeze(1)) / self.spread.unsqueeze(1)
        return scaled.clamp(-CLIP, CLIP)


@dataclass(frozen=True, eq=False)
class Network:
    """P agents with their weights.

    Attributes:
        layout: levels and links.
        weights: (P, pre, post) per link.
        biases: (P, N) per level after the input.
        traits: neuron and plasticity numbers.
        lens: how the input neurons scale what they observe; None: not at all.
    """

    layout: Layout
    weights: tuple[Tensor, ...]
    biases: tuple[Tensor, ...]
    traits: Traits
    lens: Lens | None = None

    @property
    def rows(self) -> int:
        """P."""
        return self.biases[0].shape[0]

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.biases[0].device

    @property
    def dtype(self) -> torch.dtype:
        """Number type of the weights."""
        return self.biases[0].dtype

    def detach(self) -> Network:
        """Return the same network without gradient history."""
        weights, biases = ((part.detach() for part in parts) for parts in (self.weights, self.biases))
        return replace(self, weights=tuple(weights), biases=tuple(biases), traits=self.traits.detach())

    def start(self, batch: int) -> State:
        """Return the state in which `batch` lives per agent start: zeros; empty if nothing is remembered."""
        state: dict[str, Tensor] = {}
        if not self.layout.stateful:
            return state
        for at, level in enumerate(self.layout.levels[1:], 1):
            for kind in level.neurons:
                for name, shape in firing.memory(self.layout, at, kind).items():
                    state[f"{at}.{kind}.{name}"] = self._zeros(self.rows, batch, *shape)
        for link in self.layout.links:
            if link.pre == link.post:
                state[_said(link.post)] = self._zeros(self.rows, batch, self.layout.levels[link.post].size)
        for name, shape in plastic.begun(self.layout, self._plastic):
            state[name] = self._zeros(self.rows, batch, *shape)
        return state

    def step(
        self,
        observation: Tensor,
        state: State,
        *,
        teach: Tensor | None = None,
        errors: Mapping[int, Tensor] | None = None,
    ) -> tuple[Tensor, State]:
        """Live one step.

        Args:
            observation: (P, B, inputs).
            state: from `start` or the step before.
            teach: (P, B, outputs) that stands in for the output activity in the plasticity of this step.
            errors: by level, (P, B, N) of its neurons, for rules that follow errors; by default, where there
                is a teacher, what the output falls short of it.

        Returns:
            The output (P, B, outputs) and the new state.
        """
        return self._lived(observation, state, teach, errors, spent=False)

    def live(self, observation: Tensor, state: State, *, teach: Tensor | None = None) -> tuple[Tensor, State]:
        """Live one step like `step`, for whoever needs the old state no more: it may be written over.

        Without gradients this saves most of the time of large plastic networks; the bits are the same.
        """
        return self._lived(observation, state, teach, None, spent=True)

    def _lived(
        self,
        observation: Tensor,
        state: State,
        teach: Tensor | None,
        errors: Mapping[int, Tensor] | None,
        *,
        spent: bool,
    ) -> tuple[Tensor, State]:
        if not self.layout.stateful:
            return self.forward(observation), state
        activity, new, heard = self._fired(observation, state)
        said = activity
        if teach is not None:
            said = [*activity[:-1], teach.to(self.dtype)]
            errors = errors or {len(said) - 1: said[-1] - activity[-1]}
        ends = [(_heard(link, said, state), said[link.post]) for link in self.layout.links]
        new |= plastic.learn(
            self.layout,
            self._plastic,
            self.weights,
            state,
            heard,
            ends,
            activity,
            self.traits,
            errors or {},
            spent=spent and not torch.is_grad_enabled(),
        )
        return activity[-1][..., : self.layout.outputs], new

    def activity(self, observation: Tensor, state: State) -> list[Tensor]:
        """Return what each level says in a step, (P, B, N) with its padding, from the input as it is seen."""
        return self._fired(observation, state)[0]

    def effective(self, state: State) -> tuple[Tensor, ...]:
        """Return the weights of each link as a life has them now, (P, B, pre, post); static: (P, 1, ...)."""
        found = []
        for number, (link, W) in enumerate(zip(self.layout.links, self.weights, strict=True)):
            heard = self._hear(link.post, state)
            parts = (heard[one.name] for one in self._plastic[number])
            found.append(sum(parts, W.unsqueeze(1)))
        return tuple(found)

    @cached_property
    def _plastic(self) -> tuple[tuple[Plastic, ...], ...]:
        return plastic.plastics(self.layout, self.traits)

    def _hear(self, at: int, state: State) -> Heard:
        return plastic.hear(self.layout, self._plastic, self.weights, at, state) if state else {}

    def _fired(self, observation: Tensor, state: State) -> tuple[list[Tensor], dict[str, Tensor], Heard]:
        activity, new = [self._see(observation)], dict(state)
        every: dict[str, Tensor] = {}
        pulses: dict[int, Tensor] = {}
        for at, level in enumerate(self.layout.levels[1:], 1):
            every |= (heard := self._hear(at, state))
            if level.spiking:
                activity.append(self._spike(at, activity, pulses, state, new, heard))
            else:
                arrived = self._arrived(at, activity, state, heard)
                activity.append(firing.live(level, self.traits, at, arrived, new))
            if _said(at) in state:
                new[_said(at)] = activity[at]
        return activity, new, every

    def forward(self, observation: Tensor) -> Tensor:
        """Return the output of a stateless network, (P, B, outputs)."""
        activity, pulses = [self._see(observation)], dict[int, Tensor]()
        for at, level in enumerate(self.layout.levels[1:], 1):
            if level.spiking:
                activity.append(self._spike(at, activity, pulses, {}, {}, {}))
                continue
            activity.append(firing.live(level, self.traits, at, self._arrived(at, activity, {}, {}), {}))
        return activity[-1][..., : self.layout.outputs]

    def _see(self, observation: Tensor) -> Tensor:
        observation = observation.to(self.dtype)
        return observation if self.lens is None else self.lens.view(observation)

    def _arrived(self, at: int, activity: list[Tensor], state: State, heard: Heard) -> firing.Arrived:
        drive, inputs = self._drive(at, activity, state, heard), activity[0]
        if not firing.synaptic(self.layout.levels[at]):
            return firing.Arrived(drive, inputs)
        into = [(link, W) for link, W in zip(self.layout.links, self.weights, strict=True) if link.post == at]
        pre = torch.cat([_heard(link, activity, state) for link, _ in into], -1)  # (P, B, M)
        weight = torch.cat([W for _, W in into], 1)  # (P, M, N)
        return firing.Arrived(drive, inputs, (pre, weight, self.biases[at - 1].unsqueeze(1)))

    def _drive(self, at: int, activity: list[Tensor], state: State, heard: Heard) -> Tensor:
        drive = self.biases[at - 1].unsqueeze(1)
        for number, (link, W) in enumerate(zip(self.layout.links, self.weights, strict=True)):
            if link.post != at:
                continue
            pre = _heard(link, activity, state)
            drive = torch.baddbmm(drive, pre, W)  # (P, B, N)
            for rule in link.rules:
                fast = heard[f"{number}.{rule}"]  # (P, B, pre, post)
                by_fast = torch.bmm(pre.flatten(0, 1).unsqueeze(1), fast.flatten(0, 1))
                drive = drive + by_fast.reshape(drive.shape)
        return drive

    def _spike(
        self,
        at: int,
        activity: list[Tensor],
        pulses: dict[int, Tensor],
        state: State,
        new: dict[str, Tensor],
        heard: Heard,
    ) -> Tensor:
        """Return the mean activity (P, B, N) of a spiking level; that of each tick goes to `pulses`."""
        level = self.layout.levels[at]
        current = self._current(at, activity, pulses, state, heard)
        arrived = self._arrived(at, activity, state, heard) if level.neurons else None
        mean, pulses[at] = firing.spike(level, self.traits, at, current, arrived, new)
        return mean

    def _current(
        self, at: int, activity: list[Tensor], pulses: Mapping[int, Tensor], state: State, heard: Heard
    ) -> Tensor:
        """Return the current into a level at each tick, (P, T, B, N); T is 1 if nothing before it spikes."""
        current = self.biases[at - 1][:, None, None]  # (P, 1, 1, N)
        for number, (link, W) in enumerate(zip(self.layout.links, self.weights, strict=True)):
            if link.post != at:
                continue
            pre = pulses.get(link.pre)  # (P, T or 1, B, pre)
            pre = _heard(link, activity, state).unsqueeze(1) if pre is None else pre
            rows, ticks, batch, _ = pre.shape
            current = current + torch.bmm(pre.flatten(1, 2), W).view(rows, ticks, batch, -1)
            for rule in link.rules:
                fast = heard[f"{number}.{rule}"].flatten(0, 1)  # (P B, pre, post)
                by_fast = torch.bmm(pre.transpose(1, 2).flatten(0, 1), fast)  # (P B, T or 1, post)
                current = current + by_fast.view(rows, batch, ticks, -1).transpose(1, 2)
        return current

    def _zeros(self, *shape: int) -> Tensor:
        return torch.zeros(shape, dtype=self.dtype, device=self.device)


def _said(level: int) -> str:
    return f"{level}>{level}"


def _heard(link: Link, activity: Sequence[Tensor], state: State) -> Tensor:
    """Return what comes through a link (P, B, pre): of its own level, what that said a step before."""
    return state[_said(link.pre)] if link.pre == link.post else activity[link.pre]
