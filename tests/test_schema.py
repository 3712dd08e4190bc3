from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest

from evogen.errors import SpecError
from evogen.registry import choice, evolvable, setting
from evogen.schema import Inheritance, Mark, Range, Where, settings, show


@dataclass(frozen=True)
class Part:
    size: int
    rate: float = evolvable(0.1, low=0.0, high=1.0, doc="")
    steps: int = evolvable(3, low=1, high=9, doc="")
    limit: float = setting(2.0, low=1.0, doc="")
    shape: tuple[int, ...] = (1, 2)
    mode: Literal["slow", "fast"] = "slow"
    inheritance: Inheritance = Inheritance.BALDWINIAN
    bounded: bool = True
    label: str | None = None
    table: dict[str, dict[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Even:
    number: int = 2

    def __post_init__(self) -> None:
        if self.number % 2:
            raise ValueError(f"wanted an even number, found {self.number}")


def read(**data: Any) -> Part:
    return settings(Part, {"size": 1, **data}, Where()).value


def test_absent_settings_take_their_defaults() -> None:
    assert settings(Part, {"size": 4}, Where()) == (Part(4), {})


def test_values_arrive_in_the_types_of_the_fields() -> None:
    part = read(rate=1, shape=[3], mode="fast", inheritance="lamarckian", bounded=False, label="x")
    assert part == Part(1, 1.0, 3, 2.0, (3,), "fast", Inheritance.LAMARCKIAN, False, "x")
    assert type(part.rate) is float


@pytest.mark.parametrize("kind", ["uniform", "log"])
def test_a_range_in_place_of_an_evolvable_number_is_kept_apart(kind: str) -> None:
    configured = settings(Part, {"size": 1, "rate": {kind: [0.01, 1]}}, Where())
    assert configured == (Part(1), {"rate": Range(kind, 0.01, 1.0)})


def test_a_whole_number_takes_a_range_of_integers() -> None:
    configured = settings(Part, {"size": 1, "steps": {"integers": [2, 5]}}, Where())
    assert configured.ranges == {"steps": Range("integers", 2, 5)}


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ({"sise": 1}, "part.sise: unknown key; did you mean 'size'?"),
        ({"size": 1.0}, "part.size: wanted a valid integer, found 1.0"),
        ({"size": True}, "part.size: wanted a valid integer, found true"),
        ({"size": "8"}, 'part.size: wanted a valid integer, found "8"'),
        ({"size": None}, "part.size: wanted a valid integer, found null"),
        ({"limit": 0.5}, "part.limit: wanted a number >= 1, found 0.5"),
        ({"limit": math.nan}, "part.limit: wanted a number >= 1, found NaN"),
        ({"limit": {"log": [1, 2]}}, "this setting is one for the whole experiment"),
        ({"rate": 1.5}, "part.rate: wanted a number in [0, 1], found 1.5"),
        ({"rate": {"log": [0, 1]}}, "wanted {log: [LOW, HIGH]} with 0 < LOW < HIGH"),
        ({"rate": {"uniform": [1, 0]}}, "wanted {uniform: [LOW, HIGH]} with LOW < HIGH"),
        ({"rate": {"uniform": [0, 2]}}, "wanted a number in [0, 1], found 2.0"),
        ({"rate": {"uniform": [0]}}, "wanted {uniform: [LOW, HIGH]} in numbers"),
        ({"rate": {"normal": [0, 1]}}, "or {uniform | log | integers: [LOW, HIGH]}"),
        ({"steps": {"log": [1, 5]}}, "wanted {integers: [LOW, HIGH]} for a whole number"),
        ({"steps": {"integers": [1.5, 5]}}, "wanted {integers: [LOW, HIGH]} in numbers"),
        ({"shape": [1, "a"]}, 'part.shape: wanted a valid integer, found [1, "a"]'),
        ({"mode": "quick"}, "part.mode: wanted 'slow' or 'fast', found \"quick\""),
        ({"inheritance": "none"}, "wanted 'baldwinian' or 'lamarckian'"),
        ({"table": 3}, "part.table: wanted settings as 'key: value' lines, found 3"),
        ({"table": {"a": None}}, "part.table: wanted settings as 'key: value' lines"),
        ({"label": 3}, "part.label: wanted a valid string, found 3"),
    ],
)
def test_a_wrong_setting_is_named_with_what_was_wanted_and_found(data: dict[str, Any], text: str) -> None:
    with pytest.raises(SpecError) as raised:
        settings(Part, {"size": 1, **data}, Where(path="part"))
    assert text in str(raised.value)


def test_a_missing_setting_without_default_is_named() -> None:
    with pytest.raises(SpecError, match=r"^part\.size: this setting has no default"):
        settings(Part, {}, Where(path="part"))


@pytest.mark.parametrize("data", [3, None, "abc", [1]])
def test_settings_that_are_no_mapping_are_refused(data: object) -> None:
    with pytest.raises(SpecError, match="wanted settings as 'key: value' lines"):
        settings(Part, data, Where())


def test_what_a_dataclass_refuses_itself_gets_the_place_of_its_section() -> None:
    with pytest.raises(SpecError, match=r"^x\.yaml:3:1: even: wanted an even number, found 3"):
        settings(Even, {"number": 3}, Where({"even": Mark("x.yaml:3:1")}, "even"))


def test_an_error_stands_at_the_closest_written_path_above_it() -> None:
    where = Where({"": Mark("x.yaml"), "a": Mark("x.yaml:1:1", "a: {}\n^"), "a.b": Mark("x.yaml:2:3")})
    assert str((where / "a" / "b").error("no")) == "x.yaml:2:3: a.b: no"
    assert str((where / "a" / "c").error("no")) == "x.yaml:1:1: a.c: no\na: {}\n^"
    assert str((where / "d").error("no")) == "x.yaml: d: no"


def test_a_long_value_is_cut_in_messages() -> None:
    assert show("x" * 100) == '"' + "x" * 56 + "..."


@dataclass(frozen=True)
class Chosen:
    grain: str = choice("fine", names=("coarse", "fine"), doc="")


def test_the_place_of_a_name_can_be_a_gene() -> None:
    found = settings(Chosen, {"grain": {"integers": [0, 1]}}, Where())
    assert found == (Chosen("fine"), {"grain": Range("integers", 0, 1)})


@pytest.mark.parametrize("written", [{"uniform": [0, 1]}, {"integers": [0, 2]}])
def test_only_places_of_names_can_be_a_gene(written: object) -> None:
    with pytest.raises(SpecError, match=r"places of coarse, fine|in \[0, 1\]"):
        settings(Chosen, {"grain": written}, Where())
