from __future__ import annotations

import json
import shutil
from pathlib import Path

import experiment_files
import pytest

import evogen
from evogen.runs import Run

from .calls import call


@pytest.fixture(scope="session")
def two_arms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three seeds of two strategies, each with a checked winner."""
    path = tmp_path_factory.mktemp("arms")
    file = experiment_files.write(path)
    for seed in range(3):
        for kind in ("genetic", "random"):
            experiment = evogen.load(file, [f"seed={seed}", f"strategy={kind}"])
            with evogen.run(experiment, out=path / f"{kind}-{seed}") as run:
                evogen.check(run, experiment)
    return path


@pytest.fixture
def runs(two_arms: Path, folder: Path) -> Path:
    shutil.copytree(two_arms, folder / "arms")
    return folder


def every(folder: Path) -> list[str]:
    return sorted(str(path) for path in (folder / "arms").iterdir() if path.is_dir())


def test_runs_are_grouped_compared_and_written(runs: Path) -> None:
    result = call("compare", *every(runs), "-o", "page.html", "--json", "values.json")
    assert result.exit_code == 0, result.output
    assert max(map(len, result.stdout.splitlines())) <= 80
    assert "no claim about 'strategy=genetic' and 'strategy=random'" in " ".join(result.stdout.split())
    assert "can make no claim, whatever the scores" in " ".join(result.stdout.split())  # of three seeds
    found = json.loads((runs / "values.json").read_text())
    assert [arm["name"] for arm in found["arms"]] == ["strategy=genetic", "strategy=random"]
    with evogen.open(runs / "arms" / "genetic-1") as run:
        scores = next(event.payload["scores"] for event in run.events() if event.kind == "assessment")
    told = found["arms"][0]["tasks"]["cartpole"]
    assert told["scores"][1] == pytest.approx(sum(scores) / len(scores))
    assert told["seeds"] == [0, 1, 2]
    assert (runs / "page.html").read_text().startswith("<!DOCTYPE html>")


def test_arms_can_be_named(runs: Path) -> None:
    result = call("compare", "--arm", "a=arms/genetic-*", "--arm", "b=arms/random-0,arms/random-1")
    assert result.exit_code == 0, result.output
    assert "no claim about 'a' and 'b'" in " ".join(result.stdout.split())


def test_equal_seeds_begin_alike_and_so_can_be_paired(runs: Path) -> None:
    result = call("compare", *every(runs), "--json", "values.json")
    assert result.exit_code == 0, result.output
    (contrast,) = json.loads((runs / "values.json").read_text())["comparisons"]
    assert contrast["reason"].startswith("runs of equal seed begin with the same genomes")


def test_runs_that_cannot_be_compared_are_refused(runs: Path) -> None:
    assert "differ in nothing but seed" in call("compare", *every(runs)[:3]).stderr
    assert "the same experiment with the same seed" in call("compare", *every(runs), every(runs)[0]).stderr
    longer = evogen.load(experiment_files.write(runs), ["seed=9", "search.cohorts=5", "strategy=random"])
    with evogen.run(longer, out="arms/longer") as run:
        evogen.check(run, longer)
    refused = call("compare", "arms/genetic-0", "arms/longer")
    assert refused.exit_code == 2
    assert "the budgets differ on cartpole: 12 candidates a run" in refused.stderr
    allowed = call("compare", "arms/genetic-0", "arms/longer", "--anyway")
    assert allowed.exit_code == 0, allowed.output
    assert "warning: compared all the same: the budgets differ" in " ".join(allowed.stdout.split())


def test_runs_without_an_end_or_a_check_are_refused(runs: Path) -> None:
    experiment = evogen.load(experiment_files.write(runs), ["seed=5"])
    evogen.run(experiment, out="arms/unchecked").close()
    refused = call("compare", *every(runs))
    assert refused.exit_code == 2
    assert "'evogen resume arms/unchecked' gives it one" in refused.stderr.replace(f"{runs}/", "")
    searched = call("compare", *every(runs), "--by", "search")
    assert searched.exit_code == 0, searched.output
    assert "warning: scores: the winner of a run by its search's own estimate" in " ".join(
        searched.stdout.split()
    )
    shutil.rmtree(runs / "arms" / "unchecked")
    files = {"grammar.bnf": experiment.grammar.encode()}
    Run.create(runs / "arms" / "begun", experiment=experiment.yaml, files=files, environment={}).close()
    refused = call("compare", *every(runs))
    assert refused.exit_code == 2
    assert "has not spent what it may" in refused.stderr
    counted = call("compare", *every(runs), "--unfinished", "failed")
    assert counted.exit_code == 0, counted.output
    assert "1 unfinished count as failed" in " ".join(counted.stdout.split())


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("arms/genetic-0", "--arm", "a=arms/random-0"),
        ("arms/genetic-0", "arms/random-0", "--by", "luck"),
        ("arms/genetic-0", "arms/random-0", "--unfinished", "ignored"),
        ("arms/genetic-0", "arms/random-0", "--range", "cartpole=5,1"),
        ("arms/genetic-0", "arms/random-0", "--range", "cartpole=5"),
        ("arms/genetic-0", "arms/random-0", "--range", "pendulum=0,1"),
        ("arms/genetic-0", "arms/random-0", "--threshold", "nan"),
        ("arms/genetic-0", "arms/random-0", "--against", "nobody"),
        ("arms/genetic-0", "arms/random-0", "--json", "nowhere/values.json"),
        ("arms/genetic-0", "nowhere"),
    ],
)
def test_wrong_options_end_with_a_sentence(runs: Path, options: tuple[str, ...]) -> None:
    result = call("compare", *options)
    assert result.exit_code == 2
    assert result.stderr.startswith("error: ")


def test_a_damaged_assessment_ends_with_a_sentence(runs: Path) -> None:
    with Run.open(runs / "arms" / "genetic-0", write=True) as run:
        run.log("assessment", ref=str(run.resolve("best")), title="x", scores="many", episodes=None)
    result = call("compare", *every(runs))
    assert result.exit_code == 2
    assert "the assessment in" in result.stderr
