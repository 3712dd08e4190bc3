"""What a search shows while it runs: a live display on a terminal, elsewhere a line per committed cohort."""

from __future__ import annotations

import os
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from evogen.budget import length, share, spent
from evogen.cohort import Outcome, Ref
from evogen.engine import Committed, Draining, Event
from evogen.ranking import objectives
from evogen.runs import Run
from evogen.schema import Search
from evogen.strategies import Told
from evogen.strategies.goals import Goals, measured_in
from evogen.terminal import number


@dataclass
class Tally:
    """The numbers to show; `see` brings them up to date.

    Attributes:
        cohorts: of the whole search; None if another limit ends it (see `evogen.budget`).
        slots: cohorts that can be evaluated at the same time.
        told: committed cohorts, also those of earlier sessions.
        in_flight: cohorts submitted and not committed.
        leader: the best candidate by the goals of the search.
        median: of the fitness in the last committed cohort.
        outcomes: candidates by how they ended.
        fresh: cohorts and candidates committed since `began`, a monotonic clock's seconds.
        share, before: part of the budget that is spent, and that was when this session began.
    """

    cohorts: int | None
    slots: int
    told: int = 0
    in_flight: int = 0
    leader: Told | None = None
    median: float | None = None
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    fresh: tuple[int, int] = (0, 0)
    began: float = field(default_factory=time.monotonic)
    share: float = 0.0
    before: float = 0.0
    draining: bool = False
    goals: Goals = field(default_factory=Goals)

    def see(self, event: Event) -> None:
        """Take in what happened."""
        self.told, self.in_flight = event.told, event.in_flight
        self.draining |= isinstance(event, Draining)
        if not isinstance(event, Committed):
            return
        self.share = event.share
        found = [evaluation.fitness for evaluation in event.evaluations]
        for row, evaluation in enumerate(event.evaluations):
            told = self.goals.told(
                Ref(event.cohort.index, row),
                measured_in(evaluation.fitness, evaluation.metrics, evaluation.steps),
            )
            if told.fitness is not None and (self.leader is None or told.merit > self.leader.merit):
                self.leader = told
        scored = [fitness for fitness in found if fitness is not None]
        self.median = statistics.median(scored) if scored else None
        self.outcomes.update(evaluation.outcome for evaluation in event.evaluations)
        self.fresh = self.fresh[0] + 1, self.fresh[1] + len(found)

    @property
    def best(self) -> tuple[float, Ref] | None:
        """First objective and place of the best candidate."""
        if self.leader is None:
            return None
        return next(iter(objectives(self.goals, self.leader).values())), self.leader.ref

    @property
    def pace(self) -> float:
        """Candidates committed per second in this session."""
        return self.fresh[1] / max(time.monotonic() - self.began, 1e-9)

    @property
    def left(self) -> str:
        """Time to the end at this session's pace."""
        passed = time.monotonic() - self.began
        if self.fresh[0] and self.share > self.before:
            return _clock(passed * (1 - self.share) / (self.share - self.before))
        if self.fresh[0] and self.cohorts is not None:
            return _clock(passed / self.fresh[0] * (self.cohorts - self.told))
        return "?"

    @property
    def reached(self) -> str:
        """Return `told/all`, or `told (part of the budget)` where the number of all is not known."""
        return f"{self.told} ({self.share:.0%})" if self.cohorts is None else f"{self.told}/{self.cohorts}"

    @property
    def _told_share(self) -> float:
        return self.told / self.cohorts if self.cohorts else 0.0

    def line(self) -> str:
        """Return everything in one line."""
        failed = sum(self.outcomes.values()) - self.outcomes[Outcome.OK]
        return (
            f"cohort {self.reached}  best {number(self.best and self.best[0])}  "
            f"median {number(self.median)}  {self.pace:.3g}/s  ok {self.outcomes[Outcome.OK]}  "
            f"failed {failed}  left {self.left}"
        )

    def panel(self) -> Group:
        """Return everything in four lines, at most 80 columns wide."""
        bar = Table.grid(padding=(0, 2))
        bar.add_row(
            "cohorts ",
            ProgressBar(total=1.0, completed=max(self.share, self._told_share), width=30),
            self.reached,
            f"{self.left} left" if not self.draining else "Ctrl-C: at once",
        )
        best = "-" if self.best is None else f"{number(self.best[0])} ({self.best[1]})"
        busy = min(self.in_flight, self.slots)
        ended = "  ".join(f"{outcome} {self.outcomes[outcome]}" for outcome in Outcome)
        return Group(
            bar,
            Text(f"fitness   best {best}  median of the last cohort {number(self.median)}"),
            Text(f"pace      {self.pace:.3g} candidates/s  workers busy {busy}/{self.slots}"),
            Text(f"outcomes  {ended}"),
        )


def _clock(seconds: float) -> str:
    return str(timedelta(seconds=round(seconds)))


@contextmanager
def watch(console: Console, tally: Tally) -> Iterator[Callable[[Event], None]]:
    """Show the tally on this console while the block runs; yields what wants to be told of events."""
    if console.is_terminal:
        with Live(console=console, get_renderable=tally.panel, refresh_per_second=4):
            yield tally.see
        return

    def report(event: Event) -> None:
        tally.see(event)
        if isinstance(event, Draining):  # from a signal handler: no buffered stream
            text = f"note: stopping after {event.awaited} cohorts at work; Ctrl-C again leaves at once\n"
            os.write(2, text.encode())
        if isinstance(event, Committed):
            console.print(tally.line(), highlight=False, soft_wrap=True)

    yield report


def tally_of(run: Run, search: Search, *, slots: int) -> Tally:
    """Return the tally of a run that goes on."""
    before = share(search, spent(run))
    return Tally(
        length(search),
        slots,
        told=run.told,
        share=before,
        before=before,
        leader=run.leader(),
        goals=run.goals,
        outcomes=Counter(run.outcomes()),
    )
