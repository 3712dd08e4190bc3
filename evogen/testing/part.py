"""What every registered part is: an immutable value that a file can configure and people can list."""

from __future__ import annotations

import copy
import dataclasses
from typing import Any


def is_a_frozen_value(part: Any) -> None:
    """The fields are the part: none can be set, and a copy is equal."""
    assert type(part).__dataclass_params__.frozen
    assert dataclasses.replace(part) == copy.deepcopy(part) == part


def says_what_it_is(part: Any) -> None:
    """The class and every setting declared with `setting` or `evolvable` have words for the listing."""
    assert (type(part).__doc__ or "").strip()
    for field in dataclasses.fields(part):
        assert "doc" not in field.metadata or field.metadata["doc"].strip(), field.name


def has_defaults_within_their_bounds(part: Any) -> None:
    """Without settings it is usable, and its own listing would accept what it then has."""
    for field in dataclasses.fields(type(part)()):
        low, high = field.metadata.get("low"), field.metadata.get("high")
        value = field.default
        assert low is None or value >= low, f"{field.name}: {value} < {low}"
        assert high is None or value <= high, f"{field.name}: {value} > {high}"


FACTS = (is_a_frozen_value, says_what_it_is, has_defaults_within_their_bounds)
