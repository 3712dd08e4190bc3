"""The whole loop on the shipped search spaces: real evaluation, real Ray, real kills."""

import random
import shlex
import subprocess
import sys
import time
from pathlib import Path

import pytest

import evogen
from evogen.cohort import Outcome

ROOT = Path(__file__).parent.parent
SPACES = sorted((ROOT / "searchspaces").glob("*.yaml"))
SHORT = [
    "task.episodes=1",
    "task.report_episodes=1",
    "birth.agents=2",
    "learner.iterations=1",
    "learner.horizon=16",
    "search.cohorts=16",
    "search.cohort_size=4",
    "strategy.population=4",
]
KILLS = 10


def cartpole(**changes: object) -> evogen.Experiment:
    return evogen.load(
        ROOT / "searchspaces/cartpole.yaml", [*SHORT, *(f"{k}={v}" for k, v in changes.items())]
    )


def told(folder: Path) -> int:
    if not (folder / "run.db").exists():
        return 0
    with evogen.open(folder) as run:
        return run.told


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> str:
    with evogen.run(cartpole(), out=tmp_path_factory.mktemp("unbroken") / "run") as run:
        return run.fingerprint()


@pytest.mark.parametrize("path", SPACES, ids=lambda path: path.stem)
def test_every_shipped_search_space_loads(path: Path) -> None:
    experiment = evogen.load(path)
    assert experiment.name == path.stem
    assert experiment.search.cohorts * experiment.search.cohort_size >= 64


def test_all_three_chromosomes_evolve_in_cartpole(tmp_path: Path) -> None:
    space = evogen.load(ROOT / "searchspaces/cartpole.yaml").space
    assert space.rules is not None
    assert space.rules.evolve
    assert space.architecture.evolve
    assert len(space.plasticity) >= 3
    with evogen.run(cartpole(), out=tmp_path / "run") as run:
        named = {part.partition(".")[0] for row in run.rows() for part in row.operator.split("+")}
    assert {"rules", "architecture", "plasticity"} <= named


@pytest.mark.parametrize("workers", [1, 2])
def test_workers_change_no_bit(workers: int, unbroken: str, tmp_path: Path) -> None:
    with evogen.run(cartpole(), workers=workers, out=tmp_path / "run") as run:
        assert run.fingerprint() == unbroken


def test_another_seed_is_another_run(unbroken: str, tmp_path: Path) -> None:
    with evogen.run(cartpole(seed=2), out=tmp_path / "run") as run:
        assert run.fingerprint() != unbroken
        assert run.outcomes()[Outcome.OK] == 64


def test_killed_at_ten_random_instants_and_resumed_it_is_the_unbroken_run(
    unbroken: str, tmp_path: Path
) -> None:
    folder, rng, cuts = tmp_path / "run", random.Random(7), list[int]()
    settings = " ".join(f"--set {shlex.quote(each)}" for each in SHORT)
    while True:
        begun = (folder / "run.db").exists()
        first = f"run {ROOT}/searchspaces/cartpole.yaml -o {folder} {settings}"
        command = [sys.executable, "-m", "evogen", *shlex.split(f"resume {folder}" if begun else first)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
            assert process.stdout is not None
            if len(cuts) < KILLS:
                if len(cuts) % 2:  # once something new is committed; else anywhere, the start included
                    process.stdout.readline()
                    time.sleep(rng.uniform(0.0, 0.3))
                else:
                    time.sleep(rng.uniform(0.0, 4.0))
                process.kill()
                process.wait()
                cuts.append(told(folder))
                continue
            said = process.communicate()[0].decode()
            assert process.returncode == 0, said
            break
    with evogen.open(folder) as run:
        assert run.told == 16
        assert run.fingerprint() == unbroken
    assert "winner" in said
    assert len({cut for cut in cuts if 0 < cut < 16}) >= 3, cuts
