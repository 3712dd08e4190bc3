"""Folders that an agent is exported to, and the runner in them, which has no evogen to import."""

from __future__ import annotations

import hashlib
import json
import runpy
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import experiment_files
import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

import evogen
from evogen.cohort import Cohort, Evaluation, Individual, Outcome, Ref
from evogen.errors import EvogenError, RunError, SpecError
from evogen.evaluation import assess
from evogen.experiment.launch import problem
from evogen.export.agent import born, export_agent
from evogen.genome import load
from evogen.runs import Run
from evogen.tasks.play import answers

from .agents import STATIC

ALONE = """
import runpy, sys
sys.modules.update(dict.fromkeys(("evogen", "torch", "scipy", "sklearn")))
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""
TABLE = """\
task: {kind: table, file: points.csv, target: kind, categorical: [colour], missing: mean, measure: accuracy}
wiring: synaptogen
birth: {agents: 2}
rules: {genes: 4, min_genes: 2, max_genes: 8}
architecture: {grammar: small.bnf, start: reflex}
learner: none
strategy: random
search: {cohorts: 1, cohort_size: 3}
"""
GRAMMAR = f"<reflex> @type(module) ::= {STATIC} readout:sum conn:full plastic:none\n"


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """A search for a balanced pole by plastic agents."""
    folder = tmp_path_factory.mktemp("walk")
    text = experiment_files.EXPERIMENT.replace("report_episodes: 1", "report_episodes: 3")
    with evogen.run(evogen.load(experiment_files.write(folder, experiment=text)), out=folder / "run") as run:
        yield run


@pytest.fixture(scope="module")
def points(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """A search for the class of coloured points, some without a number or a colour."""
    folder = tmp_path_factory.mktemp("points")
    random = np.random.default_rng(4)
    lines = ["x,colour,y,kind"]
    for at in range(60):
        x, y = random.normal(size=2) * (5.0, 0.1) + (100.0, 0.0)
        colour = ("red", "green", "", "blue")[at % 4]
        lines.append(f"{'' if at % 7 == 0 else x},{colour},{y},{'near' if x < 100 else 'far'}")
    (folder / "points.csv").write_text("\n".join(lines) + "\n")
    path = experiment_files.write(folder, experiment=TABLE, grammar=GRAMMAR)
    with evogen.run(evogen.load(path), out=folder / "run") as run:
        yield run


def alone(folder: Path, *arguments: str) -> str:
    """Run the runner of a folder where neither evogen nor torch can be imported."""
    command = [sys.executable, "-c", ALONE, str(folder / "run.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, cwd=folder.parent).stdout


def test_a_runner_gets_the_return_that_the_card_promises(walk: Run, tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    ref = walk.resolve("best")
    card = export_agent(walk, ref, tmp_path / "agent", episodes=12).card
    assert card == json.loads((tmp_path / "agent" / "agent.json").read_text())
    expected, differ = card["expected"], card["checked"]["largest relative difference"]
    assert expected["episodes"] == 12
    assert set(differ) == {"agent.pt2", "agent.onnx"}
    assert max(differ.values()) < 1e-6
    low, high = expected["interval"]
    assert low <= expected["return"] <= high
    words = alone(tmp_path / "agent").split()
    assert words[:2] == ["mean", "return"]
    assert low <= float(words[2]) <= high
    assert float(words[2]) == pytest.approx(expected["return"], abs=1e-3)
    assert "over 3 episodes" in alone(tmp_path / "agent", "3")
    for name, digest in card["files"].items():
        assert hashlib.sha256((tmp_path / "agent" / name).read_bytes()).hexdigest() == digest
    assert {path.name for path in (tmp_path / "agent").iterdir()} == {*card["files"], "agent.json"}


def test_a_folder_holds_the_genome_and_the_agent_that_the_report_scores(walk: Run, tmp_path: Path) -> None:
    ref = walk.resolve("best")
    card = export_agent(walk, ref, tmp_path / "a", agent=1, episodes=2, with_onnx=False).card
    assert not (tmp_path / "a" / "run.py").exists()
    text = (tmp_path / "a" / "genome.json").read_text()
    genome = load(text, load_file(tmp_path / "a" / "genome.safetensors"))
    assert genome == walk.tuned_genome(ref)
    assert (card["candidate"], card["fingerprint"]) == (str(ref), walk.fingerprint())
    place = json.loads((tmp_path / "a" / "environment.json").read_text())
    assert (place["id"], place["inputs"], place["outputs"]) == ("CartPole-v1", 4, 2)
    posed = problem(evogen.experiment.experiment_of(walk), "cpu")
    network, _ = born(posed, genome, 1)
    key = posed.key.child("report", genome.id).child("score", 1)
    (score,) = posed.task.score(network, [key], evogen.tasks.Fold.REPORT)
    assert float(score) == assess(posed, genome, agents=2)[1]
    mean, _ = born(posed, genome, None)
    assert not all(torch.equal(one, other) for one, other in zip(mean.weights, network.weights, strict=True))


def test_a_runner_classifies_raw_cells_as_the_task_does(points: Run, tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    ref = points.resolve("best")
    card = export_agent(points, ref, tmp_path / "agent").card
    place = json.loads((tmp_path / "agent" / "environment.json").read_text())
    assert place["columns"] == ["x", "y", "colour"]
    assert [rule.get("equals") for rule in place["inputs"]] == [None, None, "blue", "green", "red"]
    experiment = evogen.experiment.experiment_of(points)
    network, _ = born(problem(experiment, "cpu"), points.tuned_genome(ref), 0)
    features, labels = experiment.task.examples("test")
    best = answers(network, features)[0].argmax(-1)
    assert card["expected"]["score"] == float((best == labels).double().mean())
    said = alone(tmp_path / "agent").split()
    assert said == [place["classes"][number] for number in best]
    table = (tmp_path / "agent" / "examples.csv").read_text().splitlines()
    assert table[0] == "x,y,colour,kind"
    assert [line.rpartition(",")[2] for line in table[1:]] == [place["classes"][number] for number in labels]
    raw = [line.split(",")[:3] for line in table[1:]]
    np.savez(tmp_path / "raw.npz", x=np.array(raw))
    assert alone(tmp_path / "agent", str(tmp_path / "raw.npz")).split() == said


def test_a_runner_is_short_and_needs_little() -> None:
    for path in sorted((Path(evogen.__file__).parent / "export" / "runners").glob("*.py")):
        lines = path.read_text().splitlines()
        assert len(lines) <= 30, path.name
        imported = {line.split()[1].split(".")[0] for line in lines if line.startswith(("import ", "from "))}
        assert imported <= {"csv", "json", "sys", "pathlib", "gymnasium", "numpy", "onnxruntime"}
        assert runpy.__name__ not in imported


def test_what_cannot_be_exported_is_refused(
    walk: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").touch()
    with pytest.raises(SpecError, match="wanted a new folder, this one is not empty"):
        export_agent(walk, Ref(0, 0), tmp_path / "full", with_onnx=False)
    with pytest.raises(SpecError, match="mine: wanted a new folder, this is a file"):
        export_agent(walk, Ref(0, 0), tmp_path / "full" / "mine", with_onnx=False)
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    with pytest.raises(SpecError, match=r"needs onnxscript: pip install 'evogen\[onnx\]'.*--without-onnx"):
        export_agent(walk, Ref(0, 0), tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_candidate_that_failed_and_a_task_of_lessons_are_refused(tmp_path: Path) -> None:
    text = "task: digits-life\n" + experiment_files.EXPERIMENT.partition("\n")[2]
    experiment = evogen.load(experiment_files.write(tmp_path, experiment=text))
    files = {"grammar.bnf": experiment.grammar.encode()}
    with Run.create(tmp_path / "run", experiment=experiment.yaml, files=files, environment={}) as run:
        from lives import make_genome

        from evogen.evaluators import Result

        two = tuple(Individual(make_genome(seed)) for seed in (1, 2))
        ends = (Evaluation(Outcome.DIVERGED), Evaluation(Outcome.OK, 1.0, (1.0, 1.0)))
        run.commit(Cohort(0, two), Result(0, ends, 1.0, "here"))
        with pytest.raises(RunError, match="candidate 0:0 ended diverged: it has no network to export"):
            export_agent(run, Ref(0, 0), tmp_path / "a", with_onnx=False)
        with pytest.raises(EvogenError, match="teaches its agents through their output neurons"):
            export_agent(run, Ref(0, 1), tmp_path / "a", with_onnx=False)
    assert not (tmp_path / "a").exists()
