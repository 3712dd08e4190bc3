import itertools
import math
import random
import signal
import subprocess
import sys
import time
import weakref
from pathlib import Path

import pytest
from search_fakes import Backwards, Climber, done, new_run, search

from evogen.cohort import Ref
from evogen.engine import Asked, Committed, Ending
from evogen.errors import SpecError
from evogen.runs import Run
from evogen.schema import Inheritance
from evogen.strategies.goals import Goals

FAKES = Path(__file__).with_name("search_fakes.py")


class InOrder(Backwards):
    slots = 1

    def collect(self, patience=math.inf):
        return done(self.waiting.pop(0)) if patience > 0 else None


class Interrupted(Backwards):
    """Ctrl-C comes while the third result is awaited."""

    def __init__(self):
        super().__init__()
        self._left = 3

    def collect(self, patience=math.inf):
        self._left -= 1
        if self._left == 0:
            raise KeyboardInterrupt
        return super().collect(patience)


class Watched(Climber):
    """Notes how many cohorts were told in the state that each cohort was bred from."""

    def __init__(self):
        self.seen = {}

    def ask(self, state, cohort, size, **rest):
        self.seen[cohort] = state["told"]
        return super().ask(state, cohort, size, **rest)


def fingerprint(folder, cohorts, **settings):
    with new_run(folder) as run:
        assert search(run, cohorts, **settings) is Ending.COMPLETE
        return run.fingerprint()


@pytest.mark.parametrize("lookahead", [1, 2, 3, 4])
def test_cohort_is_bred_from_the_state_lookahead_cohorts_before(tmp_path, lookahead):
    strategy, evaluator = Watched(), Backwards()
    fingerprint(tmp_path / "run", 9, strategy=strategy, evaluator=evaluator, lookahead=lookahead)
    assert strategy.seen == {k: max(0, k - lookahead + 1) for k in range(9)}
    assert evaluator.most == lookahead


@pytest.mark.parametrize("lookahead", [1, 2, 4])
def test_order_in_which_cohorts_finish_changes_no_bit(tmp_path, lookahead):
    backwards = fingerprint(tmp_path / "a", 9, evaluator=Backwards(), lookahead=lookahead)
    assert backwards == fingerprint(tmp_path / "b", 9, evaluator=InOrder(), lookahead=lookahead)


def test_lookahead_and_inheritance_are_part_of_the_search(tmp_path):
    kinds = itertools.product((1, 3), Inheritance)
    prints = {
        fingerprint(tmp_path / f"{lookahead}{kind}", 9, lookahead=lookahead, inheritance=kind)
        for lookahead, kind in kinds
    }
    assert len(prints) == 4


@pytest.mark.parametrize("snapshot_every", [1, 3, 1000])
@pytest.mark.parametrize("lookahead", [1, 4])
@pytest.mark.parametrize("inheritance", Inheritance)
def test_run_resumed_at_every_length_equals_the_unbroken(tmp_path, snapshot_every, lookahead, inheritance):
    settings = {"snapshot_every": snapshot_every, "lookahead": lookahead, "inheritance": inheritance}
    unbroken = fingerprint(tmp_path / "unbroken", 10, **settings)
    new_run(tmp_path / "resumed").close()
    for cohorts in (1, 2, 5, 6, 10):
        with Run.open(tmp_path / "resumed", write=True) as run:
            assert search(run, cohorts, **settings) is Ending.COMPLETE
            assert run.told == cohorts
    with Run.open(tmp_path / "resumed") as run:
        assert run.fingerprint() == unbroken


def test_replay_starts_at_the_snapshot_and_tells_only_what_came_after_it(tmp_path):
    told = []

    class Counting(Climber):
        def tell(self, state, results, **rest):
            told.append(results[0].ref.cohort)
            return super().tell(state, results, **rest)

    with new_run(tmp_path / "run") as run:
        search(run, 10, lookahead=2, snapshot_every=4)
        assert run.snapshot().told == 6
        search(run, 10, strategy=Counting(), lookahead=2)
        assert told == [6, 7, 8, 9]
        told.clear()
        search(run, 10, strategy=Counting(), lookahead=9)
    assert told == list(range(10))


def test_interrupt_while_waiting_stops_between_commits_and_resumes_to_the_same_bits(tmp_path):
    unbroken = fingerprint(tmp_path / "unbroken", 6, lookahead=1)
    with new_run(tmp_path / "run") as run:
        assert search(run, 6, lookahead=1, evaluator=Interrupted()) is Ending.STOPPED
        assert run.told == 2
        assert search(run, 6, lookahead=1) is Ending.COMPLETE
        assert run.fingerprint() == unbroken
        assert [event.kind for event in run.events()] == [
            "created", "started", "stopped", "resumed", "complete"
        ]  # fmt: skip


