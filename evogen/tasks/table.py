"""Classification of a table's rows: a CSV, Parquet or NPZ file, or a named set.

Learning sees `train`, selection `validation`, and only the report `test`; `evogen.tasks.tables.folds` says
how they are cut and scaled. The number of inputs and of classes follows from the data.

    balanced = mean over classes c of the accuracy on the rows of c
    log-loss = mean over rows i of log softmax(output_i)[label_i]     (its negative is the usual loss)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import Path

import torch
from torch import Tensor

from evogen.errors import SpecError, near
from evogen.keys import Key
from evogen.phenotype import Network
from evogen.registry import File, file, register, setting
from evogen.tasks import Fold, TaskKind
from evogen.tasks.digits import SCORED_ON
from evogen.tasks.play import answers, hits
from evogen.tasks.tables import named, reading
from evogen.tasks.tables.columns import Constant, Data, Missing, Roles, choose
from evogen.tasks.tables.folds import Rows, scale, split
from evogen.tasks.tables.reading import Sheet


class Measure(StrEnum):
    """What a score is; of all, higher is better."""

    BALANCED = "balanced"
    ACCURACY = "accuracy"
    LOG_LOSS = "log-loss"


@register("task", "table")
@dataclass(frozen=True)
class Table:
    """Say which class a row of a table belongs to."""

    file: str | File = file(  # noqa: RUF009 (a field)
        default="iris",
        names=named.NAMES,
        doc="a CSV, Parquet or NPZ file's path, or a named set: " + ", ".join(named.NAMES),
    )
    target: str = setting("", doc="the column to tell; a named set knows its own, `class`")
    categorical: tuple[str, ...] = setting((), doc="columns of categories; one input each category")
    ignore: tuple[str, ...] = setting((), doc="columns that the network does not see")
    groups: str = setting("", doc="column whose equal values stay in one fold; not seen by the network")
    missing: Missing = setting(  # noqa: RUF009 (a field)
        Missing.REFUSE, doc="missing values: refuse, mean or most-frequent of the training fold"
    )
    constant: Constant = setting(  # noqa: RUF009 (a field)
        Constant.REFUSE,
        doc="a file's columns with one value in all rows: refuse or drop; a set's are dropped",
    )
    folds: int = setting(
        5, low=3, high=100, doc="folds of equal class shares; one is for test, one validates"
    )
    fold: int = setting(0, low=0, high=99, doc="number of the fold for test, below `folds`")
    split_seed: int = setting(0, low=0, high=2**31 - 1, doc="seed of the split into folds")
    measure: Measure = setting(  # noqa: RUF009 (a field)
        Measure.BALANCED, doc="the score: balanced (accuracy), accuracy or log-loss (its negative)"
    )

    kind = TaskKind.CLASSIFICATION

    def __post_init__(self) -> None:
        if isinstance(self.file, str) and self.file not in named.NAMES:
            object.__setattr__(self, "file", _read(self.file))
        if self.fold >= self.folds:
            raise SpecError(f"fold: wanted a number below folds ({self.folds}), found {self.fold}")
        _examples(self)

    @property
    def title(self) -> str:
        """The set's name, or the file's."""
        return self.file.name if isinstance(self.file, File) else self.file

    @property
    def reported(self) -> str:
        """The fold that the search never saw."""
        return f"fold {self.fold} of {self.folds} of {self.title}, {self.measure}"

    @property
    def inputs(self) -> int:
        """Numbers and categories that vary in the training fold."""
        return self.examples("train")[0].shape[1]

    @property
    def outputs(self) -> int:
        """Number of classes."""
        return int(self.examples("train")[1].max()) + 1

    def examples(self, fold: str) -> tuple[Tensor, Tensor]:
        """Return (M, inputs) float32 features and (M,) int64 labels, shared: do not write into them."""
        return _examples(self)[fold]

    @torch.no_grad()
    def score(self, agents: Network, keys: Sequence[Key], fold: Fold) -> Tensor:
        """Return (P,) scores of each agent's first answers; every row meets a newly started network."""
        assert len(keys) == agents.rows
        features, labels = self.examples(SCORED_ON[fold])
        return self.rate(answers(agents, features), labels.to(agents.device))

    def rate(self, output: Tensor, labels: Tensor) -> Tensor:
        """Return (P,) of the measure for (P, M, classes) outputs; NaN where one is not finite."""
        if self.measure is Measure.LOG_LOSS:
            return _log_likelihood(output, labels)
        right = hits(output, labels)
        if self.measure is Measure.ACCURACY:
            return right.mean(-1)
        recalls = [right[:, labels == label].mean(-1) for label in range(self.outputs)]
        return torch.stack(recalls).sum(0) / len(recalls)


def _log_likelihood(output: Tensor, labels: Tensor) -> Tensor:
    chance = torch.log_softmax(output.double(), -1).gather(-1, labels.expand(len(output), -1)[..., None])
    found = chance.squeeze(-1).masked_fill(~output.isfinite().all(-1), torch.nan)  # (P, M)
    return torch.stack([row.mean() for row in found])  # one by one: a sum of fractions depends on its order


def _read(written: str) -> File:
    path = Path(written)
    try:
        return File(path.name, path.read_bytes())
    except OSError as error:
        what = f"wanted a table's path or a named set, found '{written}' ({error.strerror})"
        raise SpecError(what + near(written, named.NAMES)) from error


@lru_cache(maxsize=4)
def _sheet(source: str | File) -> Sheet:
    return reading.parse(source) if isinstance(source, File) else named.load(source)


@lru_cache(maxsize=16)
def _examples(task: Table) -> Mapping[str, tuple[Tensor, Tensor]]:
    data, rows = cut(task)
    features = scale(data, task.title, rows, task.missing)
    return {
        name: (torch.from_numpy(features[name]), torch.from_numpy(data.labels[members]))
        for name, members in rows.items()
    }


def cut(task: Table) -> tuple[Data, Rows]:
    """Return the examples as they are in the table, and which of them each fold has."""
    sheet, own = _sheet(task.file), isinstance(task.file, File)
    roles = Roles(
        task.target if own else task.target or named.TARGET, task.categorical, task.ignore, task.groups
    )
    data = choose(sheet, roles, missing=task.missing, constant=task.constant if own else Constant.DROP)
    seed = Key(task.split_seed).child("table").integer() % 2**32
    return data, split(data, task.title, folds=task.folds, fold=task.fold, seed=seed)
