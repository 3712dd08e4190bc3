"""Settings: a mapping from a file becomes a frozen dataclass, or an error that says where and what to do.

The fields of the dataclass are the schema: names, types, defaults, and `low` and `high` (both included) of
`registry.setting` and `registry.evolvable`. Types are strict: 8.0 is no integer and "8" is no number. Where a
field is evolvable, a range `{uniform | log | integers: [low, high]}` may stand in place of its number.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Generic, Literal, NamedTuple, TypeVar, get_type_hints

from pydantic import TypeAdapter, ValidationError

from evogen.errors import SpecError, near
from evogen.registry import setting

RANGES = ("uniform", "log", "integers")
Part = str | dict[str, Any]
_T = TypeVar("_T")


class Mark(NamedTuple):
    """Where a setting stands: `FILE:LINE:COLUMN` with that line and a caret, or the text of a `--set`."""

    place: str
    excerpt: str = ""


@dataclass(frozen=True)
class Where:
    """A dotted path into an experiment, and the marks of the paths that were written there."""

    marks: Mapping[str, Mark] = field(default_factory=dict)
    path: str = ""

    def __truediv__(self, key: str) -> Where:
        return Where(self.marks, f"{self.path}.{key}" if self.path else key)

    def error(self, text: str) -> SpecError:
        """Return the error `PLACE: PATH: TEXT`; a path that is not written takes the place of its section."""
        path = self.path
        while path and path not in self.marks:
            path = path.rpartition(".")[0]
        mark = self.marks.get(path, Mark(""))
        line = ": ".join(part for part in (mark.place, self.path, text) if part)
        return SpecError(f"{line}\n{mark.excerpt}" if mark.excerpt else line)


class Range(NamedTuple):
    """What may stand in place of an evolvable number: one of RANGES and its two bounds, both included."""

    kind: str
    low: float
    high: float


class Configured(NamedTuple, Generic[_T]):
    """An instance, and the ranges of its fields that are genes (there the instance holds the default)."""

    value: _T
    ranges: Mapping[str, Range]


class Inheritance(StrEnum):
    """Whether offspring inherit the tuned expression of their parents (Lamarck) or the born one (Baldwin)."""

    BALDWINIAN = "baldwinian"
    LAMARCKIAN = "lamarckian"


@dataclass(frozen=True)
class Search:
    """How long the search is and how it is cut; it ends with the first of the limits that are written."""

    cohorts: int | None = setting(
        None, low=1, doc="cohorts in the whole search; 8 where no other end is written"
    )
    candidates: int | None = setting(None, low=1, doc="candidates in the whole search, rounded up to cohorts")
    steps: int | None = setting(
        None, low=1, doc="steps of all inner loops together, one a candidate at least, after which it ends"
    )
    hours: float | None = setting(
        None, low=1e-6, doc="hours of the clock, over all sessions, after which it ends; not reproducible"
    )
    cohort_size: int = setting(
        16, low=1, high=65_536, doc="candidates that are developed and dispatched together"
    )
    lookahead: int = setting(2, low=1, doc="cohort k is bred from the state after cohort k - lookahead")
    lives: int = setting(
        1, low=1, high=1000, doc="lives of a candidate, from expression of their own; fitness is their mean"
    )
    snapshot_every: int = setting(10, low=1, doc="cohorts between two snapshots of the strategy's state")
    objectives: dict[str, Literal["maximise", "minimise"]] = field(
        default_factory=lambda: {"fitness": "maximise"},
        metadata={"doc": "measures that the search is for, the first one first"},
    )
    constraints: dict[str, dict[Literal["at_most", "at_least"], float]] = field(
        default_factory=dict, metadata={"doc": "bounds on measures: {synapses: {at_most: 500}}"}
    )

    def __post_init__(self) -> None:
        if self.cohorts is self.candidates is self.steps is self.hours is None:
            object.__setattr__(self, "cohorts", 8)


@dataclass(frozen=True)
class Racing:
    """Successive halving of every cohort; see `evogen.learning.racing`."""

    rungs: int = setting(3, low=1, high=20, doc="parts of the inner loop, each 1 / keep as long as the last")
    keep: float = setting(0.5, low=0.01, high=0.99, doc="share of the candidates that goes on after a rung")
    width: int = setting(64, low=1, high=65_536, doc="candidates that train together at most")


@dataclass(frozen=True)
class Compute:
    """What every worker computes with, wherever it is."""

    dtype: Literal["float32", "float64"] = setting("float32", doc="precision of the networks")
    threads: int = setting(1, low=1, doc="torch threads of each worker")
    timeout: float | None = setting(
        None, low=1e-3, doc="seconds for a cohort on a Ray worker, which is then killed; its halves run again"
    )
    seconds: float | None = setting(
        None, low=1e-3, doc="seconds for an inner loop, which then ends; the cohort's halves run again"
    )


@dataclass(frozen=True)
class Document:
    """The top level of an experiment file; a Part is a name, or a mapping with `kind` and settings."""

    task: Part
    learner: Part
    wiring: Part
    strategy: Part
    architecture: dict[str, Any]
    name: str = ""
    seed: int = setting(0, low=0, doc="the root of all randomness")
    birth: dict[str, Any] = field(default_factory=dict)
    rules: dict[str, Any] | None = None
    plasticity: dict[str, dict[str, Any]] = field(default_factory=dict)
    inheritance: Inheritance = Inheritance.LAMARCKIAN
    metrics: list[Part] = field(default_factory=list)
    search: dict[str, Any] = field(default_factory=dict)
    racing: dict[str, Any] | None = None
    compute: dict[str, Any] = field(default_factory=dict)


def settings(cls: type[_T], data: object, where: Where, **given: Any) -> Configured[_T]:
    """Return an instance of a dataclass with these settings, and the ranges among them.

    Args:
        cls: the dataclass.
        data: what the file says.
        where: the place of `data`.
        given: fields that are no settings.

    Raises:
        SpecError: not a mapping, an unknown or missing key, a wrong type, a value out of bounds, or a
            ValueError or SpecError of the dataclass itself.
    """
    written = _mapping(data, where)
    fields = {item.name: item for item in dataclasses.fields(cls) if item.init}  # type: ignore[arg-type]
    _complete(fields, {*written, *given}, where)
    hints = get_type_hints(cls)
    ranges = {
        key: _range(fields[key], hints[key], value, where / key)
        for key, value in written.items()
        if _is_range(value)
    }
    values = {
        key: _value(fields[key], hints[key], value, where / key)
        for key, value in written.items()
        if key not in ranges
    }
    try:
        return Configured(cls(**values, **given), ranges)
    except (ValueError, SpecError) as error:
        raise where.error(str(error)) from error


def _mapping(data: object, where: Where) -> Mapping[str, Any]:
    if not isinstance(data, Mapping):
        raise where.error(f"wanted settings as 'key: value' lines, found {show(data)}")
    return data


def _complete(fields: Mapping[str, dataclasses.Field[Any]], present: set[str], where: Where) -> None:
    for key in sorted(present - fields.keys()):
        raise (where / key).error(f"unknown key{near(key, fields)}")
    for name, item in fields.items():
        if name not in present and item.default is item.default_factory is dataclasses.MISSING:
            raise (where / name).error("this setting has no default: write it")


def show(value: object) -> str:
    """Return a value as people write it in a file, cut to 60 characters."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else text[:57] + "..."


