from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from evogen.errors import RunError, SpecError
from evogen.studies import Findings, Options, find, jobs, synaptogen
from evogen.studies.arms import ARMS
from evogen.tasks import gymnasium

from .conftest import study

Finished = tuple[Path, Findings]


def _apart_from_time(record: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in record.items() if name not in ("seconds", "command")}


def test_study_leaves_its_table_in_four_forms(finished: Finished) -> None:
    out, found = finished
    assert (out / "table.txt").read_text() == found.text + "\n"
    assert max(len(line) for line in found.text.splitlines()) <= 80
    assert json.loads((out / "table.json").read_text()) == found.record
    with (out / "table.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["arm"], row["regime"]) for row in rows] == [
        (arm, regime)
        for arm in ("noise", "mean", "snes", "random")
        for regime in ("reference", "biological", "sparse")
    ]
    page = (out / "table.html").read_text()
    root = ElementTree.fromstring(page.split("\n", 1)[1].replace('<meta charset="utf-8">', ""))
    assert len(root.findall(".//table")[0].findall(".//tbody/tr")) == 12
    assert "paper, best of 9 runs: average network 500, its agents 455" in found.text


def test_numbers_are_those_of_the_cells(finished: Finished) -> None:
    out, found = finished
    for row in found.record["rows"]:
        cell = json.loads((out / "cells" / f"cartpole-{row['arm']}.json").read_bytes())
        scores = np.array(cell["scores"][row["regime"]])
        assert scores.shape == (row["seeds"], row["agents"]) == (2, 4)
        assert row["score"]["mean"] == pytest.approx(scores.mean(), rel=1e-12)
        assert row["solved"]["mean"] == pytest.approx((scores >= 475).mean(), rel=1e-12)
        assert (row["least"], row["most"]) == (scores.min(), scores.max())
        seeds = scores.mean(1)
        assert seeds.min() - 1e-9 <= row["score"]["low"] <= row["score"]["mean"] + 1e-9
        assert row["score"]["mean"] - 1e-9 <= row["score"]["high"] <= seeds.max() + 1e-9
        if row["arm"] == "random":
            assert row["average"]["mean"] is None
            assert row["steps"] == 0
        else:
            assert row["average"]["mean"] == pytest.approx(np.mean(cell["average"]), rel=1e-12)
            assert row["steps"] >= 3 * 8 * 128  # SNES begins its last generation before its budget is spent
    pair = [
        np.array(json.loads((out / "cells" / f"cartpole-{arm}.json").read_bytes())["scores"]["sparse"])
        for arm in ("noise", "mean")
    ]
    contrast = next(
        item for item in found.record["contrasts"] if (item["second"], item["regime"]) == ("mean", "sparse")
    )
    assert contrast["difference"]["mean"] == pytest.approx((pair[0] - pair[1]).mean(), abs=1e-9)


def test_two_workers_find_what_one_does(finished: Finished, tmp_path: Path) -> None:
    again = study(tmp_path, "noise mean snes random", workers=2)
    assert _apart_from_time(dict(again.record)) == _apart_from_time(dict(finished[1].record))


def test_finished_cells_are_not_done_again(
    finished: Finished, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(finished[0], tmp_path, dirs_exist_ok=True)
    (tmp_path / "cells" / "cartpole-random.json").unlink()
    done, said = [], list[str]()
    work = jobs.work
    monkeypatch.setattr(jobs, "work", lambda folder, cell: (done.append(cell.name), work(folder, cell)))
    again = study(tmp_path, "noise mean snes random", said=said)
    assert done == ["cartpole-random"]
    assert said[0] == "3 of 4 cells are there already"
    assert _apart_from_time(dict(again.record)) == _apart_from_time(dict(finished[1].record))


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def _change(path: Path) -> None:
    path.write_text(path.read_text().replace('"reference":[[', '"reference":[[1', 1))


def _remove(path: Path) -> None:
    path.unlink()


@pytest.mark.parametrize(
    ("name", "harm", "message"),
    [
        ("cartpole-noise.json", _cut, "cartpole-noise.json is damaged: JSONDecodeError"),
        ("cartpole-noise.json", _change, "cartpole-noise.json is damaged: its content does not match"),
        ("cartpole-noise.safetensors", _cut, "cartpole-noise.safetensors is damaged: its content"),
        ("cartpole-noise.safetensors", _remove, "cartpole-noise.json is damaged: FileNotFoundError"),
    ],
)
def test_damaged_cell_is_refused(
    finished: Finished, tmp_path: Path, name: str, harm: Callable[[Path], None], message: str
) -> None:
    shutil.copytree(finished[0], tmp_path, dirs_exist_ok=True)
    harm(tmp_path / "cells" / name)
    with pytest.raises(RunError, match=message):
        study(tmp_path, "noise")


def test_cell_of_another_study_is_refused(finished: Finished) -> None:
    options = Options(quick=True, seeds=3, tasks=("cartpole",), arms=("noise",), out=finished[0])
    with pytest.raises(
        RunError, match=r"made otherwise: settings.effort.seeds 2, now 3; name another folder"
    ):
        synaptogen.run(options, lambda _: None)


def test_task_whose_environment_is_missing_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(env_id: str) -> None:
        raise ValueError(f"environment '{env_id}' cannot be made: pip install \"evogen[box2d]\"")

    monkeypatch.setattr(gymnasium, "facts", missing)
    said: list[str] = []
    cells = synaptogen.plan(Options(), synaptogen.FULL, said.append)
    assert {cell.task for cell in cells} == {"cartpole", "mountain-car", "acrobot"}
    assert len(cells) == 3 * len(ARMS) - 2  # dqn on cartpole only
    assert said == [
        "left out mountain-car-dqn: the reference's learner would take hours there",
        "left out lunar-lander: environment 'LunarLander-v3' cannot be made: pip install \"evogen[box2d]\"",
        "left out acrobot-dqn: the reference's learner would take hours there",
    ]
    with pytest.raises(SpecError, match="no task is left"):
        synaptogen.plan(Options(tasks=("lunar-lander",)), synaptogen.FULL, said.append)


def test_unknown_names_are_refused_with_the_near_one() -> None:
    with pytest.raises(SpecError, match="unknown study 'synaptogn'; did you mean 'synaptogen'"):
        find("synaptogn")
    with pytest.raises(SpecError, match="--tasks: unknown 'cartpol'; did you mean 'cartpole'"):
        synaptogen.run(Options(tasks=("cartpol",)), lambda _: None)
    with pytest.raises(SpecError, match="--arms: unknown 'nois'; did you mean 'noise'"):
        synaptogen.run(Options(arms=("nois",)), lambda _: None)
    for names in ((), ("noise", "noise")):
        with pytest.raises(SpecError, match="--arms: wanted different names"):
            synaptogen.run(Options(arms=names), lambda _: None)
