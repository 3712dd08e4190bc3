"""From placed sentences to a Plan: one sentence a neuron group, put into one of five structures.

The start symbol carries `@type(neurons)`: every gene is a sentence of its own. Each word `kind:name` opens a
section, and the numbers up to the next word are its own; all but `group` may be left out:

    group:neurons [size] [bias]               opens a group of `size` neurons (1), with this initial bias
    group:recurrent [size] [bias]             the same, and it hears what it said a step before
    act:NAME | act:mix [shares]               activation of the group, or of each neuron: see `activations`
    neuron:NAME [settings]                    neuron kind; a spiking one takes no other act than identity
    conn:full | conn:sparse [density]         synapses from every neuron that from:... names
    conn:PRIOR [numbers]                      the same by a connectivity prior; conn:shuffled-PRIOR: control
    from:inputs | from:below | from:all       ... inputs, the layer below (inputs where it is empty), both
    term:from <source> [weight]               synapses from one source, an input or a group; as many as wanted
    plastic:NAME [coefficients]               rule of the ways in; behind readout, of the way out
    readout:sum [weight]                      the way to the output
    couple:to <module> [weight]               structure `coupled`: to the output of that class too
    learn:NAME [numbers]                      how the inner loop tunes the gene: see `learners`; not in a net

A source is what a `@dynamic` rule picks. Terms of one source add up; a pick from nothing is no synapse. A
group with terms takes no conn; one with neither takes conn:full from:all. The weights of the terms count only
if all of them have one; a coupling without a weight takes the readout's.

A start of `@type(net)` says all groups in one sentence: `at:cell <module>` and a group, again and again.

A structure says which groups are in reach of which, and which outputs they feed. These five are our own
reading of "with and without modularity, one layer and several" (MGE, arXiv 2208.02787), not the paper's:

    flat              one hidden layer; every group feeds every output
    layered           sources: inputs and the groups one layer below; groups that none reads feed every output
    modules           a module per output, one hidden layer: a group feeds its module's output alone
    coupled           the same, but `couple:to` lets a group feed the outputs of other modules too
    layered-modules   layers within each module; nothing passes between modules
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from types import MappingProxyType
from typing import Any, NamedTuple

from evogen.errors import DevelopmentError, near
from evogen.grammar.activations import ACTIVATIONS, MIX, mixed
from evogen.grammar.derivation import Leaf, Number, Pick
from evogen.grammar.learners import LEARNERS, learning
from evogen.grammar.model import Grammar, Word
from evogen.grammar.modules import CONNECTIVITY
from evogen.grammar.plan import INPUT, OUTPUT, Group, Learning, Plan, Projection

NAME = "n"
"""Name of a gene's group; the groups of a net are `n0`, `n1`, ..."""

# The numbers that each word takes, none of which it must have; None: registered parts, which check their own.
_WORDS: Mapping[str, Mapping[str, set[str]] | None] = {
    "group": {"neurons": {"size", "bias"}, "recurrent": {"size", "bias"}},
    "act": {**{name: set[str]() for name in ACTIVATIONS}, MIX: set(ACTIVATIONS)},
    "neuron": None,
    "conn": None,
    "from": {"inputs": set(), "below": set(), "all": set()},
    "term": {"from": {"weight"}},
    "plastic": None,
    "readout": {"sum": {"weight"}},
    "couple": {"to": {"weight"}},
    "learn": LEARNERS,
}
_IN_NET: Mapping[str, Mapping[str, set[str]] | None] = {
    **{kind: names for kind, names in _WORDS.items() if kind != "learn"},
    "at": {"cell": set()},
}
_PICKS: Mapping[str, tuple[str, ...]] = {"term": ("inputs", "below", "sources"), "couple": ("modules",)}
_SPELT = {"term": "term:from", "couple": "couple:to"}
TYPES = ("neurons", "net")
CONTEXTS = ("inputs", "below", "sources", "modules")


class Structure(NamedTuple):
    """How groups lie together; see the module's text."""

    modular: bool
    layered: bool = False
    coupled: bool = False


STRUCTURES: Mapping[str, Structure] = {
    "flat": Structure(modular=False),
    "layered": Structure(modular=False, layered=True),
    "modules": Structure(modular=True),
    "coupled": Structure(modular=True, coupled=True),
    "layered-modules": Structure(modular=True, layered=True),
}


class Cell(NamedTuple):
    """One group-to-be: whose it is, where it lies, what it says, and which gene it links to (0: none)."""

    gene: int
    module: int
    layer: int
    leaves: Sequence[Leaf]
    name: str = NAME
    link: int = 0


