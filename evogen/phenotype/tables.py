"""Tables: what the plans of a cohort say, one entry a group, a projection, a neuron or a synapse."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from evogen.connectome.priors import drawn
from evogen.draws import Words, mixed, uniform
from evogen.genome import Array, Genome
from evogen.grammar.plan import Group, Projection
from evogen.keys import Key
from evogen.phenotype.canvas import Canvas
from evogen.phenotype.layout import Body

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Sketch:
    """One candidate before its cohort is filled in.

    Attributes:
        genome, body: what it is.
        synapses: at most so many.
        neural: inherited parameters of neurons, by padded name and group of the plan.
        synaptic: inherited parameters of synapses, by symbol and projection of the plan.
    """

    genome: Genome
    body: Body
    synapses: int
    neural: Mapping[tuple[str, int], Array]
    synaptic: Mapping[tuple[str, int], Array]


class Groups(NamedTuple):
    """One entry a group of the cohort.

    Attributes:
        every: the groups.
        candidate, level, offset, size: where its neurons lie.
        gene: innovation id; word: of its name; face: whether it is of the interface.
        stream: of its own innate draws.
        first: index of each candidate's first group.
    """

    every: Sequence[Group]
    candidate: Ints
    level: Ints
    offset: Ints
    size: Ints
    gene: Words
    word: Words
    face: Ints
    stream: Words
    first: Ints


class Neurons(NamedTuple):
    """One entry a neuron: its group, its number in there, its candidate, and its place on the canvas."""

    group: Ints
    number: Ints
    candidate: Ints
    place: Ints


class Ends(NamedTuple):
    """One entry a projection: its two groups among the cohort's."""

    pre: Ints
    post: Ints


class Synapses(NamedTuple):
    """One entry a synapse.

    Attributes:
        link: its projection.
        pre, post: numbers of its neurons within their groups.
        candidate: row.
        end: place of its postsynaptic neuron on the canvas.
        place: its own.
    """

    link: Ints
    pre: Ints
    post: Ints
    candidate: Ints
    end: Ints
    place: Ints


def groups_of(canvas: Canvas, sketches: Sequence[Sketch], start: int, root: Words) -> Groups:
    """Return the groups of the candidates whose rows begin at `start`; `root` is the stream of all draws."""
    every = [group for item in sketches for group in item.body.plan.groups]
    counts = np.array([len(item.body.plan.groups) for item in sketches])
    first = np.cumsum(counts) - counts
    gene = np.array([group.gene for group in every], dtype=np.uint64)
    names = np.array([word(group.name) for group in every], dtype=np.uint64)
    heir = gene
    if any(item.body.plan.links for item in sketches):
        owners = ((item.body.plan.links, group) for item in sketches for group in item.body.plan.groups)
        heir = np.array([links.get(group.gene, group.gene) for links, group in owners], dtype=np.uint64)
    level = np.array(list(chain.from_iterable(item.body.level for item in sketches)))
    return Groups(
        every,
        np.repeat(np.arange(start, start + len(sketches)), counts),
        level,
        np.array(list(chain.from_iterable(item.body.offset for item in sketches))),
        np.array([group.size for group in every]),
        gene,
        names,
        np.asarray((level == 0) | (level == len(canvas.layout.levels) - 1)),
        mixed(mixed(root, heir), names),
        first,
    )


def neurons_of(canvas: Canvas, groups: Groups) -> Neurons:
    """Return the neurons of all groups, group after group."""
    group, number = _spread(groups.size)
    candidate = groups.candidate[group]
    row = (canvas.neurons[groups.level] + groups.offset)[group] + number
    return Neurons(group, number, candidate, candidate * canvas.neurons[-1] + row)


def ends_of(sketches: Sequence[Sketch], groups: Groups) -> Ends:
    """Return the two groups of each projection of the plans."""
    plans = [item.body.plan.projections for item in sketches]
    first = np.repeat(groups.first, [len(each) for each in plans])
    pre = np.array([link.pre for each in plans for link in each], dtype=np.int64)
    post = np.array([link.post for each in plans for link in each], dtype=np.int64)
    return Ends(pre + first, post + first)


