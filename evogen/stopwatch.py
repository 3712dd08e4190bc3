"""Stopwatch: the seconds that this process spent, by what it did; for reports, never for results.

One for the process, as its clock is. On an accelerator work can still be queued when a part of it ends, and
then counts to the next part.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

_spent: dict[str, float] = {}


@contextmanager
def timed(what: str) -> Iterator[None]:
    """Add the seconds that the block takes to those spent on `what`, however it ends."""
    start = time.perf_counter()
    try:
        yield
    finally:
        add({what: time.perf_counter() - start})


def add(seconds: Mapping[str, float]) -> None:
    """Add what another process spent in this one's service."""
    for what, each in seconds.items():
        _spent[what] = _spent.get(what, 0.0) + each


def taken() -> dict[str, float]:
    """Return the seconds spent since the last call, to the microsecond, and begin at nothing again."""
    found = {what: round(each, 6) for what, each in _spent.items()}
    _spent.clear()
    return found
