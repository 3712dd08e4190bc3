"""The ordered pipeline: cohort k is bred from the state after cohort k - lookahead was told.

With S_t the strategy's state after t cohorts were told, cohort k is bred from S_max(0, k - lookahead + 1). Up
to `lookahead` cohorts are in flight; a result that comes early waits, and every cohort is committed before it
is told. So no bit depends on the number of workers or on who finishes first, and a lookahead of 1 is the
classic loop.

Resume: the states still needed are told again from the log, starting at the snapshot; what was in flight is
bred again, which gives the same genomes because asking is pure. When the budget is spent, what is still in
flight is dropped; nothing is bred beyond an end that is known before (see `evogen.budget`).
"""

from __future__ import annotations

import gc
import json
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any

from evogen import stopwatch
from evogen.budget import Ending, length, share, spent
from evogen.cohort import Cohort, Evaluation
from evogen.errors import SpecError
from evogen.evaluators import Evaluator, Result
from evogen.keys import Key
from evogen.runs import Run
from evogen.runs.records import Snapshot
from evogen.schema import Inheritance, Search
from evogen.shutdown import Requests, listening
from evogen.space import SearchSpace
from evogen.stopwatch import timed
from evogen.strategies import Scene, State, Strategy
from evogen.strategies.goals import Goals


@dataclass(frozen=True)
class Asked:
    """A cohort was bred and submitted; `told` and `in_flight` count cohorts, as of now."""

    cohort: Cohort
    told: int
    in_flight: int


@dataclass(frozen=True)
class Committed:
    """A cohort was committed and told: the seconds of work, the worker's name, and the counts as of now.

    `share` is the part of the budget that is spent.
    """

    cohort: Cohort
    evaluations: tuple[Evaluation, ...]
    seconds: float
    worker: str
    told: int
    in_flight: int
    share: float = 0.0


@dataclass(frozen=True)
class Draining:
    """SIGINT came: `awaited` cohorts are evaluated now and will be committed. Told from a signal handler."""

    awaited: int
    told: int
    in_flight: int


Event = Asked | Committed | Draining


def drive(
    run: Run,
    strategy: Strategy,
    evaluator: Evaluator,
    *,
    space: SearchSpace,
    inheritance: Inheritance,
    search: Search,
    key: Key,
    on_event: Callable[[Event], None],
) -> Ending:
    """Search until the budget is spent, going on from where the run is.

    Equal arguments give equal fingerprints, whatever the evaluator, however often the search was cut and
    resumed. SIGINT and SIGTERM end it between two commits as `evogen.shutdown` says; the `evaluator.slots`
    oldest cohorts in flight count as being evaluated. A KeyboardInterrupt from elsewhere ends it at once.

    Args:
        run: open for writing.
        strategy: proposes the genomes.
        evaluator: takes up to `search.lookahead` cohorts at a time; it is left open.
        space: what may vary.
        inheritance: whether children inherit what their parents' lives tuned.
        search: how long the search is and how it is cut.
        key: of the run; the strategy gets its child `strategy`.
        on_event: called after each cohort was submitted, and after each was committed and told.
    """
    stock = run.heritable_genome if inheritance is Inheritance.LAMARCKIAN else run.born_genome
    own = key.child("strategy")
    scene = Scene(space, stock, own, own)

    def breed(state: State, index: int) -> Cohort:
        found = strategy.ask(state, index, search.cohort_size, scene=scene)
        if len(found) != search.cohort_size:
            name = type(strategy).__name__
            raise SpecError(
                f"{name}.ask gave {len(found)} individuals for cohort {index}, {search.cohort_size} wanted"
            )
        return Cohort(index, found)

    def tell(state: State, index: int) -> State:
        goals = Goals(search.objectives, search.constraints)
        return _plain(strategy.tell(state, run.results(index, goals), scene=scene))

    counts = {"cohorts": length(search), "slots": evaluator.slots}
    run.log("resumed" if run.told else "started", told=run.told, **counts)
    stopwatch.taken()
    flow = _Pipeline(
        run, evaluator, search, start=_plain(strategy.start()), breed=breed, tell=tell, on_event=on_event
    )
    with listening(flow.requests), _spared():
        try:
            ending = flow.flow()
        except KeyboardInterrupt:
            ending = Ending.TERMINATED if flow.requests.terminated else Ending.STOPPED
        if ending is Ending.TERMINATED:
            with suppress(KeyboardInterrupt), flow.requests.held():
                flow.gather()
    run.log(ending.value, told=run.told, seconds=stopwatch.taken())
    return ending


