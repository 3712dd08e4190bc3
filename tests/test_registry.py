from dataclasses import dataclass

import pytest

from evogen.errors import SpecError
from evogen.registry import evolvable, evolvable_fields, find, known, register, setting


@dataclass(frozen=True)
class Part:
    rate: float = evolvable(0.1, low=0.0, high=1.0, doc="")
    size: int = setting(4, low=1, doc="")


def test_parts_of_a_package_are_found_by_name() -> None:
    assert find("strategy", "random").__module__ == "evogen.strategies.random"


def test_known_parts_are_sorted_by_name() -> None:
    assert list(known("strategy")) == sorted(known("strategy"))
    assert {"genetic", "random"} <= set(known("strategy"))


def test_unknown_name_shows_the_near_match() -> None:
    with pytest.raises(SpecError, match="unknown strategy 'genetics'; did you mean 'genetic'"):
        find("strategy", "genetics")


def test_a_name_is_taken_only_once() -> None:
    known("strategy")
    with pytest.raises(SpecError, match=r"'random' is registered twice: evogen\.strategies\.random and"):
        register("strategy", "random")(Part)
    assert find("strategy", "random") is not Part


def test_only_evolvable_fields_may_be_genes() -> None:
    assert [field.name for field in evolvable_fields(Part)] == ["rate"]
