"""Where an exported agent acts: Gymnasium's environment, or how a table's cells become what it observes.

What environment.json says, by the task's kind:

    control, continuous   id, kwargs: for `gymnasium.make`
    classification        columns, target, classes; `inputs`: how each is made of a column's cell, see
                          `evogen.tasks.tables.raw`; `missing`: what stands for no value, in any case

A classification task of a plug-in keeps its own scaling: there the inputs are those of `examples`, as they
are.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, cast

from torch import Tensor

from evogen.errors import EvogenError
from evogen.phenotype.network import CLIP, Network
from evogen.tasks import ClassificationTask, ControlTask, Fold, Task, TaskKind
from evogen.tasks.classic import Classic
from evogen.tasks.digits import SCORED_ON, Digits, raw
from evogen.tasks.gymnasium import Gymnasium
from evogen.tasks.play import greedy
from evogen.tasks.table import Table, cut
from evogen.tasks.tables.raw import Input, Number, inputs
from evogen.tasks.tables.reading import MISSING

EXAMPLES = "examples.csv"
CLASS = "class"


@dataclass(frozen=True)
class Cells:
    """Raw examples of the report's fold and how they are scaled.

    Attributes:
        columns: names, in order.
        target: name of the column that says the class.
        classes: their names, in the order of the outputs.
        inputs: how each network input is made.
        rows: cells as text, "" where one is missing; one list an example.
        labels: numbers of the classes, one an example.
    """

    columns: tuple[str, ...]
    target: str
    classes: tuple[str, ...]
    inputs: tuple[Input, ...]
    rows: Sequence[Sequence[str]]
    labels: Sequence[int]


def environment_id(task: Task) -> str:
    """Return Gymnasium's id of what a control task stands for.

    Raises:
        EvogenError: nothing in Gymnasium is known to be this task.
    """
    match task:
        case Classic():
            return task.official
        case Gymnasium():
            return task.id
    name = type(task).__name__
    raise EvogenError(
        f"the task {name} names no environment of Gymnasium, so no runner can play it: only tasks of kind "
        "'gymnasium', the classic control tasks and classification can be exported"
    )


def made_with(task: Task) -> dict[str, Any]:
    """Return what Gymnasium is told beside the id, to make an environment like a control task's."""
    return dict(task.made_with) if isinstance(task, Classic) else {}


def action(task: Task) -> Callable[[Tensor], Tensor]:
    """Return what the program makes of (1, batch, outputs)."""
    if task.kind in (TaskKind.CONTROL, TaskKind.CONTINUOUS):
        return cast("ControlTask", task).act
    return greedy


def described(task: Task, network: Network, cells: Cells | None) -> dict[str, Any]:
    """Return what environment.json says."""
    found: dict[str, Any] = {"kind": str(task.kind), "inputs": task.inputs, "outputs": task.outputs}
    if cells is None:
        found |= {"id": environment_id(task), "kwargs": made_with(task), "gymnasium": version("gymnasium")}
        return found | {"observation": _lens(network)}
    rules = [{**one._asdict()} for one in cells.inputs]
    return found | {
        "columns": list(cells.columns),
        "target": cells.target,
        "classes": list(cells.classes),
        "missing": sorted(MISSING),
        "inputs": rules,
        "examples": EXAMPLES,
    }


def _lens(network: Network) -> dict[str, Any]:
    if network.lens is None:
        return {"scaling": "none"}
    centre, spread = (part[0].tolist() for part in network.lens)
    law = "(observation - centre) / spread, within +-clip"
    return {"scaling": "inside the network", "law": law, "centre": centre, "spread": spread, "clip": CLIP}


def cells_of(task: ClassificationTask) -> Cells:
    """Return the examples of the report's fold as they are before any scaling."""
    fold = SCORED_ON[Fold.REPORT]
    match task:
        case Table():
            data, rows = cut(task)
            members = rows[fold]
            numbers, categories = data.numbers[members].tolist(), data.categories[members].tolist()
            text = [
                [*("" if value != value else repr(value) for value in some), *map(str, others)]
                for some, others in zip(numbers, categories, strict=True)
            ]
            columns = (*data.names, *data.categorical)
            target = task.target or CLASS
            rules = inputs(data, rows, task.missing)
            return Cells(columns, target, data.classes, rules, text, data.labels[members].tolist())
        case Digits():
            pixels, labels, means, scales = raw(task, fold)
            columns = tuple(f"pixel_{at // 8}_{at % 8}" for at in range(len(means)))
            rules = tuple(
                Number(name, mean, mean, scale)
                for name, mean, scale in zip(columns, means, scales, strict=True)
            )
            names = tuple(str(digit) for digit in range(task.outputs))
            return Cells(columns, CLASS, names, rules, [[repr(x) for x in row] for row in pixels], labels)
    features, answers = task.examples(fold)
    columns = tuple(f"input_{at}" for at in range(features.shape[1]))
    plain = tuple(Number(name, 0.0, 0.0, 1.0) for name in columns)
    text = [[repr(x) for x in row] for row in features.double().tolist()]
    names = tuple(str(number) for number in range(task.outputs))
    return Cells(columns, CLASS, names, plain, text, answers.tolist())


def write_examples(cells: Cells, path: Path) -> None:
    """Write the examples as a table with their classes in the last column."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([*cells.columns, cells.target])
        for row, label in zip(cells.rows, cells.labels, strict=True):
            writer.writerow([*row, cells.classes[label]])
