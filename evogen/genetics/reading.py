"""The user's own tables: a folder with expression.csv, contact.csv and synapse.csv.

    expression.csv   class, gene1, gene2, ...      one row per neuron class, numbers >= 0
    contact.csv      class, A, B, ...              one row [pre] and one column [post] per class, numbers >= 0
    synapse.csv      as contact.csv, the same classes in any order

Nothing is guessed: a hole, a repeated name or a text where a number belongs is an error that says file, line
and column.
"""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from evogen.errors import SpecError, near
from evogen.genetics.ndge import Floats

# The largest table of CeNGEN has 15 MB.
LARGEST = 2**28


@dataclass(frozen=True, eq=False)
class Tables:
    """Expression, contact and synapses of the same classes.

    Attributes:
        classes: the neuron classes, in the rows' order.
        genes: the genes, in the columns' order of expression.
        expression: (classes, genes).
        contact: (classes, classes) [pre, post].
        synapse: (classes, classes) [pre, post].
    """

    classes: tuple[str, ...]
    genes: tuple[str, ...]
    expression: Floats
    contact: Floats
    synapse: Floats


def read_tables(folder: Path | str) -> Tables:
    """Read the three tables of a folder; the classes are contact.csv's, in its order.

    Expression may hold more classes than the two square tables (they are left out), never fewer.

    Raises:
        SpecError: a file is missing or cannot be read, a cell is wrong (file:line and column), or the tables
            name different classes.
    """
    at = Path(folder)
    known, genes, profiles = read_table(at / "expression.csv")
    classes, contact = read_square(at / "contact.csv")
    others, synapse = read_square(at / "synapse.csv")
    for name in classes:
        if name not in known:
            raise SpecError(
                f"{at / 'expression.csv'}: no row for class '{name}' of contact.csv{near(name, known)}"
            )
    if set(others) != set(classes):
        odd = sorted(set(others) ^ set(classes))
        raise SpecError(
            f"{at}: contact.csv and synapse.csv must name the same classes; only in one: {', '.join(odd)}"
        )
    rows = [known.index(name) for name in classes]
    order = [others.index(name) for name in classes]
    return Tables(classes, genes, profiles[rows], contact, synapse[np.ix_(order, order)])


def read_square(path: Path) -> tuple[tuple[str, ...], Floats]:
    """Read a table of classes by classes; its columns may stand in another order than its rows.

    Returns:
        the classes in the rows' order, and the (classes, classes) numbers.

    Raises:
        SpecError: as `read_table`, or rows and columns name different classes.
    """
    rows, columns, numbers = read_table(path)
    if set(rows) != set(columns):
        odd = sorted(set(rows) ^ set(columns))
        raise SpecError(f"{path}: rows and columns must name the same classes; only in one: {', '.join(odd)}")
    return rows, numbers[:, [columns.index(name) for name in rows]]


def read_table(path: Path) -> tuple[tuple[str, ...], tuple[str, ...], Floats]:
    """Read a CSV table whose first row and first column are names and whose cells are numbers >= 0.

    Returns:
        row names, column names and the (rows, columns) numbers.

    Raises:
        SpecError: the file cannot be read, or a cell is wrong; the text says file:line and column.
    """
    rows: dict[str, list[float]] = {}
    try:
        if path.stat().st_size > LARGEST:
            raise SpecError(f"{path}: wanted a table of at most {LARGEST >> 20} MB; this file is larger")
        with path.open(newline="", encoding="utf-8-sig") as file:
            lines = csv.reader(file, strict=True)
            columns = _header(next(lines, []), path)
            for cells in lines:
                if cells:
                    name = _row_name(cells, columns, rows, f"{path}:{lines.line_num}")
                    rows[name] = [
                        _number(cell, f"{path}:{lines.line_num}: column {index} ('{column}')")
                        for index, (cell, column) in enumerate(zip(cells[1:], columns, strict=True), start=2)
                    ]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SpecError(f"{path}: wanted a CSV table in UTF-8: {error}") from error
    if not rows:
        raise SpecError(f"{path}: wanted rows of numbers under the header, found none")
    return tuple(rows), columns, np.array(list(rows.values()), dtype=np.float64)


def _header(cells: list[str], path: Path) -> tuple[str, ...]:
    columns = tuple(cell.strip() for cell in cells[1:])
    if not columns:
        raise SpecError(f"{path}:1: wanted a header 'class,NAME,NAME,...', found {len(cells)} cells")
    seen: set[str] = set()
    for index, name in enumerate(columns, start=2):
        if not name or name in seen:
            found = f"'{name}' again" if name else "an empty cell"
            raise SpecError(f"{path}:1: column {index}: wanted a new name, found {found}")
        seen.add(name)
    return columns


def _row_name(cells: list[str], columns: tuple[str, ...], rows: dict[str, list[float]], place: str) -> str:
    if len(cells) != len(columns) + 1:
        raise SpecError(f"{place}: wanted {len(columns) + 1} cells as in the header, found {len(cells)}")
    name = cells[0].strip()
    if not name or name in rows:
        found = f"'{name}' again" if name else "an empty cell"
        raise SpecError(f"{place}: column 1: wanted a new class name, found {found}")
    return name


def _number(cell: str, place: str) -> float:
    try:
        # float() also takes 1_000, which no table means.
        number = math.nan if "_" in cell else float(cell)
    except ValueError:
        number = math.nan
    if not (math.isfinite(number) and number >= 0):
        raise SpecError(f"{place}: wanted a finite number >= 0, found '{cell[:40]}'")
    return number