_NO_NUMBERS: Mapping[str, float] = MappingProxyType({})


class _Section:
    """A word and what stands behind it; plain, because a genome has hundreds."""

    __slots__ = ("name", "numbers")

    def __init__(self, name: str) -> None:
        self.name = name
        self.numbers: Mapping[str, float] = _NO_NUMBERS


_Way = list[Any]
"""What a term or a coupling says: its Pick, and its weight or None; a list, because a genome has hundreds."""


_LEFT_OUT: Mapping[str, _Section] = {
    "group": _Section("neurons"),
    "act": _Section("identity"),
    "neuron": _Section("rate"),
    "conn": _Section("full"),
    "from": _Section("all"),
    "plastic": _Section("none"),
    "readout": _Section("sum"),
    "readout plastic": _Section("none"),
    "learn": _Section("full"),
}


class _Record(NamedTuple):
    """A sentence, read: sections by kind, and those that may stand any number of times."""

    sections: Mapping[str, _Section]
    terms: Sequence[_Way]
    couples: Sequence[_Way]
    learning: Learning | None


def plan(
    cells: Sequence[Cell],
    interface: int,
    *,
    structure: Structure,
    layers: int,
    inputs: int,
    outputs: int,
    weighted: bool,
) -> Plan:
    """Return what the sentences of a genome ask for.

    Args:
        cells: at least one, in the order of the genes; lower layers come first in the plan.
        interface: innovation id of the gene of the input and output neurons.
        structure: of STRUCTURES.
        layers: hidden layers, if the structure has several; empty ones count too.
        inputs: neurons of the first group.
        outputs: neurons of the last group, which are the modules of a modular structure.
        weighted: whether the numbers of weights and biases count, or those are innate.

    Raises:
        DevelopmentError: there is no cell, one lies outside the structure, or a sentence is no group.
    """
    if not cells:
        raise DevelopmentError("the genome has no neuron group; at least one was wanted")
    depth = layers if structure.layered else 1
    cells = sorted(cells, key=lambda cell: cell.layer) if structure.layered else cells
    last = 1 + len(cells)
    groups = [Group(interface, INPUT, inputs)]
    projections: list[Projection] = []
    reading: list[_Record] = []
    places: dict[tuple[int, int], list[int]] = {}
    levels = [0]
    unread = set(range(1, last))
    for at, cell in enumerate(cells, 1):
        module = cell.module if structure.modular else 0
        layer = cell.layer if structure.layered else 0
        if not (0 <= module < outputs and 0 <= layer < depth):
            raise DevelopmentError(
                f"gene {cell.gene} lies in module {module}, layer {layer} (from 0) of {outputs} x {depth}"
            )
        below = places.get((module, layer - 1), [])
        record = _record(cell)
        groups.append(_group(cell, module, record, weighted=weighted))
        reading.append(record)
        levels.append(layer + 1)
        ways = _ways_in(at, cell, record, groups, below, weighted=weighted)
        projections += ways
        if below:
            unread.difference_update(way.pre for way in ways if way.pre != at)
        places.setdefault((module, layer), []).append(at)
    groups.append(Group(interface, OUTPUT, outputs))
    for at in sorted(unread):
        way = _way_out(at, last, groups[at], reading[at - 1], structure, outputs, weighted=weighted)
        projections.append(way)
    return Plan(
        tuple(groups),
        tuple(projections),
        levels=(*levels, depth + 1),
        modules=outputs if structure.modular and not structure.coupled else 0,
        links={cell.gene: cell.link for cell in cells if cell.link},
        learning={
            cell.gene: record.learning
            for cell, record in zip(cells, reading, strict=True)
            if record.learning is not None
        },
    )


def cut(gene: int, leaves: Iterable[Leaf]) -> list[Cell]:
    """Return the cells of the sentence of a net, all of them the gene's and of layer 0.

    Raises:
        DevelopmentError: something stands before the first cell, or no pick of a module follows `at:cell`.
    """
    found: list[tuple[int, list[Leaf]]] = []
    placed = True
    for leaf in leaves:
        if isinstance(leaf, Word) and leaf.text == "at:cell":
            if not placed:
                break
            placed = False
        elif not placed and isinstance(leaf, Pick) and leaf.context == "modules":
            found.append((max(leaf.index, 0), []))
            placed = True
        elif found and placed:
            found[-1][1].append(leaf)
        else:
            raise DevelopmentError(f"gene {gene} is no net: at:cell <module> was wanted, {leaf} found")
    if not placed:
        raise DevelopmentError(f"gene {gene} is no net: a pick of a module was wanted after at:cell")
    return [Cell(gene, module, 0, own, f"{NAME}{i}") for i, (module, own) in enumerate(found)]


