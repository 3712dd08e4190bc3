"""Sinks of a run: what is brought up to the log beside a search, and never in its way.

A sink reads the folder itself, from where it stopped to the last commit; so one that fails, or is cut, loses
nothing, and its next push brings the rest. Pushes run in a thread, one at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Protocol

from evogen.runs import Run

Notice = Callable[[str], None]


class Sink(Protocol):
    """A copy, or a view elsewhere, of what is committed."""

    name: str

    def push(self, folder: Path) -> int:
        """Bring it up to what is committed in a run folder and return the number of cohorts it has now."""
        ...

    def close(self) -> None:
        """Give back what it holds open; called where `push` was."""
        ...


@contextmanager
def fed(
    run: Run,
    push: Callable[[Path], int],
    *,
    every: int,
    ended: Callable[[Future[int]], None],
    begun: Callable[[Future[int]], None] = lambda _: None,
) -> Iterator[Callable[[], None]]:
    """Push while the block runs; call what it yields after each commit.

    Args:
        run: open for writing.
        push: of a sink.
        every: cohorts between the beginnings of two pushes; there is one at the start and one at the end.
        ended: told of each push once it is over.
        begun: told of the first push at once.
    """
    with ThreadPoolExecutor(1, "sink") as pool:
        told, last = run.told, pool.submit(push, run.path)
        begun(last)

        def turn() -> None:
            nonlocal told, last
            if run.told - told < every or not last.done():
                return
            ended(last)
            told, last = run.told, pool.submit(push, run.path)

        try:
            yield turn
        finally:
            ended(last)
            ended(pool.submit(push, run.path))


@contextmanager
def feeding(run: Run, sinks: Sequence[Sink], *, notice: Notice) -> Iterator[Callable[[], None]]:
    """Keep sinks up to a run while the block runs; call what it yields after each commit.

    One that fails is logged and noticed, once for each sentence, and tried again after the next commit.
    """
    with ExitStack() as stack:
        turns = [
            stack.enter_context(fed(run, sink.push, every=1, ended=_Said(run, sink, notice)))
            for sink in sinks
        ]
        yield lambda: _each(turns)


@contextmanager
def settled(run: Run, sinks: Sequence[Sink], *, notice: Notice) -> Iterator[None]:
    """Push to each sink once more when the block ends, and close it: what was written since belongs to it."""
    try:
        yield
    finally:
        for sink in sinks:
            with ThreadPoolExecutor(1, "sink") as pool:
                said = _Said(run, sink, notice)
                said(pool.submit(sink.push, run.path))
                said(pool.submit(_closed, sink))


def _each(turns: Sequence[Callable[[], None]]) -> None:
    for turn in turns:
        turn()


def _closed(sink: Sink) -> int:
    sink.close()
    return 0


class _Said:
    """Logs how a push failed; other people's libraries raise errors of every kind, and none ends a search."""

    def __init__(self, run: Run, sink: Sink, notice: Notice) -> None:
        self._run, self._sink, self._notice = run, sink, notice
        self._known: set[str] = set()

    def __call__(self, push: Future[int]) -> None:
        if (error := push.exception()) is None:
            return
        what = f"{type(error).__name__}: {error}"
        if what not in self._known:
            self._known.add(what)
            self._run.log("tracking failed", to=self._sink.name, what=what)
            self._notice(
                f"{self._sink.name} is not up to date ({what}); the search goes on, it is tried again"
            )
