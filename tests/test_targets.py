"""What the README promises of the shipped searches and of the benchmark, as the commands print it."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import evogen

ROOT = Path(__file__).parent.parent


def evogen_run(*words: str | Path) -> list[str]:
    command = [sys.executable, "-m", "evogen", "run", *map(str, words)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def score(lines: list[str], title: str) -> float:
    assert title in lines[-2]
    return float(re.fullmatch(r"mean ([\d.]+) ± \S+ \(sd over 10 born agents\)", lines[-1])[1])


@pytest.mark.slow
def test_the_cartpole_search_ends_with_a_winner_that_solves_gymnasiums_own(tmp_path: Path) -> None:
    lines = evogen_run("searchspaces/cartpole.yaml", "--workers", "2", "-o", tmp_path / "run")
    assert score(lines, "Gymnasium's CartPole-v1, 10 fresh episodes an agent") >= 475


@pytest.mark.slow
def test_the_digits_search_ends_with_a_winner_above_096_on_the_test_fold(tmp_path: Path) -> None:
    lines = evogen_run("searchspaces/digits.yaml", "--workers", "2", "-o", tmp_path / "run")
    assert score(lines, "test fold") >= 0.96
    assert any(line.startswith("beside it logistic regression: 0.9") for line in lines)
    assert "MLP" in (tmp_path / "run/report.html").read_text()


@pytest.mark.slow
def test_learning_in_life_depends_on_plasticity(tmp_path: Path) -> None:
    found = {}
    for name, changes in {"plastic": [], "static": ["plasticity.abcd.eta=0"]}.items():
        experiment = evogen.load(ROOT / "searchspaces/digits-life.yaml", ["search.cohorts=14", *changes])
        with evogen.run(experiment, out=tmp_path / name) as run:
            found[name] = evogen.check(run, experiment).mean
    assert found["plastic"] > found["static"] + 0.1, found


@pytest.mark.parametrize("name", ["digits", "digits-life"])
def test_a_ray_worker_changes_no_bit_of_the_other_searches(name: str, tmp_path: Path) -> None:
    short = ["search.cohorts=2", "search.cohort_size=4", "birth.agents=2"]
    short.append("learner.epochs=1" if name == "digits" else "task.lessons=10")
    experiment = evogen.load(ROOT / f"searchspaces/{name}.yaml", short)
    prints = set()
    for workers in (0, 1):
        with evogen.run(experiment, workers=workers, out=tmp_path / str(workers)) as run:
            prints.add(run.fingerprint())
    assert len(prints) == 1


def test_the_benchmark_prints_ratios_and_writes_what_it_prints(tmp_path: Path) -> None:
    command = [sys.executable, "benchmarks/inner_loop.py", "--quick", "--json", str(tmp_path / "out.json")]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    found = json.loads((tmp_path / "out.json").read_text())
    assert "cohort of 4" in said
    assert {len(each) for each in found["steps_per_s"].values()} == {2}
    assert 0 < found["gb"]["cohort of 4"] < 2


@pytest.mark.slow
def test_the_quick_study_of_synaptogen_beats_the_paper_on_cartpole(tmp_path: Path) -> None:
    """Every arm on CartPole, two on Acrobot; agents of 100,000 synapses a neuron average 455 in the paper."""
    command = [sys.executable, "-m", "evogen", "study", "synaptogen", "--quick", "--workers", "2"]
    done = subprocess.run(
        [*command, "--out", str(tmp_path / "study")], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "study/table.json").read_text())
    rows = {(row["task"], row["arm"], row["regime"]): row for row in found["rows"]}
    assert rows["cartpole", "noise", "reference"]["score"]["mean"] > 455
    assert rows["cartpole", "noise", "biological"]["score"]["mean"] > 455
    assert rows["cartpole", "random", "reference"]["score"]["mean"] < 200
    assert ("acrobot", "mean", "biological") in rows
