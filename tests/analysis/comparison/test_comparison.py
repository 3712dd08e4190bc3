from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from evogen.analysis.comparison import Options, compare, wording
from evogen.analysis.comparison.arms import Arm, named
from evogen.analysis.comparison.claims import Test
from evogen.analysis.comparison.fairness import Unfinished
from evogen.analysis.comparison.trials import Climb, Fate
from evogen.errors import RunError
from evogen.report import page
from evogen.report.comparison import sections

from .invented import arms, trial

HIGH, LOW = [10.0, 11, 12, 13, 14, 15], [1.0, 2, 3, 4, 5, 6]


def changed(which: list[Arm], at: int, **settings: object) -> list[Arm]:
    """Return the arms with something changed in every run of one of them."""
    trials = {
        task: tuple(replace(one, **settings) for one in each) for task, each in which[at].trials.items()
    }
    return [replace(arm, trials=trials) if index == at else arm for index, arm in enumerate(which)]


def test_a_plain_difference_is_claimed() -> None:
    found = compare(arms({"a": HIGH, "b": LOW}), Options())
    (contrast,) = found.contrasts
    assert contrast.verdict.better == "a"
    assert contrast.verdict.p == pytest.approx(2 / 924)  # of all ways to draw 6 of 12
    assert (contrast.improvement.mean, contrast.delta) == (1.0, 1.0)
    assert [one.middle.mean for one in found.standings] == [12.5, 3.5]
    assert found.loud == ()
    assert wording.claim(contrast) == "'a' is better than 'b' (p = 0.0022 after Holm, rank-sum test)"


def test_no_difference_is_no_claim_and_no_evidence_of_equality() -> None:
    found = compare(arms({"a": HIGH, "b": HIGH}), Options())
    assert found.contrasts[0].verdict.better is None
    assert "no evidence that they are equal" in wording.claim(found.contrasts[0])


def test_holm_counts_all_pairs_or_those_that_were_asked_for() -> None:
    three = arms({"a": HIGH, "b": LOW, "c": LOW})
    assert [one.verdict.adjusted for one in compare(three, Options()).contrasts] == pytest.approx(
        [6 / 924, 6 / 924, 1]
    )
    against = compare(three, Options(against="c")).contrasts
    assert [(one.verdict.first, one.verdict.second) for one in against] == [("a", "c"), ("b", "c")]
    assert against[0].verdict.adjusted == pytest.approx(4 / 924)
    with pytest.raises(RunError, match="no such arm; there are: a, b, c"):
        compare(three, Options(against="d"))


def test_unequal_budgets_are_refused_or_said() -> None:
    which = changed(arms({"a": HIGH, "b": LOW}), 1, steps=32_000)
    with pytest.raises(RunError, match=r"32,000 environment steps a run in 'b', 64,000 in 'a'.*--anyway"):
        compare(which, Options())
    assert (
        compare(which, Options(anyway=True)).loud[0].startswith("compared all the same: the budgets differ")
    )
    within = changed(arms({"a": HIGH, "b": LOW}), 1, steps=63_400)
    assert compare(within, Options()).loud == ()


def test_unequal_tasks_are_refused_or_said() -> None:
    here = [trial("a", seed, score) for seed, score in enumerate(HIGH)]
    there = [trial("b", seed, score) for seed, score in enumerate(LOW)]
    more = [trial("a", seed, 5.0, task={"kind": "pendulum"}) for seed in range(3)]
    which = named({"a": [*here, *more], "b": there})
    with pytest.raises(RunError, match="'b' has no run on pendulum"):
        compare(which, Options())
    assert compare(which, Options(anyway=True)).tasks == ("cartpole",)
    apart = named({"a": more, "b": there})
    with pytest.raises(RunError, match="no task in common"):
        compare(apart, Options(anyway=True))


