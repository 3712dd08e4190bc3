"""Plastic links: what rules remember of them, add to their weights, and make of one step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from evogen.phenotype.layout import Layout
from evogen.phenotype.traits import VOICE, Traits, fields
from evogen.plasticity import FAST, Extent, Modulated, Rule, Seen, State, Values
from evogen.plasticity.sums import faded
from evogen.registry import find


@dataclass(frozen=True, eq=False)
class Plastic:
    """One rule among the synapses of one link.

    Attributes:
        name: `LINK.RULE`.
        kind: the rule's.
        rule: configured.
        values: its coefficients; (P, 1, 1, 1) or (P, 1, 1, post) where they are equal along an axis.
        mask: (P, 1, pre, post) of 0 and 1, which synapses follow it; None: all.
    """

    name: str
    kind: str
    rule: Rule
    values: Values
    mask: Tensor | None

    def own(self, state: State) -> dict[str, Tensor]:
        """Return what the rule remembers of its link, out of the state of a life."""
        return {memory: state[self.called(memory)] for memory in self.rule.memory}

    def called(self, memory: str) -> str:
        """Return the name of a memory in the state of a life: `LINK.RULE` is the fast part's."""
        return self.name if memory == FAST else f"{self.name}.{memory}"

    def masked(self, part: Tensor, *, own: bool = False) -> Tensor:
        """Return a number a synapse, 0 where the synapse does not follow the rule; over `part` if `own`."""
        return part if self.mask is None else faded(part, self.mask, own=own)


Heard = Mapping[str, Tensor]
"""What each rule adds to its link, (P, B, pre, post), by `LINK.RULE`."""


def plastics(layout: Layout, traits: Traits) -> tuple[tuple[Plastic, ...], ...]:
    """Return the rules of each link with their coefficients."""
    found: list[tuple[Plastic, ...]] = []
    for number, link in enumerate(layout.links):
        found.append(tuple(_plastic(f"{number}.{kind}", kind, traits) for kind in link.rules))
    return tuple(found)


def _plastic(name: str, kind: str, traits: Traits) -> Plastic:
    rule: Rule = traits.laws[kind] if kind in traits.laws else find("rule", kind)()
    values, mask = fields(traits.rule, name), traits.rule[name]
    if torch.compiler.is_compiling() or not bool(mask.all()):
        return Plastic(name, kind, rule, values, mask)
    return Plastic(name, kind, rule, {field: _short(value) for field, value in values.items()}, None)


def _short(value: Tensor) -> Tensor:
    """Return coefficients without the axes along which they are equal: the same bits, less to compute."""
    if value.requires_grad:
        return value
    for short in (value[..., :1, :1], value[..., :1, :]):
        if torch.equal(short.expand_as(value), value):
            return short.clone()
    return value


def begun(layout: Layout, plastic: Sequence[Sequence[Plastic]]) -> Iterator[tuple[str, tuple[int, int]]]:
    """Return the name and last two axes of everything that rules remember."""
    for link, every in zip(layout.links, plastic, strict=True):
        pre, post = layout.levels[link.pre].size, layout.levels[link.post].size
        shapes = {Extent.SYNAPSE: (pre, post), Extent.PRE: (pre, 1), Extent.POST: (1, post)}
        for one in every:
            for memory, extent in one.rule.memory.items():
                yield one.called(memory), shapes[extent]


def hear(
    layout: Layout,
    plastic: Sequence[Sequence[Plastic]],
    weights: Sequence[Tensor],
    at: int,
    state: State,
) -> dict[str, Tensor]:
    """Return what each rule adds to the links into level `at`, by `LINK.RULE`.

    Args:
        layout: of the network.
        plastic: from `plastics`.
        weights: born ones, (P, pre, post) a link.
        at: the level.
        state: of the life.
    """
    return {
        one.name: one.rule.added(one.own(state), one.masked(W.unsqueeze(1)), one.values)
        for link, every, W in zip(layout.links, plastic, weights, strict=True)
        if link.post == at
        for one in every
    }


def learn(
    layout: Layout,
    plastic: Sequence[Sequence[Plastic]],
    weights: Sequence[Tensor],
    state: State,
    heard: Heard,
    ends: Sequence[tuple[Tensor, Tensor]],
    activity: Sequence[Tensor],
    traits: Traits,
    errors: Mapping[int, Tensor],
    *,
    spent: bool = False,
) -> dict[str, Tensor]:
    """Return what all rules remember after a step, by name.

    Args:
        layout: of the network.
        plastic: from `plastics`.
        weights: born ones, (P, pre, post) a link.
        state: of the life, before the step.
        heard: of all levels, from `hear`.
        ends: what came through each link (P, B, pre), and what its postsynaptic level said (P, B, post).
        activity: of all levels, (P, B, N).
        traits: of the network.
        errors: of the neurons of a level, (P, B, N), by level.
        spent: whether the old state may be written over.
    """
    new: dict[str, Tensor] = {}
    for link, every, W, (pre, post) in zip(layout.links, plastic, weights, ends, strict=True):
        if not every:
            continue
        weigh = partial(_weigh, W.unsqueeze(1), [heard[one.name] for one in every])
        error = errors[link.post].unsqueeze(-2) if link.post in errors else None
        for one in every:
            modulator = _modulator(one, link.post, activity, traits)
            born = one.masked(W.unsqueeze(1))
            own = spent and len(every) == 1  # two rules of a link see each other's old state
            seen = Seen(pre.unsqueeze(-1), post.unsqueeze(-2), born, weigh, modulator, error, own)
            after = one.rule.step(one.own(state), seen, one.values)
            for memory, extent in one.rule.memory.items():
                part = after[memory]
                new[one.called(memory)] = one.masked(part, own=own) if extent is Extent.SYNAPSE else part
    return new


def _weigh(W: Tensor, added: Sequence[Tensor]) -> Tensor:
    total = W
    for part in added:
        total = total + part
    return total


def _modulator(one: Plastic, post: int, activity: Sequence[Tensor], traits: Traits) -> Tensor | None:
    """Return what modulates a link, (P, B, 1, 1): m = tanh(w . a), or what the last input neuron says."""
    if not isinstance(one.rule, Modulated) or one.rule.modulator == "none":
        return None
    if one.rule.modulator == "input":
        return activity[0][..., -1, None, None]
    levels = [post] if one.rule.modulator == "layer" else range(len(activity) - 1)
    voices = (traits.neuron[f"{at}.{one.kind}{VOICE}"] for at in levels)
    total = sum((activity[at] * voice).sum(-1) for at, voice in zip(levels, voices, strict=True))  # (P, B)
    return torch.tanh(torch.as_tensor(total))[..., None, None]
