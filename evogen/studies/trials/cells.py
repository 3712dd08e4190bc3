"""A cell of a trial: one arm on one task with all its training seeds, kept as one JSON file."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from evogen.analysis.plain import plain
from evogen.errors import RunError, near
from evogen.studies.store import keep, kept, versions
from evogen.studies.trials.declared import Effort, Trial, Work

SCHEMA = 1


@dataclass(frozen=True)
class TrialCell:
    """What is to be done; a value that a worker can be sent."""

    study: str
    task: str
    arm: str
    seeds: tuple[int, ...]
    sizes: tuple[tuple[str, float], ...]
    measures: tuple[str, ...]
    work: Work

    @property
    def name(self) -> str:
        """TASK-ARM."""
        return f"{self.task}-{self.arm}"

    def settings(self) -> dict[str, Any]:
        """Return all that the result follows from, as a JSON value."""
        made = {
            "study": self.study,
            "task": self.task,
            "arm": self.arm,
            "seeds": self.seeds,
            "sizes": dict(self.sizes),
        }
        return dict(json.loads(json.dumps({"schema": SCHEMA, "settings": made, "versions": versions()})))


@dataclass(frozen=True)
class Measured:
    """What came of a cell: by measure (S,) numbers, NaN where a seed failed; and seconds."""

    values: Mapping[str, np.ndarray]
    seconds: float


def cells_of(trial: Trial, effort: Effort, tasks: Sequence[str], arms: Sequence[str]) -> list[TrialCell]:
    """Return the cells of a trial, all arms of a task before the next task."""
    seeds, sizes = tuple(range(effort.seeds)), tuple(effort.sizes.items())
    return [
        TrialCell(trial.name, task, arm, seeds, sizes, tuple(trial.measures), trial.work)
        for task in tasks
        for arm in arms
        if arm in trial.arms_of(task)
    ]


def work(folder: Path, cell: TrialCell) -> None:
    """Measure one cell and keep it."""
    torch.set_num_threads(1)
    start = time.perf_counter()
    values = measured(cell)
    folder.mkdir(parents=True, exist_ok=True)
    body = {
        **cell.settings(),
        "values": {name: plain(each) for name, each in values.items()},
        "seconds": round(time.perf_counter() - start, 3),
    }
    keep(folder / f"{cell.name}.json", body)


def measured(cell: TrialCell) -> dict[str, np.ndarray]:
    """Call the trial's work, and refuse what it should not return.

    Raises:
        RunError: an unknown measure, none at all, or another count of numbers than of seeds.
    """
    found = cell.work(cell.task, cell.arm, cell.seeds, dict(cell.sizes))
    where = f"study {cell.study}: {cell.name}"
    if not found:
        raise RunError(f"{where}: wanted numbers of {', '.join(cell.measures)}, found none")
    values = {}
    for name, each in found.items():
        if name not in cell.measures:
            raise RunError(f"{where}: unknown measure '{name}'{near(name, cell.measures)}")
        values[name] = np.array([float(value) for value in each])
        if len(values[name]) != len(cell.seeds):
            raise RunError(f"{where}: {name}: wanted {len(cell.seeds)} numbers, found {len(values[name])}")
    return values


def read(folder: Path, cell: TrialCell) -> Measured | None:
    """Return a cell that is there, None if it is not.

    Raises:
        RunError: its file is damaged, or it was made with other settings or versions.
    """
    body = kept(folder / f"{cell.name}.json", cell.settings())
    if body is None:
        return None
    values = {
        name: np.array([math.nan if value is None else value for value in each])
        for name, each in body["values"].items()
    }
    return Measured(values, body["seconds"])
