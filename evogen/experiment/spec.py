"""Experiment: everything that a search depends on, read from one YAML file and its grammar."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from evogen.connectome import Wiring
from evogen.connectome.birth import Birth
from evogen.errors import SpecError, near
from evogen.experiment import document
from evogen.experiment.files import attached
from evogen.experiment.grammars import architecture_of, wired, without_memory, without_methods, words_of
from evogen.experiment.parts import ascending, kind_of, part_of, plain
from evogen.experiment.structures import agree
from evogen.learning import Checked, Forgetful, Gradientless, Learner, racing
from evogen.learning.none import NoLearner
from evogen.measures import MEASURES
from evogen.metrics import Metric
from evogen.plasticity import Taught
from evogen.registry import evolvable_fields, known, name_of
from evogen.schema import (
    Compute,
    Configured,
    Document,
    Inheritance,
    Part,
    Racing,
    Search,
    Where,
    settings,
    show,
)
from evogen.space import ArchitectureSpace, Integers, Log, RulesSpace, SearchSpace, Uniform
from evogen.strategies import Spreading, Strategy
from evogen.tasks import Task, TaskKind

GRAMMAR = "grammar.bnf"
_PARTS = ("task", "learner", "wiring", "strategy")
_SPREAD: Mapping[str, Any] = {"uniform": Uniform, "log": Log, "integers": Integers}


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
    metrics: tuple[Metric, ...] = field(default=(), compare=False)


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
    parts = {kind: part_of(kind, getattr(written, kind), top / kind, folder) for kind in _PARTS}
    task, learner, wiring, strategy = (parts[kind].value for kind in _PARTS)
    _fitting(learner, task, top / "learner")
    architecture = architecture_of(written.architecture, top / "architecture", folder, task)
    agree(
        architecture,
        top / "architecture",
        learner=learner,
        wiring=wiring,
        inheritance=written.inheritance,
    )
    if isinstance(learner, Forgetful):
        without_memory(architecture, learner, kind_of(written.learner))
    if isinstance(learner, Gradientless):
        without_methods(architecture, learner, kind_of(written.learner))
    wired(architecture, wiring, top / "wiring")
    genetic = _genetic(written.rules, wiring, top / "rules")
    raced = _raced(written.racing, learner, task, top / "racing")
    metrics = _metrics(written.metrics, task, top / "metrics", folder)
    sections: dict[str, Any] = {
        "architecture": architecture,
        "rules": genetic,
        "birth": settings(Birth, written.birth, top / "birth").value,
        "search": settings(Search, written.search, top / "search").value,
        "racing": raced,
        "compute": settings(Compute, written.compute, top / "compute").value,
    }
    _measured(sections["search"], strategy, metrics, top)
    _ending(sections["search"], learner, written.inheritance, top / "search")
    _aimed(sections["search"], strategy, top / "search" / "objectives")
    rules = _rules(written.plasticity, architecture, top / "plasticity")
    _told(rules, task, top / "plasticity")
    return Experiment(
        written.name,
        written.seed,
        yaml=_canonical(written, parts, rules, sections, metrics),
        grammar=architecture.grammar.text,
        files=attached([*(part.value for part in parts.values()), *metrics]),
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
        metrics=metrics,
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


def _metrics(written: Sequence[Part], task: Task, where: Where, folder: Path) -> tuple[Metric, ...]:
    """Return the metrics that are switched on; refuse what fits no such task or measures what is known."""
    found: list[Metric] = []
    taken = set(MEASURES)
    for number, data in enumerate(written):
        place = where / str(number)
        metric: Metric = part_of("metric", data, place, folder).value
        if task.kind not in metric.fits:
            fits = ", ".join(sorted(metric.fits))
            raise place.error(f"fits tasks of kind {fits}; this task is of kind {task.kind}")
        if twice := taken & metric.measures.keys():
            raise place.error(f"{', '.join(sorted(twice))}: measured already; remove one of the two")
        taken |= metric.measures.keys()
        found.append(metric)
    return tuple(found)


def _measured(search: Search, strategy: Strategy, metrics: Sequence[Metric], top: Where) -> None:
    """Refuse a search that has no aim, or aims at or spreads over what nothing measures."""
    where = top / "search"
    if not search.objectives:
        raise (where / "objectives").error("wanted at least one measure, as in {fitness: maximise}")
    names = [*MEASURES, *(name for metric in metrics for name in metric.measures)]
    spread = strategy.measures if isinstance(strategy, Spreading) else {}
    for place, measures in (
        (where / "objectives", search.objectives),
        (where / "constraints", search.constraints),
        (top / "strategy" / "measures", spread),
    ):
        for name in measures:
            if name not in names:
                raise (place / name).error(
                    f"unknown measure{near(name, names)}: wanted one of {', '.join(names)}{_switch(name)}"
                )


def _switch(name: str) -> str:
    """Say what to switch on for a measure that a metric has."""
    owners = [kind for kind, cls in known("metric").items() if name in cls.measures]
    return f"; metric '{owners[0]}' measures it: write metrics: [{owners[0]}]" if owners else ""


def _aimed(search: Search, strategy: Strategy, where: Where) -> None:
    """Refuse several objectives for a strategy that would use the first one only."""
    if len(search.objectives) > 1 and not strategy.many:
        able = ", ".join(name for name, cls in known("strategy").items() if cls.many is True)
        raise where.error(
            f"wanted one measure, because this strategy uses no more (strategies of several: {able}); "
            f"found {', '.join(search.objectives)}"
        )


def _fitting(learner: Learner, task: Task, where: Where) -> None:
    """Refuse a task that the learner cannot learn."""
    if task.kind not in learner.fits:
        fits = ", ".join(sorted(learner.fits))
        raise where.error(f"fits tasks of kind {fits}; this task is of kind {task.kind}")
    if isinstance(learner, Checked):
        try:
            learner.check(task)
        except SpecError as error:
            raise where.error(str(error)) from None


def _ending(search: Search, learner: Learner, inheritance: Inheritance, where: Where) -> None:
    """Refuse limits without an end, and lives that contradict what is inherited."""
    _bounded(search, where)
    if search.steps is not None and isinstance(learner, NoLearner):
        raise (where / "steps").error("learner: none takes no steps, so that the search would not end")
    if search.lives > 1 and inheritance is Inheritance.LAMARCKIAN:
        text = "several lives tune several expressions: wanted 1, or inheritance: baldwinian"
        raise (where / "lives").error(f"{text}; found {search.lives}")


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
    metrics: Sequence[Metric],
) -> str:
    """Return the file with every default written out; a rule that no module has is left out."""
    used = words_of(sections["architecture"], "plastic")
    data: dict[str, Any] = {
        "name": written.name,
        "seed": written.seed,
        **{kind: {"kind": kind_of(getattr(written, kind)), **plain(*parts[kind])} for kind in _PARTS},
        **{name: plain(section) for name, section in sections.items() if section is not None},
        "plasticity": {name: plain(*rule) for name, rule in rules.items() if name in used},
        "inheritance": written.inheritance.value,
    }
    if metrics:
        data["metrics"] = [{"kind": name_of("metric", metric), **plain(metric)} for metric in metrics]
    data["architecture"] |= {"grammar": GRAMMAR}
    return document.dump(data)


def _genetic(data: dict[str, Any] | None, wiring: Wiring, where: Where) -> RulesSpace | None:
    if not wiring.genetic:
        if data is not None:
            raise where.error(
                "this wiring has no genetic rules: remove this section, or choose another wiring"
            )
        return None
    space = settings(RulesSpace, data or {}, where).value
    ascending(space, where, "min_genes", "genes", "max_genes")
    ascending(space, where, "transmitters")
    return space


def _rules(
    data: Mapping[str, dict[str, Any]], architecture: ArchitectureSpace, where: Where
) -> dict[str, Configured[Any]]:
    rules = known("rule")
    for name in data:
        if name not in rules:
            raise (where / name).error(f"unknown rule{near(name, rules)}")
        if name not in words_of(architecture, "plastic"):
            text = f"no module of <{architecture.start}> has plastic:{name}; remove this section, or use it"
            raise (where / name).error(text)
    found = {name: settings(cls, data.get(name, {}), where / name) for name, cls in rules.items()}
    for name in data:
        _idle(found[name], where / name)
    return found


def _told(rules: Mapping[str, Configured[Any]], task: Task, where: Where) -> None:
    """Refuse a rule that follows errors where no teacher tells any."""
    for name, rule in rules.items():
        if isinstance(rule.value, Taught) and rule.value.taught and task.kind is not TaskKind.LIFE:
            text = "a rule that follows errors wants a task whose lessons have a teacher, such as digits-life"
            raise (where / name).error(f"{text}; found a task of kind {task.kind}")


def _idle(rule: Configured[Any], where: Where) -> None:
    """Refuse a coefficient that is set, but that nothing which the rule is made of uses."""
    for item in evolvable_fields(type(rule.value)):
        set_ = item.name in rule.ranges or getattr(rule.value, item.name) != item.default
        if set_ and item.name not in (*rule.value.coefficients, "granularity"):
            used = ", ".join(rule.value.coefficients)
            raise (where / item.name).error(
                f"no part of this rule uses it: wanted one of {used}, or remove it"
            )


def _genes(learner: Configured[Any], rules: Mapping[str, Configured[Any]]) -> dict[str, Any]:
    ranges = {f"learner.{name}": found for name, found in learner.ranges.items()}
    for rule, configured in rules.items():
        ranges |= {f"rule.{rule}.{name}": found for name, found in configured.ranges.items()}
    return {name: _SPREAD[kind](low, high) for name, (kind, low, high) in sorted(ranges.items())}
