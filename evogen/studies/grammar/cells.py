"""A cell: one arm on one set with all its seeds, kept as SET-ARM.json.

A seed is another split of the set, and the root of its searches' randomness. All arms of a seed learn from
the same rows, training and validation, and are tested on the same others.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch

from evogen.analysis.plain import plain
from evogen.studies.grammar import baselines
from evogen.studies.grammar.arms import Arm
from evogen.studies.grammar.files import GRAMMAR, SEARCH, settings, written
from evogen.studies.grammar.search import Found, search
from evogen.studies.grammar.sets import FOLDS, size
from evogen.studies.store import keep, kept, versions

SCHEMA = 1
_BASELINES: Mapping[str, Callable[[str, int], Found]] = {
    "logistic": baselines.logistic,
    "mlp-32": baselines.mlp_32,
}


@dataclass(frozen=True)
class Effort:
    """How much of the study is done.

    Attributes:
        seeds: splits of each set.
        first: seed of the first split.
        cohorts, cohort_size: of a trained search; on a large set one cohort less, of half the size.
        evolved: times as many cohorts in a search without a gradient.
    """

    seeds: int = 10
    first: int = 0
    cohorts: int = 4
    cohort_size: int = 16
    evolved: int = 10


@dataclass(frozen=True)
class Cell:
    """What is to be done; a value that a worker can be sent."""

    set: str
    arm: Arm
    effort: Effort

    @property
    def name(self) -> str:
        """SET-ARM."""
        return f"{self.set}-{self.arm.name}"

    @property
    def cohorts(self) -> int:
        """Cohorts of each search, an arm's shares not counted."""
        trained = max(1, self.effort.cohorts - size(self.set).large)
        return trained * (self.effort.evolved if self.arm.weights == "evolved" else 1)

    @property
    def cohort_size(self) -> int:
        """Candidates of a cohort."""
        return self.effort.cohort_size // (2 if size(self.set).large else 1)

    @property
    def candidates(self) -> int:
        """Candidates of each seed."""
        if self.arm.kind != "search":
            return 1
        return self.cohorts * self.cohort_size * self.arm.shares

    def settings(self) -> dict[str, Any]:
        """Return all that the result follows from, beside versions, as a JSON value."""
        found: dict[str, Any] = {"set": self.set, "arm": asdict(self.arm), "folds": FOLDS}
        found["seeds"] = [self.effort.first, self.effort.seeds]
        if self.arm.kind == "search":
            text = GRAMMAR + SEARCH
            found["files"] = hashlib.sha256(text.encode()).hexdigest()
            found["set on top"] = settings(
                self.set,
                size(self.set),
                self.arm,
                self.effort.first,
                cohorts=self.cohorts,
                cohort_size=self.cohort_size,
            )
        return found


@dataclass(frozen=True, eq=False)
class Result:
    """What came of a cell, (S,) each; see `Found`. `seconds` is the time of all seeds together."""

    test: np.ndarray
    validation: np.ndarray
    parameters: np.ndarray
    neurons: np.ndarray
    seconds: float


def work(folder: Path, cell: Cell) -> None:
    """Do one cell and keep it."""
    torch.set_num_threads(1)
    start = time.perf_counter()
    seeds = range(cell.effort.first, cell.effort.first + cell.effort.seeds)
    if cell.arm.kind == "search":
        file, of = written(folder), size(cell.set)
        length = {"cohorts": cell.cohorts, "cohort_size": cell.cohort_size}
        found = [search(file, cell.set, of, cell.arm, seed, **length) for seed in seeds]
    else:
        found = [_BASELINES[cell.arm.kind](cell.set, seed) for seed in seeds]
    columns = {item.name: plain([getattr(each, item.name) for each in found]) for item in fields(Found)}
    seconds = round(time.perf_counter() - start, 3)
    (folder / "cells").mkdir(parents=True, exist_ok=True)
    keep(_path(folder, cell), {**_wanted(cell), **columns, "seconds": seconds})


def read(folder: Path, cell: Cell) -> Result | None:
    """Return a cell that is there, None if it is not.

    Raises:
        RunError: the file is damaged, or the cell was made with other settings or versions.
    """
    body = kept(_path(folder, cell), _wanted(cell))
    if body is None:
        return None
    columns = {item.name: np.array(body[item.name], dtype=np.float64) for item in fields(Found)}
    return Result(**columns, seconds=float(body["seconds"]))


def _path(folder: Path, cell: Cell) -> Path:
    return folder / "cells" / f"{cell.name}.json"


def _wanted(cell: Cell) -> dict[str, Any]:
    plain = {"scikit-learn": version("scikit-learn")}
    return {"schema": SCHEMA, "settings": cell.settings(), "versions": versions() | plain}
