"""The joint study: what is equal between its arms, what is frozen, and what its table says."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy import stats

import evogen
from evogen.errors import RunError, SpecError
from evogen.experiment.spec import Experiment
from evogen.genome import Genome
from evogen.registry import evolvable_fields
from evogen.studies import Findings, Options, joint, joint_cell
from evogen.studies.joint_arms import ARMS, BY_NAME, JOINT, JointArm
from evogen.studies.joint_cell import Effort, Found, JointCell, read, search, work
from evogen.studies.joint_rows import contrasts, record
from evogen.studies.joint_table import lines, verdict
from evogen.studies.joint_tasks import GRAMMAR, GRAMMAR_FILE, WORLDS, World

ROOT = Path(__file__).parents[2]
TINY = Effort(seeds=2, agents=2, cohorts=2, cohort_size=2)
LIFE = WORLDS["digits-life"]


def loaded(world: World, folder: Path, overrides: Sequence[str] = ()) -> Experiment:
    (folder / GRAMMAR_FILE).write_text(GRAMMAR)
    (folder / "search.yaml").write_text(world.search)
    return evogen.load(folder / "search.yaml", overrides)


def test_the_studys_cartpole_search_is_the_shipped_one(tmp_path: Path) -> None:
    shipped = evogen.load(ROOT / "searchspaces/joint.yaml", ["search.cohorts=12"])
    assert shipped.yaml == loaded(WORLDS["cartpole"], tmp_path, ["seed=1"]).yaml
    assert set(GRAMMAR.splitlines()) <= set((ROOT / "grammars/modules.bnf").read_text().splitlines())


@pytest.mark.parametrize("world", WORLDS.values(), ids=lambda world: world.name)
def test_all_three_chromosomes_evolve_and_no_child_inherits_what_was_learnt(
    world: World, tmp_path: Path
) -> None:
    experiment = loaded(world, tmp_path)
    space = experiment.space
    assert space.rules is not None
    assert space.rules.evolve
    assert space.architecture.evolve
    assert space.plasticity
    assert experiment.inheritance.value == "baldwinian"


@pytest.mark.parametrize("world", WORLDS.values(), ids=lambda world: world.name)
def test_frozen_plasticity_is_the_declared_defaults(world: World, tmp_path: Path) -> None:
    experiment = loaded(world, tmp_path, BY_NAME["plasticity-frozen"].overrides(world))
    assert not experiment.space.plasticity
    for part in (experiment.learner, experiment.rules["abcd"]):
        for item in evolvable_fields(type(part)):
            assert getattr(part, item.name) == item.default


def genomes(arm: JointArm, tmp_path: Path, seed: int = 0) -> list[Genome]:
    cell = JointCell(LIFE, arm, seed, TINY)
    experiment = arm.experiment(loaded(LIFE, tmp_path, cell.overrides))
    with evogen.run(experiment, out=tmp_path / f"run-{arm.name}-{seed}") as run:
        return [run.born_genome(row.ref) for row in run.rows()]


def chromosomes(genome: Genome) -> dict[str, str]:
    assert genome.rules is not None
    return {
        "rules": genome.rules.O.tobytes().hex(),
        "architecture": str([gene.codons for gene in genome.architecture]),
        "plasticity": str(dict(genome.plasticity)),
    }


@pytest.mark.parametrize("arm", ARMS, ids=lambda arm: arm.name)
def test_what_is_frozen_is_the_same_in_all_candidates_of_a_search_alone(
    arm: JointArm, tmp_path: Path
) -> None:
    found = [chromosomes(genome) for genome in genomes(arm, tmp_path)]
    assert len(found) == TINY.candidates
    for name in ("rules", "architecture", "plasticity"):
        assert (len({each[name] for each in found}) == 1) == (name in arm.frozen), name
    if "rules" in arm.frozen:
        (other, *_) = genomes(arm, tmp_path, seed=1)
        assert chromosomes(other)["rules"] != found[0]["rules"]


def test_one_held_genome_has_another_innate_expression_in_every_candidate(tmp_path: Path) -> None:
    found = genomes(BY_NAME["all-frozen"], tmp_path)
    identities = [gene.innovation for genome in found for gene in genome.genes()]
    assert len(set(identities)) == len(identities)
    assert len({genome.id for genome in found}) == TINY.candidates


@pytest.mark.parametrize("world", WORLDS.values(), ids=lambda world: world.name)
def test_the_declared_steps_are_those_that_lives_take(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls, grad = [], torch.autograd.grad
    monkeypatch.setattr(torch.autograd, "grad", lambda *given: (calls.append(1), grad(*given))[1])
    # of one architecture, so that both candidates are one batch
    cell = JointCell(world, BY_NAME["architecture-frozen"], 0, replace(TINY, cohorts=1))
    found = search(tmp_path, cell)
    assert len(calls) == world.gradients
    if world.gradients:
        assert found.steps == 2 * world.steps
    else:
        experiment = loaded(world, tmp_path)
        assert found.steps == 0
        assert world.steps == experiment.birth.agents * experiment.task.lives * experiment.task.lessons  # type: ignore[attr-defined]


def test_the_final_score_is_of_the_winner_and_of_the_report_fold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = tmp_path / "kept"
    monkeypatch.setattr(joint_cell.shutil, "rmtree", lambda *_, **__: kept.exists())
    cell = JointCell(LIFE, JOINT, 3, TINY)
    work(tmp_path, cell)
    found = read(tmp_path, cell)
    assert found is not None
    with evogen.open(tmp_path / f"{cell.name}.part/run") as run:
        (scored,) = [event.payload for event in run.events() if event.kind == "assessment"]
        assert scored["ref"] == str(run.best())
        assert tuple(scored["scores"]) == found.scores
        assert found.fitness == max(row.fitness for row in run.rows())
        assert found.fingerprint == run.fingerprint()
    assert len(found.scores) == TINY.agents


def test_a_kept_cell_of_other_settings_or_bytes_is_refused(tmp_path: Path) -> None:
    cell = JointCell(LIFE, JOINT, 0, TINY)
    assert read(tmp_path, cell) is None
    work(tmp_path, cell)
    assert [path.name for path in tmp_path.iterdir()] == [f"{cell.name}.json"]
    with pytest.raises(RunError, match=r"was made otherwise: settings\.agents 2, now 3"):
        read(tmp_path, replace(cell, effort=replace(TINY, agents=3)))
    path = tmp_path / f"{cell.name}.json"
    path.write_text(path.read_text().replace('"failed":0', '"failed":1'))
    with pytest.raises(RunError, match="its content does not match its hash"):
        read(tmp_path, cell)


def made(
    scores: dict[str, np.ndarray], worlds: Sequence[World] = (LIFE,)
) -> tuple[dict[JointCell, Found], Effort]:
    effort = replace(TINY, seeds=len(scores["joint"]))
    cells = {
        JointCell(world, BY_NAME[arm], seed, effort): Found((float(score),), 0.5, 4, 0, 0, "", 1.0)
        for world in worlds
        for arm, each in scores.items()
        for seed, score in enumerate(each)
    }
    return cells, effort


def test_a_chromosome_that_adds_is_told_from_one_that_does_not() -> None:
    rng = np.random.default_rng(0)
    hard = rng.normal(0, 0.2, 20)  # what a seed adds to all arms alike
    scores = {
        "joint": hard + rng.normal(0.1, 0.02, 20),
        "rules-frozen": hard + rng.normal(0.1, 0.02, 20),
        "architecture-frozen": hard + rng.normal(0.0, 0.02, 20),
        "plasticity-frozen": hard + rng.normal(0.2, 0.02, 20),
        "random": hard + rng.normal(0.0, 0.02, 20),
    }
    cells, effort = made(scores)
    whole = record("t", cells, effort, "")
    said = {item["second"]: verdict(item) for item in whole["contrasts"]}
    assert said["rules-frozen"] == "no evidence that evolving the rules changes the score"
    assert said["architecture-frozen"].startswith("evolving the architecture adds 0.")
    assert said["plasticity-frozen"].startswith("evolving the plasticity costs 0.")
    assert said["random"].startswith("joint scores 0.")
    for item in whole["contrasts"]:
        difference = scores["joint"] - scores[item["second"]]
        assert item["difference"]["mean"] == pytest.approx(difference.mean())
        statistic = stats.ttest_rel(scores["joint"], scores[item["second"]]).statistic
        assert item["d"] == pytest.approx(statistic / np.sqrt(20))
        assert item["wins"] == (difference > 0).mean()
    assert max(map(len, lines(whole))) <= 80


def test_holms_correction_is_over_all_tasks_of_a_question() -> None:
    rng = np.random.default_rng(1)
    names = ("joint", "rules-frozen", "architecture-frozen", "plasticity-frozen", "random")
    scores = {name: rng.normal(0.3 * (name == "joint"), 1, 12) for name in names}
    worlds = list(WORLDS.values())
    cells, effort = made(scores, worlds)
    found = contrasts(cells, worlds, [BY_NAME[name] for name in names], effort)
    for family in (lambda item: item["chromosome"] is not None, lambda item: item["chromosome"] is None):
        members = [item for item in found if family(item)]
        alone = sorted(item["p_alone"] for item in members)
        smallest = min(members, key=lambda item: item["p_alone"])
        assert smallest["p"] == pytest.approx(min(1.0, alone[0] * len(members)))
    assert len(found) == 4 * 3


def test_a_search_without_a_winner_is_left_out_of_the_mean() -> None:
    cells, effort = made({"joint": np.array([0.4, 0.2]), "random": np.array([0.3, 0.1])})
    first = next(iter(cells))
    cells[first] = replace(cells[first], scores=(), fitness=None, failed=4)
    whole = record("t", cells, effort, "")
    assert whole["rows"][0]["score"]["mean"] == 0.2
    assert whole["rows"][0]["scores"] == [None, 0.2]
    assert whole["contrasts"][0]["p"] is None
    json.dumps(whole, allow_nan=False)
    assert any("4/8" in line for line in lines(whole))


def study(out: Path, said: list[str], **options: Any) -> Findings:
    return joint.run(Options(quick=True, tasks=("digits-life",), out=out, **options), said.append)


def test_the_study_prints_a_table_and_goes_on_with_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(joint, "QUICK", TINY)
    said: list[str] = []
    found = study(tmp_path / "one", said)
    assert [row["arm"] for row in found.record["rows"]] == [arm.name for arm in ARMS]
    assert {(row["candidates"], row["steps"], row["gradient_steps"]) for row in found.record["rows"]} == {
        (4, 4 * LIFE.steps, 0)
    }
    assert "no evidence that evolving the rules changes the score" in found.text
    assert max(len(line) for line in found.text.splitlines()) <= 80
    assert json.loads((tmp_path / "one/table.json").read_text()) == found.record
    (tmp_path / "one/cells/digits-life-joint-1.json").unlink()
    again: list[str] = []
    same = study(tmp_path / "one", again)
    assert again[0] == "11 of 12 cells are there already"
    assert len(again) == 2
    assert same.text == found.text
    two = study(tmp_path / "two", [], arms=("random",), workers=2)
    assert [row["arm"] for row in two.record["rows"]] == ["joint", "random"]
    for name, fingerprint in two.record["fingerprints"].items():
        assert fingerprint == found.record["fingerprints"][name]


def test_a_wrong_option_is_named(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="--arms: unknown 'rules-frosen'; did you mean 'rules-frozen'"):
        joint.run(Options(arms=("rules-frosen",), out=tmp_path), print)
    with pytest.raises(SpecError, match="--tasks: unknown 'iris'"):
        joint.run(Options(tasks=("iris",), out=tmp_path), print)
    with pytest.raises(SpecError, match="makes its own searches"):
        joint.run(Options(run=tmp_path, out=tmp_path), print)
