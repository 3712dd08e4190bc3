"""From a genome's architecture genes to a Plan: modules side by side between the input and the output.

The start symbol carries `@type(module)`; beyond that only the sentence counts, not how its rules are cut.
Each word `kind:name` opens a section, and the numbers up to the next word are its own:

    layer:dense [width]                  opens a layer, whose sections follow
    layer:recurrent [width]              the same, and it hears what it said a step before
    act:NAME | act:mix [shares]          activation of the layer, or of each neuron: see `activations`
    conn:full | conn:sparse [density]    synapses of the projection that comes in
    conn:PRIOR [numbers]                 the same by a connectivity prior, conn:shuffled-PRIOR by its control
    wire:genetic | wire:free             whether its weights follow the rules, or are free (wiring `mixed`)
    neuron:NAME [settings]               neuron kind; a spiking one (lif) takes no other act than identity
    plastic:NAME [coefficients]          plasticity rule of the projection that comes in
    readout:sum                          ends the module: its way to the output; takes conn, wire and plastic
    learn:NAME [numbers]                 how the inner loop tunes the module, once anywhere: see `learners`

A section that is left out is act:identity, conn:full, wire:genetic, neuron:rate, plastic:none or learn:full.
A module is a chain in -> l0 -> l1 -> ... -> out; modules meet in the output only, where their contributions
add up. What conn, wire and plastic say of a recurrent layer holds for both of its projections.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from evogen.errors import DevelopmentError, near
from evogen.genome import Gene, Genome
from evogen.grammar.activations import ACTIVATIONS, MIX, mixed
from evogen.grammar.derivation import Node, Pick, derive
from evogen.grammar.learners import LEARNERS, learning
from evogen.grammar.model import Grammar, Word
from evogen.grammar.plan import INPUT, OUTPUT, Group, Learning, Plan, Projection

CONNECTIVITY: Mapping[str, set[str]] = {"full": set(), "sparse": {"density"}}
"""Those that are no priors."""

# The numbers that each word takes; None: registered parts, whose names and numbers are checked by them.
_WORDS: Mapping[str, Mapping[str, set[str]] | None] = {
    "layer": {"dense": {"width"}, "recurrent": {"width"}},
    "act": {**{name: set[str]() for name in ACTIVATIONS}, MIX: set(ACTIVATIONS)},
    "conn": None,
    "wire": {"genetic": set(), "free": set()},
    "neuron": None,
    "plastic": None,
    "readout": {"sum": set()},
    "learn": LEARNERS,
}


@dataclass(frozen=True)
class _Section:
    kind: str
    name: str
    numbers: dict[str, float] = field(default_factory=dict)


_Record = dict[str, _Section]


class _Module(NamedTuple):
    layers: list[_Record]
    readout: _Record
    learning: Learning | None


_LEFT_OUT = {
    "act": _Section("act", "identity"),
    "conn": _Section("conn", "full"),
    "wire": _Section("wire", "genetic"),
    "neuron": _Section("neuron", "rate"),
    "plastic": _Section("plastic", "none"),
}


def plan(genome: Genome, grammar: Grammar, *, start: str, inputs: int, outputs: int) -> Plan:
    """Return what a genome's architecture asks for; each gene's module depends on its own codons only.

    Args:
        genome: its architecture genes are derived in order.
        grammar: one that passes `check` for this start.
        start: the symbol that every gene is derived from.
        inputs: neurons of the first group.
        outputs: neurons of the last group.

    Raises:
        GrammarError: `start` is no start symbol of the grammar.
        DevelopmentError: there is no gene, or a gene's sentence is no module.
    """
    if not genome.architecture:
        raise DevelopmentError("the genome has no architecture gene; at least one was wanted")
    modules = [(gene, _module(gene, derive(grammar, start, gene.codons))) for gene in genome.architecture]
    groups = [Group(genome.interface.innovation, INPUT, inputs)]
    projections = []
    last = 1 + sum(len(module.layers) for _, module in modules)
    for gene, module in modules:
        pre = 0
        for i, layer in enumerate(module.layers):
            projections.append(_projection(pre, len(groups), gene, layer))
            pre = len(groups)
            groups.append(_group(gene, f"l{i}", layer))
            if layer["layer"].name == "recurrent":
                projections.append(_projection(pre, pre, gene, layer))
        projections.append(_projection(pre, last, gene, module.readout))
    groups.append(Group(genome.interface.innovation, OUTPUT, outputs))
    asked = {gene.innovation: module.learning for gene, module in modules if module.learning is not None}
    return Plan(tuple(groups), tuple(projections), asked)


def check(grammar: Grammar, start: str) -> None:
    """Make sure, before a search, that this start speaks of modules.

    Raises:
        GrammarError: `start` is unknown or has another type than module, or a word that can be derived from
            it is none of a module's.
    """
    rule = grammar.start(start)
    if rule.type != "module":
        what = f"start symbol <{start}> has {f'type {rule.type}' if rule.type else 'no type'}, wanted module"
        raise grammar.fault(rule.place, what, f"Write '<{start}> @type(module) ::= ...', or start elsewhere.")
    for word in grammar.words(start):
        if what := _unknown(word):
            raise grammar.fault(word.place, what, f"A module is made of {', '.join(_WORDS)}.")


def _unknown(word: Word) -> str:
    if word.kind not in _WORDS:
        return f"'{word.text}' is no word of a module: unknown kind '{word.kind}'{near(word.kind, _WORDS)}"
    names = _WORDS[word.kind]
    if names is not None and word.name not in names:
        return f"unknown {word.kind} '{word.name}'{near(word.name, names)}"
    return ""


def _module(gene: Gene, tree: Node) -> _Module:
    try:
        sections = _sections(tree)
        records = _records([section for section in sections if section.kind != "learn"])
        learn = [section for section in sections if section.kind == "learn"] or [_Section("learn", "full")]
        if len(learn) > 1:
            raise DevelopmentError(f"learn was wanted once, found {len(learn)}")
        asked = learning(learn[0].name, learn[0].numbers)
        chain = ["layer" in record for record in records]
        if len(chain) < 2 or chain != [True] * (len(chain) - 1) + [False]:
            raise DevelopmentError("one layer or more, then one readout were wanted")
        if "act" in records[-1] or "neuron" in records[-1]:
            raise DevelopmentError("a readout has no neurons of its own, but act or neuron follows it")
    except DevelopmentError as error:
        raise DevelopmentError(f"gene {gene.innovation} is no module: {error}; found '{tree}'") from None
    return _Module(records[:-1], records[-1], asked)


def _sections(tree: Node) -> list[_Section]:
    sections: list[_Section] = []
    for leaf in tree.leaves():
        if isinstance(leaf, Word):
            if what := _unknown(leaf):
                raise DevelopmentError(what)
            sections.append(_Section(leaf.kind, leaf.name))
        elif isinstance(leaf, Pick):
            raise DevelopmentError(f"a module has nothing to pick, {leaf} was found")
        elif not sections or len(leaf.values) != 1 or leaf.name in sections[-1].numbers:
            raise DevelopmentError(
                f"one number '{leaf.name}' after a word was wanted, {leaf} stands alone or is repeated"
            )
        else:
            sections[-1].numbers[leaf.name] = leaf.values[0]
    return sections


def _records(sections: list[_Section]) -> list[_Record]:
    records: list[_Record] = []
    for section in sections:
        names = CONNECTIVITY if section.kind == "conn" else _WORDS[section.kind] or {}
        numbers = names.get(section.name)
        if numbers is not None and section.numbers.keys() != numbers and section.name != MIX:
            wanted, found = sorted(numbers), sorted(section.numbers)
            raise DevelopmentError(f"{section.kind}:{section.name} takes the numbers {wanted}, found {found}")
        if section.kind in ("layer", "readout"):
            records.append({section.kind: section})
        elif not records or section.kind in records[-1]:
            raise DevelopmentError(f"{section.kind} stands before any layer, or twice in one")
        else:
            records[-1][section.kind] = section
    return records


def _group(gene: Gene, name: str, layer: _Record) -> Group:
    parts = _LEFT_OUT | layer
    width = layer["layer"].numbers["width"]
    if width != int(width) or width < 1:
        raise DevelopmentError(f"gene {gene.innovation}: width {width} of {name} is no whole number above 0")
    neuron, act = parts["neuron"], parts["act"]
    try:
        each = mixed(act.numbers, int(width)) if act.name == MIX else ()
    except DevelopmentError as error:
        raise DevelopmentError(f"gene {gene.innovation}: {name}: {error}") from None
    settings = dict(neuron.numbers)
    return Group(gene.innovation, name, int(width), act.name, neuron.name, settings, activations=each)


def _projection(pre: int, post: int, gene: Gene, record: _Record) -> Projection:
    parts = _LEFT_OUT | record
    conn, plastic, free = parts["conn"], parts["plastic"], parts["wire"].name == "free"
    end, rule = (pre, post, gene.innovation), (plastic.name, dict(plastic.numbers))
    if conn.name not in CONNECTIVITY:
        return Projection(*end, 1.0, *rule, prior=conn.name, settings=dict(conn.numbers), free=free)
    density = conn.numbers.get("density", 1.0)
    if not 0 < density <= 1:
        raise DevelopmentError(f"gene {gene.innovation}: density {density} is not in (0, 1]")
    return Projection(*end, density, *rule, free=free)
