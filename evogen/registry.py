"""What can be named in an experiment file: one registry per kind of part.

A plug-in is one file in the kind's package (or an `evogen.plugins` entry point of another distribution):
a frozen dataclass under `@register(kind, name)`. Its fields are its configuration, its YAML section and its
listing; a field made by `evolvable` may carry a distribution in the experiment file and is then a gene.
"""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from evogen.errors import SpecError, near

PACKAGES: Mapping[str, str] = {
    "task": "evogen.tasks",
    "learner": "evogen.learning",
    "protection": "evogen.learning.protections",
    "metric": "evogen.metrics",
    "strategy": "evogen.strategies",
    "rule": "evogen.plasticity",
    "neuron": "evogen.neurons",
    "wiring": "evogen.connectome",
    "prior": "evogen.connectome.priors",
    "circuit": "evogen.connectome.circuits",
    "constraint": "evogen.grammar.constraints",
    "error": "evogen.learning.errors",
    "schedule": "evogen.learning.schedules",
}
LARGEST = 2**26
"""Bytes of a file, unless its setting says otherwise: every run keeps a copy, every worker is sent one."""
_registered: dict[str, dict[str, type[Any]]] = {kind: {} for kind in PACKAGES}
_T = TypeVar("_T")


class File(NamedTuple):
    """A file that an experiment names: what it is called in a run folder, and what it holds."""

    name: str
    content: bytes


def register(kind: str, name: str) -> Callable[[type[_T]], type[_T]]:
    """Register a frozen dataclass as the part `name` of this kind; a name can be taken only once."""

    def record(cls: type[_T]) -> type[_T]:
        other = _registered[kind].setdefault(name, cls)
        if other.__qualname__ != cls.__qualname__ or other.__module__ != cls.__module__:
            raise SpecError(f"{kind} '{name}' is registered twice: {other.__module__} and {cls.__module__}")
        return cls

    return record


def known(kind: str) -> Mapping[str, type[Any]]:
    """Return every registered part of a kind by name, sorted; imports the kind's package."""
    _load(kind)
    return dict(sorted(_registered[kind].items()))


def find(kind: str, name: str) -> type[Any]:
    """Return the part `name` of a kind.

    Raises:
        SpecError: nothing of that kind has this name.
    """
    _load(kind)
    parts = _registered[kind]
    if name not in parts:
        raise SpecError(
            f"unknown {kind} '{name}'{near(name, parts)} ('evogen list {plural(kind)}' shows all)"
        )
    return parts[name]


def name_of(kind: str, value: object) -> str:
    """Return the name that the type of a value is registered by; its own for one that is not."""
    return next((name for name, cls in known(kind).items() if cls is type(value)), type(value).__name__)


def plural(kind: str) -> str:
    """Return the name of all parts of a kind together: tasks, strategies, ..."""
    return f"{kind[:-1]}ies" if kind.endswith("y") else f"{kind}s"


def evolvable(default: float, *, low: float, high: float, doc: str) -> Any:
    """Declare a number that may differ between the candidates of a cohort: a constant, or a gene."""
    return dataclasses.field(
        default=default, metadata={"evolvable": True, "low": low, "high": high, "doc": doc}
    )


def setting(default: Any, *, doc: str, low: float | None = None, high: float | None = None) -> Any:
    """Declare a value that is one for the whole experiment."""
    return dataclasses.field(
        default=default, metadata={"evolvable": False, "low": low, "high": high, "doc": doc}
    )


def choice(default: str, *, names: Sequence[str], doc: str) -> Any:
    """Declare a setting that is one of these names; a range of whole numbers makes it a gene, by place."""
    metadata = {"evolvable": False, "choices": tuple(names), "doc": doc}
    return dataclasses.field(default=default, metadata=metadata)


def part(kind: str, default: Any, *, doc: str) -> Any:
    """Declare a setting that is itself a part of this kind: a name, or a section with `kind` and settings."""
    return dataclasses.field(default=default, metadata={"evolvable": False, "part": kind, "doc": doc})


def parts(kind: str, *, doc: str) -> Any:
    """Declare a setting that is a list of parts of this kind, none unless written."""
    return dataclasses.field(default=(), metadata={"evolvable": False, "parts": kind, "doc": doc})


def file(
    *,
    doc: str,
    default: str = "",
    names: Sequence[str] = (),
    pack: Callable[[Path], bytes] | None = None,
    largest: int = LARGEST,
) -> Any:
    """Declare a setting that is the path of a file, one of these names, or '' for none.

    An experiment's part gets a File in the place of a path, which every run keeps a copy of.

    Args:
        doc: what it is, for listings.
        default: a name, or ''.
        names: that are no paths.
        pack: turns a folder into what the file NAME.zip holds; None: a folder is refused.
        largest: bytes.
    """
    about = {"names": tuple(names), "pack": pack, "largest": largest}
    return dataclasses.field(default=default, metadata={"evolvable": False, "file": about, "doc": doc})


def evolvable_fields(cls: type[Any]) -> tuple[dataclasses.Field[Any], ...]:
    """Return the fields of a registered dataclass that may become genes."""
    return tuple(field for field in dataclasses.fields(cls) if field.metadata.get("evolvable"))


@cache
def _load(kind: str) -> None:
    package = importlib.import_module(PACKAGES[kind])
    for module in pkgutil.iter_modules(package.__path__, package.__name__ + "."):
        importlib.import_module(module.name)
    for point in entry_points(group="evogen.plugins"):
        point.load()
