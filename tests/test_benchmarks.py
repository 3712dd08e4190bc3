"""The quick run of each benchmark prints its table and writes the figures that it prints."""

import json
import math
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MODELS = 1 if find_spec("stable_baselines3") else 0  # only the extra `bench` has the classic trainer


def test_seconds_per_solved_genome_are_printed_and_written(tmp_path: Path) -> None:
    file = tmp_path / "found.json"
    command = ["benchmarks/synaptogen.py", "--quick", "--json", str(file), "--classic-seeds", str(MODELS)]
    done = subprocess.run([sys.executable, *command], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = json.loads(file.read_text())

    ours = {"evogen, one core, mean": 8, "evogen, one core, noise": 8, "evogen, two cores, mean": 16}
    genomes = ours | ({"classic, one core": 1} if MODELS else {})
    assert list(found["training"]) == list(genomes)
    lines = done.stdout.splitlines()
    for name, trained in genomes.items():
        (cost,) = found["training"][name]
        assert cost["trained"] == trained >= cost["solved"]
        assert cost["steps"] == (3000 if name.startswith("classic") else trained * 12 * 8 * 128)
        assert cost["seconds"] > 0
        assert cost["cpu"] > 0
        each = cost["seconds"] / cost["solved"] if cost["solved"] else None
        assert found["seconds_per_solved"][name] == each
        (row, *_) = [line[28:].split() for line in lines if line.startswith(name)]
        assert row[:3] == [str(trained), str(cost["solved"]), f"{cost['steps']:,}"]
        assert row[5] == ("inf" if each is None else f"{each:.2f}")

    if MODELS:
        (classic,) = found["training"]["classic, one core"]
        for name in ours:
            each = found["seconds_per_solved"][name]
            ratio = found["ratio"][name]["seconds"]
            assert ratio is None if each is None else math.isclose(ratio, classic["seconds"] / each)
        assert found["ratio_means"].startswith("only a bound") == (not classic["solved"])
    else:
        assert not found["ratio"]
    assert found["ratio_means"] in done.stdout

    for name, agents in {"reference, fast": 100, "reference, exact": 2, "biological": 100}.items():
        assert found["births"][name]["agents"] == agents
        assert min(found["births"][name]["birth_ms"] + found["births"][name]["draw_ms"]) > 0
        assert any(line.startswith(name) for line in lines)
    assert "cuda: not measured" in done.stdout
    assert {"torch", "numpy", "gymnasium", "python"} <= set(found["versions"])
    assert found["command"] == command


def test_fronts_and_repertoires_are_printed_and_written(tmp_path: Path) -> None:
    file = tmp_path / "found.json"
    command = ["benchmarks/frontiers.py", "--quick", "--json", str(file)]
    done = subprocess.run([sys.executable, *command], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = json.loads(file.read_text())
    problems = ["zdt1, hypervolume", "zdt2, hypervolume", "zdt3, hypervolume", "arm, QD score"]
    assert list(found["found"]) == problems
    lines = done.stdout.splitlines()
    for problem, rows in found["found"].items():
        at = next(at for at, line in enumerate(lines) if line.startswith(problem))
        assert f"{found['evaluations'][problem]} evaluations, 3 seeds" in lines[at]
        for line, (name, values) in zip(lines[at + 1 :], rows.items(), strict=False):
            assert line.strip().startswith(name)
            assert f"{sorted(values)[1]:.2f}" in line
            test = found["tests"][problem].get(name)
            assert (name == "evogen") == (test is None)
            assert test is None or 0 < test["p"] <= test["holm"] <= 1
    assert lines[-1] == f"significant losses: {'; '.join(found['losses']) or 'none'}"
    assert {"deap", "ribs", "moocore", "python"} <= set(found["versions"])
    assert found["command"] == command


def test_what_a_race_saves_is_printed_and_written(tmp_path: Path) -> None:
    file = tmp_path / "found.json"
    command = ["benchmarks/racing.py", "--quick", "--json", str(file)]
    done = subprocess.run([sys.executable, *command], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = json.loads(file.read_text())
    (cohort,) = found["cohorts"]
    steps = {arm: one["steps"] for arm, one in cohort.items()}
    assert steps["raced"] == steps["half"] == steps["all"] / 2  # 4 of 1/4, 2 of 1/4, 1 of 1/2
    assert cohort["raced"]["best"] <= cohort["all"]["best"]
    lines = done.stdout.splitlines()
    for arm, one in cohort.items():
        (row,) = [line.split() for line in lines if line.startswith(f"{arm} ")]
        assert row[1] == f"{one['steps']:,.0f}"
        assert f"{one['best']:.3f}" in row
    assert found["command"] == command


def test_strategies_are_printed_and_written_beside_their_oracles(tmp_path: Path) -> None:
    file = tmp_path / "found.json"
    command = ["benchmarks/strategies.py", "--quick", "--json", str(file)]
    done = subprocess.run([sys.executable, *command], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = json.loads(file.read_text())
    lines = done.stdout.splitlines()
    rows = found["evolution_strategies"]
    assert [(row["function"], row["strategy"]) for row in rows] == [
        (function, strategy)
        for function in ("sphere", "rosenbrock", "rastrigin")
        for strategy in ("cmaes", "snes")
    ]
    for row in rows:
        (line,) = [line for line in lines if line.startswith(f"{row['function']}, {row['strategy']} ")]
        medians = [sorted(row["found"][lookahead])[1] for lookahead in ("1", "4")]
        assert line.split()[2:5] == [f"{row['evaluations']}", *(f"{median:.2e}" for median in medians)]
        if row["oracle"] is None:
            assert "not installed" in line
        else:
            assert len(row["oracle"]) == len(found["seeds"]) == 3
            assert row["holm"] >= row["p"] >= 0.1  # the least of three against three
    assert "significant losses: none" in done.stdout
    assert {"numpy", "scipy", "cmaes", "python"} <= set(found["versions"])
    assert found["command"] == command


def test_killed_drivers_make_no_difference(tmp_path: Path) -> None:
    file = tmp_path / "found.json"
    command = ["benchmarks/resume.py", "--quick", "--json", str(file)]
    done = subprocess.run([sys.executable, *command], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = json.loads(file.read_text())
    assert (found["kills"], found["differences"]) == (3, 0)
    assert found["candidates"] == 4 * found["cohorts"]
    assert [line.split() for line in done.stdout.splitlines()] == [
        [name, f"{found[name]}"]
        for name in ("kills", "sessions_that_began_work", "cohorts", "candidates", "differences")
    ]
    assert found["command"] == command


@pytest.mark.slow
def test_disturbances_change_no_bit_of_who_behaves(tmp_path: Path) -> None:
    file = tmp_path / "found.json"
    command = ["benchmarks/chaos.py", "--quick", "--json", str(file)]
    done = subprocess.run([sys.executable, *command], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = json.loads(file.read_text())
    told = found["found"]
    assert (told["lost"], told["twice"], told["different"], told["blamed"]) == (0, 0, 0, 0)
    assert told["behaved"] > 0
    assert told["hanging"] in ("timeout", "not reached")
    assert told["greedy"] in ("crashed", "not reached")
    war = found["disturbed"]
    assert war["kills"] >= 1
    assert (war["nodes_removed"], war["nodes_added"]) == (1, 1)
    assert f"{found['ratio']:.3f}" in done.stdout.splitlines()[-1]
    assert found["command"] == command


def test_genomes_of_neurons_per_second_are_printed_and_written(tmp_path: Path) -> None:
    file = tmp_path / "found.json"
    command = ["benchmarks/grammar.py", "--quick", "--json", str(file)]
    done = subprocess.run([sys.executable, *command], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = json.loads(file.read_text())
    lines = [line.split() for line in done.stdout.splitlines()]
    columns = ("decode", "plan", "develop", "both", "floor", "learn")
    assert list(found["genomes_per_s"]) == ["flat", "modules"]
    for line, (structure, one) in zip(lines[2:4], found["genomes_per_s"].items(), strict=True):
        assert line[:-1] == [structure, *(f"{one[name]:,.0f}" for name in columns)]
        assert math.isclose(one["share of learning"], one["learn"] / one["both"])
        assert one["both"] < one["develop"]
        assert one["plan"] < one["decode"]
    sizes = found["a_neuron"]["flat"]
    for line, (neurons, one) in zip(lines[-2:], sizes.items(), strict=True):
        assert line[:3] == ["flat", neurons, f"{one['plan']:.1f}"]
        assert line[-1] == f"{one['kb']:.1f}"
    assert found["command"] == command


def test_costs_of_reading_a_long_run_are_printed_and_written(tmp_path: Path) -> None:
    file = tmp_path / "found.json"
    command = ["benchmarks/report.py", "--quick", "--json", str(file)]
    done = subprocess.run([sys.executable, *command], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = json.loads(file.read_text())
    assert found["candidates"] == 2000
    lines = done.stdout.splitlines()
    assert lines[0].startswith("2,000 candidates, run.db of ")
    for name, one in found["costs"].items():
        (row,) = [line[22:].split() for line in lines if line[:22].rstrip() == name and "." in line[31:]]
        assert row == [f"{one['seconds']:.2f}", f"{one['cpu']:.2f}", f"{one['gigabytes']:.3f}"]
    assert (
        found["costs"]["report"]["cpu"] > found["costs"]["status"]["cpu"] > found["costs"]["nothing"]["cpu"]
    )
    assert found["inside"].keys() > {"status", "best", "row by id", "ancestors of best"}
    assert found["command"] == command


def test_what_plastic_lives_cost_is_printed_and_written(tmp_path: Path) -> None:
    file = tmp_path / "found.json"
    command = ["benchmarks/plasticity.py", "--quick", "--json", str(file)]
    done = subprocess.run([sys.executable, *command], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = json.loads(file.read_text())
    (lives,) = found["lives"].values()
    lines = done.stdout.splitlines()
    for rule, one in lives.items():
        (row,) = [line[26:].split() for line in lines if line.startswith(f"{rule:26}")]
        assert row[:2] == [f"{one['seconds']:.3f}", f"{one['ratio']:.2f}"]
        assert one["bytes"] == one["predicted_bytes"]
    assert lives["static"]["bytes"] == 0
    assert lives["Hebb"]["bytes"] == 4 * 32 * 64 * (4 * 64 + 64 * 2)
    assert lines[-1].startswith(f"4-64-2, Hebb: {lives['Hebb']['ratio']:.2f} times a static life")
    assert found["command"] == command
