from __future__ import annotations

from pathlib import Path

import pytest

from evogen.analysis.comparison.arms import grouped, mixed, named, paths_of
from evogen.errors import RunError

from .invented import trial


def test_runs_that_differ_in_their_seed_only_are_one_arm() -> None:
    found = grouped([trial("genetic", 2), trial("random", 1), trial("genetic", 1)])
    assert [(arm.name, [one.seed for one in arm.every]) for arm in found] == [
        ("strategy=genetic", [1, 2]),
        ("strategy=random", [1]),
    ]
    assert found[0].differs == {"strategy.kind": "genetic"}


def test_arms_are_named_by_as_little_as_tells_them_apart() -> None:
    part = {"strategy.kind": "genetic", "strategy.population": 8, "search.lives": 1, "learner.lr": 0.1}
    runs = [
        trial("", 1, settings=part),
        trial("", 2, settings=part | {"learner.lr": 0.2}),
        trial("", 3, settings={**part, "strategy.kind": "random", "strategy.size": 3}),
    ]
    names = [arm.name for arm in grouped(runs)]
    assert names == ["strategy=genetic, lr=0.1", "strategy=genetic, lr=0.2", "strategy=random, lr=0.1"]
    assert [arm.name for arm in grouped(runs[:2])] == ["lr=0.1", "lr=0.2"]
    assert [arm.name for arm in grouped(runs[:1])] == ["all runs"]


def test_settings_below_a_kind_name_arms_of_one_kind() -> None:
    runs = [trial("", at, settings={"strategy.kind": "genetic", "strategy.population": at}) for at in (4, 8)]
    runs.append(trial("", 1, settings={"strategy.kind": "random"}))
    assert [arm.name for arm in grouped(runs)] == [
        "strategy=genetic, population=4",
        "strategy=genetic, population=8",
        "strategy=random",
    ]


def test_tasks_are_strata_named_by_what_they_differ_in() -> None:
    runs = [
        trial("a", 1, task={"kind": "cartpole", "episodes": 1}),
        trial("a", 1, task={"kind": "cartpole", "episodes": 5}),
        trial("a", 1, task={"kind": "gymnasium", "id": "Acrobot-v1"}),
    ]
    (arm,) = grouped(runs)
    assert list(arm.trials) == ["cartpole (episodes=1)", "cartpole (episodes=5)", "Acrobot-v1"]


def test_one_run_is_never_evidence_twice() -> None:
    with pytest.raises(RunError, match="runs/a-1 and runs/copy are the same experiment with the same seed"):
        grouped([trial("a", 1), trial("a", 1, path=Path("runs/copy"))])


def test_named_arms_say_what_varies_inside_them() -> None:
    (arm,) = named({"both": [trial("genetic", 1), trial("random", 2)]})
    assert mixed(arm) == ["strategy.kind"]
    assert arm.differs == {"strategy.kind": "varies (genetic, random)"}


def test_patterns_and_lists_name_runs(tmp_path: Path) -> None:
    for name in ("a-1", "a-2", "b-1"):
        (tmp_path / name).mkdir()
    (tmp_path / "a-file").touch()
    found = paths_of([f"wide={tmp_path}/a-*", f"b={tmp_path}/b-1,{tmp_path}/a-1"])
    assert found == {
        "wide": [tmp_path / "a-1", tmp_path / "a-2"],
        "b": [tmp_path / "b-1", tmp_path / "a-1"],
    }


@pytest.mark.parametrize("text", ["runs/a", "=runs/a", "a=", "a=nothing-here-*"])
def test_arms_that_name_no_runs_are_refused(text: str) -> None:
    with pytest.raises(RunError, match="--arm"):
        paths_of([text])


def test_an_arm_that_is_named_twice_is_refused() -> None:
    with pytest.raises(RunError, match="named twice"):
        paths_of(["a=x", "a=y"])


def test_a_run_in_two_arms_is_refused() -> None:
    with pytest.raises(RunError, match="runs/a-1 is in the arms 'one' and 'two'"):
        named({"one": [trial("a", 1), trial("a", 2)], "two": [trial("a", 1)]})
