"""A time limit inside the inner loop, checked once an iteration.

A group of candidates that learns for longer is halved, and each half begins anew with as much time; a single
candidate that takes longer ends TIMEOUT. Who ends so depends on the machine, so these outcomes are not
reproducible; like all outcomes they are stored, and a resumed run does not try them again.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_limit: ContextVar[tuple[float, float] | None] = ContextVar("limit", default=None)  # (end, seconds)


class Overdue(Exception):  # noqa: N818 (an outcome, no error)
    """The time of an inner loop is over."""


@contextmanager
def limited(seconds: float | None) -> Iterator[None]:
    """Let `check` raise in this block once so many seconds have passed; None is no limit."""
    token = _limit.set(None if seconds is None else (time.monotonic() + seconds, seconds))
    try:
        yield
    finally:
        _limit.reset(token)


def check() -> None:
    """Call this once an iteration of a learner.

    Raises:
        Overdue: the time is over.
    """
    limit = _limit.get()
    if limit is not None and time.monotonic() > limit[0]:
        raise Overdue(f"learnt for longer than compute.seconds, {limit[1]:g} seconds")
