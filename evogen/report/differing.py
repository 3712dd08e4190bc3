"""In which ways several runs cannot be compared as they stand: task, goals, births, budget, versions."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence

from evogen.experiment import Experiment
from evogen.registry import name_of
from evogen.report import charts
from evogen.report.facts import Facts
from evogen.report.markup import number


def differences(found: Sequence[Facts]) -> Iterator[str]:
    """Say in which ways the runs cannot be compared as they stand."""
    for what, consequence, of in _COMPARED:
        groups: dict[str, list[str]] = {}
        for facts in found:
            groups.setdefault(of(facts), []).append(facts.name)
        if len(groups) > 1:
            each = (f"{value} ({_listed(names)})" for value, names in groups.items())
            yield f"The runs differ in {what}: {'; '.join(each)}. {consequence}"


def _task(facts: Facts) -> str:
    return "unknown" if facts.experiment is None else _said("task", facts.experiment)


def _goals(facts: Facts) -> str:
    aims = ", ".join(f"{direction} {name}" for name, direction in facts.goals.objectives.items())
    bounds = (
        f"{name} {bound.replace('_', ' ')} {number(limit)}"
        for name, limits in facts.goals.constraints.items()
        for bound, limit in limits.items()
    )
    return "; ".join([aims, *bounds])


def _birth(facts: Facts) -> str:
    if facts.experiment is None:
        return "unknown"
    lives = facts.experiment.search.lives
    return f"{facts.experiment.birth.agents} agents" + (f" in each of {lives} lives" if lives > 1 else "")


def _budget(facts: Facts) -> str:
    return f"{number(len(facts.rows))} candidates"


def _steps(facts: Facts) -> str:
    taken = sum(row.steps for row in facts.rows)
    scale = 10 ** max(len(str(taken)) - 2, 0)  # two digits: lives end at slightly different steps
    return f"about {number(round(taken / scale) * scale)} {charts.unit(facts)}"


def _versions(facts: Facts) -> str:
    versions = facts.environment.get("versions")
    known = versions if isinstance(versions, Mapping) else {}
    return (
        ", ".join(f"{name} {value}" for name, value in sorted(known.items()) if value is not None)
        or "unknown"
    )


def _device(facts: Facts) -> str:
    return str(facts.environment.get("device", "unknown"))


_COMPARED: tuple[tuple[str, str, Callable[[Facts], str]], ...] = (
    ("task", "Their fitness measures different things: do not compare it.", _task),
    ("goals", "Best means something else in each.", _goals),
    ("births", "The noise of a fitness differs, and so how much luck chose the winner.", _birth),
    ("candidates", "Who tried more had more chances: compare at the same place of the curves.", _budget),
    ("steps", "Who learnt longer had more chances: compare over the steps.", _steps),
    ("versions", "Numbers may differ for that reason alone.", _versions),
    ("device", "Numbers may differ for that reason alone.", _device),
)


def _said(kind: str, experiment: Experiment) -> str:
    made = getattr(experiment, kind)
    pairs = ((field.name, getattr(made, field.name)) for field in dataclasses.fields(made))
    settings = ", ".join(f"{name} {_plain(value)}" for name, value in pairs if value not in ("", (), None))
    return f"{name_of(kind, made)}{f' with {settings}' if settings else ''}"


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return " ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) if len(names) <= 4 else f"{', '.join(names[:3])} and {len(names) - 3} more"
