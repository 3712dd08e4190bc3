from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evogen.errors import SpecError
from evogen.experiment import document


def read(folder: Path, text: str) -> Any:
    (folder / "x.yaml").write_text(f"value: {text}\n")
    return document.read(folder / "x.yaml")[0]["value"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 0.001),
        ("1.0e5", 1e5),
        ("-.5", -0.5),
        (".inf", math.inf),
        ("-.inf", -math.inf),
        ("010", 10),
        ("no", "no"),
        ("on", "on"),
        ("true", True),
        ("~", None),
        ("", None),
        ("1:30", "1:30"),
        ("2026-01-01", "2026-01-01"),
        ("'1e-3'", "1e-3"),
        ("[1, {a: 2}]", [1, {"a": 2}]),
    ],
)
def test_scalars_follow_yaml_1_2(tmp_path: Path, text: str, value: object) -> None:
    found = read(tmp_path, text)
    assert found == value
    assert type(found) is type(value)


numbers = st.integers() | st.floats(allow_nan=False)
leaves = (
    numbers | st.booleans() | st.none() | st.text(st.characters(codec="ascii", categories=["L", "N", "P"]))
)
trees = st.dictionaries(st.from_regex(r"[a-z]+", fullmatch=True), leaves | st.lists(numbers), max_size=5)


@given(tree=trees)
def test_what_is_dumped_reads_back_bit_for_bit(
    tmp_path_factory: pytest.TempPathFactory, tree: dict[str, Any]
) -> None:
    path = tmp_path_factory.getbasetemp() / "tree.yaml"
    path.write_text(document.dump({"tree": tree}))
    assert document.read(path)[0] == {"tree": tree}


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("a: 1\nb: [1,\n", "3:1", "not YAML"),
        ("a: 1\n  b: 2\n", "2:4", "not YAML"),
        ("a: 1\nb: 2\na: 3\n", "3:1", "a: this key is written twice"),
        ("a: !!python/object/apply:os.getcwd []\n", "1:4", "is not supported"),
        ("a: !!int x\n", "1:4", "is not supported"),
        ("? [1, 2]\n: 3\n", "1:3", "wanted a name before ':'"),
    ],
)
def test_a_fault_in_the_file_is_shown_with_a_caret(tmp_path: Path, text: str, place: str, words: str) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(text)
    with pytest.raises(SpecError) as raised:
        document.read(path)
    first, line, caret = str(raised.value).splitlines()
    assert first.startswith(f"{path}:{place}: ")
    assert words in first
    assert caret.index("^") == int(place.split(":")[1]) + 1
    assert line[2:].strip() in text


@pytest.mark.parametrize("text", ["", "abc", "- 1", "a: &x [*x]"])
def test_a_file_that_is_no_mapping_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(text)
    with pytest.raises(SpecError, match=r"x\.yaml"):
        document.read(path)


def test_a_file_in_another_encoding_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_bytes(b"name: \xff")
    with pytest.raises(SpecError, match="not UTF-8"):
        document.read(path)
