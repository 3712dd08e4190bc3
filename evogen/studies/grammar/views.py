"""View: a table of which the inner loop sees some folds and a score the others.

While a search runs, learning sees `train` and selection `validation`. Once it is over, its winner learns anew
from both, as every baseline does, and is scored on `test`, for the first and only time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from evogen.keys import Key
from evogen.phenotype import Network
from evogen.tasks import Fold, TaskKind
from evogen.tasks.play import answers
from evogen.tasks.table import Measure, Table


@dataclass(frozen=True)
class View:
    """A classification task made of a table's folds.

    Attributes:
        table: its rows, folds and scaling.
        learn: folds that learning sees, as its `train`.
        judge: folds that every score is measured on.
        measure: what a score is.
    """

    table: Table
    learn: tuple[str, ...]
    judge: tuple[str, ...]
    measure: Measure

    kind = TaskKind.CLASSIFICATION

    @property
    def reported(self) -> str:
        """The folds that are scored."""
        return f"{' and '.join(self.judge)} of {self.table.title}"

    @property
    def inputs(self) -> int:
        """Features of a row."""
        return self.table.inputs

    @property
    def outputs(self) -> int:
        """Number of classes."""
        return self.table.outputs

    def examples(self, fold: str) -> tuple[Tensor, Tensor]:
        """Return (M, inputs) features and (M,) labels of what learning sees, whatever it calls it."""
        assert fold == "train"
        return self._rows(self.learn)

    @torch.no_grad()
    def score(self, agents: Network, keys: Sequence[Key], fold: Fold) -> Tensor:  # noqa: ARG002 (a task's)
        """Return (P,) scores on the judged folds."""
        features, labels = self._rows(self.judge)
        return self.rate(answers(agents, features), labels)

    def rate(self, output: Tensor, labels: Tensor) -> Tensor:
        """Return (P,) of the measure for (P, M, classes) outputs."""
        return _measured(self.table, self.measure).rate(output, labels)

    def _rows(self, folds: tuple[str, ...]) -> tuple[Tensor, Tensor]:
        parts = [self.table.examples(fold) for fold in folds]
        if len(parts) == 1:
            return parts[0]
        features, labels = zip(*parts, strict=True)
        return torch.cat(features), torch.cat(labels)


def _measured(table: Table, measure: Measure) -> Table:
    return Table(
        file=table.file, folds=table.folds, fold=table.fold, split_seed=table.split_seed, measure=measure
    )


def searching(table: Table) -> View:
    """Return what a search with an inner loop sees: selection by validation, on log-loss, which says most."""
    return View(table, ("train",), ("validation",), Measure.LOG_LOSS)


def evolving(table: Table) -> View:
    """Return what a search without an inner loop sees: selection is all its learning, from the same rows."""
    return View(table, ("train",), ("train", "validation"), Measure.LOG_LOSS)


def final(table: Table) -> View:
    """Return what the winner of a search sees: it learns from all but the test rows, and is tested."""
    return View(table, ("train", "validation"), ("test",), Measure.ACCURACY)