class _Pipeline:
    def __init__(
        self,
        run: Run,
        evaluator: Evaluator,
        search: Search,
        *,
        start: State,
        breed: Callable[[State, int], Cohort],
        tell: Callable[[State, int], State],
        on_event: Callable[[Event], None],
    ) -> None:
        self._run = run
        self._start = start
        self._tell = tell
        self._evaluator = evaluator
        self._search = search
        self._breed = breed
        self._on_event = on_event
        self._told = run.told
        end = length(search)
        self._end = math.inf if end is None else end
        self._spent, self._began = spent(run), time.time()
        self._flight: dict[int, Cohort] = {}
        self._early: dict[int, Result] = {}
        self._awaited: frozenset[int] = frozenset()
        self.requests = Requests(self._drain)
        self._states: dict[int, State] = {}

    def flow(self) -> Ending:
        """Go on until the budget is spent, or until what was awaited at the first SIGINT is committed."""
        self._states = self._restored()
        for index in range(self._told, self._told + self._search.lookahead):
            self._submit(index)
        while self._share() < 1.0 and self._arrived():
            self._advance()
            self._submit(self._told + self._search.lookahead - 1)
        return Ending.COMPLETE if self._share() >= 1.0 else Ending.STOPPED

    def gather(self) -> None:
        """Commit what has come back and is next in order, without waiting."""
        while (result := self._evaluator.collect(0.0)) is not None:
            self._early[result.cohort] = result
        while self._told in self._early and self._share() < 1.0:
            self._commit()

    def _arrived(self) -> bool:
        """Whether the next cohort has come back, once it has, or is not worth waiting for any more."""
        while self._told not in self._early:
            unwanted = self.requests.draining and self._told not in self._awaited
            if unwanted or self._share() >= 1.0:
                return False
            result = self._evaluator.collect(self._left())
            if result is not None:
                self._early[result.cohort] = result
        return True

    def _advance(self) -> None:
        with self.requests.held():
            committed = self._commit()
        self._on_event(committed)

    def _drain(self) -> None:
        self._awaited = frozenset(sorted(self._flight.keys() - self._early.keys())[: self._evaluator.slots])
        self._on_event(Draining(len(self._awaited), self._told, len(self._flight)))

    def _share(self) -> float:
        return share(self._search, replace(self._spent, seconds=self._seconds()))

    def _seconds(self) -> float:
        return self._spent.seconds + time.time() - self._began

    def _left(self) -> float:
        """Return the seconds for which it may wait."""
        hours = self._search.hours
        return math.inf if hours is None else 3600 * hours - self._seconds()

    def _submit(self, index: int) -> None:
        if self.requests.draining or self._share() >= 1.0 or index >= self._end:
            return
        with timed("breed"):
            cohort = self._breed(self._states[self._source(index)], index)
        self._evaluator.submit(cohort)
        self._flight[index] = cohort
        self._on_event(Asked(cohort, self._told, len(self._flight)))

    def _commit(self) -> Committed:
        """Commit the next cohort, then tell it from the log, as a resumed drive will."""
        index = self._told
        cohort, result = self._flight.pop(index), self._early.pop(index)
        oldest = self._source(index)
        due = (index + 1) % self._search.snapshot_every == 0
        stopwatch.add({"work": result.seconds})
        with timed("store"):
            self._run.commit(cohort, result, Snapshot(oldest, self._states[oldest]) if due else None)
        self._told = index + 1
        self._spent = self._spent.after(result.evaluations)
        with timed("tell"):
            self._states[self._told] = self._tell(self._states[index], index)
        if self._source(self._told) > oldest:
            del self._states[oldest]
        return Committed(
            cohort,
            result.evaluations,
            result.seconds,
            result.worker,
            self._told,
            len(self._flight),
            self._share(),
        )

    def _source(self, index: int) -> int:
        """Return t of the S_t that a cohort is bred from: the oldest needed once `index` cohorts are told."""
        return max(0, index - self._search.lookahead + 1)

    def _restored(self) -> dict[int, State]:
        """Return S_t by t for every t from the oldest still needed to the newest."""
        needed = self._source(self._told)
        at, state = 0, self._start
        snapshot = self._run.snapshot()
        if snapshot is not None and snapshot.told <= needed:
            at, state = snapshot
        states = {at: state}
        for index in range(at, self._told):
            states[index + 1] = self._tell(states[index], index)
            if index < needed:
                del states[index]
        return states


@contextmanager
def _spared() -> Iterator[None]:
    """Let garbage collections look at what the block makes only, not at the objects of the libraries."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _plain(state: State) -> State:
    """Return the state as a snapshot would give it back, so that nothing depends on having been cut."""
    value: dict[str, Any] = json.loads(json.dumps(state, allow_nan=False))
    return value
