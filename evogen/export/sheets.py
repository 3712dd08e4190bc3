"""The table of candidates as CSV (RFC 4180, UTF-8) and as Apache Parquet."""

from __future__ import annotations

import csv
from itertools import islice
from pathlib import Path

from evogen.errors import SpecError
from evogen.export.table import NUMBERS, WHOLE, columns, records
from evogen.runs import Run

_TOGETHER = 10_000  # rows of a group


def write_csv(run: Run, path: Path) -> None:
    """Write a line of names and a line per candidate; what it does not have is empty."""
    names = columns(run)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, names.all)
        writer.writeheader()
        writer.writerows(records(run, names))


def write_parquet(run: Run, path: Path) -> None:
    """Write row groups of 10,000 candidates; numbers are float64 or int64, all else is text.

    Raises:
        SpecError: pyarrow is not installed.
    """
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise SpecError("--to parquet needs pyarrow: pip install 'evogen[export]'") from error
    names = columns(run)
    kinds = dict.fromkeys(names.fixed, pyarrow.string())
    kinds |= dict.fromkeys(names.all[len(names.fixed) :], pyarrow.float64())
    kinds |= dict.fromkeys(WHOLE, pyarrow.int64()) | dict.fromkeys(NUMBERS, pyarrow.float64())
    schema = pyarrow.schema(list(kinds.items()))
    with parquet.ParquetWriter(path, schema) as writer:
        found = records(run, names)
        while rows := list(islice(found, _TOGETHER)):
            writer.write_table(pyarrow.Table.from_pylist(rows, schema))
