"""Trials: what may be said of a claim, how cells are kept, and the quick form of every study."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from evogen import studies
from evogen.errors import RunError, SpecError
from evogen.studies import Findings, Options
from evogen.studies.trials import Contrast, Effort, Measure, Trial, trial
from evogen.studies.trials.verdicts import Verdict, decide

SEEDS = 8
FIRST, SECOND, THIRD = "one", "two", "three"


def work(task: str, arm: str, seeds: Sequence[int], sizes: Mapping[str, float]) -> dict[str, list[float]]:
    """Numbers that arm `two` has more of, and of which a seed of `three` fails."""
    rng = np.random.default_rng([len(task), len(arm), *seeds])
    score = rng.normal(50 + sizes["gap"] * (arm == SECOND), 1, len(seeds))
    score[0] = np.nan if arm == THIRD else score[0]
    cost = {} if arm == THIRD else {"cost": list(rng.normal(1e4, 1, len(seeds)))}
    return {"score": list(score), **cost}


def unknown(task: str, arm: str, seeds: Sequence[int], sizes: Mapping[str, float]) -> dict[str, list[float]]:
    return {"scoer": [0.0] * len(seeds)}


def short(task: str, arm: str, seeds: Sequence[int], sizes: Mapping[str, float]) -> dict[str, list[float]]:
    return {"score": [0.0]}


TRIAL = Trial(
    name="fake",
    title="A claim about two",
    claim="two has a higher score than all others, whatever it is that stands in this sentence of a claim",
    source="nobody, never",
    published="no figure readable",
    arms={FIRST: "the first of them", SECOND: "the second", THIRD: "one that fails now and then"},
    tasks={
        "short": "a task",
        "long": "another, which says more of itself in a description that is long",
    },
    measures={
        "score": Measure("what counts", "%", "more", 1),
        "cost": Measure("what it takes", "nJ", "less", 0),
    },
    contrasts=(
        Contrast("short", "score", SECOND, FIRST, "more", published="5 %"),
        Contrast("short", "score", FIRST, THIRD, "same", margin=5.0),
        Contrast("long", "score", SECOND, FIRST, "less"),
        Contrast("long", "cost", SECOND, FIRST, "less"),
        Contrast("short", "score", SECOND, 40.0, "more"),
    ),
    full=Effort(SEEDS, {"gap": 5}),
    quick=Effort(2, {"gap": 5}),
    work=work,
    notes=("The numbers are drawn, not measured.",),
)


def done(out: Path, declared: Trial = TRIAL, said: list[str] | None = None, **options: object) -> Findings:
    lines: list[str] = [] if said is None else said
    return trial(declared).run(Options(out=out, **options), lines.append)  # type: ignore[arg-type]


def test_verdicts_are_those_of_the_numbers_in_words_beside_what_was_published(tmp_path: Path) -> None:
    found = done(tmp_path)
    verdicts = [item["verdict"] for item in found.record["contrasts"]]
    assert verdicts == ["supported", "supported", "contradicted", "undecided", "supported"]
    assert "supported     short, score: two more than one\n" in found.text
    assert "; published: 5 %" in found.text
    assert "supported     short, score: one as three, within 5.0 %\n" in found.text
    assert "supported     short, score: two more than 40.0 %\n" in found.text
    assert "The claim is contradicted here in part: of 5 contrasts 3 supported" in found.text
    assert "* seeds that failed, not in the mean: three score 1\n" in found.text
    assert "Made by: evogen study fake" in found.text
    assert max(map(len, found.text.splitlines())) <= 80


def test_a_question_of_ours_is_tested_too_and_does_not_count_in_the_verdict(tmp_path: Path) -> None:
    third = replace(TRIAL.contrasts[2], ours=True)
    declared = replace(TRIAL, contrasts=(*TRIAL.contrasts[:2], third, *TRIAL.contrasts[3:]))
    whole, as_claims = done(tmp_path / "ours", declared), done(tmp_path / "all")
    assert [item["p"] for item in whole.record["contrasts"]] == [
        item["p"] for item in as_claims.record["contrasts"]
    ]
    assert as_claims.record["verdict"]["contradicted"] == 1
    assert whole.record["verdict"] == {"supported": 3, "contradicted": 0, "undecided": 1}
    text = whole.text
    assert text.index("what the claim implies") < text.index("Questions of ours beside it")
    assert text.index("Questions of ours beside it") < text.index("contradicted  long, score: two less")
    assert "The claim is supported here in part: of 4 contrasts" in text
    page = (tmp_path / "ours" / "index.html").read_text()
    assert "Questions of ours beside it" in page
    assert "Questions of ours" not in as_claims.text
    alone = replace(TRIAL, contrasts=(third,))
    assert "the claim is not on trial" in " ".join(done(tmp_path / "alone", alone).text.split())


def test_a_quick_form_of_two_seeds_says_that_it_can_decide_nothing(tmp_path: Path) -> None:
    found = done(tmp_path, quick=True)
    assert {item["verdict"] for item in found.record["contrasts"]} == {"undecided"}
    assert "2 seeds are too few" in found.text
    assert "Undecided is no evidence of equality" in " ".join(found.text.split())
    assert found.record["command"] == "evogen study fake --quick"


def test_the_files_hold_the_record_the_table_and_a_page(tmp_path: Path) -> None:
    found = done(tmp_path)
    assert [path.name for path in found.files] == ["table.txt", "record.json", "index.html"]
    assert json.loads((tmp_path / "record.json").read_text()) == found.record
    assert (tmp_path / "table.txt").read_text() == found.text + "\n"
    page = (tmp_path / "index.html").read_text()
    assert page.count("<svg") == 4  # two measures on two tasks
    assert all(says in page for says in (TRIAL.claim, TRIAL.published, "supported", "evogen study fake"))
    row = next(row for row in found.record["rows"] if row["arm"] == THIRD and row["task"] == "short")
    values = np.array([value for value in row["values"] if value is not None])
    assert row["values"][0] is None
    assert row["failed"] == 1
    assert row["mean"] == pytest.approx(values.mean())
    assert row["low"] < row["mean"] < row["high"]


def test_it_goes_on_with_what_is_missing_and_workers_change_nothing(tmp_path: Path) -> None:
    first = done(tmp_path / "one")
    (tmp_path / "one/cells/long-two.json").unlink()
    said: list[str] = []
    again = done(tmp_path / "one", said=said)
    other = done(tmp_path / "two", workers=2)
    assert said[0] == "5 of 6 cells are there already"
    assert len(said) == 2
    assert first.text == again.text == other.text
    for name in ("rows", "contrasts", "verdict"):
        assert first.record[name] == again.record[name] == other.record[name]


def test_a_cell_of_other_sizes_is_refused(tmp_path: Path) -> None:
    done(tmp_path)
    with pytest.raises(RunError, match=r"made otherwise: settings\.sizes\.gap 5, now 6"):
        done(tmp_path, replace(TRIAL, full=Effort(SEEDS, {"gap": 6})))


def test_tasks_and_arms_can_be_named_and_only_whole_contrasts_stay(tmp_path: Path) -> None:
    found = done(tmp_path, tasks=("long",), arms=(SECOND, FIRST), seeds=5)
    assert [item["task"] for item in found.record["contrasts"]] == ["long", "long"]
    assert found.record["command"] == "evogen study fake --seeds 5 --tasks long --arms two,one"
    assert done(tmp_path / "alone", arms=(THIRD,)).record["contrasts"] == []
    with pytest.raises(SpecError, match="--arms: unknown 'tow'; did you mean 'two'"):
        done(tmp_path / "wrong", arms=("tow",))


def test_what_needs_a_package_that_is_not_there_is_left_out_and_said(tmp_path: Path) -> None:
    needs = {"long": ("no_such_package", "extra")}
    said: list[str] = []
    found = done(tmp_path, replace(TRIAL, needs=needs), said)
    assert said[0] == "left out long: it needs no_such_package; pip install 'evogen[extra]'"
    assert [*found.record["tasks"]] == ["short"]
    data = replace(TRIAL, needs={THIRD: ("no_such_package", "")})
    told: list[str] = []
    done(tmp_path / "data", data, told)
    assert told[0] == "left out three: it needs no_such_package; pip install --no-deps no_such_package"
    with pytest.raises(SpecError, match="study fake: nothing is left to do"):
        done(tmp_path, replace(TRIAL, needs=needs), tasks=("long",))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"arm": "tow"}, r"contrasts\[0\]\.arm: unknown 'tow'; did you mean 'two'"),
        ({"against": "on"}, r"contrasts\[0\]\.arm: unknown 'on'"),
        ({"task": "shrt"}, r"contrasts\[0\]\.task: unknown 'shrt'"),
        ({"measure": "socre"}, r"contrasts\[0\]\.measure: unknown 'socre'"),
        ({"expected": "larger"}, r"contrasts\[0\]\.expected: unknown 'larger'"),
        ({"expected": "same"}, r"'same' needs a margin above 0.* found expected 'same', margin 0"),
        ({"margin": 1.0}, r"the others none; found expected 'more', margin 1"),
    ],
)
def test_a_wrong_declaration_is_named(change: Mapping[str, object], said: str) -> None:
    with pytest.raises(SpecError, match=said):
        replace(TRIAL, contrasts=(replace(TRIAL.contrasts[0], **change),))  # type: ignore[arg-type]


def test_work_that_returns_something_else_is_named(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="fake: short-one: unknown measure 'scoer'; did you mean 'score'"):
        done(tmp_path / "unknown", replace(TRIAL, work=unknown))
    with pytest.raises(RunError, match="fake: short-one: score: wanted 8 numbers, found 1"):
        done(tmp_path / "short", replace(TRIAL, work=short))


def decided(contrast: Contrast, first: object, second: object = (), better: str = "more") -> Verdict:
    numbers = {("t", "a", "m"): np.array(first, dtype=float), ("t", "b", "m"): np.array(second, dtype=float)}
    return decide([contrast], {"m": Measure("m", better=better)}, numbers)[0].verdict


MORE, SAME = Contrast("t", "m", "a", "b", "more"), Contrast("t", "m", "a", "b", "same", margin=1.0)


def test_p_is_that_of_scipys_exact_tests() -> None:
    rng = np.random.default_rng(3)
    first, second = rng.normal(0.5, 1, (2, 9))
    numbers = {("t", "a", "m"): first, ("t", "b", "m"): second}
    paired = replace(MORE, paired=True)
    constant = replace(MORE, against=0.2)
    found = {
        each: decide([each], {"m": Measure("m", better="more")}, numbers)[0].p
        for each in (MORE, paired, constant)
    }
    assert found[MORE] == pytest.approx(stats.mannwhitneyu(first, second, method="exact").pvalue)
    assert found[paired] == pytest.approx(stats.wilcoxon(first - second, method="exact").pvalue)
    assert found[constant] == pytest.approx(stats.wilcoxon(first - 0.2, method="exact").pvalue)


def test_failed_seeds_count_as_the_worst_on_the_measures_own_side() -> None:
    best, lost = np.arange(10.0), [np.nan] * 6 + [20.0, 21.0, 22.0, 23.0]
    assert decided(MORE, best, [np.nan] * 10) is Verdict.SUPPORTED
    assert decided(replace(MORE, expected="less"), best, [np.nan] * 10, "less") is Verdict.SUPPORTED
    assert decided(replace(MORE, expected="less"), best, lost, "") is Verdict.SUPPORTED  # left out
    assert decided(replace(MORE, expected="less"), best, lost) is Verdict.UNDECIDED
    paired = replace(MORE, paired=True)
    assert decided(paired, best, [np.nan] * 10) is Verdict.SUPPORTED
    assert decided(paired, [np.nan] * 10, [np.nan] * 10) is Verdict.UNDECIDED


def test_equality_needs_evidence_and_is_contradicted_by_a_difference_beyond_the_margin() -> None:
    rng = np.random.default_rng(0)
    base = rng.normal(0, 0.2, 10)
    assert decided(SAME, base, base + 0.1) is Verdict.SUPPORTED
    assert decided(SAME, base, base + 3.0) is Verdict.CONTRADICTED
    assert decided(SAME, base, base + 1.0) is Verdict.UNDECIDED
    assert decided(SAME, base[:2], base[:2]) is Verdict.UNDECIDED
    assert decided(SAME, 20 * base, 20 * rng.permutation(base)) is Verdict.UNDECIDED  # too wide to know


LAWS = {
    "normal": lambda rng: rng.normal(0, 1, SEEDS),
    "few values": lambda rng: rng.integers(0, 3, SEEDS).astype(float),
    "failing": lambda rng: np.where(rng.random(SEEDS) < 0.3, np.nan, rng.exponential(1, SEEDS)),
}


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("paired", [False, True])
def test_of_equal_arms_one_trial_in_twenty_claims_anything_at_most(law: str, paired: bool) -> None:
    rng, trials = np.random.default_rng(1), 400
    contrasts = [
        replace(MORE, against=other, expected=expected, paired=paired)
        for other, expected in (("b", "more"), ("c", "less"), ("d", "more"))
    ]
    claims = 0
    for _ in range(trials):
        numbers = {("t", arm, "m"): LAWS[law](rng) for arm in "abcd"}
        found = decide(contrasts, {"m": Measure("m", better="more")}, numbers)
        claims += any(each.verdict is not Verdict.UNDECIDED for each in found)
    assert claims <= stats.binom.isf(0.001, trials, 0.05)  # false alarm 1 in 1,000


def test_of_arms_that_differ_by_the_margin_one_in_twenty_is_called_the_same_at_most() -> None:
    rng, trials, claims = np.random.default_rng(2), 400, 0
    for _ in range(trials):
        first, second = rng.normal(0, 0.5, (2, 10))
        claims += decided(SAME, first + SAME.margin, second) is Verdict.SUPPORTED
    assert 0 < claims <= stats.binom.isf(0.001, trials, 0.05)


@pytest.mark.slow
@pytest.mark.parametrize("name", studies.TRIALS)
def test_the_quick_form_of_every_study(name: str, tmp_path: Path) -> None:
    study = studies.find(name)
    assert study.name == name
    found = study.run(Options(quick=True, out=tmp_path), lambda _: None)
    assert max(map(len, found.text.splitlines())) <= 80
    assert found.record["contrasts"]
    assert found.record["claim"]
    assert found.record["published"]
    finite = [row["mean"] for row in found.record["rows"] if row["mean"] is not None]
    assert len(finite) > len(found.record["rows"]) / 2
