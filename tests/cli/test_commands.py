from __future__ import annotations

import json
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from experiment_files import GRAMMAR

import evogen
from evogen.cohort import Cohort, Evaluation, Outcome

from .calls import call

HEAVY = ("torch", "ray", "sklearn", "gymnasium", "pydantic", "numpy", "yaml", "optuna", "deap")


def test_a_search_ends_with_the_winners_check(folder: Path) -> None:
    result = call("run", "small.yaml", "--seed", "3", "--set", "search.cohorts=2", "-o", "out/mine")
    assert result.exit_code == 0, result.output
    *above, winner, score = result.stdout.splitlines()
    assert [line.split()[1] for line in above[:2]] == ["1/2", "2/2"]
    assert above[-1] == "report: out/mine/report.html"
    with evogen.open("out/mine") as found:
        best = found.best()
        checked = found.events()[-1]
    assert winner == f"winner {best} on Gymnasium's CartPole-v1, 1 fresh episodes an agent:"
    assert score.endswith("(sd over 10 born agents)")
    assert score.startswith(f"mean {sum(checked.payload['scores']) / 10:.4g} ± ")
    assert max(map(len, result.stdout.splitlines())) <= 80


def test_a_search_without_any_fitness_says_so(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def diverge(problem: object, cohort: Cohort) -> tuple[Evaluation, ...]:
        return tuple(Evaluation(Outcome.DIVERGED) for _ in cohort.individuals)

    monkeypatch.setattr("evogen.experiment.launch.evaluate", diverge)
    result = call("run", "small.yaml")
    assert result.exit_code == 2
    assert "no candidate has a fitness: 'evogen show runs/small@0:0'" in result.stderr
    assert (folder / "runs/small/report.html").exists()


def test_ctrl_c_says_how_to_resume_and_a_resumed_run_is_the_same(
    folder: Path, run: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = call("fingerprint", run).stdout
    with monkeypatch.context() as patched:
        patched.setattr("evogen.progress.Tally.line", _interrupt)
        cut = call("run", "small.yaml", "-o", "cut")
    assert cut.exit_code == 130
    assert cut.stdout.splitlines()[-2:] == [
        "stopped after 1 of 3 cohorts; go on with:",
        "  evogen resume cut",
    ]
    assert "cut" in call("status", "cut").stdout
    assert "unfinished" in call("status", "cut").stdout
    resumed = call("resume", "cut")
    assert resumed.exit_code == 0, resumed.output
    assert resumed.stdout.splitlines()[0].startswith("cohort 2/3")
    assert call("fingerprint", "cut").stdout == whole


def test_ctrl_c_in_a_command_on_a_run_is_one_sentence_and_writes_nothing(
    run: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("evogen.report.write", _interrupt_all)
    cut = call("report", run, "-o", str(tmp_path / "cut.html"))
    assert cut.exit_code == 130
    assert cut.stderr.startswith("interrupted; ")
    assert len(cut.stderr.splitlines()) == 1
    assert list(tmp_path.glob("*cut*")) == []


def _interrupt_all(*_: object) -> str:
    raise KeyboardInterrupt


def _interrupt(_: object) -> str:
    raise KeyboardInterrupt


def test_sigint_exits_130_between_two_commits(folder: Path) -> None:
    command = [sys.executable, "-m", "evogen", "run", "small.yaml", "--set", "search.cohorts=100000"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("cohort 1/100000")
        process.send_signal(signal.SIGINT)
        rest = process.stdout.read()
    assert process.returncode == 130
    assert rest.endswith("evogen resume runs/small\n")
    assert call("fingerprint", "runs/small").exit_code == 0


def test_sigterm_exits_143_and_the_run_goes_on(folder: Path) -> None:
    command = [sys.executable, "-m", "evogen", "run", "small.yaml", "--set", "search.cohorts=100000"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("cohort 1/100000")
        process.terminate()
        rest = process.stdout.read()
    assert process.returncode == 143
    assert rest.endswith("evogen resume runs/small\n")
    with evogen.open("runs/small") as found:
        assert found.events()[-1].kind == "terminated"


def test_status_says_how_far_a_run_is(run: str) -> None:
    result = call("status", run)
    assert "cohorts   3/3 committed" in result.stdout
    assert "outcomes  ok 12  diverged 0" in result.stdout
    assert "unfinished" not in result.stdout


def test_show_prints_what_the_best_was_born_with(run: str) -> None:
    text = call("show", f"{run}@best").stdout
    value = json.loads(call("show", f"{run}@best", "--json").stdout)
    with evogen.open(run) as found:
        best = found.best()
        assert best is not None
        individual, evaluation = found.candidate(best)
    assert value["candidate"] == str(best)
    assert value["fitness"] == evaluation.fitness
    assert value["genome"] == json.loads(individual.genome.json)
    assert value["plan"]["groups"][-1]["name"] == "out"
    assert f"candidate   {best} of {run}, genome {individual.genome.id[:12]}" in text
    assert "rules       4 genes, 3 transmitters" in text
    for name, gene in individual.genome.plasticity.items():
        assert f"plasticity  {name} = {gene:.4g}" in text
    assert text.count("module      ") == len(individual.genome.architecture)
    assert call("show", run).stdout == text


def test_report_writes_where_it_is_told(run: str, folder: Path) -> None:
    assert call("report", run).stdout == f"report: {run}/report.html\n"
    assert call("report", run, run, "-o", "two.html").stdout == "report: two.html\n"
    assert (folder / "two.html").read_text() == "2 runs"


def test_validate_prints_a_file_that_validates_to_itself(folder: Path) -> None:
    first = call("validate", "small.yaml", "--set", "search.cohorts=7").stdout
    assert "cohorts: 7" in first
    (folder / "full.yaml").write_text(first)
    (folder / "grammar.bnf").write_text(GRAMMAR)
    assert call("validate", "full.yaml").stdout == first


def test_list_shows_every_part_with_its_settings() -> None:
    result = call("list")
    assert result.exit_code == 0
    for text in ("tasks:", "learners:", "strategies:", "rules:", "neurons:", "wirings:"):
        assert text in result.stdout
    assert "  cartpole: Balance a pole on a cart." in result.stdout
    assert "    eta = 0.01 in [0, 10] (evolvable): learning rate of the rule" in call("list", "rules").stdout
    assert "cartpole" not in call("list", "rules").stdout


def test_help_imports_nothing_heavy_in_under_half_a_second() -> None:
    code = (
        "import sys\nfrom evogen.cli import app\ntry:\n    app(['--help'])\nexcept SystemExit as end:\n"
        f"    assert end.code == 0\n    print([name for name in {HEAVY} if name in sys.modules])"
    )
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    asked = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert asked.stdout.splitlines()[-1] == "[]"
    # Processor time: that of the wall depends on what else the machine does.
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 0.5


def test_importing_the_package_imports_nothing_heavy() -> None:
    code = f"import sys, evogen\nprint([name for name in {HEAVY} if name in sys.modules])"
    asked = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert asked.stdout == "[]\n"