def test_interrupt_during_a_commit_waits_for_its_end(tmp_path, monkeypatch):
    commit, before = Run.commit, signal.getsignal(signal.SIGINT)

    def interrupted(self, cohort, *rest):
        if cohort.index == 1:
            signal.raise_signal(signal.SIGINT)
        commit(self, cohort, *rest)

    monkeypatch.setattr(Run, "commit", interrupted)
    with new_run(tmp_path / "run") as run:
        assert search(run, 6) is Ending.STOPPED
        assert run.told == 3  # cohort 2 was in flight, and is awaited
    assert signal.getsignal(signal.SIGINT) is before


def test_driver_killed_at_ten_instants_ends_with_the_bits_of_the_unbroken(tmp_path):
    cohorts, folder = 100, tmp_path / "run"
    unbroken = fingerprint(tmp_path / "unbroken", cohorts)
    instants = random.Random(3)
    for _ in range(10):
        command = [sys.executable, str(FAKES), str(folder), str(cohorts), "0"]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as driver:
            for _ in range(instants.randint(1, 8)):
                driver.stdout.readline()
            time.sleep(instants.uniform(0, 0.03))
            driver.kill()
        assert driver.returncode == -signal.SIGKILL
        with Run.open(folder) as run:
            assert len(list(run.rows())) == 3 * run.told
    with Run.open(folder, write=True) as run:
        assert 10 < run.told < cohorts
        search(run, cohorts)
        assert run.fingerprint() == unbroken


def test_events_tell_what_a_live_display_needs(tmp_path):
    events = []
    with new_run(tmp_path / "run") as run:
        search(run, 3, lookahead=2, on_event=events.append)
        assert [(type(event), event.cohort.index, event.told, event.in_flight) for event in events] == [
            (Asked, 0, 0, 1),
            (Asked, 1, 0, 2),
            (Committed, 0, 1, 1),
            (Asked, 2, 1, 2),
            (Committed, 1, 2, 1),
            (Committed, 2, 3, 0),
        ]
        fitness = [evaluation.fitness for evaluation in events[-1].evaluations]
        assert fitness == [told.fitness for told in run.results(2, Goals())]


def test_nothing_of_a_cohort_is_kept_once_it_is_told(tmp_path):
    cohorts, alive = [], []

    def note(event):
        if isinstance(event, Asked):
            cohorts.append(weakref.ref(event.cohort))
        else:
            alive.append(sum(cohort() is not None for cohort in cohorts))

    with new_run(tmp_path / "run") as run:
        search(run, 12, lookahead=3, on_event=note)
    assert max(alive) == 3


def test_children_inherit_tuned_expression_only_under_lamarckian_inheritance(tmp_path):
    for kind in Inheritance:
        with new_run(tmp_path / kind) as run:
            search(run, 6, lookahead=1, inheritance=kind)
            parents = [(row.ref, row.parents[0]) for row in run.rows() if row.parents]
            child, parent = run.candidate(parents[-1][0])[0].genome, Ref(*parents[-1][1])
            stock = run.tuned_genome(parent) if kind is Inheritance.LAMARCKIAN else run.born_genome(parent)
            assert [dict(gene.expression).keys() for gene in child.genes()] == [
                dict(gene.expression).keys() for gene in stock.genes()
            ]
            for gene, source in zip(child.genes(), stock.genes(), strict=True):
                for name, array in gene.expression.items():
                    assert array.tobytes() == source.expression[name].tobytes()
            assert bool(child.interface.expression) is (kind is Inheritance.LAMARCKIAN)


def test_strategy_that_gives_the_wrong_number_is_named(tmp_path):
    class Stingy(Climber):
        def ask(self, state, cohort, size, **rest):
            return super().ask(state, cohort, size - 1, **rest)

    with new_run(tmp_path / "run") as run, pytest.raises(SpecError, match=r"Stingy.ask gave 2 .* 3 wanted"):
        search(run, 3, strategy=Stingy())


def test_complete_run_is_left_as_it_is(tmp_path):
    with new_run(tmp_path / "run") as run:
        search(run, 3)
        before = run.fingerprint()
        assert search(run, 2) is Ending.COMPLETE
        assert run.told == 3
        assert run.fingerprint() == before
