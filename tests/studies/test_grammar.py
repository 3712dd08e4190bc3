"""The study of grammars: its rows, its statistics, its verdict, and one tiny run of it."""

import dataclasses
import json

import numpy as np
import pytest
import torch
from scipy import stats

import evogen
from evogen.errors import RunError, SpecError
from evogen.studies import Options, find
from evogen.studies.grammar import study
from evogen.studies.grammar.arms import ARMS, STRUCTURES, TRAINED
from evogen.studies.grammar.cells import Cell, Effort, Result, read, work
from evogen.studies.grammar.files import settings, written
from evogen.studies.grammar.sets import Size, linear, perceptron, size, table
from evogen.studies.grammar.verdict import arranged, effect, signed_rank, verdict
from evogen.studies.grammar.views import evolving, final, searching

ARM = {arm.name: arm for arm in ARMS}
TINY = Effort(seeds=2, cohorts=1, cohort_size=4, evolved=2)


def result(test, parameters=100.0, validation=0.0):
    test = np.array(test, dtype=np.float64)
    full = np.full_like(test, parameters)
    return Result(test, np.broadcast_to(np.float64(validation), test.shape), full, full, 1.0)


def test_no_row_is_learnt_from_and_tested_and_baselines_learn_from_what_winners_do():
    rows = table("iris", 3)
    views = {name: make(rows) for name, make in (("search", searching), ("end", final), ("no", evolving))}
    assert len(views["search"].examples("train")[1]) == 90
    assert len(views["end"].examples("train")[1]) == 120
    train, validation, test = (rows.examples(fold)[0] for fold in ("train", "validation", "test"))
    assert torch.equal(views["end"].examples("train")[0], torch.cat([train, validation]))
    assert len(test) == 30
    assert views["search"].judge == ("validation",)
    assert views["end"].judge == ("test",)
    assert "test" not in (*views["no"].learn, *views["no"].judge)


def test_plain_networks_are_counted_as_scikit_learn_builds_them():
    from sklearn.linear_model import LogisticRegression
    from sklearn.neural_network import MLPClassifier

    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 7))
    for classes in (2, 3):
        y = np.arange(60) % classes
        mlp = MLPClassifier((32,), max_iter=300, tol=1.0).fit(x, y)
        assert perceptron(7, 32, classes) == sum(part.size for part in (*mlp.coefs_, *mlp.intercepts_))
        line = LogisticRegression().fit(x, y)
        assert linear(7, classes) == line.coef_.size + line.intercept_.size


def test_genomes_of_a_small_set_are_bound_to_half_of_the_plain_network():
    iris = size("iris")
    assert (iris.rows, iris.inputs, iris.classes) == (120, 4, 3)
    assert iris.limit == perceptron(4, 32, 3) // 2
    letter = Size(16_000, 16, 26)
    assert letter.limit == 4_000
    assert letter.large
    assert not iris.large


@pytest.mark.parametrize("arm", [arm for arm in ARMS if arm.kind == "search"], ids=lambda arm: arm.name)
def test_the_search_of_every_arm_is_a_sound_experiment(arm, tmp_path):
    wanted = settings("iris", size("iris"), arm, 7, cohorts=2, cohort_size=4)
    found = evogen.load(written(tmp_path), wanted)
    assert found.search.cohorts == 2 * arm.shares
    assert found.seed == 7
    assert found.task.split_seed == 7
    architecture = found.space.architecture
    assert architecture.start == arm.start
    if arm.start != "mlp":
        assert architecture.structure == arm.structure
        assert architecture.weights == arm.weights


def test_five_structures_in_three_weight_modes():
    searched = {(arm.structure, arm.weights) for arm in ARMS if arm.start == "group"}
    assert searched == {(s, w) for s in STRUCTURES for w in ("trained", "evolved", "evolved+tuned")}
    assert [arm.structure for arm in TRAINED] == list(STRUCTURES)


@pytest.mark.parametrize("name", ["modules", "layered", "flat-evolved", "coupled-tuned", "flat-ge", "mlp-32"])
def test_a_cell_is_the_same_again_and_keeps_to_its_settings(name, tmp_path):
    cell = Cell("iris", ARM[name], TINY)
    for folder in (tmp_path / "a", tmp_path / "b"):
        work(folder, cell)
    one, other = (read(tmp_path / folder, cell) for folder in "ab")
    for part in ("test", "validation", "parameters", "neurons"):
        assert np.array_equal(getattr(one, part), getattr(other, part), equal_nan=True)
    assert one.test.shape == (2,)
    assert ((one.test >= 0) & (one.test <= 1)).all()
    assert np.isnan(one.validation).all() == (name in ("flat-evolved", "mlp-32"))
    with pytest.raises(RunError, match="was made otherwise"):
        read(tmp_path / "a", dataclasses.replace(cell, effort=dataclasses.replace(TINY, seeds=3)))


