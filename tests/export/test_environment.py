"""Raw cells and their scaling against the features that the task itself gives."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from evogen.errors import EvogenError
from evogen.export.environment import action, cells_of, environment_id, made_with, write_examples
from evogen.tasks import TaskKind
from evogen.tasks.cartpole import CartPole
from evogen.tasks.digits import Digits
from evogen.tasks.gymnasium import Gymnasium
from evogen.tasks.pendulum import Pendulum
from evogen.tasks.table import Table
from evogen.tasks.tables.raw import Number


@pytest.mark.parametrize(
    "task", [Digits(), Table("iris"), Table("wine", fold=2)], ids=["digits", "iris", "wine"]
)
def test_scaled_cells_are_the_tasks_own_features(task: Digits | Table, tmp_path: Path) -> None:
    cells = cells_of(task)
    features, labels = task.examples("test")
    write_examples(cells, tmp_path / "examples.csv")
    with (tmp_path / "examples.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    numbers = [rule for rule in cells.inputs if isinstance(rule, Number)]
    assert len(numbers) == len(cells.inputs) == task.inputs
    scaled = [[(float(row[rule.column]) - rule.mean) / rule.scale for rule in numbers] for row in rows]
    assert torch.equal(torch.from_numpy(np.array(scaled, dtype=np.float32)), features)
    assert [cells.classes.index(row["class"]) for row in rows] == labels.tolist()


@dataclass(frozen=True)
class Plugged:
    """A classification task that evogen does not know."""

    kind = TaskKind.CLASSIFICATION
    outputs = 2

    def examples(self, fold: str) -> tuple[Tensor, Tensor]:
        assert fold == "test"
        return torch.tensor([[0.1, -2.0], [1e-9, 3.0]]), torch.tensor([1, 0])


def test_a_task_of_a_plugin_keeps_its_features_as_they_are() -> None:
    cells = cells_of(Plugged())  # type: ignore[arg-type]
    assert {(rule.mean, rule.scale) for rule in cells.inputs if isinstance(rule, Number)} == {(0.0, 1.0)}
    found = torch.tensor([[float(cell) for cell in row] for row in cells.rows])
    assert torch.equal(found, Plugged().examples("test")[0])
    assert cells.labels == [1, 0]


def test_only_what_gymnasium_has_can_be_played() -> None:
    assert environment_id(CartPole()) == "CartPole-v1"
    assert made_with(CartPole()) == {}
    assert made_with(CartPole(horizon=700)) == {"max_episode_steps": 700}
    assert environment_id(Gymnasium("Acrobot-v1")) == "Acrobot-v1"
    with pytest.raises(EvogenError, match="the task Plugged names no environment of Gymnasium"):
        environment_id(Plugged())  # type: ignore[arg-type]


def test_an_action_is_what_the_environment_takes() -> None:
    output = torch.tensor([[[-30.0], [0.0], [30.0]]])
    assert action(Pendulum())(output).tolist() == [[[-2.0], [0.0], [2.0]]]
    assert action(CartPole())(torch.tensor([[[0.0, 1.0]]])).tolist() == [[1]]
