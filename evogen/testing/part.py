"""What every registered part is: an immutable value that a file can configure, people can list and Ray can send."""

from __future__ import annotations

import dataclasses
import pickle
from typing import Any


def is_a_frozen_value(part: Any) -> None:
    """The fields are the part: equal after a copy, and none can be set."""
    assert type(part).__dataclass_params__.frozen
    assert dataclasses.replace(part) == part


def travels_to_a_worker(part: Any) -> None:
    """A part that went through pickle is equal."""
    assert pickle.loads(pickle.dumps(part)) == part  # noqa: S301 (written two words before)


def says_what_it_is(part: Any) -> None:
    """The class and every setting that is declared with `setting` or `evolvable` have words for the listing."""
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


FACTS = (is_a_frozen_value, travels_to_a_worker, says_what_it_is, has_defaults_within_their_bounds)
