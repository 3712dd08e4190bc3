"""A born agent as one step of a traced program: what it observes and remembers in, what it says and does out.

    (observation, *state) -> (output, action, *next state)

The step is that of `evogen.phenotype.Network`, traced, for one agent without the padding that only cohorts
need. Axes: observation (batch, inputs), output (batch, outputs), action (batch,) whole numbers or
(batch, components), state (batch, ...), zeros at the start of a life; the batch is that of lives, and free.
Where the task has no actions the answer is the number of the largest output. State, by name:

    LEVEL.NEURON.NAME  what neurons remember: potentials v (batch, N), and so on
    LINK.RULE.MEMORY   what else a rule remembers, (batch, pre or 1, post or 1)
    LINK.RULE          fast weights (batch, pre, post)
    LEVEL>LEVEL        what a recurrent level said a step before (batch, N)
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor
from torch.export import Dim, ExportedProgram

from evogen.errors import EvogenError
from evogen.phenotype import Network
from evogen.phenotype.layout import Layout, Level, Link
from evogen.phenotype.network import Lens
from evogen.phenotype.traits import VOICE, Traits
from evogen.registry import find

_BATCH = 3  # of the example that is traced; 0 and 1 would be taken for constants


class Step(torch.nn.Module):
    """The program of one agent, as torch traces it.

    Args:
        network: one row.
        act: the action for outputs (1, batch, outputs).
    """

    def __init__(self, network: Network, act: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        assert network.rows == 1
        self.network, self.act = network.detach(), act
        self.names = tuple(network.start(1))

    def forward(self, observation: Tensor, *state: Tensor) -> tuple[Tensor, ...]:
        """Return (output, action, *state) for (observation, *state), in the order of `names`."""
        named = {name: part.unsqueeze(0) for name, part in zip(self.names, state, strict=True)}
        output, new = self.network.step(observation.unsqueeze(0), named)
        return (
            output.squeeze(0),
            self.act(output).squeeze(0),
            *(new[name].squeeze(0) for name in self.names),
        )

    def example(self, batch: int) -> tuple[Tensor, ...]:
        """Return the arguments of the first step of `batch` lives."""
        network = self.network
        observation = torch.zeros(batch, network.layout.levels[0].size, dtype=network.dtype)
        return (observation, *(part.squeeze(0) for part in network.start(batch).values()))


def traced(step: Step) -> ExportedProgram:
    """Return the program.

    Raises:
        EvogenError: torch cannot trace it, as that of a plugged-in part that is not made of torch operations.
    """
    batch = {0: Dim("batch", min=1)}
    arguments = step.example(_BATCH)
    shapes = (batch, *([tuple(batch for _ in step.names)] if step.names else []))
    try:
        with torch.no_grad(), quiet():
            return torch.export.export(step, arguments, dynamic_shapes=shapes)
    except (RuntimeError, ValueError, NotImplementedError, TypeError) as error:
        first = str(error).strip().partition("\n")[0]
        raise EvogenError(f"torch.export cannot trace this agent: {type(error).__name__}: {first}") from error


def pruned(network: Network, sizes: Sequence[int]) -> Network:
    """Return one agent's network without padding: levels, links, kinds and rules that nothing uses are gone.

    Args:
        network: one row.
        sizes: neurons in each level that are the agent's own.
    """
    levels = [at for at, size in enumerate(sizes) if size or at in (0, len(sizes) - 1)]
    kept = _links(network, sizes, levels)
    own = tuple(_level(network, at, sizes[at]) for at in levels)
    links = tuple(
        Link(levels.index(link.pre), levels.index(link.post), _rules(network, number, sizes))
        for number, link in kept
    )
    layout = replace(network.layout, levels=own, links=links, stateful=False)
    layout = replace(layout, stateful=_remembers(layout))
    weights = tuple(
        network.weights[number][:, : sizes[link.pre], : sizes[link.post]].clone() for number, link in kept
    )
    biases = tuple(network.biases[at - 1][:, : sizes[at]].clone() for at in levels[1:])
    return Network(layout, weights, biases, _traits(network, sizes, levels, kept, layout), _lens(network))


def _lens(network: Network) -> Lens | None:
    return None if network.lens is None else Lens(*(part.clone() for part in network.lens))


def _links(network: Network, sizes: Sequence[int], levels: Sequence[int]) -> list[tuple[int, Link]]:
    """Return the links that carry anything, and one into every level in any case, with their numbers."""
    found: list[tuple[int, Link]] = []
    for number, link in enumerate(network.layout.links):
        if link.pre not in levels or link.post not in levels:
            continue
        used = bool((network.weights[number] != 0).any()) or bool(_rules(network, number, sizes))
        lonely = link.pre != link.post and all(other.post != link.post for _, other in found)
        later = [
            other
            for after, other in enumerate(network.layout.links)
            if after > number and other.post == link.post and other.pre != other.post and other.pre in levels
        ]
        if used or (lonely and not later):
            found.append((number, link))
    return found


def _level(network: Network, at: int, size: int) -> Level:
    level = network.layout.levels[at]

    def present(kinds: Sequence[str]) -> tuple[str, ...]:
        masks = {kind: network.traits.neuron.get(f"{at}.{kind}") for kind in kinds}
        return tuple(
            kind for kind, mask in masks.items() if mask is None or bool((mask[..., :size] > 0).any())
        )

    if len(level.neurons) + len(level.spiking) == 1:
        return replace(level, size=size)
    return Level(size, present(level.neurons), present(level.spiking))


def _rules(network: Network, number: int, sizes: Sequence[int]) -> tuple[str, ...]:
    link = network.layout.links[number]
    own = (..., slice(sizes[link.pre]), slice(sizes[link.post]))
    masks = {rule: network.traits.rule[f"{number}.{rule}"] for rule in link.rules}
    return tuple(rule for rule, mask in masks.items() if bool((mask[own] != 0).any()))


def _remembers(layout: Layout) -> bool:
    memory = any(
        find("neuron", kind).nature.remembers for level in layout.levels[1:] for kind in level.neurons
    )
    return memory or any(link.rules or link.pre == link.post for link in layout.links)


def _traits(
    network: Network,
    sizes: Sequence[int],
    levels: Sequence[int],
    kept: Sequence[tuple[int, Link]],
    layout: Layout,
) -> Traits:
    """Return the traits of what is left, cut and numbered anew."""
    before = network.traits
    functions = [_functions(network, at, sizes[at]) for at in levels]
    activation: dict[str, Tensor] = {}
    neuron: dict[str, Tensor] = {}
    rule: dict[str, Tensor] = {}
    for new, at in enumerate(levels):
        kinds = (*layout.levels[new].neurons, *layout.levels[new].spiking)
        if len(functions[new]) > 1:
            activation |= _cut(before.activation, f"{at}.", f"{new}.", functions[new], (sizes[at],))
        voices = tuple(f"{kind}{VOICE}" for kind in before.laws)
        neuron |= _cut(before.neuron, f"{at}.", f"{new}.", (*kinds, *voices), (sizes[at],))
        neuron |= _synaptic(network, at, new, kinds, sizes, kept)
    for new, (number, link) in enumerate(kept):
        shape = (sizes[link.pre], sizes[link.post])
        rule |= _cut(before.rule, f"{number}.", f"{new}.", layout.links[new].rules, shape)
    return Traits(tuple(functions), activation, neuron, rule, before.laws)


def _synaptic(
    network: Network,
    at: int,
    new: int,
    kinds: Sequence[str],
    sizes: Sequence[int],
    kept: Sequence[tuple[int, Link]],
) -> dict[str, Tensor]:
    """Return what neurons of a level own a synapse (1, M, N), without the synapses that are gone."""
    start, rows = 0, list[int]()
    for number, link in enumerate(network.layout.links):
        if link.post == at:
            if any(number == other for other, _ in kept):
                rows += range(start, start + sizes[link.pre])
            start += network.layout.levels[link.pre].size
    return {
        f"{new}.{kind}.{name}": network.traits.neuron[f"{at}.{kind}.{name}"][:, rows, : sizes[at]].clone()
        for kind in kinds
        for name, own in find("neuron", kind).nature.owns.items()
        if own.shape == ("sources",)
    }


def _functions(network: Network, at: int, size: int) -> tuple[str, ...]:
    names = network.traits.functions[at]
    if len(names) == 1:
        return names
    masks = {name: network.traits.activation[f"{at}.{name}"][..., :size] for name in names}
    return tuple(name for name, mask in masks.items() if bool(mask.any())) or names[:1]


def _cut(
    values: Mapping[str, Tensor], old: str, new: str, names: Sequence[str], shape: tuple[int, ...]
) -> dict[str, Tensor]:
    """Return the entries `old + NAME` and `old + NAME.FIELD`, cut to a shape, as `new + ...`."""
    ends: tuple[Any, ...] = (..., *(slice(size) for size in shape))
    return {
        new + key.removeprefix(old): value[ends].clone(memory_format=torch.contiguous_format)
        for key, value in values.items()
        if key.startswith(old) and key.removeprefix(old).partition(".")[0] in names
    }


@contextmanager
def quiet() -> Iterator[None]:
    """Keep torch's exporters from telling what is not the user's business."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    try:
        logger.setLevel(logging.ERROR)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            warnings.simplefilter("ignore", DeprecationWarning)
            yield
    finally:
        logger.setLevel(level)