def test_validation_alone_chooses_the_structure_of_each_seed():
    cells = [Cell("iris", arm, TINY) for arm in TRAINED[:2]]
    first = result([0.9, 0.5], 10)
    second = dataclasses.replace(result([0.1, 0.2], 20), validation=np.array([-1.0, 1.0]))
    chosen = arranged(list(zip(cells, [first, second], strict=True)))["iris"]["chosen"]
    assert chosen.test.tolist() == [0.9, 0.2]
    assert chosen.parameters.tolist() == [10, 20]
    assert chosen.validation.tolist() == [0.0, 1.0]


def test_signed_ranks_and_their_effect():
    difference = np.array([0.3, -0.1, 0.2, 0.4])  # ranks 3, 1, 2, 4
    assert effect(difference) == pytest.approx((9 - 1) / 10)
    assert effect(-difference) == pytest.approx(-0.8)
    assert effect(np.zeros(4)) == 0
    assert signed_rank(np.zeros(4)) == 1
    assert signed_rank(np.arange(1.0, 11)) == pytest.approx(2 / 2**10)  # all of one sign: exact
    mixed = np.random.default_rng(1).normal(size=10)
    assert signed_rank(mixed) == pytest.approx(stats.wilcoxon(mixed).pvalue)


def verdict_of(**tests):
    """Return the verdict on sets of ten seeds; each is (ours, logistic, mlp), a constant shift apart."""
    noise = np.linspace(0, 0.01, 10)
    table = {
        name: {
            "chosen": result(ours + noise * 2, 40),
            "logistic": result(line + noise, 10),
            "mlp-32": result(mlp + noise, 100),
        }
        for name, (ours, line, mlp) in tests.items()
    }
    return verdict(table)


def test_the_verdict_holds_only_where_nothing_is_below_and_four_are_above():
    good = verdict_of(a=(0.9, 0.8, 0.7), b=(0.9, 0.7, 0.8), c=(0.9, 0.8, 0.8), d=(0.9, 0.8, 0.8))
    assert (good.below, good.above, good.ratio) == (0, 4, pytest.approx(0.4))
    assert good.holds
    assert not verdict_of(a=(0.9, 0.8, 0.7), b=(0.9, 0.7, 0.8), c=(0.9, 0.8, 0.8)).holds
    above = dict.fromkeys("abcd", (0.9, 0.8, 0.7))
    bad = verdict_of(**above, e=(0.7, 0.9, 0.1))
    assert bad.below == 1
    assert not bad.holds
    assert next(line for line in bad.lines if line.set == "e").p < 0.05


def test_a_quick_run_prints_its_table_and_goes_on_from_its_cells(tmp_path, monkeypatch):
    monkeypatch.setattr(study, "QUICK", TINY)
    options = Options(
        quick=True, tasks=("iris",), arms=("modules", "flat", "logistic", "mlp-32"), out=tmp_path
    )
    said = []
    first = find("grammar").run(options, said.append)
    assert [line for line in first.text.splitlines() if len(line) > 80] == []
    assert "chosen" in first.text
    assert "the claim does not hold" in first.text  # one set is no four
    assert json.loads((tmp_path / "table.json").read_text())["verdict"]["sets"][0]["set"] == "iris"
    said.clear()
    assert find("grammar").run(options, said.append).text == first.text
    assert said == ["4 of 4 cells are there already"]


def test_a_set_whose_package_is_missing_is_left_out_and_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr(study, "missing", lambda name: "pip install it" if name == "sonar" else "")
    said = []
    cells = study.plan(Options(tasks=("sonar", "iris"), arms=("logistic",)), TINY, said.append)
    assert [cell.set for cell in cells] == ["iris"]
    assert said == ["left out sonar: pip install it"]
    with pytest.raises(SpecError, match="no set is left"):
        study.plan(Options(tasks=("sonar",)), TINY, said.append)
    with pytest.raises(SpecError, match="iriss"):
        study.run(Options(tasks=("iriss",), out=tmp_path), said.append)


def test_equal_differences_are_ties_whatever_their_last_bits():
    difference = np.array([30, 12, 7, 14]) / 30 - np.array([29, 11, 8, 13]) / 30
    assert len(set(np.abs(difference))) > 1
    assert effect(difference) == pytest.approx(0.5)  # four ranks of 2.5, one against
    whole = np.array([1.0, 1.0, -1.0, 1.0])
    assert signed_rank(difference) == pytest.approx(signed_rank(whole))
    assert signed_rank(np.array([0.1 + 0.2 - 0.3])) == 1
