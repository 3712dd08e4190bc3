"""Experiment: everything that a search depends on, read from one YAML file and its grammar."""

from __future__ import annotations

import dataclasses
import itertools
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from evogen import grammar as grammars
from evogen.connectome import Wiring
from evogen.connectome.birth import Birth
from evogen.connectome.mixed import Mixed
from evogen.connectome.priors import plain as prior_of
from evogen.errors import DevelopmentError, SpecError, near
from evogen.experiment import document
from evogen.experiment.files import attach, attached
from evogen.experiment.structures import agree
from evogen.genome import Genome
from evogen.grammar.architecture import check as check_architecture
from evogen.grammar.architecture import plan_of
from evogen.grammar.constraints import Constraint
from evogen.grammar.learners import METHODS
from evogen.grammar.modules import CONNECTIVITY
from evogen.keys import Key
from evogen.learning import Checked, Forgetful, Gradientless, Learner, racing
from evogen.learning.none import NoLearner
from evogen.measures import MEASURES
from evogen.registry import File, evolvable_fields, find, known, name_of
from evogen.schema import (
    Compute,
    Configured,
    Document,
    Inheritance,
    Part,
    Racing,
    Range,
    Search,
    Where,
    settings,
    show,
)
from evogen.space import ArchitectureSpace, Integers, Log, RulesSpace, SearchSpace, Uniform
from evogen.strategies import Strategy
from evogen.tasks import Task
from evogen.variation.sample import genes as genes_of

GRAMMAR = "grammar.bnf"
TRIALS = 32
_PARTS = ("task", "learner", "wiring", "strategy")
_GIVEN = ("grammar", "inputs", "outputs")  # fields that are no settings
_SPREAD: Mapping[str, Any] = {"uniform": Uniform, "log": Log, "integers": Integers}
_WORDS = {"plastic": "rule", "neuron": "neuron", "conn": "prior"}


@dataclass(frozen=True)
class Experiment:
    """A search, ready to run; equal `yaml`, `grammar` and `files` make equal experiments.

    Attributes:
        name: default name of the run folder.
        seed: root of all randomness.
        yaml: the canonical experiment file, defaults written out; the grammar is `grammar.bnf` beside it.
        grammar: that file's text.
        files: what the other files hold that it names, such as a teacher, by the name in `yaml`.
        rules: every registered plasticity rule by name, configured.
    """

    name: str
    seed: int
    yaml: str
    grammar: str
    files: Mapping[str, bytes]
    space: SearchSpace = field(compare=False)
    task: Task = field(compare=False)
    learner: Learner = field(compare=False)
    wiring: Wiring = field(compare=False)
    rules: Mapping[str, Any] = field(compare=False)
    birth: Birth = field(compare=False)
    strategy: Strategy = field(compare=False)
    inheritance: Inheritance = field(compare=False)
    search: Search = field(compare=False)
    compute: Compute = field(compare=False)
    racing: Racing | None = field(default=None, compare=False)


def load(path: str | Path, overrides: Sequence[str] = ()) -> Experiment:
    """Read an experiment file; each override is `PATH=VALUE`, as in `search.cohorts=40`.

    Raises:
        SpecError: the file is missing or no YAML, or a setting is unknown, out of bounds or contradictory.
        GrammarError: its grammar is wrong.
    """
    file = Path(path)
    data, marks = document.read(file)
    for text in overrides:
        document.override(data, marks, text)
    top = Where(marks)
    written = settings(Document, data, top).value
    name = written.name or file.stem
    if not re.fullmatch(r"\w[\w.-]*", name):
        raise (top / "name").error(f"wanted letters, digits, '_', '-' and '.', found {show(name)}")
    return _build(dataclasses.replace(written, name=name), top, file.parent)