def streams_of(
    root: Words, groups: Groups, links: Sequence[Projection], ends: Ends, sketches: Sequence[Sketch]
) -> Words:
    """Return a stream a projection: that of its owner and of the names of its ends, as `local` makes them."""
    owner = np.array([link.gene for link in links], dtype=np.uint64)
    heir = owner
    if any(item.body.plan.links for item in sketches):
        plans = (item.body.plan for item in sketches)
        named = ((plan.links, link.gene) for plan in plans for link in plan.projections)
        heir = np.array([table.get(gene, gene) for table, gene in named], dtype=np.uint64)

    def name(end: Ints) -> Words:
        foreign = ~groups.face[end] & (groups.gene[end] != owner)
        return np.where(foreign, mixed(groups.word[end], groups.gene[end]), groups.word[end])

    return mixed(mixed(mixed(root, heir), name(ends.pre)), name(ends.post))


def synapses_of(
    canvas: Canvas, groups: Groups, links: Sequence[Projection], ends: Ends, streams: Words
) -> Synapses:
    """Return the synapses of all projections, each row-major, without what chance or a prior leaves out."""
    rows, row_starts, explicit_rows = _explicit([link.rows for link in links])
    columns, column_starts, explicit_columns = _explicit([link.columns for link in links])
    heights = np.where(explicit_rows >= 0, explicit_rows, groups.size[ends.pre])
    widths = np.where(explicit_columns >= 0, explicit_columns, groups.size[ends.post])
    link, number = _spread(heights * widths)
    pre, post = np.divmod(number, widths[link])
    pre = _looked_up(rows, row_starts, explicit_rows, link, pre)
    post = _looked_up(columns, column_starts, explicit_columns, link, post)
    open_ = _allowed(links, streams, link, (pre, post), (heights, widths))
    if open_ is not None:
        link, pre, post = link[open_], pre[open_], post[open_]
    level = groups.level
    which = canvas.link[level[ends.pre], level[ends.post]]
    width = np.array([item.size for item in canvas.layout.levels])[level[ends.post]]
    candidate = groups.candidate[ends.pre]
    corner = candidate * canvas.pairs[-1] + canvas.pairs[which]
    corner += groups.offset[ends.pre] * width + groups.offset[ends.post]
    end = candidate * canvas.neurons[-1] + canvas.neurons[level[ends.post]] + groups.offset[ends.post]
    place = corner[link] + pre * width[link] + post
    return Synapses(link, pre, post, candidate[link], end[link] + post, place)


def _allowed(
    links: Sequence[Projection], streams: Words, link: Ints, ends: tuple[Ints, Ints], sizes: tuple[Ints, Ints]
) -> np.ndarray | None:
    """Return which of all pairs may connect, bool; None if all of them may."""
    density = np.array([item.density for item in links])
    guided = [number for number, item in enumerate(links) if item.prior]
    if not guided and not (density < 1).any():
        return None
    chance = uniform(mixed(mixed(mixed(streams, word("mask"))[link], ends[0]), ends[1]))
    found: np.ndarray = chance < density[link]  # ~ Bernoulli(density)
    stops = np.cumsum(sizes[0] * sizes[1])
    for number in guided:
        shape = int(sizes[0][number]), int(sizes[1][number])
        part = slice(stops[number] - shape[0] * shape[1], stops[number])
        stream = mixed(streams[number], word("shuffled"))
        order = uniform(mixed(mixed(stream, ends[0][part]), ends[1][part])).reshape(shape)
        mask = drawn(links[number].prior, links[number].settings, chance[part].reshape(shape), order)
        found[part] = mask.ravel()
    return found


def _spread(sizes: Ints) -> tuple[Ints, Ints]:
    """Return, for each part of wholes of these sizes, its whole and its number in there."""
    whole = np.repeat(np.arange(len(sizes)), sizes)
    return whole, np.arange(len(whole)) - np.repeat(np.cumsum(sizes) - sizes, sizes)


def _explicit(parts: Sequence[tuple[int, ...] | None]) -> tuple[Ints, Ints, Ints]:
    """Return the given numbers, where those of each projection begin, and how many there are; -1: all."""
    counts = np.array([-1 if part is None else len(part) for part in parts], dtype=np.int64)
    sizes = np.maximum(counts, 0)
    given = np.array(list(chain.from_iterable(part for part in parts if part)), dtype=np.int64)
    return given, np.cumsum(sizes) - sizes, counts


def _looked_up(given: Ints, starts: Ints, counts: Ints, link: Ints, number: Ints) -> Ints:
    if not len(given):
        return number
    chosen = counts[link] >= 0
    return np.where(chosen, given[np.where(chosen, starts[link] + number, 0)], number)


@lru_cache(maxsize=4096)
def word(name: str) -> int:
    """Return the word of a name in a path of draws."""
    return Key(0).child(name).path[0]
