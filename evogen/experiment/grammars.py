"""The grammar of an experiment: what its start must speak of, and agree with, before any genome is drawn."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from evogen.connectome import Wiring
from evogen.connectome.connectome import Connectome
from evogen.connectome.mixed import Mixed
from evogen.connectome.priors import plain as prior_of
from evogen.errors import DevelopmentError, near
from evogen.experiment import circuits
from evogen.experiment.parts import ascending, part_of
from evogen.genome import Genome
from evogen.grammar import Grammar, load
from evogen.grammar.architecture import CIRCUIT, check, plan_of
from evogen.grammar.constraints import Constraint
from evogen.grammar.learners import METHODS
from evogen.grammar.modules import CONNECTIVITY
from evogen.grammar.plan import Plan
from evogen.keys import Key
from evogen.learning import Forgetful, Gradientless
from evogen.registry import evolvable_fields, find, known, name_of
from evogen.schema import Where, settings, show
from evogen.space import ArchitectureSpace
from evogen.tasks import Task
from evogen.variation.sample import genes as genes_of

TRIALS = 32
_WORDS = {"plastic": "rule", "neuron": "neuron", "conn": "prior"}
_RECURRENT = ("layer:recurrent", "group:recurrent")


def architecture_of(data: dict[str, Any], where: Where, folder: Path, task: Task) -> ArchitectureSpace:
    """Return the space of a section `architecture`.

    Raises:
        SpecError: a setting is wrong, or there is no such grammar file.
        GrammarError: the grammar is wrong, or its start can give what is no network.
    """
    if "circuit" in data:
        return _of_circuit(data, where, task)
    path = data.get("grammar")
    if not isinstance(path, str):
        raise (where / "grammar").error(
            f"wanted a grammar file's path from the folder of this file, found {show(path)}"
        )
    if not (folder / path).is_file():
        raise (where / "grammar").error(f"there is no grammar file {folder / path}")
    return _of_grammar(load(folder / path), data, where, folder, task)


def _of_circuit(data: dict[str, Any], where: Where, task: Task) -> ArchitectureSpace:
    if "grammar" in data:
        raise (where / "grammar").error("wanted a grammar or a circuit, found both")
    rest = {key: value for key, value in data.items() if key not in ("circuit", *circuits.SETTINGS)}
    if "start" in rest or "constraints" in rest:
        name = "start" if "start" in rest else "constraints"
        raise (where / name).error("unknown key: a circuit has none; remove it")
    whole = {"start": circuits.START, **rest}
    return _of_grammar(circuits.grammar_of(data, where), whole, where, Path(), task)


def _of_grammar(
    grammar: Grammar, data: dict[str, Any], where: Where, folder: Path, task: Task
) -> ArchitectureSpace:
    start = data.get("start", ArchitectureSpace.__dataclass_fields__["start"].default)
    if isinstance(start, str) and any(
        rule.symbol == start and rule.type == CIRCUIT for rule in grammar.rules
    ):
        data = {"max_modules": 1, **data}  # a circuit is one gene
    rest = {key: value for key, value in data.items() if key not in ("grammar", "constraints")}
    for name in {"inputs", "outputs"} & rest.keys():
        raise (where / name).error("unknown key: the task says it")
    kept = _constraints(data.get("constraints", []), where / "constraints", folder)
    sizes = {"inputs": task.inputs, "outputs": task.outputs}
    space = settings(ArchitectureSpace, rest, where, grammar=grammar, constraints=kept, **sizes).value
    ascending(space, where, "min_modules", "initial_modules", "max_modules")
    check(grammar, space.start)
    for word in grammar.words(space.start):
        name = prior_of(word.name) if word.kind == "conn" else word.name
        if word.kind not in _WORDS or (word.kind == "conn" and word.name in CONNECTIVITY):
            continue
        if name not in (parts := known(_WORDS[word.kind])):
            near_by = near(name, [*parts, *CONNECTIVITY] if word.kind == "conn" else parts)
            what = f"unknown {_WORDS[word.kind]} '{name}'{near_by}"
            raise grammar.fault(word.place, what, f"'evogen list {_WORDS[word.kind]}s' shows all.")
    _developable(space, where)
    return space


def _constraints(data: Any, where: Where, folder: Path) -> tuple[Constraint, ...]:
    if not isinstance(data, list):
        raise where.error(f"wanted a list, as in [something-learns], found {show(data)}")
    return tuple(part_of("constraint", item, where / str(at), folder).value for at, item in enumerate(data))


def samples(space: ArchitectureSpace) -> Iterator[Plan]:
    """Yield the plans of a few small random genomes, before constraints.

    Raises:
        DevelopmentError: one of them cannot be developed.
    """
    few = dataclasses.replace(space, min_modules=1, initial_modules=space.depth, constraints=())
    for trial in range(TRIALS):
        interface, *genes = genes_of(few, Key(trial).child("trial"), itertools.count(1))
        yield plan_of(few, Genome(None, interface, tuple(genes)), space.inputs, space.outputs)


def _developable(space: ArchitectureSpace, where: Where) -> None:
    """Refuse a grammar if a random genome of it is none, or gives a part a number that it cannot take."""
    try:
        plans = tuple(samples(space))
    except DevelopmentError as error:
        what = "module" if space.type == "module" else "network"
        if space.type == CIRCUIT:
            raise (where / "circuit").error(str(error)) from None
        raise (where / "grammar").error(f"'{space.start}' can give what is no {what}: {error}") from None
    for derived in plans:
        for group in derived.groups:
            _takes("neuron", group.neuron, group.settings, where / "grammar")
            if find("neuron", group.neuron).nature.speaks and group.activation != "identity":
                what = (
                    f"a layer of neuron:{group.neuron} has no activation function: leave out its "
                    f"act:{group.activation}"
                )
                raise (where / "grammar").error(what)
        for link in derived.projections:
            _takes("rule", link.rule, link.coefficients, where / "grammar")
            if link.prior:
                _takes("prior", prior_of(link.prior), link.settings, where / "grammar")


def _takes(kind: str, name: str, numbers: Mapping[str, float], where: Where) -> None:
    fields = {item.name: item.metadata for item in evolvable_fields(find(kind, name))}
    for number, value in numbers.items():
        if number not in fields:
            raise where.error(f"{kind} '{name}' takes no number '{number}'{near(number, fields)}")
        low, high = fields[number]["low"], fields[number]["high"]
        if not low <= value <= high:
            raise where.error(f"{kind} '{name}' takes '{number}' in [{low:g}, {high:g}], found {value:g}")


def without_memory(space: ArchitectureSpace, learner: Forgetful, name: str) -> None:
    """Refuse a grammar with neurons or synapses that remember, before every candidate with one is INVALID."""
    if space.type == CIRCUIT and any(
        link.pre == link.post for plan in samples(space) for link in plan.projections
    ):
        raise space.grammar.fault(
            space.grammar.start(space.start).place,
            f"learner '{name}' wanted networks without memory, found a circuit with cycles",
            f"{learner.forgetful} Or write `unfold: STEPS`, which needs no memory.",
        )
    for word in space.grammar.words(space.start):
        rule = word.text in _RECURRENT or (word.kind == "plastic" and word.name != "none")
        if rule or (word.kind == "neuron" and find("neuron", word.name).nature.remembers):
            what = f"learner '{name}' wanted networks without memory, found {word.kind}:{word.name}"
            raise space.grammar.fault(word.place, what, learner.forgetful)


def without_methods(space: ArchitectureSpace, learner: Gradientless, name: str) -> None:
    """Refuse a grammar whose genes choose how their gradient is followed, where there is none."""
    for word in space.grammar.words(space.start):
        if word.kind == "learn" and word.name in METHODS:
            what = f"learner '{name}' follows no gradient, found {word.text}"
            raise space.grammar.fault(word.place, what, learner.gradientless)


def wired(space: ArchitectureSpace, wiring: Wiring, where: Where) -> None:
    """Refuse free weights of a wiring that has none beside its rules, and a mixed one without any."""
    if isinstance(wiring, Connectome) and space.type != CIRCUIT:
        raise where.error(
            "wiring 'connectome' wanted architecture.circuit, found a grammar; or choose 'direct'"
        )
    words = [word for word in space.grammar.words(space.start) if word.text == "wire:free"]
    if words and not isinstance(wiring, Mixed):
        what = f"wire:free wanted the wiring 'mixed', found '{name_of('wiring', wiring)}'"
        raise space.grammar.fault(words[0].place, what, "Choose 'mixed', or leave the word out.")
    if isinstance(wiring, Mixed) and not words:
        rules = name_of("wiring", wiring.rules)
        raise where.error(f"no module of <{space.start}> says wire:free: write it, or choose {rules}")


def words_of(space: ArchitectureSpace, kind: str) -> set[str]:
    """Return the names of the words of a kind that can be derived."""
    return {word.name for word in space.grammar.words(space.start) if word.kind == kind}