def _build(written: Document, top: Where, folder: Path) -> Experiment:
    parts = {kind: _part(kind, getattr(written, kind), top / kind, folder) for kind in _PARTS}
    task, learner, wiring, strategy = (parts[kind].value for kind in _PARTS)
    if task.kind not in learner.fits:
        fits = ", ".join(sorted(learner.fits))
        raise (top / "learner").error(f"fits tasks of kind {fits}; this task is of kind {task.kind}")
    if isinstance(learner, Checked):
        try:
            learner.check(task)
        except SpecError as error:
            raise (top / "learner").error(str(error)) from None
    architecture = _architecture(written.architecture, top / "architecture", folder, task)
    agree(
        architecture,
        top / "architecture",
        learner=learner,
        wiring=wiring,
        inheritance=written.inheritance,
    )
    if isinstance(learner, Forgetful):
        _without_memory(architecture, learner, _kind(written.learner))
    if isinstance(learner, Gradientless):
        _without_methods(architecture, learner, _kind(written.learner))
    _wired(architecture, wiring, top / "wiring")
    genetic = _genetic(written.rules, wiring, top / "rules")
    raced = _raced(written.racing, learner, task, top / "racing")
    sections: dict[str, Any] = {
        "architecture": architecture,
        "rules": genetic,
        "birth": settings(Birth, written.birth, top / "birth").value,
        "search": settings(Search, written.search, top / "search").value,
        "racing": raced,
        "compute": settings(Compute, written.compute, top / "compute").value,
    }
    _measured(sections["search"], top / "search")
    _bounded(sections["search"], top / "search")
    if sections["search"].steps is not None and isinstance(learner, NoLearner):
        raise (top / "search" / "steps").error(
            "learner: none takes no steps, so that the search would not end"
        )
    _aimed(sections["search"], strategy, top / "search" / "objectives")
    if sections["search"].lives > 1 and written.inheritance is Inheritance.LAMARCKIAN:
        text = "several lives tune several expressions: wanted 1, or inheritance: baldwinian"
        raise (top / "search" / "lives").error(f"{text}; found {sections['search'].lives}")
    rules = _rules(written.plasticity, architecture, top / "plasticity")
    return Experiment(
        written.name,
        written.seed,
        yaml=_canonical(written, parts, rules, sections),
        grammar=architecture.grammar.text,
        files=attached(part.value for part in parts.values()),
        space=SearchSpace(genetic, architecture, _genes(parts["learner"], rules)),
        task=task,
        learner=learner,
        wiring=wiring,
        rules={name: rule.value for name, rule in rules.items()},
        birth=sections["birth"],
        strategy=strategy,
        inheritance=written.inheritance,
        search=sections["search"],
        compute=sections["compute"],
        racing=raced,
    )


def _raced(data: dict[str, Any] | None, learner: Learner, task: Task, where: Where) -> Racing | None:
    if data is None:
        return None
    found = settings(Racing, data, where).value
    try:
        racing.check(found, learner, task)
    except SpecError as error:
        raise where.error(str(error)) from None
    return found


def _measured(search: Search, where: Where) -> None:
    """Refuse a search that has no aim, or aims at what nothing measures."""
    if not search.objectives:
        raise (where / "objectives").error("wanted at least one measure, as in {fitness: maximise}")
    for section, names in (("objectives", search.objectives), ("constraints", search.constraints)):
        for name in names:
            if name not in MEASURES:
                raise (where / section / name).error(
                    f"unknown measure{near(name, MEASURES)}: wanted one of {', '.join(MEASURES)}"
                )


def _aimed(search: Search, strategy: Strategy, where: Where) -> None:
    """Refuse several objectives for a strategy that would use the first one only."""
    if len(search.objectives) > 1 and not strategy.many:
        able = ", ".join(name for name, cls in known("strategy").items() if cls.many is True)
        raise where.error(
            f"wanted one measure, because this strategy uses no more (strategies of several: {able}); "
            f"found {', '.join(search.objectives)}"
        )


def _bounded(search: Search, where: Where) -> None:
    for name, bounds in search.constraints.items():
        for bound, limit in bounds.items():
            if not math.isfinite(limit):
                raise (where / "constraints" / name / bound).error(
                    f"wanted a number that is finite, found {limit}"
                )


