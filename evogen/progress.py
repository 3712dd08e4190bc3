"""What a search shows while it runs: a live display on a terminal, elsewhere a line per committed cohort."""

from __future__ import annotations

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

from evogen.cohort import Outcome, Ref
from evogen.engine import Committed, Event
from evogen.runs import Run


@dataclass
class Tally:
    """The numbers to show; `see` brings them up to date.

    Attributes:
        cohorts: of the whole search.
        slots: cohorts that can be evaluated at the same time.
        told: committed cohorts, also those of earlier sessions.
        in_flight: cohorts submitted and not committed.
        best: fitness and place of the best candidate.
        median: of the fitness in the last committed cohort.
        outcomes: candidates by how they ended.
        fresh: cohorts and candidates committed since `began`, a monotonic clock's seconds.
    """

    cohorts: int
    slots: int
    told: int = 0
    in_flight: int = 0
    best: tuple[float, Ref] | None = None
    median: float | None = None
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    fresh: tuple[int, int] = (0, 0)
    began: float = field(default_factory=time.monotonic)

    def see(self, event: Event) -> None:
        """Take in what happened."""
        self.told, self.in_flight = event.told, event.in_flight
        if not isinstance(event, Committed):
            return
        found = [evaluation.fitness for evaluation in event.evaluations]
        for row, fitness in enumerate(found):
            if fitness is not None and (self.best is None or fitness > self.best[0]):
                self.best = fitness, Ref(event.cohort.index, row)
        scored = [fitness for fitness in found if fitness is not None]
        self.median = statistics.median(scored) if scored else None
        self.outcomes.update(evaluation.outcome for evaluation in event.evaluations)
        self.fresh = self.fresh[0] + 1, self.fresh[1] + len(found)

    @property
    def pace(self) -> float:
        """Candidates committed per second in this session."""
        return self.fresh[1] / max(time.monotonic() - self.began, 1e-9)

    @property
    def left(self) -> str:
        """Time to the end at this session's pace."""
        if not self.fresh[0]:
            return "?"
        each = (time.monotonic() - self.began) / self.fresh[0]
        return str(timedelta(seconds=round(each * (self.cohorts - self.told))))

    def line(self) -> str:
        """Return everything in one line."""
        failed = sum(self.outcomes.values()) - self.outcomes[Outcome.OK]
        return (
            f"cohort {self.told}/{self.cohorts}  best {number(self.best and self.best[0])}  "
            f"median {number(self.median)}  {self.pace:.3g}/s  ok {self.outcomes[Outcome.OK]}  "
            f"failed {failed}  left {self.left}"
        )

    def panel(self) -> Group:
        """Return everything in four lines, at most 80 columns wide."""
        bar = Table.grid(padding=(0, 2))
        bar.add_row(
            "cohorts ",
            ProgressBar(total=self.cohorts, completed=self.told, width=30),
            f"{self.told}/{self.cohorts}",
            f"{self.left} left",
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


def number(value: float | None) -> str:
    """Return four significant digits, or '-' for None."""
    return "-" if value is None else f"{value:.4g}"


@contextmanager
def watch(console: Console, tally: Tally) -> Iterator[Callable[[Event], None]]:
    """Show the tally on this console while the block runs; yields what wants to be told of events."""
    if console.is_terminal:
        with Live(console=console, get_renderable=tally.panel, refresh_per_second=4):
            yield tally.see
        return

    def report(event: Event) -> None:
        tally.see(event)
        if isinstance(event, Committed):
            console.print(tally.line(), highlight=False, soft_wrap=True)

    yield report


def tally_of(run: Run, *, cohorts: int, slots: int) -> Tally:
    """Return the tally of a run that goes on."""
    best = run.best()
    fitness = None if best is None else run.candidate(best)[1].fitness
    return Tally(
        cohorts,
        slots,
        told=run.told,
        best=None if best is None or fitness is None else (fitness, best),
        outcomes=Counter(run.outcomes()),
    )
