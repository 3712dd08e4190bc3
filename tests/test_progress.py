from __future__ import annotations

from dataclasses import replace
from io import StringIO

import pytest
from rich.console import Console

from evogen.cohort import Cohort, Evaluation, Outcome, Ref
from evogen.engine import Asked, Committed, Draining
from evogen.progress import Tally, watch


def committed(index: int, *fitness: float | None) -> Committed:
    evaluations = tuple(
        Evaluation(Outcome.DIVERGED) if value is None else Evaluation(Outcome.OK, value) for value in fitness
    )
    return Committed(Cohort(index, ()), evaluations, 1.0, "serial", told=index + 1, in_flight=1)


def test_best_is_the_first_of_the_highest_fitness_of_all_cohorts() -> None:
    tally = Tally(4, 1)
    for event in (committed(0, 1.0, 3.0), committed(1, 3.0, 2.0), committed(2, None, 0.5)):
        tally.see(event)
    assert tally.best == (3.0, Ref(0, 1))


def test_median_is_that_of_the_last_cohort_without_its_failures() -> None:
    tally = Tally(4, 1)
    tally.see(committed(0, 9.0))
    tally.see(committed(1, 1.0, None, 2.0, 6.0))
    assert tally.median == 2.0


def test_a_cohort_without_a_fitness_has_no_median() -> None:
    tally = Tally(4, 1)
    tally.see(committed(0, None, None))
    assert (tally.best, tally.median) == (None, None)
    assert "best -  median -" in tally.line()
    assert "ok 0  failed 2" in tally.line()


def test_time_left_is_the_pace_of_this_session_only(monkeypatch: pytest.MonkeyPatch) -> None:
    tally = Tally(10, 1, told=4, began=100.0)
    assert tally.left == "?"
    monkeypatch.setattr("time.monotonic", lambda: 130.0)
    tally.see(committed(4, 1.0))
    assert tally.left == "0:02:30"
    assert tally.pace == pytest.approx(1 / 30)


def test_elsewhere_than_on_a_terminal_each_committed_cohort_is_one_line() -> None:
    file = StringIO()
    with watch(Console(file=file, width=80), Tally(2, 1)) as see:
        see(Asked(Cohort(0, ()), 0, 1))
        see(committed(0, 1.0, None))
        see(committed(1, 2.0, 3.0))
    first, second = file.getvalue().splitlines()
    assert first.startswith("cohort 1/2  best 1  median 1  ")
    assert "ok 3  failed 1" in second
    assert second.endswith("left 0:00:00")


def test_the_live_display_fits_eighty_columns() -> None:
    tally = Tally(100_000, 64)
    tally.see(committed(12_344, -1234.5678, None))
    tally.outcomes.update(dict.fromkeys(Outcome, 12_345))
    file = StringIO()
    Console(file=file, width=200).print(tally.panel())
    lines = [line.rstrip() for line in file.getvalue().splitlines()]
    assert len(lines) == 4
    assert max(map(len, lines)) <= 80
    assert "12345/100000" in lines[0]
    assert "best -1235 (12344:0)" in lines[1]
    assert "workers busy 1/64" in lines[2]
    assert "diverged 12346" in lines[3]


def test_a_terminal_shows_the_last_state_of_the_live_display() -> None:
    file = StringIO()
    with watch(Console(file=file, width=80, force_terminal=True), Tally(2, 1)) as see:
        see(committed(0, 1.0))
        see(committed(1, 2.5))
    assert "2/2" in file.getvalue()
    assert "best 2.5 (1:0)" in file.getvalue()


def test_without_a_number_of_cohorts_the_part_of_the_budget_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    tally = Tally(None, 1, told=4, began=100.0, share=0.25, before=0.25)
    monkeypatch.setattr("time.monotonic", lambda: 130.0)
    assert tally.left == "?"
    tally.see(replace(committed(4, 1.0), share=0.5))
    assert tally.line().startswith("cohort 5 (50%)  best 1 ")
    assert tally.left == "0:01:00"
    file = StringIO()
    Console(file=file, width=80).print(tally.panel())
    assert "5 (50%)" in file.getvalue()


def test_that_it_stops_is_said_at_once(capfd: pytest.CaptureFixture[str]) -> None:
    file = StringIO()
    with watch(Console(file=file, width=80), Tally(9, 2)) as see:
        see(Draining(2, told=3, in_flight=4))
    assert capfd.readouterr().err == "note: stopping after 2 cohorts at work; Ctrl-C again leaves at once\n"
    tally = Tally(9, 2)
    tally.see(Draining(2, told=3, in_flight=4))
    Console(file=file, width=80).print(tally.panel())
    assert "Ctrl-C: at once" in file.getvalue()