def _canonical(
    written: Document,
    parts: Mapping[str, Configured[Any]],
    rules: Mapping[str, Configured[Any]],
    sections: Mapping[str, Any],
) -> str:
    """Return the file with every default written out; a rule that no module has is left out."""
    used = _words(sections["architecture"], "plastic")
    data: dict[str, Any] = {
        "name": written.name,
        "seed": written.seed,
        **{kind: {"kind": _kind(getattr(written, kind)), **_plain(*parts[kind])} for kind in _PARTS},
        **{name: _plain(section) for name, section in sections.items() if section is not None},
        "plasticity": {name: _plain(*rule) for name, rule in rules.items() if name in used},
        "inheritance": written.inheritance.value,
    }
    data["architecture"] |= {"grammar": GRAMMAR}
    return document.dump(data)


def _kind(data: Part) -> Any:
    return data.get("kind") if isinstance(data, dict) else data


def _part(kind: str, data: Part, where: Where, folder: Path) -> Configured[Any]:
    name = _kind(data)
    place = where / "kind" if isinstance(data, dict) else where
    if not isinstance(name, str):
        raise place.error(f"wanted the name of a {kind}, found {show(name)}")
    try:
        cls = find(kind, name)
    except SpecError as error:
        raise place.error(str(error)) from None
    rest = {key: value for key, value in data.items() if key != "kind"} if isinstance(data, dict) else {}
    given: dict[str, Any] = dict(attach(cls, rest, where, folder))
    for item in dataclasses.fields(cls):
        if item.name in rest and (inner := item.metadata.get("part")):
            given[item.name] = _part(inner, rest[item.name], where / item.name, folder).value
    return settings(cls, {key: rest[key] for key in rest if key not in given}, where, **given)


def _architecture(data: dict[str, Any], where: Where, folder: Path, task: Task) -> ArchitectureSpace:
    path = data.get("grammar")
    if not isinstance(path, str):
        raise (where / "grammar").error(
            f"wanted a grammar file's path from the folder of this file, found {show(path)}"
        )
    if not (folder / path).is_file():
        raise (where / "grammar").error(f"there is no grammar file {folder / path}")
    grammar = grammars.load(folder / path)
    rest = {key: value for key, value in data.items() if key not in ("grammar", "constraints")}
    for name in {"inputs", "outputs"} & rest.keys():
        raise (where / name).error("unknown key: the task says it")
    kept = _constraints(data.get("constraints", []), where / "constraints", folder)
    sizes = {"inputs": task.inputs, "outputs": task.outputs}
    space = settings(ArchitectureSpace, rest, where, grammar=grammar, constraints=kept, **sizes).value
    _ascending(space, where, "min_modules", "initial_modules", "max_modules")
    check_architecture(grammar, space.start)
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
    return tuple(_part("constraint", item, where / str(at), folder).value for at, item in enumerate(data))


