from dataclasses import replace

import numpy as np
import pytest

from evogen.report.facts import gather
from evogen.report.search import phases
from evogen.runs.records import Logged, Timing


def event(time, kind):
    return Logged(float(time), kind, {})


TIMINGS = [  # two workers; cohort 1 came early and waited for cohort 0
    Timing(0, 8.0, "a", 110.0),
    Timing(1, 4.0, "b", 110.0),
    Timing(2, 4.0, "b", 115.0),
    Timing(3, 5.0, "a", 205.0),  # after a pause
]
EVENTS = [event(100, "started"), event(120, "stopped"), event(200, "resumed"), event(206, "complete")]


def test_sessions_begin_and_end_as_they_were_logged():
    assert phases.sessions_of(EVENTS, TIMINGS) == [(100, 120), (200, 206)]


def test_session_that_was_killed_ends_with_its_last_commit():
    killed = [event(100, "started"), event(200, "resumed")]
    assert phases.sessions_of(killed, TIMINGS) == [(100, 115), (200, 205)]
    assert phases.sessions_of([], TIMINGS) == [(102, 205)]


def test_work_is_as_late_as_its_commit_and_the_next_cohort_allow():
    done = phases.works(TIMINGS, phases.sessions_of(EVENTS, TIMINGS))
    found = {work.cohort: (work.worker, work.begin, work.end) for work in done}
    assert found == {
        0: ("a", 2.0, 10.0),
        1: ("b", 6.0, 10.0),
        2: ("b", 11.0, 15.0),
        3: ("a", 20.0, 25.0),  # 20 s of the first session, then 0 to 5 s of the second
    }


def test_no_worker_works_on_two_cohorts_at_once():
    timings = [Timing(at, 3.0, "a", 110.0) for at in range(3)]
    done = phases.works(timings, [(100.0, 110.0)])
    assert [(work.begin, work.end) for work in done] == [(1, 4), (4, 7), (7, 10)]


def test_mean_number_at_work_is_the_integral_of_the_work():
    done = [phases.Work("a", 0, 0.0, 4.0), phases.Work("b", 1, 2.0, 3.0)]
    assert phases.busy(done, np.array([0.0, 2.0, 4.0, 8.0])).tolist() == [1.0, 1.5, 0.0]


@pytest.fixture
def facts(search):
    return replace(gather(search(2)[0]), timings=tuple(TIMINGS), events=tuple(EVENTS))


def test_section_says_who_worked_how_long(facts):
    section = phases.phases(facts)
    rows = [["".join(item.itertext()) for item in row] for row in section.iter("tr")][1:]
    assert rows == [["1", "a", "2", "13", "50%"], ["2", "b", "2", "8", "31%"]]
    lanes, level = (svg.get("aria-label") for svg in section.iter("svg"))
    assert lanes == "4 cohorts on 2 workers in 26 seconds; 40% of the workers' time was work."
    assert "0.808 of 2 on average" in level
    assert phases.values(facts) == {
        "clock": 26.0,
        "sessions": 2,
        "work": 21.0,
        "workers": {"a": 13.0, "b": 8.0},
        "parts": {},
    }


def test_parts_of_the_work_are_added_up_over_the_sessions(facts):
    told = [
        {"work": 10.0, "learn": 6, "score": 1.0, "breed": 0.5},
        {"work": 6.0, "learn": 2.0, "develop": 1.0},
    ]
    events = [Logged(1.0, "stopped", {"seconds": told[0]}), Logged(2.0, "complete", {"seconds": told[1]})]
    wanted = {"learn": 8.0, "score": 1.0, "breed": 0.5, "develop": 1.0, "other work": 6.0}
    assert phases.parts_of(events) == wanted
    section = phases.phases(replace(facts, events=(*EVENTS[:1], *events)))
    (bar,) = [svg for svg in section.iter("svg") if "What 16 seconds" in svg.get("aria-label")]
    said = "developing genomes 6.2%, inner loops 50.0%, scoring born agents 6.2%, other work 37.5%"
    assert said in bar.get("aria-label")
    widths = [float(item.get("width")) for item in bar.iter("rect")]
    assert widths == pytest.approx([462 * share for share in (1 / 16, 1 / 2, 1 / 16, 3 / 8)], abs=0.01)
    assert "breeding 0.5 s" in "".join(section.itertext())


def test_odd_parts_are_left_out(facts):
    odd = {"learn": "long", "score": -1.0, "tell": float("inf"), "work": None}
    events = [Logged(1.0, "complete", {"seconds": odd}), Logged(1.0, "complete", {"seconds": [1]})]
    assert phases.parts_of(events) == {}
    assert "none of this run has told it" in "".join(phases.phases(facts).itertext())


def test_many_cohorts_are_joined_up_to_gaps_that_are_seen(facts, monkeypatch):
    monkeypatch.setattr(phases, "BARS", 3)
    bars = [item for item in phases.phases(facts).iter("path") if item.get("class") == "cell blue"]
    assert [item.get("d").count("Z") for item in bars] == [4]
    done = [phases.Work("a", at, float(at), at + 1.0) for at in range(9)]
    assert phases._coloured(done, 9.0) == {"blue": [phases.Work("a", 0, 0.0, 9.0)]}


def test_times_that_are_none_are_left_out(facts):
    odd = [
        Timing(4, float("nan"), "c", 110.0),
        Timing(5, -1.0, "c", 110.0),
        Timing(6, 1.0, "c", float("inf")),
    ]
    found = replace(facts, timings=(*facts.timings, *odd))
    assert phases.values(found) == phases.values(facts)
    assert len(list(phases.phases(found).iter("tr"))) == 3


def test_run_without_a_cohort_says_so(facts):
    assert "No cohort has been told yet" in "".join(phases.phases(replace(facts, timings=())).itertext())
