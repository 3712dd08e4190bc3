"""Rows: what is kept for P candidates, taken apart and put together by candidate.

    gather([a, b], [[0, 2], [1]])  =  a[0], a[2], b[1]

What has rows: a tensor (its leading axis is P) and a list (one item a candidate). Dicts, tuples and instances
of `rowwise` classes are gone into; tensors without axes and plain values belong to all candidates alike.
Nothing else is guessed: an object of another kind is refused, lest rows be mixed up in silence.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from functools import singledispatch
from typing import Any, TypeVar

import torch
from torch import Tensor

from evogen.errors import EvogenError

Rows = Sequence[Sequence[int]]
_T = TypeVar("_T")


def gather(parts: Sequence[_T], rows: Rows) -> _T:
    """Return one value of the rows `rows[i]` of each `parts[i]`, part after part.

    The result shares no tensor with the parts, but may share what a list holds: do not go on with both.

    Raises:
        EvogenError: something in it is of a kind whose rows are not known.
    """
    found: _T = _gathered(parts[0], parts, rows)
    return found


def rowwise(
    *, shared: Sequence[str] = (), anew: Mapping[str, Any] | None = None
) -> Callable[[type[_T]], type[_T]]:
    """Let `gather` go into the attributes of a class.

    Args:
        shared: attributes that belong to all candidates alike, whatever they are.
        anew: attributes that a gathered instance begins with, by name; for what can be computed again.
    """

    def attributes(first: Any, parts: Sequence[Any], rows: Rows) -> Any:
        new, begun = copy.copy(first), anew or {}
        for name, value in vars(first).items():
            if name not in shared and name not in begun:
                vars(new)[name] = _gathered(value, [vars(part)[name] for part in parts], rows)
        vars(new).update(begun)
        return new

    def mark(cls: type[_T]) -> type[_T]:
        _gathered.register(cls, attributes)
        return cls

    return mark


@singledispatch
def _gathered(first: Any, parts: Sequence[Any], rows: Rows) -> Any:  # noqa: ARG001
    kind = f"{type(first).__module__}.{type(first).__qualname__}"
    raise EvogenError(f"the rows of a {kind} are not known: mark the class `evogen.phenotype.rows.rowwise`")


@_gathered.register(Tensor)
def _(first: Tensor, parts: Sequence[Tensor], rows: Rows) -> Tensor:
    if not first.ndim:
        return first
    return torch.cat([part[list(own)] for part, own in zip(parts, rows, strict=True)])


@_gathered.register(list)
def _(first: list[Any], parts: Sequence[list[Any]], rows: Rows) -> list[Any]:  # noqa: ARG001
    return [part[row] for part, own in zip(parts, rows, strict=True) for row in own]


@_gathered.register(tuple)
def _(first: tuple[Any, ...], parts: Sequence[tuple[Any, ...]], rows: Rows) -> tuple[Any, ...]:
    items = [_gathered(item, [part[at] for part in parts], rows) for at, item in enumerate(first)]
    return tuple(items) if type(first) is tuple else type(first)(*items)


@_gathered.register(dict)
def _(first: dict[Any, Any], parts: Sequence[dict[Any, Any]], rows: Rows) -> dict[Any, Any]:
    return {name: _gathered(value, [part[name] for part in parts], rows) for name, value in first.items()}


@_gathered.register(int)
@_gathered.register(float)
@_gathered.register(str)
@_gathered.register(type(None))
@_gathered.register(torch.device)
def _(first: Any, parts: Sequence[Any], rows: Rows) -> Any:  # noqa: ARG001
    assert all(part == first for part in parts), f"parts differ in what they share: {parts}"
    return first