def test_other_versions_are_said_and_whether_they_are_mixed_up_with_the_arms() -> None:
    which = arms({"a": HIGH, "b": LOW})
    (said,) = compare(
        changed(which, 1, made={"evogen": "1.0", "torch": "2.12.0", "device": "cpu"}), Options()
    ).loud
    assert said.startswith(
        "runs were made with more than one version of torch (2.13.0 in 'a'; 2.12.0 in 'b')"
    )
    assert said.endswith("what the arms differ in may be this")


def test_failures_count_as_worst_and_are_said() -> None:
    found = compare(arms({"a": HIGH, "b": [100.0] * 3 + [-math.inf] * 3}), Options())
    assert found.contrasts[0].improvement.mean == pytest.approx(0.5)
    assert found.standings[1].by_task["cartpole"].mean == pytest.approx(55.0)  # of 10, 10, 100, 100
    assert "3 of 6 runs of 'b' on cartpole failed" in found.loud[0]


def test_unfinished_runs_are_refused_counted_as_failed_or_left_out() -> None:
    which = changed(arms({"a": HIGH, "b": LOW}), 1, fate=Fate.UNFINISHED, score=math.nan)
    some = [
        which[0],
        replace(which[1], trials={"cartpole": (*which[1].every[:2], *arms({"b": LOW})[0].every)}),
    ]
    with pytest.raises(RunError, match="has not spent what it may; 'evogen resume runs/b-100' goes on"):
        compare(some, Options())
    failed = compare(some, Options(unfinished=Unfinished.FAILED))
    assert failed.standings[1].scores["cartpole"].tolist() == [-math.inf, -math.inf, *LOW]
    assert failed.loud[0].startswith("of the runs, 2 unfinished count as failed")
    left = compare(some, Options(unfinished=Unfinished.LEFT_OUT))
    assert left.standings[1].scores["cartpole"].tolist() == LOW
    with pytest.raises(RunError, match="no run of 'b' is finished, so leaving unfinished ones out"):
        compare(which, Options(unfinished=Unfinished.LEFT_OUT))


def test_the_profile_of_equal_scores_is_a_step() -> None:
    found = compare(arms({"a": [500.0] * 3, "b": [500.0] * 3}), Options())
    share, _, _ = found.standings[0].profile
    assert found.levels[0] < 500 < found.levels[-1]
    assert (share == (found.levels < 500)).all()


def test_a_winner_without_a_fresh_score_is_refused() -> None:
    which = changed(arms({"a": HIGH, "b": LOW}), 0, fate=Fate.UNCHECKED, score=math.nan)
    with pytest.raises(RunError, match=r"no score on what the search never saw; 'evogen resume runs/a-0'"):
        compare(which, Options())


def test_equal_seeds_with_equal_beginnings_are_compared_in_pairs() -> None:
    def arm(name: str, scores: list[float], start: str) -> list:
        return [trial(name, seed, score, start=(start,)) for seed, score in enumerate(scores)]

    noise = [5.0, -3, 8, 1, -7, 2]
    first = [50 + each for each in noise]
    second = [49.5 + each for each in noise]
    shared = compare(named({"a": arm("a", first, "x"), "b": arm("b", second, "x")}), Options()).contrasts[0]
    assert (shared.verdict.test, shared.verdict.p) == (Test.SIGNED_RANK, pytest.approx(2 / 64))
    assert shared.verdict.better == "a"
    apart = compare(named({"a": arm("a", first, "x"), "b": arm("b", second, "y")}), Options()).contrasts[0]
    assert (apart.verdict.test, apart.verdict.better) == (Test.RANK_SUM, None)
    assert "share no random streams" in apart.reason
    few = compare(
        named({"a": arm("a", first[:5], "x"), "b": arm("b", second[:5], "x")}), Options()
    ).contrasts[0]
    assert few.verdict.test is Test.RANK_SUM
    assert "too few for the paired test" in few.reason


