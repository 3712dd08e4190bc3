"""Every command of the README runs, shortened by settings where it would take minutes."""

import re
import shlex
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

import evogen
from evogen.cli import app

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "README.md").read_text()
CONSOLE = [
    line.removeprefix("$ ").split(" # ")[0].strip()
    for block in re.findall(r"```console\n(.*?)```", TEXT, re.DOTALL)
    for line in block.splitlines()
]
EVOGEN = [line for line in CONSOLE if line.startswith("evogen ")]
SHORT = {
    "cartpole": "task.episodes=1 birth.agents=2 learner.iterations=1 learner.horizon=16",
    "digits": "birth.agents=1 learner.epochs=1",
    "digits-life": "task.lessons=5 task.questions=10 birth.agents=1",
    "neurons": "birth.agents=1 learner.epochs=1",
    "plasticity": "task.horizon=20 task.episodes=1 birth.agents=1",
    "joint": "task.episodes=1 birth.agents=2 learner.iterations=1 learner.horizon=16",
    "synaptogen-rules": "task.episodes=1 birth.agents=2 learner.iterations=1 learner.horizon=16",
}
STUDIED = {
    "synaptogen": "--tasks cartpole --arms noise",
    "rules": "--tasks mountain-car --arms evolved,random",
    "grammar": "--tasks iris --arms modules",
    "locality": "",
    "joint": "--tasks digits-life --arms joint,random",
    "evolve-rules": "--tasks cue-reward --arms evolved,random",
}
SMALL = "search.cohorts=2 search.cohort_size=2"


def shortened(line: str) -> list[str]:
    words = [re.sub(r"^search\.cohorts=\d+$", "search.cohorts=3", word) for word in shlex.split(line)[1:]]
    if words[0] == "run":
        settings = [*SHORT[Path(words[1]).stem].split(), *SMALL.split()]
        words += [part for each in settings for part in ("--set", each)]
    if words[0] == "study":
        words += ["--quick", "--seeds", "2", *STUDIED[words[1]].split()]
    return words


class Server:
    """Takes what is submitted to a cluster; tests/distributed has the real one."""

    submit_job = staticmethod(lambda **_: "raysubmit_1")


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for folder in ("searchspaces", "grammars"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("evogen.distributed.submit._client", lambda _: Server)
    return tmp_path


def test_the_readme_shows_every_command() -> None:
    named = {
        command.name or command.callback.__name__ for command in app.registered_commands if command.callback
    }
    assert named == {line.split()[1] for line in EVOGEN}


def test_every_make_target_of_the_readme_exists() -> None:
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert {line.split()[1] for line in CONSOLE if line.startswith("make ")} <= targets


def test_every_evogen_command_of_the_readme_runs(checkout: Path) -> None:
    for line in EVOGEN:
        result = CliRunner().invoke(app, shortened(line))
        assert result.exit_code == 0, f"{line}\n{result.output}"
    assert (checkout / "first.html").stat().st_size > 10_000


def test_the_python_of_the_readme_runs(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    settings = [*SHORT["cartpole"].split(), *SMALL.split()]
    code = code.replace('["search.cohorts=4"]', repr(settings)).replace("workers=2", "workers=0")
    exec(compile(code, "README.md", "exec"), {})
    with evogen.open(checkout / "runs/mine") as run:
        assert run.fingerprint() in capsys.readouterr().out
