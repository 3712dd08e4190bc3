"""From the sentence of a circuit to a Plan.

The start symbol carries `@type(circuit)`; a genome has one gene, whose sentence is one circuit:

    circuit:NAME [settings]        registered circuit, its settings as numbers or as words `SETTING:VALUE`
    control:NAME                   what is taken away from it, see `controls`; exact unless written
    draw [draw]                    the seed of the control's draw, 0 unless written
    threshold [least]              edges below this strength are left out (parameters keep their numbers)
    signs:given | signs:free       whether signs hold
    unfold [steps]                 a circuit with cycles as so many copies of itself, one behind the other
    act:NAME, neuron:NAME          of all hidden nodes, in the place of what the circuit says

A circuit without cycles has levels by its longest paths. One with cycles has one hidden level, which hears
what it said a step before; unfolded, it has no memory: the input reaches every copy, the output hears the
last one, and copies share all parameters (so it has no biases, which would not be shared).

A gap junction between nodes without a chemical synapse is an excitatory edge in both directions with one
parameter, and adds to the strength of a synapse where there is one (ours: the leak into the other cell, of
which a rate model knows nothing, is left out).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, get_args, get_type_hints

import numpy as np

from evogen.connectome.circuits import ports
from evogen.connectome.circuits.circuit import GIVEN, Circuit, Floats, Ints, levels
from evogen.connectome.circuits.controls import CONTROLS, controlled
from evogen.connectome.circuits.ports import attached
from evogen.connectome.circuits.statistics import statistics
from evogen.errors import DevelopmentError, near
from evogen.genome import Genome
from evogen.grammar.activations import ACTIVATIONS
from evogen.grammar.derivation import Node, Pick, derive
from evogen.grammar.model import Grammar, Word
from evogen.grammar.plan import INPUT, OUTPUT, Anatomy, Group, Pattern, Plan, Projection
from evogen.keys import Key
from evogen.registry import find, known

NUMBERS: Mapping[str, str] = {"draw": "draw", "threshold": "least", "unfold": "steps"}
"""Words with a number, and what it is called."""
_NAMES: Mapping[str, Sequence[str]] = {
    "control": tuple(CONTROLS),
    "signs": ("given", "free"),
    "act": ACTIVATIONS,
}
_PARTS = {"circuit": "circuit", "neuron": "neuron"}


class Words(NamedTuple):
    """What a sentence says: the circuit with its settings, and what is done to it."""

    circuit: str
    settings: tuple[tuple[str, Any], ...]
    control: str = "exact"
    draw: int = 0
    threshold: float = 0.0
    signs: str = "given"
    unfold: int = 0
    act: str = ""
    neuron: str = "rate"


def check(grammar: Grammar, start: str) -> None:
    """Make sure, before a search, that this start speaks of circuits.

    Raises:
        GrammarError: a word that can be derived from it is none of a circuit's.
    """
    settings = {item.name for cls in known("circuit").values() for item in dataclasses.fields(cls)}
    for word in grammar.words(start):
        if word.kind in _PARTS or word.kind in _NAMES:
            names = names_of(word.kind)
        elif word.text in NUMBERS or word.kind in settings:
            continue
        else:
            what = f"'{word.text}' is no word of a circuit{near(word.kind, [*_PARTS, *_NAMES, *settings])}"
            kinds = ", ".join((*_PARTS, *_NAMES, *NUMBERS))
            raise grammar.fault(word.place, what, f"A circuit is made of {kinds} and its own settings.")
        if word.name not in names:
            what = f"unknown {word.kind} '{word.name}'{near(word.name, names)}"
            raise grammar.fault(word.place, what, f"Wanted one of {', '.join(names)}.")


def names_of(kind: str) -> Sequence[str]:
    """Return the names that a word of this kind may have."""
    return tuple(known(_PARTS[kind])) if kind in _PARTS else _NAMES[kind]


def plan(genome: Genome, grammar: Grammar, *, start: str, inputs: int, outputs: int) -> Plan:
    """Return what a genome's gene asks for, a pure function of the gene.

    Raises:
        DevelopmentError: not one gene, a sentence that is no circuit, or a circuit that cannot serve the
        task.
    """
    if len(genome.architecture) != 1:
        raise DevelopmentError(f"a circuit is one gene, found {len(genome.architecture)}")
    (gene,) = genome.architecture
    words = _words(derive(grammar, start, gene.codons))
    return _plan(words, inputs, outputs, genome.interface.innovation, gene.innovation)


def _words(tree: Node) -> Words:
    found: dict[str, Any] = {}
    settings: dict[str, Any] = {}
    last = ""
    for leaf in tree.leaves():
        if isinstance(leaf, Pick) or (isinstance(leaf, Word) and leaf.text == ""):
            raise DevelopmentError(f"a circuit has nothing to pick, {leaf} was found")
        if not isinstance(leaf, Word):
            (value,) = leaf.values
            if last in NUMBERS and leaf.name == NUMBERS[last]:
                found[last] = value if last == "threshold" else int(value)
            else:
                settings[leaf.name] = value
            continue
        last = leaf.text if leaf.text in NUMBERS else leaf.kind
        if last in _PARTS or last in _NAMES:
            found[last] = leaf.name
        elif last not in NUMBERS:
            settings[leaf.kind] = leaf.name
    if "circuit" not in found:
        raise DevelopmentError(f"a sentence with circuit:NAME was wanted, found '{tree}'")
    return Words(settings=tuple(sorted(settings.items())), **found)


def configured(name: str, settings: Mapping[str, Any]) -> Any:
    """Return the circuit source with these settings; a number is cut to a whole one where one is wanted.

    Raises:
        DevelopmentError: it has no such setting, or not of this value.
    """
    cls = find("circuit", name)
    hints, given = get_type_hints(cls), {}
    fields = {item.name: item for item in dataclasses.fields(cls)}
    for key, value in settings.items():
        if key not in fields:
            raise DevelopmentError(f"circuit '{name}' has no setting '{key}'{near(key, fields)}")
        hint, low, high = hints[key], fields[key].metadata.get("low"), fields[key].metadata.get("high")
        options = get_args(hint)
        if options and value not in options:
            raise DevelopmentError(
                f"circuit '{name}' takes {key} of {', '.join(map(str, options))}, found {value}"
            )
        if isinstance(value, str) and not options and hint is not str:
            raise DevelopmentError(f"circuit '{name}' takes a number as {key}, found '{value}'")
        if not isinstance(value, str) and (
            (low is not None and value < low) or (high is not None and value > high)
        ):
            raise DevelopmentError(f"circuit '{name}' takes {key} in [{low}, {high}], found {value}")
        given[key] = int(value) if hint is int else value
    try:
        return cls(**given)
    except ValueError as error:
        raise DevelopmentError(f"circuit '{name}': {error}") from None


@lru_cache(maxsize=64)
def _plan(words: Words, inputs: int, outputs: int, interface: int, gene: int) -> Plan:
    found = attached(_source(words.circuit, words.settings, inputs, outputs), inputs, outputs)
    if words.control != "exact":
        found = controlled(found, words.control, Key(words.draw).child("circuit", gene))
    if words.signs == "free":
        found = dataclasses.replace(found, sign=np.where(found.tuned, 0, found.sign))
    whole = _whole(found, words.threshold)
    order = levels(whole.strength > 0)
    if order is None:
        return _cyclic(words, found, whole, interface, gene)
    return _layered(words, found, whole, order, interface, gene)


@lru_cache(maxsize=16)
def _source(name: str, settings: tuple[tuple[str, Any], ...], inputs: int, outputs: int) -> Circuit:
    circuit: Circuit = configured(name, dict(settings)).circuit(inputs, outputs)
    return circuit


class _Whole(NamedTuple):
    """Chemical and electrical edges together, (N, N) each; `parameters` counts the ties."""

    strength: Floats
    sign: Ints
    tie: Ints
    parameters: int


def _whole(circuit: Circuit, least: float) -> _Whole:
    strength, sign, tie = circuit.strength.copy(), circuit.sign.copy(), circuit.tie.copy()
    count = int(tie.max(initial=GIVEN)) + 1
    if circuit.electrical is not None:
        gaps = circuit.electrical * ~np.eye(len(tie), dtype=bool)
        alone = (gaps > 0) & ~circuit.edges
        strength += np.where(circuit.tuned | alone, gaps, 0.0)
        pairs = np.triu(alone | alone.T, 1)
        number = np.full(tie.shape, GIVEN)
        number[pairs] = count + np.arange(int(pairs.sum()))
        number = np.maximum(number, number.T)
        count += int(pairs.sum())
        tie, sign = np.where(alone, number, tie), np.where(alone, 1, sign)
    port = np.array([node.block in (ports.INPUT, ports.OUTPUT) for node in circuit.nodes])
    gone = (strength < least) & (tie != GIVEN) & ~(port[:, None] | port)
    strength[gone], sign[gone], tie[gone] = 0.0, 0, GIVEN
    return _Whole(strength, sign, tie, count)


def _layered(
    words: Words, circuit: Circuit, whole: _Whole, order: list[int], interface: int, gene: int
) -> Plan:
    nodes = circuit.nodes
    hidden = [at for at, node in enumerate(nodes) if node.role == "hid"]
    steps = sorted({order[at] for at in hidden})
    rows = [[at for at in hidden if order[at] == step] for step in steps]
    members = [circuit.of("in"), *rows, circuit.of("out")]
    groups = _groups(words, circuit, members, interface, gene)
    links = [
        link
        for post in range(1, len(members))
        for pre in range(post)
        if (link := _link(whole, members, (pre, post), (pre, post), gene)) is not None
    ]
    return _finished(words, circuit, whole, groups, links)


def _cyclic(words: Words, circuit: Circuit, whole: _Whole, interface: int, gene: int) -> Plan:
    hidden = circuit.of("hid")
    copies = max(words.unfold, 1)
    members = [circuit.of("in"), *[hidden] * copies, circuit.of("out")]
    groups = _groups(words, circuit, members, interface, gene)
    last = len(members) - 1
    ends = [(0, at) for at in range(1, last)] + [(at - 1, at) for at in range(2, last)]
    ends += [(1, 1)] * (not words.unfold) + [(last - 1, last), (0, last)]
    own = [0, *[1] * copies, 2]
    links = [
        link
        for pre, post in sorted(ends, key=lambda pair: (pair[1], pair[0]))
        if (link := _link(whole, members, (pre, post), (own[pre], own[post]), gene)) is not None
    ]
    return _finished(words, circuit, whole, groups, links)


def _groups(
    words: Words, circuit: Circuit, members: list[list[int]], interface: int, gene: int
) -> tuple[Group, ...]:
    groups = [Group(interface, INPUT, len(members[0]))]
    silent = find("neuron", words.neuron).nature.speaks
    for number, own in enumerate(members[1:-1]):
        each = tuple(words.act or circuit.nodes[at].activation for at in own)
        if silent:
            each = ("identity",)
        same = len(set(each)) == 1
        activations = () if same else each
        first = each[0] if same else "identity"
        groups.append(Group(gene, f"l{number}", len(own), first, words.neuron, activations=activations))
    return (*groups, Group(interface, OUTPUT, len(members[-1])))


def _link(
    whole: _Whole, members: list[list[int]], ends: tuple[int, int], own: tuple[int, int], gene: int
) -> Projection | None:
    """Return a projection; None if it has no edges, unless it holds the groups on their levels."""
    pre, post = ends
    place = np.ix_(members[pre], members[post])
    strength, sign, tie = whole.strength[place], whole.sign[place], whole.tie[place]
    if pre + 1 != post and not (strength > 0).any():
        return None
    density = float((strength > 0).mean())
    return Projection(pre, post, gene, density, pattern=Pattern(strength, sign, tie, own))


def _finished(
    words: Words, circuit: Circuit, whole: _Whole, groups: tuple[Group, ...], links: list[Projection]
) -> Plan:
    bias = "none" if words.unfold else circuit.bias
    anatomy = Anatomy(
        words.circuit,
        words.control,
        whole.parameters,
        bias,
        circuit.units,
        circuit.provenance,
        statistics(circuit),
    )
    last = [link.pattern for link in links if link.post == len(groups) - 1]
    if not any(pattern is not None and pattern.edges.any() for pattern in last):
        raise DevelopmentError("no edge of the circuit reaches an output")
    return Plan(groups, tuple(links), anatomy=anatomy)