def check(grammar: Grammar, start: str) -> None:
    """Make sure, before a search, that this start speaks of neurons.

    Raises:
        GrammarError: `start` is unknown or is of type neither neurons nor net, or a word that can be derived
            from it is none of a group's.
    """
    rule = grammar.start(start)
    if rule.type not in TYPES:
        what = f"start symbol <{start}> has {f'type {rule.type}' if rule.type else 'no type'}, wanted neurons"
        raise grammar.fault(
            rule.place, what, f"Write '<{start}> @type(neurons) ::= ...', or start elsewhere."
        )
    words = _IN_NET if rule.type == "net" else _WORDS
    for word in grammar.words(start):
        if what := _unknown(word, words):
            raise grammar.fault(word.place, what, f"A neuron group is made of {', '.join(words)}.")
    for pick in grammar.dynamics(start):
        if pick.context not in CONTEXTS:
            what = f"no neuron group can pick from '{pick.context}'{near(pick.context, CONTEXTS)}"
            raise grammar.fault(pick.place, what, f"There are {', '.join(CONTEXTS)}.")


def _unknown(word: Word, words: Mapping[str, Mapping[str, set[str]] | None]) -> str:
    if word.kind not in words:
        return (
            f"'{word.text}' is no word of a neuron group: unknown kind '{word.kind}'{near(word.kind, words)}"
        )
    names = words[word.kind]
    if names is not None and word.name not in names:
        return f"unknown {word.kind} '{word.name}'{near(word.name, names)}"
    return ""


@cache
def _split(text: str) -> tuple[str, str, set[str] | None]:
    """Return kind, name and the numbers of a word, None for any."""
    word = Word(text, place=None)  # type: ignore[arg-type]  # no place of a text, only its parts
    if what := _unknown(word, _WORDS):
        raise DevelopmentError(what)
    names = CONNECTIVITY if word.kind == "conn" else _WORDS[word.kind] or {}
    return word.kind, word.name, names.get(word.name)


def _record(cell: Cell) -> _Record:
    try:
        return _read(cell.leaves)
    except DevelopmentError as error:
        said = " ".join(getattr(leaf, "text", None) or str(leaf) for leaf in cell.leaves)
        raise DevelopmentError(f"gene {cell.gene} is no neuron group: {error}; found '{said}'") from None


def _read(leaves: Sequence[Leaf]) -> _Record:
    sections = dict(_LEFT_OUT)
    said: set[str] = set()
    terms: list[_Way] = []
    couples: list[_Way] = []
    way: _Way | None = None
    section = _LEFT_OUT["group"]
    allowed: set[str] | None = set()
    unpicked = 0
    kind = ""
    for leaf in leaves:
        if isinstance(leaf, Word):
            kind, name, allowed = _split(leaf.text)
            if kind in _PICKS:
                way = [None, None]
                (terms if kind == "term" else couples).append(way)
                unpicked += 1
                continue
            way = None
            if kind == "plastic" and "readout" in said:
                kind = "readout plastic"
            if kind in said:
                raise DevelopmentError(f"{kind} stands twice in one group")
            said.add(kind)
            section = sections[kind] = _Section(name)
        elif isinstance(leaf, Number):
            name, values = leaf
            before = way[1] is not None if way else name in section.numbers
            if kind == "" or len(values) != 1 or before:
                raise DevelopmentError(
                    f"one number '{name}' after a word was wanted, {leaf} stands alone or is repeated"
                )
            if allowed is not None and name not in allowed:
                raise DevelopmentError(f"a word takes the numbers {sorted(allowed)}, found '{name}'")
            if way:
                way[1] = values[0]
            elif section.numbers is _NO_NUMBERS:
                section.numbers = {name: values[0]}
            else:
                section.numbers[name] = values[0]  # type: ignore[index]  # its own, made above
        elif way is None or way[0] is not None:
            raise DevelopmentError("a pick stands alone or is repeated, wanted after term:from or couple:to")
        elif leaf.context not in _PICKS[kind]:
            wanted = " or ".join(_PICKS[kind])
            raise DevelopmentError(f"{_SPELT[kind]} picks from {wanted}, found a pick from {leaf.context}")
        else:
            way[0] = leaf
            unpicked -= 1
    if "group" not in said:
        raise DevelopmentError("group:neurons was wanted")
    if unpicked:
        raise DevelopmentError("a pick was wanted after term:from or couple:to")
    learn = sections["learn"]
    asked = learning(learn.name, learn.numbers) if "learn" in said else None
    return _Record(sections, terms, couples, asked)


