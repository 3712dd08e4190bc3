"""Parts of an experiment: from a section to a configured part, and back to what a file says of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from evogen.errors import SpecError
from evogen.experiment.files import attach
from evogen.registry import File, find, name_of
from evogen.schema import Configured, Part, Range, Where, settings, show

_GIVEN = ("grammar", "inputs", "outputs")  # fields that are no settings


def kind_of(data: Part) -> Any:
    """Return what a section says under `kind`; of a name, the name."""
    return data.get("kind") if isinstance(data, dict) else data


def part_of(kind: str, data: Part, where: Where, folder: Path) -> Configured[Any]:
    """Return a part of this kind, with its settings and the files that it names.

    Raises:
        SpecError: no such part, or a setting is wrong.
    """
    name = kind_of(data)
    place = where / "kind" if isinstance(data, dict) else where
    if not isinstance(name, str):
        raise place.error(f"wanted the name of {_article(kind)} {kind}, found {show(name)}")
    try:
        cls = find(kind, name)
    except SpecError as error:
        raise place.error(str(error)) from None
    rest = {key: value for key, value in data.items() if key != "kind"} if isinstance(data, dict) else {}
    given: dict[str, Any] = dict(attach(cls, rest, where, folder))
    for item in dataclasses.fields(cls):
        if item.name in rest and (inner := item.metadata.get("part")):
            given[item.name] = part_of(inner, rest[item.name], where / item.name, folder).value
    return settings(cls, {key: rest[key] for key in rest if key not in given}, where, **given)


def _article(noun: str) -> str:
    return "an" if noun[0] in "aeiou" else "a"


def plain(value: Any, ranges: Mapping[str, Range] | None = None) -> dict[str, Any]:
    """Return a dataclass as the mapping that `settings` reads; what is no setting is left out."""
    names = [item.name for item in dataclasses.fields(value) if item.name not in _GIVEN]
    spread = {name: {kind: [low, high]} for name, (kind, low, high) in (ranges or {}).items()}
    found = {name: getattr(value, name) for name in names}
    files = {name: item.name for name, item in found.items() if isinstance(item, File)}
    inner = {
        item.name: item.metadata["part"] for item in dataclasses.fields(value) if "part" in item.metadata
    }
    nested = {
        name: {"kind": name_of(kind, found[name]), **plain(found[name])} for name, kind in inner.items()
    }
    lists = {
        item.name: [{"kind": name_of(kind, part), **plain(part)} for part in found[item.name]]
        for item in dataclasses.fields(value)
        if (kind := item.metadata.get("parts"))
    }
    return found | files | nested | lists | spread


def ascending(space: object, where: Where, *names: str) -> None:
    """Refuse bounds of which a later one is below an earlier one, or the first below 1."""
    low, words = 1, "1"
    for name in names:
        value = getattr(space, name)
        if value < low:
            raise (where / name).error(f"wanted a number >= {words}, found {value}")
        low, words = value, f"{name} ({value})"
