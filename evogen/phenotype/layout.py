"""Layout: the padded shape of a candidate's network, and where in it each gene's neurons lie.

Candidates with equal layouts share one batch. A layout follows from the candidate's own plan and rules only,
and it is coarse, so that cohorts fall into few batches: hidden levels are as wide as the widest of them,
rounded up to a power of two, and every hidden level has a link to the output, whether or not a module ends
there, and to itself if any level has. Where a structure says on which level each group lies, empty levels
stay, and every hidden level hears the input and the level below, whether or not a group does. A single output
neuron gets an inert neighbour: a product with one column has other bits for one candidate than for many.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from types import MappingProxyType

from evogen.connectome import TIED, Parameter
from evogen.grammar.plan import Plan, Projection

GENES = 16
SMALLEST = 64
TIES = 64
NEURON = "rate"
"""Kind of the padding of an empty level."""
OWNED = ":"
"""Stands in a parameter's symbol between the kind of part that owns it and its name: `KIND:NAME`."""
RULED = "~"
"""The same where a plasticity rule owns it: `RULE~NAME`."""


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
        stateful: whether a life leaves traces: neurons with memory, plastic links or recurrent ones.
        outputs: output neurons without padding; the last level has at least two.
        modules: so many modules without a synapse between them, see Plan; 0: not so.
        ties: padded number of the parameters of a circuit's edges; 0 without a circuit.
        bias: whether neurons of a circuit have free biases.
        grains: each rule with tuned coefficients, and its granularity.
    """

    levels: tuple[Level, ...]
    links: tuple[Link, ...]
    genes: int
    transmitters: int
    stateful: bool
    outputs: int
    modules: int = 0
    ties: int = 0
    bias: str = "free"
    grains: tuple[tuple[str, str], ...] = ()

    @property
    def pairs(self) -> tuple[tuple[int, int], ...]:
        """(pre, post) level of each link."""
        return tuple((link.pre, link.post) for link in self.links)


@dataclass(frozen=True)
class Slot:
    """The place of one named parameter of `size` entries in a row of the flat tensor; its learning pace."""

    name: str
    start: int
    shape: tuple[int, ...]
    size: int
    pace: float = 1.0


@dataclass(frozen=True)
class Place:
    """Where one gene's parameter lies: `name` in the phenotype, `local` in the gene's expression."""

    name: str
    local: str
    gene: int
    index: tuple[slice, ...]


@dataclass(frozen=True, eq=False)
class Body:
    """A candidate's own extent inside its layout.

    Attributes:
        plan: what the grammar asked for.
        level: level of each group of the plan.
        offset: first row of each group within its level.
        sizes: neurons in each level, without padding.
        genes: rule genes, without padding.
        padded: every parameter of the layout by name, but for O and c.
    """

    plan: Plan
    level: tuple[int, ...]
    offset: tuple[int, ...]
    sizes: tuple[int, ...]
    genes: int
    padded: Mapping[str, Parameter] = field(default_factory=dict)

    @cached_property
    def places(self) -> tuple[Place, ...]:
        """One per group, or per two groups with a projection between them, and parameter."""
        found: dict[tuple[str, str, int], Place] = {}
        rows = [self.rows(number) for number in range(len(self.level))]
        for name, spec in self.padded.items():
            if name == TIED:
                owner = self.plan.projections[0].gene
                found[name, name, owner] = Place(name, name, owner, self.cut(name, spec.shape))
                continue
            at, symbol = name.split(".")
            if ">" in at:
                pre, post = (int(part) for part in at.split(">"))
                places = self._synaptic(name, (pre, post), symbol, rows)
            else:
                places = self._neural(name, int(at), symbol, rows, self.cut(name, spec.shape)[1:])
            for place in places:
                found.setdefault((place.name, place.local, place.gene), place)
        return tuple(found.values())

    def _synaptic(
        self, name: str, pair: tuple[int, int], symbol: str, rows: Sequence[slice]
    ) -> Iterator[Place]:
        level, every = self.level, not partly_free(self.padded)
        for link in self.plan.projections:
            mine = belongs(symbol, self.plan.groups[link.post].neuron)
            if RULED in symbol:
                mine, every = link.rule == symbol.partition(RULED)[0], True
            if mine and (level[link.pre], level[link.post]) == pair and (every or link.free):
                own = local(self.plan, link, symbol)
                yield Place(name, own, link.gene, (rows[link.pre], rows[link.post]))

    def _neural(
        self, name: str, at: int, symbol: str, rows: Sequence[slice], rest: tuple[slice, ...]
    ) -> Iterator[Place]:
        for group, level, own in zip(self.plan.groups, self.level, rows, strict=True):
            if level == at and belongs(symbol, group.neuron):
                yield Place(name, f"{group.name}.{symbol}", group.gene, (own, *rest))

    def rows(self, group: int) -> slice:
        """Return the rows of a group within its level."""
        start = self.offset[group]
        return slice(start, start + self.plan.groups[group].size)

    def cut(self, name: str, shape: tuple[int, ...]) -> tuple[slice, ...]:
        """Return the index that cuts the padding off the parameter `name` of this padded shape."""
        if name == "O":
            return (slice(self.genes), slice(self.genes))
        if name == TIED:
            return (slice(0 if self.plan.anatomy is None else self.plan.anatomy.ties),)
        if name == "c":
            return tuple(slice(size) for size in shape)
        place, symbol = name.split(".")
        if ">" in place:
            pre, post = place.split(">")
            return (slice(self.sizes[int(pre)]), slice(self.sizes[int(post)]))
        rows = slice(self.sizes[int(place)])
        rest = (slice(self.genes),) if symbol == "X" else tuple(slice(size) for size in shape[1:])
        return (rows, *rest)


def owned(symbol: str) -> bool:
    """Return whether a part, not the wiring, has a parameter with this symbol."""
    return OWNED in symbol or RULED in symbol


def belongs(symbol: str, *kinds: str) -> bool:
    """Return whether neurons or synapses of these kinds have a parameter with this symbol."""
    owner, owned, _ = symbol.partition(OWNED)
    return not owned or owner in kinds


def partly_free(padded: Iterable[str]) -> bool:
    """Return whether neurons have expression and synapses weights too, which only free projections use."""
    symbols = {name.rpartition(".")[2] for name in padded}
    return {"X", "W"} <= symbols


def local(plan: Plan, link: Projection, symbol: str) -> str:
    """Return the name of a projection's parameter among those of its gene: `in>l0.W`, `7.n>n.W`.

    A group that belongs to another gene, not the interface's, has that gene's innovation id before it.
    """
    own = (link.gene, plan.groups[0].gene)
    ends = plan.groups[link.pre], plan.groups[link.post]
    pre, post = (group.name if group.gene in own else f"{group.gene}.{group.name}" for group in ends)
    return f"{pre}>{post}.{symbol}"


def arrange(
    plan: Plan,
    genes: int,
    transmitters: int,
    stateful: Collection[str],
    spiking: Collection[str] = (),
    grains: Mapping[str, str] = MappingProxyType({}),
) -> tuple[Layout, Body]:
    """Put every group of a plan on a level and pad.

    Args:
        plan: groups and projections; every projection goes from an earlier to a later group, or to its own.
        genes: rule genes g, 0 without rules.
        transmitters: n, 0 without rules.
        stateful: neuron kinds with memory.
        spiking: neuron kinds that live in ticks.
        grains: granularity of each rule with tuned coefficients.
    """
    level = plan.levels or _levels(plan)
    depth = level[-1]
    sizes, offset = [0] * (depth + 1), []
    kinds: list[set[str]] = [set() for _ in sizes]
    for group, at in zip(plan.groups, level, strict=True):
        offset.append(sizes[at])
        sizes[at] += group.size
        kinds[at].add(group.neuron)
    width = max([SMALLEST, *sizes[1:depth]])
    width = 1 << (width - 1).bit_length()
    padded = (sizes[0], *[width] * (depth - 1), max(2, sizes[depth]))
    found = {(level[link.post], level[link.pre], link.rule) for link in plan.projections}
    layout = _layout(
        padded,
        tuple(frozenset(each) for each in kinds),
        frozenset(found),
        placed=bool(plan.levels),
        stateful=frozenset(stateful),
        spiking=frozenset(spiking),
        rules=(-(-genes // GENES) * GENES, transmitters),
        outputs=sizes[depth],
        modules=plan.modules,
        circuit=(0, "free") if plan.anatomy is None else (_rounded(plan.anatomy.ties), plan.anatomy.bias),
        grains=tuple(sorted(grains.items())),
    )
    return layout, Body(plan, level, tuple(offset), tuple(sizes), genes)


def _rounded(ties: int) -> int:
    """Return the padded number of a circuit's parameters; few are left as they are."""
    return ties if ties <= TIES else -(-ties // TIES) * TIES


def _levels(plan: Plan) -> tuple[int, ...]:
    level = [0] * len(plan.groups)
    for projection in sorted(plan.projections, key=lambda item: item.post):
        if projection.pre != projection.post:
            level[projection.post] = max(level[projection.post], level[projection.pre] + 1)
    return tuple(level)


@lru_cache(maxsize=4096)
def _layout(
    sizes: tuple[int, ...],
    kinds: tuple[frozenset[str], ...],
    found: frozenset[tuple[int, int, str]],
    *,
    placed: bool,
    stateful: frozenset[str],
    spiking: frozenset[str],
    rules: tuple[int, int],
    outputs: int,
    modules: int,
    circuit: tuple[int, str],
    grains: tuple[tuple[str, str], ...],
) -> Layout:
    levels = tuple(
        Level(size, tuple(sorted((own or {NEURON}) - spiking)), tuple(sorted(own & spiking)))
        for size, own in zip(sizes, kinds, strict=True)
    )
    links = _links(len(sizes) - 1, found, placed=placed)
    memory = any(stateful.intersection(at.neurons) for at in levels)
    memory = memory or any(link.rules or link.pre == link.post for link in links)
    return Layout(levels, links, *rules, memory, outputs, modules, *circuit, grains)


def _links(depth: int, found: frozenset[tuple[int, int, str]], *, placed: bool) -> tuple[Link, ...]:
    pairs = {(at + 1, at) for at in range(depth)} | {(depth, at) for at in range(1, depth)}
    if placed:
        pairs |= {(at, 0) for at in range(1, depth)}
    if any(post == pre for post, pre, _ in found):
        pairs |= {(at, at) for at in range(1, depth)}
    rules: dict[tuple[int, int], set[str]] = {pair: set() for pair in pairs}
    for post, pre, rule in found:
        rules.setdefault((post, pre), set()).update({rule} - {"none"})
    return tuple(Link(pre, post, tuple(sorted(rules[post, pre]))) for post, pre in sorted(rules))
