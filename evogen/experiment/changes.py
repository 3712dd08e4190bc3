"""What may change when a run goes on: how long it is and how it is kept, nothing that breeds or scores.

experiment.yaml stays as it was; a run's experiment is that file with the changes that its log holds.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from evogen.budget import spent
from evogen.errors import SpecError
from evogen.experiment.spec import Experiment, load
from evogen.runs import Run

LOGGED = "changed"
_ENDS = ("search.cohorts", "search.candidates", "search.steps", "search.hours")
_KEYS = (*_ENDS, "search.snapshot_every", "compute.timeout", "compute.seconds")


class Change(NamedTuple):
    """A setting by its dotted path, and its values, which are JSON values."""

    key: str
    before: Any
    after: Any


def changed(run: Run, wanted: Sequence[str] = ()) -> tuple[Experiment, tuple[Change, ...]]:
    """Return a run's experiment with everything that was changed since, and what is new of `wanted`.

    Args:
        run: open.
        wanted: overrides `PATH=VALUE`, on top of what is logged.

    Raises:
        SpecError: a setting that may not change, a wrong value, or fewer cohorts than are committed.
    """
    file = run.path / "experiment.yaml"
    logged = [event.payload for event in run.events() if event.kind == LOGGED]
    said = [f"{payload['key']}={json.dumps(payload['to'])}" for payload in logged]
    before = load(file, said)
    if not wanted:
        return before, ()
    keys = dict.fromkeys(_permitted(text, before) for text in wanted)
    after = load(file, [*said, *wanted])
    found = [Change(key, _value(before, key), _value(after, key)) for key in keys]
    new = tuple(change for change in found if change.before != change.after)
    _refuse_endless(before, after, wanted)
    _refuse_less_than_spent(run, new)
    return after, new


def log(run: Run, changes: Sequence[Change], versions: dict[str, Any]) -> None:
    """Write changes into a run, with the versions of what made them."""
    for change in changes:
        run.log(LOGGED, key=change.key, **{"from": change.before, "to": change.after}, versions=versions)


def _refuse_endless(before: Experiment, after: Experiment, wanted: Sequence[str]) -> None:
    """A search whose last limit is taken away would get one that nobody wrote."""
    said = {key.strip(): value.strip() for key, _, value in (text.partition("=") for text in wanted)}
    taken = {key for key, value in said.items() if key in _ENDS and value in ("null", "~")}
    kept = {
        key
        for key in _ENDS
        if key not in taken and (key in said or _value(before, key) is not None) and _value(after, key)
    }
    if taken and not kept:
        others = ", ".join(_ENDS)
        raise SpecError(f"--set {min(taken)}=null: the search would have no end; set one of {others} as well")


def _refuse_less_than_spent(run: Run, changes: Sequence[Change]) -> None:
    """What is committed stays."""
    have = spent(run)
    least: dict[str, float] = {
        "search.cohorts": have.cohorts,
        "search.candidates": have.candidates,
        "search.steps": have.steps,
        "search.hours": have.seconds / 3600,
    }
    for key, _, value in changes:
        if value is not None and value < least.get(key, value):
            text = f"{run.path} has spent {least[key]:g} already, wanted as much or more"
            raise SpecError(f"--set {key}={value}: {text}")


def _permitted(text: str, experiment: Experiment) -> str:
    key = text.partition("=")[0].strip()
    known = [name for name in _KEYS if _has(experiment, name)]
    if key not in known:
        raise SpecError(
            f"--set {text}: '{key}' cannot change in a run that began, it would mix two searches; "
            f"what can: {', '.join(known)}; for anything else start a new run"
        )
    return key


def _has(experiment: Experiment, key: str) -> bool:
    section, name = key.split(".")
    return name in {item.name for item in dataclasses.fields(getattr(experiment, section))}


def _value(experiment: Experiment, key: str) -> Any:
    section, name = key.split(".")
    return getattr(getattr(experiment, section), name)