def test_several_tasks_are_brought_to_one_scale() -> None:
    def runs(name: str, high: float, low: float) -> list:
        return [trial(name, seed, high + seed) for seed in range(4)] + [
            trial(name, seed, low - seed, task={"kind": "pendulum"}) for seed in range(4)
        ]

    which = named({"a": runs("a", 10, -100), "b": runs("b", 0, -200)})
    found = compare(which, Options())
    assert (found.scales["cartpole"].zero, found.scales["cartpole"].one) == (0.0, 13.0)
    assert found.standings[0].middle.mean == pytest.approx(
        np.mean(sorted([*(np.arange(10, 14) / 13), *((103 - np.arange(4)) / 103)])[2:6])
    )
    stated = compare(which, Options(ranges={"cartpole": (0, 20), "pendulum": (-300, 0)}))
    assert stated.standings[0].by_task == found.standings[0].by_task
    assert stated.standings[0].middle.mean != found.standings[0].middle.mean
    assert [one.verdict for one in stated.contrasts] == [one.verdict for one in found.contrasts]
    assert "cartpole: 0 is 0 and 1 is 20, as stated" in list(wording.scales(stated))


def test_steps_to_a_threshold_count_those_that_never_arrive() -> None:
    which = changed(arms({"a": HIGH, "b": LOW}), 0, climbs=(Climb(3, 3_000, 100.0), Climb(9, 9_000, 480.0)))
    found = compare(which, Options())
    arrived = [one.reached["cartpole"] for one in found.standings]
    assert [(one.arrived, one.runs, one.median) for one in arrived] == [(6, 6, 9_000.0), (0, 6, math.inf)]
    lower = compare(which, Options(thresholds={"cartpole": 50.0}))
    assert lower.standings[0].reached["cartpole"].steps == (3_000.0,)


def test_the_record_is_json_and_says_what_the_page_says() -> None:
    found = compare(arms({"a": HIGH, "b": [*LOW[:5], -math.inf]}), Options())
    told = json.loads(json.dumps(wording.record(found), allow_nan=False))
    assert told["comparisons"][0]["better"] == "a"
    assert told["arms"][1]["tasks"]["cartpole"]["scores"] == [*LOW[:5], None]
    assert told["arms"][1]["failed"] == 1
    text = page.document("x", sections(found))
    for said in (wording.claim(found.contrasts[0]), wording.RULE, *wording.powers(found)):
        assert said.replace("<", "&lt;") in text


def test_names_of_arms_are_escaped_on_the_page() -> None:
    found = compare(arms({"<script>alert(1)</script>": HIGH, "b": LOW}), Options())
    text = page.document("x", sections(found))
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert" in text


def test_one_run_against_two_is_compared_without_an_interval() -> None:
    found = compare(arms({"a": [1.0], "b": [2.0, 3.0]}), Options())
    assert math.isnan(found.contrasts[0].effect.mean)
    assert math.isnan(found.standings[0].middle.low)
    assert wording.record(found)["arms"][0]["interquartile_mean"] == {"value": 1.0, "low": None, "high": None}
    assert "1 of" not in page.document("one", sections(found))


def test_what_was_not_searched_for_by_fitness_alone_is_said() -> None:
    both = arms({"a": HIGH, "b": LOW})
    goals = {"strategy.kind": "a", "search.objectives.synapses": "minimise"}
    (said,) = compare(changed(both, 0, settings=goals), Options()).loud
    assert said.startswith("'a' searched for synapses (minimise): compared is the fitness")
    plain = {"strategy.kind": "a", "search.objectives.fitness": "maximise"}
    assert compare(changed(both, 0, settings=plain), Options()).loud == ()
    assert "break a constraint" in compare(changed(both, 1, broken=True), Options()).loud[0]
    (moved,) = compare(changed(both, 1, moved=("torch 2.1, now 2.2",)), Options()).loud
    assert "went on with other versions (torch 2.1, now 2.2)" in moved
