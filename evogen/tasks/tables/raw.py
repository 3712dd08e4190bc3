"""From a table's cells, as they come, to what a network observes, as `evogen.tasks.tables.folds` fitted it.

number      (x - mean) / scale                 what is missing counts as `missing`
category    1 where the cell is `equals`, else 0
"""

from __future__ import annotations

from typing import NamedTuple

from evogen.tasks.tables.columns import Data, Missing
from evogen.tasks.tables.folds import Rows, fitted, transformed, varying


class Number(NamedTuple):
    """An input that is a standardised number."""

    column: str
    missing: float
    mean: float
    scale: float


class Category(NamedTuple):
    """An input that says whether the cell is this category."""

    column: str
    missing: str
    equals: str


Input = Number | Category


def inputs(data: Data, rows: Rows, missing: Missing) -> tuple[Input, ...]:
    """Return how each network input is made, in the order of the features of `folds.scale`."""
    parts = fitted(data, rows, missing)
    found: list[Input] = []
    for pipeline, columns in parts:
        imputer, last = (step for _, step in pipeline.steps)
        if columns is data.numbers:
            numbers = zip(data.names, imputer.statistics_, last.mean_, last.scale_, strict=True)
            found += [Number(name, *(float(value) for value in rest)) for name, *rest in numbers]
        else:
            every = zip(data.categorical, imputer.statistics_, last.categories_, strict=True)
            found += [
                Category(name, str(usual), str(category))
                for name, usual, known in every
                for category in known
            ]
    kept = varying(transformed(parts, rows))
    return tuple(each for each, varies in zip(found, kept, strict=True) if varies)
