from __future__ import annotations

import io
import pickle
import zipfile

import numpy as np
import pytest

from evogen.errors import SpecError
from evogen.registry import File
from evogen.tasks.tables import reading
from evogen.tasks.tables.reading import parse


def npz(**arrays: object) -> bytes:
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    return stream.getvalue()


def parquet(columns: dict[str, list[object]]) -> bytes:
    arrow, writer = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    stream = io.BytesIO()
    writer.write_table(arrow.table(columns), stream)
    return stream.getvalue()


def cells(sheet):
    return {
        name: [None if cell != cell else cell for cell in column.tolist()]
        for name, column in sheet.columns.items()
    }


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_csv_is_stripped_unquoted_and_freed_of_marks_for_missing_values(separator):
    lines = [["a", '" b "', "c"], ["1", '"x, y; z"', "?"], [" 2 ", "NaN", "3"]]
    text = "\ufeff" + "\r\n".join(separator.join(line) for line in lines) + "\r\n\r\n"
    assert cells(parse(File("t.csv", text.encode()))) == {
        "a": ["1", "2"],
        "b": ["x, y; z", ""],
        "c": ["", "3"],
    }


def test_parquet_gives_numbers_and_text_with_its_gaps():
    content = parquet(
        {"a": [1, None, 3], "b": [True, False, True], "c": ["x", None, " ?"], "d": [0.5, 1.5, 2.5]}
    )
    expected = {"a": [1.0, None, 3.0], "b": [1.0, 0.0, 1.0], "c": ["x", "", " ?"], "d": [0.5, 1.5, 2.5]}
    assert cells(parse(File("t.parquet", content))) == expected


def test_npz_gives_a_column_for_each_array_and_for_each_column_of_one():
    content = npz(X=np.arange(6).reshape(3, 2), y=np.array(["a", "b", "NA"]))
    expected = {"X.0": [0.0, 2.0, 4.0], "X.1": [1.0, 3.0, 5.0], "y": ["a", "b", ""]}
    assert cells(parse(File("t.npz", content))) == expected


class Boom:
    def __reduce__(self):
        return (pytest.fail, ("code of the file ran",))


def pickled() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        array = io.BytesIO()
        np.lib.format.write_array_header_1_0(array, {"descr": "|O", "fortran_order": False, "shape": (1,)})
        archive.writestr("X.npy", array.getvalue() + pickle.dumps([Boom()]))
    return stream.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "text"),
    [
        ("t.xls", b"x", "wanted a table as .csv, .parquet, .npz, found 't.xls'"),
        ("t.csv", b"", "cannot read the table t.csv: the file is empty"),
        ("t.csv", b"\n\n", "the file is empty"),
        ("t.csv", b"a,b\n", "wanted at least one row below the column names"),
        ("t.csv", b"a,b\n1,2\n1,2,3\n", "line 3: wanted 2 cells as in the first line, found 3"),
        ("t.csv", b"a,b,a\n1,2,3\n", "wanted a name of its own for every column, found 'a' more than once"),
        ("t.csv", b"a,,c\n1,2,3\n", "found none for column 2"),
        ("t.csv", b"5.1,3.5\n4.9,3.0\n", "wanted column names in the first line, found numbers: 5.1"),
        ("t.csv", b"a,b\n\xff,1\n", "wanted UTF-8 text"),
        ("t.csv", b'a,b\n"1,2\n', "line 2: unexpected end of data"),
        ("t.csv", b"a,b\n1," + b"x" * 200_000 + b"\n", "field larger than field limit"),
        ("t.npz", b"no archive", "cannot read the table t.npz"),
        ("t.npz", npz(X=np.zeros((3, 2)), y=np.zeros(2)), "wanted arrays of one length"),
        ("t.npz", npz(X=np.zeros((3, 2)), y=np.float64(1)), "wanted arrays of one length"),
        ("t.npz", npz(X=np.zeros((3, 2, 2))), "array 'X': wanted numbers or text in one or two axes"),
        ("t.npz", npz(X=np.zeros(3, complex)), "array 'X': wanted numbers or text in one or two axes"),
        ("t.npz", pickled(), "cannot read the table t.npz: Object arrays cannot be loaded"),
    ],
)
def test_a_damaged_table_is_said_so(name, content, text):
    with pytest.raises(SpecError) as caught:
        parse(File(name, content))
    assert text in str(caught.value)


def test_damaged_parquet_is_said_so(monkeypatch):
    content = parquet({"a": [1, 2], "b": [[1], [2]]})
    with pytest.raises(SpecError, match=r"column 'b': wanted numbers or text, found list"):
        parse(File("t.parquet", content))
    for broken in (b"no parquet", content[:-9], content[:40] + bytes(20) + content[60:]):
        with pytest.raises(SpecError, match=r"cannot read the table t\.parquet"):
            parse(File("t.parquet", broken))
    monkeypatch.setattr(reading, "MOST_CELLS", 3)
    with pytest.raises(SpecError, match="wanted at most 3 cells, found 4"):
        parse(File("t.parquet", content))


def test_an_archive_that_would_fill_memory_is_not_unpacked(monkeypatch):
    monkeypatch.setattr(reading, "MOST_CELLS", 1000)
    for array in (np.zeros(2000), np.zeros(2000, np.int8)):
        with pytest.raises(SpecError, match="wanted at most 1000 cells"):
            parse(File("t.npz", npz(X=array)))


def test_an_archive_is_read_or_said_to_be_damaged_whatever_byte_of_it_is_wrong():
    array, stream = io.BytesIO(), io.BytesIO()
    np.save(array, np.arange(5.0))
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("x.npy", array.getvalue())
    whole = stream.getvalue()
    said = [_said(whole[:at] + bytes([whole[at] ^ 0x81]) + whole[at + 1 :]) for at in range(len(whole))]
    assert sum("cannot read the table t.npz" in text for text in said) > len(whole) / 2


def _said(content: bytes) -> str:
    try:
        parse(File("t.npz", content))
    except SpecError as error:
        return str(error)
    return ""


def test_reading_parquet_without_pyarrow_names_the_extra(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(SpecError, match=r"pip install 'evogen\[export\]'"):
        parse(File("t.parquet", b"x"))
