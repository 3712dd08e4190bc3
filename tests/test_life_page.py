"""What docs/life.md shows runs."""

import contextlib
import re
import shutil
from pathlib import Path

import pytest

from evogen.cohort import Outcome
from evogen.experiment import launch
from evogen.experiment.spec import load
from evogen.registry import PACKAGES, _registered, known

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "docs/life.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)


@pytest.mark.parametrize("text", blocks("yaml"), ids=lambda text: text.split()[1])
def test_every_experiment_of_the_page_runs(text, tmp_path):
    if "swimmer" in text:
        pytest.importorskip("mujoco")
    shutil.copytree(ROOT / "grammars", tmp_path / "grammars")
    (tmp_path / "mine").mkdir()
    file = tmp_path / "mine" / "mine.yaml"
    file.write_text(text)
    small = ["search.cohorts=1"] + (["task.lessons=5"] if "digits-life" in text else [])
    experiment = load(file, small)
    with contextlib.closing(launch.run(experiment, out=tmp_path / "run")) as run:
        assert {outcome for outcome, count in run.outcomes().items() if count} == {Outcome.OK}


def test_the_circuit_of_the_page_keeps_its_contract(capsys):
    (code,) = blocks("python")
    try:
        exec(compile(code, "docs/life.md", "exec"), {"__name__": "life"})
    finally:
        _registered["circuit"].pop("ring", None)
    assert capsys.readouterr().out == "kept\n"


def test_the_page_names_every_part():
    """A part that nobody can find on the page might as well not be there."""
    kinds = ("rule", "neuron", "circuit", "error", "schedule", "protection", "metric")
    missing = [f"{kind} {name}" for kind in kinds for name in known(kind) if f"{name}" not in TEXT]
    assert set(kinds) <= set(PACKAGES)
    assert not missing