def _value(item: dataclasses.Field[Any], hint: Any, value: object, where: Where) -> Any:
    try:
        checked = TypeAdapter(hint).validate_json(json.dumps(value), strict=True)
    except ValidationError as error:
        wanted = dict.fromkeys(_wanted(detail["msg"]) for detail in error.errors())
        if item.metadata.get("evolvable"):
            wanted["{uniform | log | integers: [LOW, HIGH]}"] = None
        raise where.error(f"wanted {' or '.join(wanted)}, found {show(value)}") from None
    if isinstance(checked, float | int) and not isinstance(checked, bool):
        _inside(item, checked, where)
    return checked


_FORMS = {"an object": "settings as 'key: value' lines", "a valid array": "a list, as in [first, second]"}


def _wanted(message: str) -> str:
    words = message.removeprefix("Input should be ")
    return _FORMS.get(words, words)


def _inside(item: dataclasses.Field[Any], number: float, where: Where) -> None:
    low, high = _bounds(item)
    if not (low <= number <= high and math.isfinite(number)):
        raise where.error(f"wanted a number {_interval(low, high)}, found {show(number)}")


def _bounds(item: dataclasses.Field[Any]) -> tuple[float, float]:
    if choices := item.metadata.get("choices"):
        return 0, len(choices) - 1
    low, high = item.metadata.get("low"), item.metadata.get("high")
    return -math.inf if low is None else low, math.inf if high is None else high


def _interval(low: float, high: float) -> str:
    if math.isinf(low) and math.isinf(high):
        return "that is finite"
    if math.isinf(high):
        return f">= {low:g}"
    return f"<= {high:g}" if math.isinf(low) else f"in [{low:g}, {high:g}]"


def _is_range(value: object) -> bool:
    return isinstance(value, Mapping) and len(value) == 1 and next(iter(value)) in RANGES


def _range(item: dataclasses.Field[Any], hint: Any, value: Any, where: Where) -> Range:
    choices = item.metadata.get("choices", ())
    if not item.metadata.get("evolvable") and not choices:
        raise where.error(f"found the range {show(value)}, but this setting is one for the whole experiment")
    ((kind, bounds),) = value.items()
    pair: Any = tuple[int, int] if kind == "integers" else tuple[float, float]
    try:
        low, high = TypeAdapter(pair).validate_json(json.dumps(bounds), strict=True)
    except ValidationError:
        raise where.error(f"wanted {{{kind}: [LOW, HIGH]}} in numbers, found {show(value)}") from None
    if not low < high or (kind == "log" and low <= 0):
        above = "0 < LOW" if kind == "log" else "LOW"
        raise where.error(f"wanted {{{kind}: [LOW, HIGH]}} with {above} < HIGH, found {show(value)}")
    if (hint is int or choices) and kind != "integers":
        what = f"the places of {', '.join(choices)} from 0" if choices else "a whole number"
        raise where.error(f"wanted {{integers: [LOW, HIGH]}} for {what}, found {show(value)}")
    for end in (low, high):
        _inside(item, end, where)
    return Range(kind, low, high)