def _group(cell: Cell, module: int, record: _Record, *, weighted: bool) -> Group:
    sections = record.sections
    numbers = sections["group"].numbers
    size = numbers.get("size", 1)
    if size != int(size) or size < 1:
        raise DevelopmentError(f"gene {cell.gene}: size {size} is no whole number above 0")
    neuron, bias = sections["neuron"], numbers.get("bias") if weighted else None
    act, settings = sections["act"], neuron.numbers
    try:
        each = mixed(act.numbers, int(size)) if act.name == MIX else ()
    except DevelopmentError as error:
        raise DevelopmentError(f"gene {cell.gene}: {error}") from None
    return Group(cell.gene, cell.name, int(size), act.name, neuron.name, settings, module, bias, each)


def _ways_in(
    at: int, cell: Cell, record: _Record, groups: Sequence[Group], below: Sequence[int], *, weighted: bool
) -> list[Projection]:
    gene, plastic = cell.gene, record.sections["plastic"]
    rule, coefficients = plastic.name, plastic.numbers
    loop = []
    if record.sections["group"].name == "recurrent":
        loop.append(Projection(at, at, gene, 1.0, rule, coefficients))
    if not record.terms:
        return [*_dense(at, gene, record, below), *loop]
    rows, others, weighted = _sources(record.terms, groups[0].size, below, weighted=weighted)
    size = groups[at].size
    found = []
    weights: tuple[float, ...] = ()
    if rows or not others:  # a group that hears nothing keeps its place behind the input
        order = sorted(rows)
        if weighted:
            weights = tuple([rows[row] for row in order for _ in range(size)])
        found.append(Projection(0, at, gene, 1.0, rule, coefficients, tuple(order), None, weights))
    for pre in sorted(others):
        weights = (others[pre],) * (groups[pre].size * size) if weighted else ()
        found.append(Projection(pre, at, gene, 1.0, rule, coefficients, None, None, weights))
    return [*found, *loop]


def _dense(at: int, gene: int, record: _Record, below: Sequence[int]) -> list[Projection]:
    """Return a way in from every group in reach."""
    conn, plastic, reach = (record.sections[kind] for kind in ("conn", "plastic", "from"))
    density = conn.numbers.get("density", 1.0) if conn.name in CONNECTIVITY else 1.0
    if not 0 < density <= 1:
        raise DevelopmentError(f"gene {gene}: density {density} is not in (0, 1]")
    prior, numbers = ("", _NO_NUMBERS) if conn.name in CONNECTIVITY else (conn.name, conn.numbers)
    pres = [*([] if reach.name == "below" and below else [0]), *([] if reach.name == "inputs" else below)]
    return [
        Projection(pre, at, gene, density, plastic.name, plastic.numbers, prior=prior, settings=numbers)
        for pre in pres
    ]


def _sources(
    terms: Sequence[_Way], inputs: int, below: Sequence[int], *, weighted: bool
) -> tuple[dict[int, float], dict[int, float], bool]:
    """Return the summed weights of the inputs and of the groups that terms name, and whether those count."""
    rows: dict[int, float] = {}
    others: dict[int, float] = {}
    for pick, weight in terms:
        index = pick.index
        if weight is None:
            weighted, weight = False, 0.0
        if pick.context != "below":
            if index < inputs:
                rows[index] = rows.get(index, 0.0) + weight
                continue
            index -= inputs
        if index >= 0:
            others[below[index]] = others.get(below[index], 0.0) + weight
    return rows, others, weighted


def _way_out(
    at: int, last: int, group: Group, record: _Record, structure: Structure, outputs: int, *, weighted: bool
) -> Projection:
    weight = record.sections["readout"].numbers.get("weight") if weighted else None
    columns: tuple[int, ...] | None = None
    each: tuple[float, ...] = ()
    if structure.coupled and record.couples:
        taken = {group.module: weight}
        for pick, own in record.couples:
            if pick.index >= 0:
                taken.setdefault(pick.index, weight if own is None else own)
        columns = tuple(sorted(taken))
        each = tuple(taken[column] or 0.0 for column in columns)
    elif structure.modular:
        columns, each = (group.module,), (weight or 0.0,)
    else:
        each = (weight or 0.0,) * outputs
    plastic = record.sections["readout plastic"]
    weights = each * group.size if weight is not None else ()
    return Projection(at, last, group.gene, 1.0, plastic.name, plastic.numbers, None, columns, weights)
