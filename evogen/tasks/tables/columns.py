"""What the columns of a table are for: features as numbers or categories, the class, the groups.

Everything that can be wrong with the data whatever the folds is found here and said with its row (counted
from 1 below the column names) and column.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from evogen.errors import SpecError, near
from evogen.tasks.tables.reading import Column, Sheet


class Missing(StrEnum):
    """What becomes of a missing value: the training fold's mean (for categories its most frequent), ..."""

    REFUSE = "refuse"
    MEAN = "mean"
    MOST_FREQUENT = "most-frequent"


class Constant(StrEnum):
    """What becomes of a column that has the same value, or none, in every row."""

    REFUSE = "refuse"
    DROP = "drop"


class Roles(NamedTuple):
    """Columns by what they are for; every other one is a number that the network sees."""

    target: str
    categorical: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    groups: str = ""


class Data(NamedTuple):
    """M examples.

    Attributes:
        names: of the columns of `numbers`.
        numbers: (M, N) float64, NaN where one is missing.
        categories: (M, C) strings (dtype object), "" where one is missing.
        labels: (M,) int64 positions in `classes`.
        classes: in order of their numbers, or of the alphabet.
        groups: (M,) int64, or None; examples with the same number belong to the same fold.
        categorical: names of the columns of `categories`.
    """

    names: tuple[str, ...]
    numbers: NDArray[np.float64]
    categories: NDArray[np.object_]
    labels: NDArray[np.int64]
    classes: tuple[str, ...]
    groups: NDArray[np.int64] | None
    categorical: tuple[str, ...] = ()


def choose(sheet: Sheet, roles: Roles, *, missing: Missing, constant: Constant) -> Data:
    """Return the examples of a table.

    Raises:
        SpecError: a column is not there or has two roles, fewer than two classes, no feature, a cell that is
            no finite number, or what `missing` or `constant` refuse.
    """
    features = _features(sheet, roles)
    columns = {
        name: _categories(sheet.columns[name])
        if name in roles.categorical
        else _numbers(sheet.columns[name], sheet.title, name)
        for name in features
    }
    if missing is Missing.REFUSE:
        for name, column in columns.items():
            _complete(
                column, sheet.title, name, "write missing: mean, or most-frequent, or ignore the column"
            )
    same = [name for name, column in columns.items() if len(np.unique(column[~_gaps(column)])) < 2]
    if same and constant is Constant.REFUSE:
        more = f" and {len(same) - 1} more" if len(same) > 1 else ""
        raise SpecError(
            f"{sheet.title}: wanted columns that vary, found '{same[0]}'{more} with one value in all rows: "
            "write constant: drop, or ignore them"
        )
    kept = [name for name in features if name not in same]
    if not kept:
        raise SpecError(f"{sheet.title}: wanted a column that varies beside '{roles.target}', found none")
    names = tuple(name for name in kept if name not in roles.categorical)
    rows = len(columns[kept[0]])
    labels, classes = _labels(sheet.columns[roles.target], sheet.title, roles.target)
    return Data(
        names,
        np.stack([columns[name] for name in names], -1) if names else np.empty((rows, 0)),
        np.array([columns[name] for name in kept if name in roles.categorical], object).reshape(-1, rows).T,
        labels,
        classes,
        _labels(sheet.columns[roles.groups], sheet.title, roles.groups)[0] if roles.groups else None,
        tuple(name for name in kept if name in roles.categorical),
    )


def _features(sheet: Sheet, roles: Roles) -> list[str]:
    if not roles.target:
        known = ", ".join(list(sheet.columns)[:12])
        raise SpecError(f"{sheet.title}: wanted a target column: write target: NAME, one of {known}")
    named = [
        ("target", roles.target),
        *(("categorical", name) for name in roles.categorical),
        *(("ignore", name) for name in roles.ignore),
        *([("groups", roles.groups)] if roles.groups else []),
    ]
    seen: dict[str, str] = {}
    for role, name in named:
        if name not in sheet.columns:
            raise SpecError(f"{sheet.title}: no column '{name}' as {role}{near(name, sheet.columns)}")
        if name in seen:
            raise SpecError(f"{sheet.title}: column '{name}' is both {seen[name]} and {role}: choose one")
        seen[name] = role
    return [name for name in sheet.columns if seen.get(name, "categorical") == "categorical"]


def _numbers(column: Column, title: str, name: str) -> NDArray[np.float64]:
    numbers = (
        np.array([_number(cell) for cell in column]) if column.dtype == object else column.astype(np.float64)
    )
    for row in np.flatnonzero(np.isinf(numbers)):
        raise SpecError(
            f"{title}: row {row + 1}, column '{name}': wanted a finite number, found {column[row]!r}: "
            "correct it, or list the column under categorical or ignore"
        )
    return numbers


def _number(cell: str) -> float:
    """Return NaN for a missing cell, and infinity for one that is no number."""
    if not cell:
        return np.nan
    try:
        return float(cell) if "_" not in cell else np.inf
    except ValueError:
        return np.inf


def _categories(column: Column) -> Column:
    if column.dtype == object:
        return column
    return np.array(["" if np.isnan(cell) else f"{cell:.17g}" for cell in column], dtype=object)


def _gaps(column: Column) -> NDArray[np.bool_]:
    return np.asarray(column == "" if column.dtype == object else np.isnan(column))


def _complete(column: Column, title: str, name: str, advice: str) -> None:
    rows = np.flatnonzero(_gaps(column))
    if len(rows):
        more = f" ({len(rows)} such rows)" if len(rows) > 1 else ""
        raise SpecError(f"{title}: row {rows[0] + 1}, column '{name}': found no value{more}: {advice}")


def _labels(column: Column, title: str, name: str) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    _complete(column, title, name, "every row needs one: complete it, or remove the row")
    if column.dtype == object:
        numbers = np.array([_number(cell) for cell in column])
        column = numbers if np.isfinite(numbers).all() else column
    found, labels = np.unique(column, return_inverse=True)
    classes = tuple(_categories(found))
    if len(classes) < 2:
        raise SpecError(f"{title}: wanted at least two values in column '{name}', found '{classes[0]}' only")
    return labels.astype(np.int64), classes
