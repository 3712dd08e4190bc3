"""Layout: the padded shape of a candidate's network, and where in it each gene's neurons lie.

Candidates with equal layouts share one batch. A layout follows from the candidate's own plan and rules only,
and it is coarse, so that cohorts fall into few batches: hidden levels are as wide as the widest of them,
rounded up to a power of two, and every hidden level has a link to the output, whether or not a module ends
there. A single output neuron gets an inert neighbour: a product with one column has other bits for one
candidate than for many.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from evogen.grammar.plan import Plan

GENES = 16
SMALLEST = 64


@dataclass(frozen=True)
class Level:
    """Neurons at equal distance from the input: padded size and the neuron kinds present.

    `neurons` are kinds that answer once a step, `spiking` those that live in ticks.
    """

    size: int
    neurons: tuple[str, ...]
    spiking: tuple[str, ...] = ()


@dataclass(frozen=True)
class Link:
    """All projections between two levels, and the plasticity rules among them (never `none`)."""

    pre: int
    post: int
    rules: tuple[str, ...]


@dataclass(frozen=True)
class Layout:
    """What must be equal for candidates to share a batch.

    Attributes:
        levels: from the input (0) to the output (-1).
        links: in increasing order of (post, pre).
        genes: padded number of rule genes; 0 without rules.
        transmitters: n; 0 without rules.
        stateful: whether a life leaves traces: neurons with memory or plastic links.
        outputs: output neurons without padding; the last level has at least two.
    """

    levels: tuple[Level, ...]
    links: tuple[Link, ...]
    genes: int
    transmitters: int
    stateful: bool
    outputs: int

    @property
    def pairs(self) -> tuple[tuple[int, int], ...]:
        """(pre, post) level of each link."""
        return tuple((link.pre, link.post) for link in self.links)


@dataclass(frozen=True)
class Place:
    """Where one gene's parameter lies: `name` in the phenotype, `local` in the gene's expression."""

    name: str
    local: str
    gene: int
    index: tuple[slice, ...]


@dataclass(frozen=True)
class Body:
    """A candidate's own extent inside its layout.

    Attributes:
        plan: what the grammar asked for.
        level: level of each group of the plan.
        offset: first row of each group within its level.
        sizes: neurons in each level, without padding.
        genes: rule genes, without padding.
        places: one per group or projection and parameter.
    """

    plan: Plan
    level: tuple[int, ...]
    offset: tuple[int, ...]
    sizes: tuple[int, ...]
    genes: int
    places: tuple[Place, ...] = ()

    def rows(self, group: int) -> slice:
        """Return the rows of a group within its level."""
        start = self.offset[group]
        return slice(start, start + self.plan.groups[group].size)

    def cut(self, name: str, shape: tuple[int, ...]) -> tuple[slice, ...]:
        """Return the index that cuts the padding off the parameter `name` of this padded shape."""
        if name == "O":
            return (slice(self.genes), slice(self.genes))
        if name == "c":
            return tuple(slice(size) for size in shape)
        place, symbol = name.split(".")
        if ">" in place:
            pre, post = place.split(">")
            return (slice(self.sizes[int(pre)]), slice(self.sizes[int(post)]))
        rows = slice(self.sizes[int(place)])
        rest = (slice(self.genes),) if symbol == "X" else tuple(slice(size) for size in shape[1:])
        return (rows, *rest)


def arrange(
    plan: Plan, genes: int, transmitters: int, stateful: Mapping[str, bool], spiking: Collection[str] = ()
) -> tuple[Layout, Body]:
    """Put every group of a plan on a level and pad.

    Args:
        plan: groups and projections; every projection goes from an earlier to a later group.
        genes: rule genes g, 0 without rules.
        transmitters: n, 0 without rules.
        stateful: neuron kind to whether it has memory.
        spiking: neuron kinds that live in ticks.
    """
    level = _levels(plan)
    depth = level[-1]
    sizes, offset = [0] * (depth + 1), []
    for group, at in zip(plan.groups, level, strict=True):
        offset.append(sizes[at])
        sizes[at] += group.size
    width = max([SMALLEST, *sizes[1:depth]])
    width = 1 << (width - 1).bit_length()
    levels = tuple(
        _level(plan, level, at, {0: sizes[0], depth: max(2, sizes[depth])}.get(at, width), spiking)
        for at in range(depth + 1)
    )
    links = _links(plan, level)
    memory = any(stateful[kind] for at in levels for kind in at.neurons) or any(link.rules for link in links)
    padded = -(-genes // GENES) * GENES
    layout = Layout(levels, links, padded, transmitters, memory, sizes[depth])
    return layout, Body(plan, level, tuple(offset), tuple(sizes), genes)


def _levels(plan: Plan) -> tuple[int, ...]:
    level = [0] * len(plan.groups)
    for projection in sorted(plan.projections, key=lambda item: item.post):
        level[projection.post] = max(level[projection.post], level[projection.pre] + 1)
    return tuple(level)


def _level(plan: Plan, level: tuple[int, ...], at: int, size: int, spiking: Collection[str]) -> Level:
    kinds = {group.neuron for group, place in zip(plan.groups, level, strict=True) if place == at}
    return Level(size, tuple(sorted(kinds.difference(spiking))), tuple(sorted(kinds.intersection(spiking))))


def _links(plan: Plan, level: tuple[int, ...]) -> tuple[Link, ...]:
    depth = level[-1]
    chain = {(at + 1, at) for at in range(depth)} | {(depth, at) for at in range(1, depth)}
    rules: dict[tuple[int, int], set[str]] = {pair: set() for pair in chain}
    for projection in plan.projections:
        found = rules.setdefault((level[projection.post], level[projection.pre]), set())
        found.update({projection.rule} - {"none"})
    return tuple(Link(pre, post, tuple(sorted(rules[post, pre]))) for post, pre in sorted(rules))
