from __future__ import annotations

from pathlib import Path

import pytest

from evogen.studies import Findings, Options, synaptogen
from evogen.studies.recipes import Effort

TINY = Effort(seeds=2, agents=4, episodes=2, average_episodes=3, part=0.025)  # 3 iterations of PPO


def study(out: Path, arms: str, *, workers: int = 1, said: list[str] | None = None) -> Findings:
    """Run the quick study on CartPole."""
    options = Options(quick=True, tasks=("cartpole",), arms=tuple(arms.split()), workers=workers, out=out)
    return synaptogen.run(options, (lambda _: None) if said is None else said.append)


@pytest.fixture(scope="package", autouse=True)
def tiny() -> object:
    """Make every quick study of these tests a tiny one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(synaptogen, "QUICK", TINY)
        yield


@pytest.fixture(scope="package")
def finished(tiny: object, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Findings]:
    """Return a study's folder and findings; not to be changed."""
    out = tmp_path_factory.mktemp("study")
    return out, study(out, "noise mean snes random")
