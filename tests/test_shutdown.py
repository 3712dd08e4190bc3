"""SIGINT drains, a second one leaves, SIGTERM commits what is there and leaves."""

import math
import os
import signal
import threading

import pytest
from search_fakes import Backwards, done, new_run, search

from evogen.budget import Ending
from evogen.engine import Draining


class Signalled(Backwards):
    """Finishes in order; while cohort `at` is awaited, these signals come."""

    slots = 2

    def __init__(self, at, *signals):
        super().__init__()
        self._at, self._signals = at, signals
        self.collected = []

    def collect(self, patience=math.inf):
        if self.waiting and self.waiting[0].index == self._at:
            signals, self._signals = self._signals, ()
            for number in signals:
                os.kill(os.getpid(), number)
        if patience <= 0 or not self.waiting:
            return None
        self.collected.append(self.waiting[0].index)
        return done(self.waiting.pop(0))


class Ready(Signalled):
    """Cohorts up to `at` + 1 have come back when the signal comes."""

    def collect(self, patience=math.inf):
        if patience <= 0 and self.waiting and self.waiting[0].index <= self._at + 1:
            return done(self.waiting.pop(0))
        return super().collect(patience)


@pytest.fixture(autouse=True)
def handlers():
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    yield
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_sigint_awaits_what_is_evaluated_and_begins_nothing_new(tmp_path):
    events, evaluator = [], Signalled(3, signal.SIGINT)
    with new_run(tmp_path / "run") as run:
        assert search(run, 20, lookahead=4, evaluator=evaluator, on_event=events.append) is Ending.STOPPED
        assert run.told == 5
        assert run.events()[-1].kind == "stopped"
    assert evaluator.collected == [0, 1, 2, 3, 4]  # two slots; cohorts 5 and 6 were in flight, not begun
    assert [(event.awaited, event.told) for event in events if isinstance(event, Draining)] == [(2, 3)]


def test_second_sigint_leaves_at_once(tmp_path):
    evaluator = Signalled(3, signal.SIGINT, signal.SIGINT)
    with new_run(tmp_path / "run") as run:
        assert search(run, 20, lookahead=4, evaluator=evaluator) is Ending.STOPPED
        assert run.told == 3


def test_sigterm_commits_what_has_come_back_in_order_and_waits_for_nothing(tmp_path):
    with new_run(tmp_path / "run") as run:
        assert search(run, 20, lookahead=4, evaluator=Ready(3, signal.SIGTERM)) is Ending.TERMINATED
        assert run.told == 5
        assert run.events()[-1].kind == "terminated"


def test_sigterm_does_not_evaluate_in_this_process(tmp_path):
    with new_run(tmp_path / "run") as run:
        evaluator = Signalled(2, signal.SIGTERM)
        assert search(run, 20, lookahead=3, evaluator=evaluator) is Ending.TERMINATED
        assert run.told == 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_run_that_was_asked_to_leave_resumes_to_the_same_bits(tmp_path, number):
    with new_run(tmp_path / "whole") as run:
        search(run, 9, lookahead=3)
        whole = run.fingerprint()
    with new_run(tmp_path / "run") as run:
        search(run, 9, lookahead=3, evaluator=Signalled(4, number))
        assert run.told < 9
        assert search(run, 9, lookahead=3) is Ending.COMPLETE
        assert run.fingerprint() == whole


def test_outside_the_main_thread_nothing_is_installed(tmp_path):
    before, found = signal.getsignal(signal.SIGTERM), []

    def body():
        with new_run(tmp_path / "run") as run:
            found.append(search(run, 3, on_event=lambda _: found.append(signal.getsignal(signal.SIGTERM))))

    thread = threading.Thread(target=body)
    thread.start()
    thread.join()
    assert found[-1] is Ending.COMPLETE
    assert set(found[:-1]) == {before}
