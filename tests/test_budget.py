"""Where searches end, and how far they are."""

import math
import time

import pytest
from lives import make_cohort
from search_fakes import Backwards, done, new_run, search

from evogen import budget
from evogen.budget import Ending, Spent, ended, finished, length, share, spent
from evogen.schema import Search


def test_eight_cohorts_unless_another_end_is_written():
    assert Search().cohorts == 8
    for limits in ({"candidates": 5}, {"steps": 5}, {"hours": 5.0}):
        assert Search(**limits).cohorts is None


@pytest.mark.parametrize(
    ("limits", "cohorts"),
    [
        ({"cohorts": 3}, 3),
        ({"candidates": 32}, 2),
        ({"candidates": 33}, 3),
        ({"cohorts": 2, "candidates": 33}, 2),
        ({"steps": 1}, None),
        ({"hours": 1.0}, None),
    ],
)
def test_candidates_are_rounded_up_to_cohorts(limits, cohorts):
    assert length(Search(**limits)) == cohorts


def test_share_is_that_of_the_nearest_limit():
    search = Search(cohorts=10, steps=100, hours=1.0)
    assert share(search, Spent(5, 50, 60, 36.0)) == 0.6
    assert share(search, Spent(5, 80, 60, 3240.0)) == 0.9
    assert share(search, Spent(12, 0, 0, 0.0)) == 1.0


@pytest.mark.parametrize("lookahead", [1, 4])
def test_search_ends_with_the_first_cohort_that_reaches_the_steps(tmp_path, lookahead):
    with new_run(tmp_path / "long") as run:
        search(run, 12, lookahead=lookahead)
        whole = list(run.rows())
    steps = [sum(row.steps for row in whole if row.ref.cohort == cohort) for cohort in range(12)]
    limit = sum(steps[:5]) + 1
    with new_run(tmp_path / "short") as run:
        assert search(run, None, steps=limit, lookahead=lookahead) is Ending.COMPLETE
        assert run.told == 6
        assert finished(run, Search(steps=limit))
        assert not finished(run, Search(steps=sum(steps[:6]) + 1))
        assert spent(run).steps == sum(steps[:6])
        assert list(run.rows()) == [row for row in whole if row.ref.cohort < 6]
        assert search(run, None, steps=limit, lookahead=lookahead) is Ending.COMPLETE
        assert run.told == 6
        assert search(run, 12, lookahead=lookahead) is Ending.COMPLETE
        assert list(run.rows()) == whole


def test_candidates_that_fail_use_up_a_budget_of_steps():
    failed = Spent(cohorts=5, candidates=20, steps=0)
    assert share(Search(steps=40), failed) == 0.5
    assert share(Search(steps=40), Spent(5, 20, 30)) == 0.75


def test_nothing_is_bred_beyond_a_known_end(tmp_path):
    bred = []

    class Noting(Backwards):
        def submit(self, cohort):
            bred.append(cohort.index)
            super().submit(cohort)

    with new_run(tmp_path / "run") as run:
        search(run, None, candidates=10, lookahead=4, evaluator=Noting())
        assert run.told == 4
    assert bred == [0, 1, 2, 3]


def test_hours_end_a_search_that_waits_and_what_is_in_flight_is_dropped(tmp_path):
    class Slow(Backwards):
        def collect(self, patience=math.inf):
            if len(self.waiting) == 2 and self.waiting[0].index < 1:
                return done(self.waiting.pop(0))
            time.sleep(min(patience, 10.0))
            return None

    with new_run(tmp_path / "run") as run:
        before = time.monotonic()
        assert search(run, None, hours=2 / 3600, evaluator=Slow()) is Ending.COMPLETE
        assert 1.0 < time.monotonic() - before < 9
        assert run.told == 1
        assert finished(run, Search(hours=2 / 3600))
        assert not finished(run, Search(hours=1.0))
        assert ended(run) is Ending.COMPLETE


def test_seconds_are_those_of_all_sessions_and_a_killed_one_counts_to_its_last_commit(tmp_path, monkeypatch):
    now = iter([10.0, 13.0, 100.0, 104.0, 199.0, 200.0, 201.0, 300.0])
    with new_run(tmp_path / "run") as run:
        with monkeypatch.context() as patched:
            patched.setattr("evogen.runs.run.time.time", lambda: next(now))
            run.log("started")
            run.log("stopped")
            run.log("resumed")
            cohort = make_cohort(0)
            run.commit(cohort, done(cohort))  # and killed at some time after
            run.log("environment changed")  # said by the session that comes
            run.log("resumed")
            run.log("complete")
            run.log("assessment")
        assert spent(run).seconds == 3 + 4 + 1
        assert ended(run) is Ending.COMPLETE


def test_kinds_of_events_that_begin_and_end_a_session_are_those_that_a_drive_logs(tmp_path):
    with new_run(tmp_path / "run") as run:
        assert ended(run) is None
        search(run, 2)
        search(run, 3)
        kinds = [event.kind for event in run.events()][1:]
    assert kinds == ["started", "complete", "resumed", "complete"]
    assert set(kinds) == {*budget.BEGUN, Ending.COMPLETE}
