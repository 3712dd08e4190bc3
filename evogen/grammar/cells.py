"""What the sentence of a neuron group says, and the cutting of one sentence that says several.

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
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from types import MappingProxyType
from typing import Any, NamedTuple

from evogen.errors import DevelopmentError, near
from evogen.grammar.activations import ACTIVATIONS, MIX
from evogen.grammar.derivation import Leaf, Number, Pick
from evogen.grammar.learners import LEARNERS, learning
from evogen.grammar.model import Grammar, Word
from evogen.grammar.modules import CONNECTIVITY
from evogen.grammar.plan import Learning

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


class Cell(NamedTuple):
    """One group-to-be: whose it is, where it lies, what it says, and which gene it links to (0: none)."""

    gene: int
    module: int
    layer: int
    leaves: Sequence[Leaf]
    name: str = NAME
    link: int = 0


NO_NUMBERS: Mapping[str, float] = MappingProxyType({})


class _Section:
    """A word and what stands behind it; plain, because a genome has hundreds."""

    __slots__ = ("name", "numbers")

    def __init__(self, name: str) -> None:
        self.name = name
        self.numbers: Mapping[str, float] = NO_NUMBERS


Way = list[Any]
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


class Record(NamedTuple):
    """A sentence, read: sections by kind, and those that may stand any number of times."""

    sections: Mapping[str, _Section]
    terms: Sequence[Way]
    couples: Sequence[Way]
    learning: Learning | None


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


def record_of(cell: Cell) -> Record:
    """Return what a cell's sentence says.

    Raises:
        DevelopmentError: it is no group.
    """
    try:
        return _read(cell.leaves)
    except DevelopmentError as error:
        said = " ".join(getattr(leaf, "text", None) or str(leaf) for leaf in cell.leaves)
        raise DevelopmentError(f"gene {cell.gene} is no neuron group: {error}; found '{said}'") from None


def _read(leaves: Sequence[Leaf]) -> Record:
    sections = dict(_LEFT_OUT)
    said: set[str] = set()
    terms: list[Way] = []
    couples: list[Way] = []
    way: Way | None = None
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
            elif section.numbers is NO_NUMBERS:
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
    return Record(sections, terms, couples, asked)