def _developable(space: ArchitectureSpace, where: Where) -> None:
    """Refuse a grammar if a random genome of it is none, or gives a part a number that it cannot take."""
    few = dataclasses.replace(space, min_modules=1, initial_modules=space.depth, constraints=())
    for trial in range(TRIALS):
        interface, *genes = genes_of(few, Key(trial).child("trial"), itertools.count(1))
        genome = Genome(None, interface, tuple(genes))
        try:
            derived = plan_of(few, genome, space.inputs, space.outputs)
        except DevelopmentError as error:
            what = "module" if space.type == "module" else "network"
            raise (where / "grammar").error(f"'{space.start}' can give what is no {what}: {error}") from None
        for group in derived.groups:
            _takes("neuron", group.neuron, group.settings, where / "grammar")
            if find("neuron", group.neuron).spiking and group.activation != "identity":
                what = (
                    f"a layer of neuron:{group.neuron} speaks in spikes: leave out its act:{group.activation}"
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


def _without_memory(space: ArchitectureSpace, learner: Forgetful, name: str) -> None:
    """Refuse a grammar with neurons or synapses that remember, before every candidate with one is INVALID."""
    for word in space.grammar.words(space.start):
        rule = word.text == "layer:recurrent" or (word.kind == "plastic" and word.name != "none")
        if rule or (word.kind == "neuron" and find("neuron", word.name).stateful):
            what = f"learner '{name}' wanted networks without memory, found {word.kind}:{word.name}"
            raise space.grammar.fault(word.place, what, learner.forgetful)


def _without_methods(space: ArchitectureSpace, learner: Gradientless, name: str) -> None:
    """Refuse a grammar whose genes choose how their gradient is followed, where there is none."""
    for word in space.grammar.words(space.start):
        if word.kind == "learn" and word.name in METHODS:
            what = f"learner '{name}' follows no gradient, found {word.text}"
            raise space.grammar.fault(word.place, what, learner.gradientless)


def _wired(space: ArchitectureSpace, wiring: Wiring, where: Where) -> None:
    """Refuse free weights of a wiring that has none beside its rules, and a mixed one without any."""
    words = [word for word in space.grammar.words(space.start) if word.text == "wire:free"]
    if words and not isinstance(wiring, Mixed):
        what = f"wire:free wanted the wiring 'mixed', found '{name_of('wiring', wiring)}'"
        raise space.grammar.fault(words[0].place, what, "Choose 'mixed', or leave the word out.")
    if isinstance(wiring, Mixed) and not words:
        rules = name_of("wiring", wiring.rules)
        raise where.error(f"no module of <{space.start}> says wire:free: write it, or choose {rules}")


def _words(space: ArchitectureSpace, kind: str) -> set[str]:
    return {word.name for word in space.grammar.words(space.start) if word.kind == kind}


def _genetic(data: dict[str, Any] | None, wiring: Wiring, where: Where) -> RulesSpace | None:
    if not wiring.genetic:
        if data is not None:
            raise where.error(
                "this wiring has no genetic rules: remove this section, or choose another wiring"
            )
        return None
    space = settings(RulesSpace, data or {}, where).value
    _ascending(space, where, "min_genes", "genes", "max_genes")
    _ascending(space, where, "transmitters")
    return space


def _ascending(space: object, where: Where, *names: str) -> None:
    low, words = 1, "1"
    for name in names:
        value = getattr(space, name)
        if value < low:
            raise (where / name).error(f"wanted a number >= {words}, found {value}")
        low, words = value, f"{name} ({value})"


def _rules(
    data: Mapping[str, dict[str, Any]], architecture: ArchitectureSpace, where: Where
) -> dict[str, Configured[Any]]:
    rules = known("rule")
    for name in data:
        if name not in rules:
            raise (where / name).error(f"unknown rule{near(name, rules)}")
        if name not in _words(architecture, "plastic"):
            text = f"no module of <{architecture.start}> has plastic:{name}; remove this section, or use it"
            raise (where / name).error(text)
    return {name: settings(cls, data.get(name, {}), where / name) for name, cls in rules.items()}


def _genes(learner: Configured[Any], rules: Mapping[str, Configured[Any]]) -> dict[str, Any]:
    ranges = {f"learner.{name}": found for name, found in learner.ranges.items()}
    for rule, configured in rules.items():
        ranges |= {f"rule.{rule}.{name}": found for name, found in configured.ranges.items()}
    return {name: _SPREAD[kind](low, high) for name, (kind, low, high) in sorted(ranges.items())}


def _plain(value: Any, ranges: Mapping[str, Range] | None = None) -> dict[str, Any]:
    """Return a dataclass as the mapping that `settings` reads; what is no setting is left out."""
    names = [item.name for item in dataclasses.fields(value) if item.name not in _GIVEN]
    spread = {name: {kind: [low, high]} for name, (kind, low, high) in (ranges or {}).items()}
    found = {name: getattr(value, name) for name in names}
    files = {name: item.name for name, item in found.items() if isinstance(item, File)}
    inner = {
        item.name: item.metadata["part"] for item in dataclasses.fields(value) if "part" in item.metadata
    }
    nested = {
        name: {"kind": name_of(kind, found[name]), **_plain(found[name])} for name, kind in inner.items()
    }
    lists = {
        item.name: [{"kind": name_of(kind, part), **_plain(part)} for part in found[item.name]]
        for item in dataclasses.fields(value)
        if (kind := item.metadata.get("parts"))
    }
    return found | files | nested | lists | spread
