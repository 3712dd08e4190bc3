"""Network: concrete weights of P agents, and one step of their lives.

    u_post = b_post + sum_pre a_pre (W + F)      a_post = f(neuron(u_post))      F <- rule(F, a_pre, a_post)

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
from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import FunctionCtx

from evogen.neurons import ACTIVATIONS, Neuron, SpikingNeuron
from evogen.phenotype.layout import Layout, Link
from evogen.plasticity import Rule
from evogen.registry import find

CLIP = 10.0
LANES = 32  # numbers that torch computes together, at most

State = Mapping[str, Tensor]
"""What a life leaves behind: `LEVEL.KIND` potentials (P, B, N), `LINK.KIND` fast weights (P, B, pre, post),
`LEVEL>LEVEL` what a recurrent level said (P, B, N)."""


@dataclass(frozen=True, eq=False)
class Traits:
    """What a candidate's neurons and synapses are, beside their weights; one row per agent.

    Attributes:
        functions: names of the activation functions present at each level.
        activation: `LEVEL.FUNCTION` to a bool mask (P, 1, N).
        neuron: `LEVEL.KIND` to a mask (P, 1, N), used in levels with several kinds, and `LEVEL.KIND.FIELD`
            to that kind's numbers (P, 1, N).
        rule: `LINK.RULE` to the mask (P, 1, pre, post) of the synapses that follow it, and `LINK.RULE.FIELD`
            to its coefficients of the same shape.
    """

    functions: tuple[tuple[str, ...], ...]
    activation: Mapping[str, Tensor]
    neuron: Mapping[str, Tensor]
    rule: Mapping[str, Tensor]

    def repeat(self, times: int) -> Traits:
        """Return the traits of `times` equal agents per row."""
        parts = (self.activation, self.neuron, self.rule)
        repeated = ({k: v.repeat_interleave(times, 0) for k, v in part.items()} for part in parts)
        return Traits(self.functions, *repeated)


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
        return replace(self, weights=tuple(weights), biases=tuple(biases))

    def start(self, batch: int) -> State:
        """Return the state in which `batch` lives per agent start: zeros; empty if nothing is remembered."""
        state: dict[str, Tensor] = {}
        if not self.layout.stateful:
            return state
        for at, level in enumerate(self.layout.levels[1:], 1):
            for kind in level.neurons:
                if _neuron(kind).stateful:
                    state[f"{at}.{kind}"] = self._zeros(self.rows, batch, level.size)
        for number, link in enumerate(self.layout.links):
            if link.pre == link.post:
                state[_said(link.post)] = self._zeros(self.rows, batch, self.layout.levels[link.post].size)
            shape = (self.layout.levels[link.pre].size, self.layout.levels[link.post].size)
            for rule in link.rules:
                state[f"{number}.{rule}"] = self._zeros(self.rows, batch, *shape)
        return state

    def step(self, observation: Tensor, state: State, *, teach: Tensor | None = None) -> tuple[Tensor, State]:
        """Live one step.

        Args:
            observation: (P, B, inputs).
            state: from `start` or the step before.
            teach: (P, B, outputs) that stands in for the output activity in the plasticity of this step.

        Returns:
            The output (P, B, outputs) and the new state.
        """
        if not self.layout.stateful:
            return self.forward(observation), state
        activity, new = self._fired(observation, state)
        seen = activity if teach is None else [*activity[:-1], teach.to(self.dtype)]
        self._learn(seen, state, new)
        return activity[-1][..., : self.layout.outputs], new

    def activity(self, observation: Tensor, state: State) -> list[Tensor]:
        """Return what each level says in a step, (P, B, N) with its padding, from the input as it is seen."""
        return self._fired(observation, state)[0]

    def _fired(self, observation: Tensor, state: State) -> tuple[list[Tensor], dict[str, Tensor]]:
        activity, new = [self._see(observation)], dict(state)
        pulses: dict[int, Tensor] = {}
        for at, level in enumerate(self.layout.levels[1:], 1):
            if level.spiking:
                activity.append(self._spike(at, activity, pulses, state, new))
            else:
                activity.append(self._live(at, self._drive(at, activity, state), new))
            if _said(at) in state:
                new[_said(at)] = activity[at]
        return activity, new

    def forward(self, observation: Tensor) -> Tensor:
        """Return the output of a stateless network, (P, B, outputs)."""
        activity, pulses = [self._see(observation)], dict[int, Tensor]()
        for at, level in enumerate(self.layout.levels[1:], 1):
            if level.spiking:
                activity.append(self._spike(at, activity, pulses, {}, {}))
                continue
            drive = self.biases[at - 1].unsqueeze(1)
            for link, W in zip(self.layout.links, self.weights, strict=True):
                if link.post == at:
                    drive = torch.baddbmm(drive, activity[link.pre], W)  # (P, B, N)
            activity.append(self._fire(at, drive))
        return activity[-1][..., : self.layout.outputs]

    def _see(self, observation: Tensor) -> Tensor:
        observation = observation.to(self.dtype)
        return observation if self.lens is None else self.lens.view(observation)

    def _drive(self, at: int, activity: list[Tensor], state: State) -> Tensor:
        drive = self.biases[at - 1].unsqueeze(1)
        for number, (link, W) in enumerate(zip(self.layout.links, self.weights, strict=True)):
            if link.post != at:
                continue
            pre = _heard(link, activity, state)
            drive = torch.baddbmm(drive, pre, W)  # (P, B, N)
            for rule in link.rules:
                fast = state[f"{number}.{rule}"]  # (P, B, pre, post)
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
    ) -> Tensor:
        """Return the mean activity (P, B, N) of a spiking level; that of each tick goes to `pulses`."""
        level = self.layout.levels[at]
        current = self._current(at, activity, pulses, state)
        each = mean = None
        if level.neurons:
            mean = self._live(at, self._drive(at, activity, state), new)
            each = mean.unsqueeze(1)  # (P, 1, B, N)
        for kind in level.spiking:
            name = f"{at}.{kind}"
            spikes = _spiking(kind).spikes(current, _fields(self.traits.neuron, name))  # (P, T, B, N)
            rate = spikes.mean(1)  # exact: a sum of few zeros and ones
            if each is None or mean is None:
                each, mean = spikes, rate
                continue
            mask = self.traits.neuron[name] > 0
            each, mean = torch.where(mask.unsqueeze(1), spikes, each), torch.where(mask, rate, mean)
        assert each is not None
        assert mean is not None
        pulses[at] = each
        return mean

    def _current(self, at: int, activity: list[Tensor], pulses: Mapping[int, Tensor], state: State) -> Tensor:
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
                fast = state[f"{number}.{rule}"].flatten(0, 1)  # (P B, pre, post)
                by_fast = torch.bmm(pre.transpose(1, 2).flatten(0, 1), fast)  # (P B, T or 1, post)
                current = current + by_fast.view(rows, batch, ticks, -1).transpose(1, 2)
        return current

    def _live(self, at: int, drive: Tensor, new: dict[str, Tensor]) -> Tensor:
        kinds = self.layout.levels[at].neurons
        total: Tensor | None = None
        for kind in kinds:
            neuron, name = _neuron(kind), f"{at}.{kind}"
            values = _fields(self.traits.neuron, name)
            potential = neuron.step(drive, new.get(name, drive), values)
            if neuron.stateful:
                new[name] = potential
            if len(kinds) > 1:
                potential = potential * self.traits.neuron[name]
            total = potential if total is None else total + potential
        assert total is not None
        return self._fire(at, total)

    def _fire(self, at: int, potential: Tensor) -> Tensor:
        functions = self.traits.functions[at]
        if len(functions) == 1:
            return ACTIVATIONS[functions[0]](potential)
        masks = tuple(self.traits.activation[f"{at}.{name}"] for name in functions)
        if not torch.compiler.is_compiling() and potential.shape[1] % LANES == 0:  # traced: for any batch
            return _apart(functions, masks, potential)
        first, *others = functions
        activity = ACTIVATIONS[first](potential)
        for name, mask in zip(others, masks[1:], strict=True):
            # where, not a product: a neuron's bits are those of its own function alone
            activity = torch.where(mask, ACTIVATIONS[name](potential), activity)
        return activity

    def _learn(self, activity: list[Tensor], state: State, new: dict[str, Tensor]) -> None:
        for number, (link, W) in enumerate(zip(self.layout.links, self.weights, strict=True)):
            names = [f"{number}.{rule}" for rule in link.rules]
            weight = sum((state[name] for name in names), W.unsqueeze(1))  # (P, B, pre, post)
            pre, post = _heard(link, activity, state).unsqueeze(-1), activity[link.post].unsqueeze(-2)
            for rule, name in zip(link.rules, names, strict=True):
                values = _fields(self.traits.rule, name)
                changed = _rule(rule).step(state[name], pre, post, weight, values)
                new[name] = changed * self.traits.rule[name]

    def _zeros(self, *shape: int) -> Tensor:
        return torch.zeros(shape, dtype=self.dtype, device=self.device)


def _said(level: int) -> str:
    return f"{level}>{level}"


def _heard(link: Link, activity: Sequence[Tensor], state: State) -> Tensor:
    """Return what comes through a link (P, B, pre): of its own level, what that said a step before."""
    return state[_said(link.pre)] if link.pre == link.post else activity[link.pre]


class _Straight(torch.autograd.Function):
    """Returns its input; the gradient comes back contiguous, as where all neurons have one function.

    A transposed one would go through other products of matrices, and come out with other bits.
    """

    @staticmethod
    def forward(ctx: FunctionCtx, potential: Tensor) -> Tensor:  # noqa: ARG004
        """Return a view of the input."""
        return potential.view_as(potential)

    @staticmethod
    def backward(ctx: FunctionCtx, *gradients: Tensor) -> Tensor:  # noqa: ARG004
        """Return the gradient, laid out in order."""
        return gradients[0].contiguous()


def _apart(functions: Sequence[str], masks: tuple[Tensor, ...], potential: Tensor) -> Tensor:
    """Let each function see its own neurons alone, which is four times as fast, with the same bits.

    torch computes what does not fill its vectors by other formulas: the batch must be a multiple of LANES.
    """
    rows, batch, neurons = potential.shape
    own, back = _sorted(masks, rows)
    straight: Tensor = _Straight.apply(potential)  # type: ignore[no-untyped-call]
    lines = straight.transpose(1, 2).reshape(rows * neurons, batch)  # (P N, B)
    parts = [
        ACTIVATIONS[name](lines.index_select(0, members))
        for name, members in zip(functions, own, strict=True)
    ]
    activity = torch.cat(parts).index_select(0, back).view(rows, neurons, batch)
    return activity.transpose(1, 2).contiguous()  # (P, B, N)


@lru_cache(maxsize=64)
def _sorted(masks: tuple[Tensor, ...], rows: int) -> tuple[tuple[Tensor, ...], Tensor]:
    """Return which of P N neurons have each function, and where each neuron comes among them.

    Padding takes the first function. Tensors are told apart by identity; the cache keeps them alive.

    Args:
        masks: (P, 1, N) or (1, 1, N) bool, one a function.
        rows: P.
    """
    flat = [mask.expand(rows, -1, -1).reshape(-1) for mask in masks]
    flat[0] = ~torch.stack(flat[1:]).any(0)
    own = tuple(torch.nonzero(mask)[:, 0] for mask in flat)
    return own, torch.argsort(torch.cat(own))


def _fields(values: Mapping[str, Tensor], name: str) -> dict[str, Tensor]:
    start = name + "."
    return {key.removeprefix(start): value for key, value in values.items() if key.startswith(start)}


def _neuron(kind: str) -> Neuron:
    neuron: Neuron = find("neuron", kind)()
    return neuron


def _spiking(kind: str) -> SpikingNeuron:
    neuron: SpikingNeuron = find("neuron", kind)()
    return neuron


def _rule(kind: str) -> Rule:
    rule: Rule = find("rule", kind)()
    return rule
