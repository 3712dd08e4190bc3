"""Tables that nobody vouches for: CSV, Parquet and NPZ, read into columns without running any code of theirs.

CSV is UTF-8 with column names in the first line; `,`, `;` or a tab separates, whichever that line has most.
NPZ holds arrays of equal length: one of shape (M,) is a column, one of shape (M, K) named X the columns X.0,
X.1, ... An empty cell is missing, and so is one of ?, NA, NaN and null in any case.
"""

from __future__ import annotations

import csv
import io
import lzma
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from evogen.errors import SpecError
from evogen.registry import File

MISSING = frozenset({"", "?", "na", "nan", "null"})
SEPARATORS = ",;\t"
MOST_CELLS = 10**8

Column = NDArray[Any]
"""(M,) float64 with NaN where a cell is missing, or (M,) strings (dtype object) with "" there."""


class Sheet(NamedTuple):
    """The columns of a table by name, and what errors call it."""

    title: str
    columns: Mapping[str, Column]


class _Reader(Protocol):
    def __call__(self, content: bytes, title: str, /) -> Sheet: ...


def parse(file: File) -> Sheet:
    """Read a table by the suffix of its name.

    Raises:
        SpecError: another suffix, no table of that format, no row, or columns without a name of their own.
    """
    suffix = Path(file.name).suffix.lower()
    if suffix not in READERS:
        raise SpecError(f"wanted a table as {', '.join(READERS)}, found '{file.name}'")
    if not file.content:
        raise _damaged(file.name, "the file is empty")
    return READERS[suffix](file.content, file.name)


def sheet(title: str, names: Sequence[str], columns: Sequence[Column]) -> Sheet:
    """Return named columns as a sheet, if they are one."""
    if "" in names:
        raise _damaged(title, f"wanted a name for every column, found none for column {names.index('') + 1}")
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise _damaged(title, f"wanted a name of its own for every column, found '{twice[0]}' more than once")
    if not columns or not len(columns[0]):
        raise _damaged(title, "wanted at least one row below the column names, found none")
    return Sheet(title, dict(zip(names, columns, strict=True)))


def lines(text: str, title: str) -> list[list[str]]:
    """Return the stripped cells of comma-separated text, a list a row; all rows are as long as the first."""
    first = text.partition("\n")[0]
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=max(SEPARATORS, key=first.count), strict=True
    )
    rows: list[list[str]] = []
    try:
        for row in reader:
            if not row:
                continue
            if rows and len(row) != len(rows[0]):
                what = f"wanted {len(rows[0])} cells as in the first line, found {len(row)}"
                raise _damaged(title, f"line {reader.line_num}: {what}")
            rows.append([cell.strip() for cell in row])
    except csv.Error as error:
        raise _damaged(title, f"line {reader.line_num}: {error}") from error
    return rows


def words(cells: Sequence[str]) -> Column:
    """Return a column of strings, "" where one stands for a missing value."""
    return np.array(["" if cell.lower() in MISSING else cell for cell in cells], dtype=object)


def _csv(content: bytes, title: str) -> Sheet:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _damaged(title, f"wanted UTF-8 text, found {error}") from error
    rows = lines(text, title)
    if not rows:
        raise _damaged(title, "the file is empty")
    header, *body = rows
    if all(map(_is_number, header)):
        raise _damaged(title, f"wanted column names in the first line, found numbers: {header[0]}, ...")
    return sheet(title, header, [words(column) for column in zip(*body, strict=True)])


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _parquet(content: bytes, title: str) -> Sheet:
    try:
        import pyarrow as arrow
        from pyarrow import parquet
    except ImportError:
        raise SpecError(f"reading {title} needs pyarrow: pip install 'evogen[export]'") from None
    try:
        opened = parquet.ParquetFile(io.BytesIO(content))
        _bounded(opened.metadata.num_rows * opened.metadata.num_columns, title)
        found = opened.read()
        columns = [
            _arrow(arrow, found.column(number), title, name) for number, name in enumerate(found.column_names)
        ]
    except (arrow.ArrowException, OSError) as error:
        raise _damaged(title, str(error)) from error
    return sheet(title, found.column_names, columns)


def _arrow(arrow: Any, column: Any, title: str, name: str) -> Column:
    kind = column.type.value_type if arrow.types.is_dictionary(column.type) else column.type
    column = column.cast(kind)
    types = arrow.types
    if any(
        test(kind)
        for test in (types.is_integer, types.is_floating, types.is_boolean, types.is_decimal, types.is_null)
    ):
        numbers = column.cast(arrow.float64(), safe=False).to_numpy()
        return np.asarray(numbers, np.float64)
    if types.is_string(kind) or types.is_large_string(kind):
        return words([cell or "" for cell in column.to_pylist()])
    raise _damaged(title, f"column '{name}': wanted numbers or text, found {kind}")


def _npz(content: bytes, title: str) -> Sheet:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            _bounded(sum(item.file_size for item in archive.infolist()) // 8, title)
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            found = {name: np.asarray(arrays[name]) for name in arrays.files}
    except (ValueError, OSError, EOFError, KeyError, MemoryError, NotImplementedError) as error:
        raise _damaged(title, str(error)) from error
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, RuntimeError) as error:
        raise _damaged(title, str(error)) from error
    _bounded(sum(array.size for array in found.values()), title)  # one byte may be a cell
    lengths = {name: array.shape[0] if array.ndim else None for name, array in found.items()}
    if None in lengths.values() or len(set(lengths.values())) > 1:
        raise _damaged(title, f"wanted arrays of one length, found {lengths}")
    names, columns = [], []
    for name, array in found.items():
        if array.ndim > 2 or array.dtype.kind not in "biufU":
            what = f"{array.dtype} of shape {array.shape}"
            raise _damaged(title, f"array '{name}': wanted numbers or text in one or two axes, found {what}")
        parts = array.reshape(len(array), -1).T  # (K, M)
        names += [name] if array.ndim == 1 else [f"{name}.{number}" for number in range(len(parts))]
        columns += [
            words([cell.strip() for cell in part.tolist()])
            if part.dtype.kind == "U"
            else part.astype(np.float64)
            for part in parts
        ]
    return sheet(title, names, columns)


def _bounded(cells: int, title: str) -> None:
    if cells > MOST_CELLS:
        raise _damaged(title, f"wanted at most {MOST_CELLS} cells, found {cells}")


def _damaged(title: str, what: str) -> SpecError:
    return SpecError(f"cannot read the table {title}: {what}")


READERS: Mapping[str, _Reader] = {".csv": _csv, ".parquet": _parquet, ".npz": _npz}
