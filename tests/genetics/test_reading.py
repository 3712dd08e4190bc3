from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from evogen.errors import SpecError
from evogen.genetics import reading
from evogen.genetics.ndge import ndge
from evogen.genetics.reading import read_tables

EXPRESSION = "class,g1,g2\nC,5,6\nA,1,2\nB,3,4.5\n"
CONTACT = "class,A,B\nA,1,1\nB,1,0\n"
SYNAPSE = "class,B,A\nB,0,7\nA,2,0\n"
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def folder(expression: str = EXPRESSION, contact: str = CONTACT, synapse: str = SYNAPSE) -> Path:
        for name, text in (("expression", expression), ("contact", contact), ("synapse", synapse)):
            (tmp_path / f"{name}.csv").write_bytes(text.encode("utf-8", "surrogateescape"))
        return tmp_path

    return folder


def test_tables_are_aligned_by_name_to_contact(write: Write) -> None:
    tables = read_tables(write())
    assert (tables.classes, tables.genes) == (("A", "B"), ("g1", "g2"))
    assert tables.expression.tolist() == [[1, 2], [3, 4.5]]
    assert tables.contact.tolist() == [[1, 1], [1, 0]]
    assert tables.synapse.tolist() == [[0, 2], [7, 0]]
    found = ndge(tables.expression, tables.contact, tables.synapse, names=tables.genes)
    assert (found.synaptic, found.apart) == (2, 1)


def test_byte_order_mark_quotes_and_blank_lines_are_read(write: Write) -> None:
    tables = read_tables(write('\ufeffclass,"g1",g2\r\n\r\nA,1,2\r\n"B",3,4e-1\r\n'))
    assert tables.expression.tolist() == [[1, 2], [3, 0.4]]


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("expression", "class,g1\nA,1\nB,x\n", r"expression.csv:3: column 2 \('g1'\): wanted .* found 'x'"),
        ("expression", "class,g1\nA,1\nB,nan\n", r"expression.csv:3: column 2 .* found 'nan'"),
        ("expression", "class,g1\nA,-1\nB,1\n", r"expression.csv:2: column 2 .* found '-1'"),
        ("expression", "class,g1\nA,1_0\nB,1\n", r"expression.csv:2: column 2 .* found '1_0'"),
        ("expression", "class,g1\nA,\nB,1\n", r"expression.csv:2: column 2 .* found ''"),
        (
            "expression",
            "class,g1\nA,1,2\nB,1\n",
            r"expression.csv:2: wanted 2 cells as in the header, found 3",
        ),
        (
            "expression",
            "class,g1,g1\nA,1,2\n",
            r"expression.csv:1: column 3: wanted a new name, found 'g1' again",
        ),
        ("expression", "class,g1,\nA,1,2\n", r"expression.csv:1: column 3: .* an empty cell"),
        ("expression", "class,g1\nA,1\nA,1\n", r"expression.csv:3: column 1: .* found 'A' again"),
        ("expression", "", r"expression.csv:1: wanted a header"),
        ("expression", "class,g1\n", r"expression.csv: wanted rows of numbers under the header"),
        ("expression", "class,g1\nA,1\nBB,1\n", r"no row for class 'B' of contact.csv; did you mean 'BB'"),
        ("expression", 'class,g1\nA,"1\n', r"expression.csv: wanted a CSV table in UTF-8"),
        ("expression", "class,\udcff\nA,1\n", r"expression.csv: wanted a CSV table in UTF-8"),
        ("expression", "class,g1\nA," + "1" * 200_000, r"field larger than field limit"),
        ("contact", "class,A,C\nA,1,1\nB,1,0\n", r"contact.csv: rows and columns .* only in one: B, C"),
        ("synapse", "class,A\nA,1\n", r"must name the same classes; only in one: B"),
    ],
)
def test_wrong_cells_are_refused_with_their_place(write: Write, file: str, text: str, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        read_tables(write(**{file: text}))


def test_missing_and_huge_files_are_refused(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write()
    monkeypatch.setattr(reading, "LARGEST", 10)
    with pytest.raises(SpecError, match="this file is larger"):
        read_tables(folder)
    (folder / "expression.csv").unlink()
    with pytest.raises(SpecError, match=r"expression\.csv: wanted a CSV table"):
        read_tables(folder)


def test_a_table_survives_writing_and_reading(tmp_path: Path) -> None:
    numbers = np.random.default_rng(1).lognormal(0, 5, (7, 3))
    lines = ["class,x,y,z"] + [f"c{i}," + ",".join(map(repr, row)) for i, row in enumerate(numbers.tolist())]
    (tmp_path / "t.csv").write_text("\n".join(lines))
    assert np.array_equal(reading.read_table(tmp_path / "t.csv")[2], numbers)
