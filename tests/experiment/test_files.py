from __future__ import annotations

import hashlib
import re
import shutil
from pathlib import Path

import experiment_files
import pytest
from learning.hand_made import drawn

import evogen
from evogen.cohort import Cohort, Outcome
from evogen.errors import GrammarError, RunError, SpecError
from evogen.evaluation import evaluate
from evogen.experiment import experiment_of
from evogen.experiment.files import attach
from evogen.experiment.launch import problem
from evogen.learning.distill import Distill
from evogen.registry import LARGEST, File
from evogen.schema import Where
from evogen.strategies import Scene

LEARNER = (
    "learner: {kind: distill, teacher: school/best.safetensors, iterations: 1, horizon: 8, environments: 4}\n"
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The small experiment, taught by a teacher in a folder beside it."""
    (tmp_path / "school").mkdir()
    drawn(4, 2, hidden=(5,)).save(tmp_path / "school/best.safetensors")
    return experiment_files.write(
        tmp_path, experiment=experiment_files.EXPERIMENT.replace("learner: none\n", LEARNER)
    )


def test_a_teacher_is_found_from_the_experiments_folder_and_kept_by_the_run(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    content = (file.parent / "school/best.safetensors").read_bytes()
    experiment = evogen.load(file, ["search.cohorts=2"])
    assert experiment.learner.teacher == File("best.safetensors", content)
    assert experiment.files == {"best.safetensors": content}
    assert "teacher: best.safetensors\n" in experiment.yaml
    with evogen.run(experiment, out=tmp_path / "run") as run:
        assert run.outcomes()[Outcome.OK] == 8
        expected = run.fingerprint()
        (created,) = [event.payload for event in run.events() if event.kind == "created"]
    assert created["best.safetensors"] == hashlib.sha256(content).hexdigest()
    assert (tmp_path / "run/best.safetensors").read_bytes() == content
    shutil.rmtree(file.parent / "school")
    with evogen.resume(tmp_path / "run", overrides=["search.cohorts=3"]) as run:
        assert experiment_of(run).files == {"best.safetensors": content}
        assert [evogen.replay(run, row.ref) for row in run.rows()] == [()] * 12
        assert run.fingerprint() != expected


def test_what_a_teacher_says_goes_to_workers_with_the_problem(file: Path) -> None:
    """Nothing is read from the disk where a candidate is evaluated."""
    experiment = evogen.load(file)
    posed = problem(experiment, "cpu")
    individuals = experiment.strategy.ask(
        experiment.strategy.start(),
        0,
        2,
        scene=Scene(experiment.space, lambda ref: pytest.fail(str(ref)), posed.key, posed.key),
    )
    before = evaluate(posed, Cohort(0, individuals))
    shutil.rmtree(file.parent / "school")
    after = evaluate(posed, Cohort(0, individuals))
    assert [one.fitness for one in before] == [one.fitness for one in after]
    assert {one.outcome for one in after} == {Outcome.OK}


def test_an_altered_teacher_stops_a_writer_and_a_replay(file: Path, tmp_path: Path) -> None:
    evogen.run(evogen.load(file, ["search.cohorts=1"]), out=tmp_path / "run").close()
    drawn(4, 2, seed=9, hidden=(5,)).save(tmp_path / "run/best.safetensors")
    text = r"best\.safetensors was altered since the run began"
    with pytest.raises(RunError, match=text):
        evogen.resume(tmp_path / "run", overrides=["search.cohorts=2"])
    with evogen.open(tmp_path / "run") as run, pytest.raises(RunError, match=text):
        evogen.replay(run, run.resolve("0:0"))


@pytest.mark.parametrize(
    ("written", "text"),
    [
        (
            "school/worst.safetensors",
            r"small.yaml:\d+:\d+: learner.teacher: .*worst.safetensors is not there",
        ),
        ("school", "learner.teacher: .*school is a folder, wanted a file in it"),
        ("3", "learner.teacher: wanted a file's path from the folder of this file, found 3"),
        ("small.bnf", r"learner: cannot read the teacher teacher\.bnf: "),
    ],
)
def test_a_teacher_that_is_none_is_refused_at_its_place(file: Path, written: str, text: str) -> None:
    file.write_text(file.read_text().replace("school/best.safetensors", written))
    with pytest.raises(SpecError, match=text):
        evogen.load(file)


def test_a_file_beyond_all_measure_is_refused(tmp_path: Path) -> None:
    with (tmp_path / "large").open("wb") as large:
        large.truncate(LARGEST + 1)
    with pytest.raises(SpecError, match=f"has {LARGEST + 1} bytes, a run takes at most {LARGEST}"):
        attach(Distill, {"teacher": "large"}, Where(), tmp_path)


def test_the_teachers_that_come_with_evogen_are_no_files_of_the_run(file: Path) -> None:
    file.write_text(file.read_text().replace("teacher: school/best.safetensors, ", ""))
    experiment = evogen.load(file)
    assert experiment.files == {}
    assert "teacher: ''" in experiment.yaml


@pytest.mark.parametrize(
    ("grammar", "found"),
    [
        (experiment_files.GRAMMAR, "plastic:abcd"),
        (
            "<reflex> @type(module) ::= layer:dense [width,int,1,2,4] act:tanh <n> readout:sum plastic:none\n"
            "<n> ::= neuron:rate | neuron:leaky\n",
            "neuron:leaky",
        ),
    ],
)
def test_a_learner_without_memory_refuses_a_grammar_with_it(tmp_path: Path, grammar: str, found: str) -> None:
    text = experiment_files.EXPERIMENT.replace("learner: none", "learner: dqn")
    text = re.sub("plasticity:\n.*\n", "", text)
    with pytest.raises(GrammarError) as caught:
        evogen.load(experiment_files.write(tmp_path, experiment=text, grammar=grammar))
    first, line, caret, advice = str(caught.value).split("\n")
    assert re.search(rf"small\.bnf:2:\d+: learner 'dqn' wanted networks without memory, found {found}", first)
    assert line[len(caret) - 1 :].startswith(found)
    assert "use the learner 'ppo'" in advice


def test_a_learner_without_memory_takes_a_grammar_without_it(tmp_path: Path) -> None:
    text = re.sub(
        "plasticity:\n.*\n", "", experiment_files.EXPERIMENT.replace("learner: none", "learner: dqn")
    )
    grammar = experiment_files.GRAMMAR.replace("plastic:none | plastic:abcd", "plastic:none")
    experiment = evogen.load(experiment_files.write(tmp_path, experiment=text, grammar=grammar))
    assert type(experiment.learner).__name__ == "DQN"
