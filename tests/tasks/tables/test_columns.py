from __future__ import annotations

import numpy as np
import pytest

from evogen.errors import SpecError
from evogen.registry import File
from evogen.tasks.tables.columns import Constant, Missing, Roles, choose
from evogen.tasks.tables.reading import Sheet, parse, words

TEXT = "id,size,colour,kind\n7,1.5,red,10\n8,2.5,blue,9\n7,3.5,red,10\n"


def chosen(text: str = TEXT, *, missing=Missing.REFUSE, constant=Constant.REFUSE, **roles):
    found = Roles(**{"target": "kind", "categorical": ("colour",), "ignore": ("id",)} | roles)
    return choose(parse(File("t.csv", text.encode())), found, missing=missing, constant=constant)


def test_columns_are_what_their_roles_say():
    data = chosen(ignore=(), groups="id")
    assert data.names == ("size",)
    assert data.numbers.tolist() == [[1.5], [2.5], [3.5]]
    assert data.categories.tolist() == [["red"], ["blue"], ["red"]]
    assert data.groups.tolist() == [0, 1, 0]


def test_classes_are_in_the_order_of_their_numbers_or_of_the_alphabet():
    assert chosen().classes == ("9", "10")
    assert chosen().labels.tolist() == [1, 0, 1]
    data = chosen(target="colour", categorical=())
    assert data.classes == ("blue", "red")
    assert data.labels.tolist() == [1, 0, 1]


def test_numbers_are_as_good_as_text_for_classes_and_categories():
    columns = {"a": np.array([3.0, np.nan, 12.0]), "b": words("xyx"), "y": np.array([2.0, 10.0, 2.0])}
    data = choose(
        Sheet("t", columns), Roles("y", ("a",), ("b",)), missing=Missing.MEAN, constant=Constant.REFUSE
    )
    assert data.categories.tolist() == [["3"], [""], ["12"]]
    assert data.classes == ("2", "10")
    assert data.numbers.shape == (3, 0)


def test_columns_that_never_vary_are_dropped_where_that_is_asked_for():
    text = "a,b,c,d,y\n1,5,?,2,u\n2,5,?,,v\n3,5,?,2,u\n"
    data = chosen(text, target="y", categorical=(), ignore=(), missing=Missing.MEAN, constant=Constant.DROP)
    assert data.names == ("a",)


@pytest.mark.parametrize(
    ("text", "changes", "said"),
    [
        (TEXT, {"target": ""}, "wanted a target column: write target: NAME, one of id, size, colour, kind"),
        (TEXT, {"target": "kinds"}, "no column 'kinds' as target; did you mean 'kind'?"),
        (TEXT, {"categorical": ("color",)}, "no column 'color' as categorical; did you mean 'colour'?"),
        (TEXT, {"ignore": ("x", "id")}, "no column 'x' as ignore"),
        (TEXT, {"groups": "idd"}, "no column 'idd' as groups; did you mean 'id'?"),
        (TEXT, {"categorical": ("colour", "kind")}, "column 'kind' is both target and categorical"),
        (TEXT, {"ignore": ("id", "id")}, "column 'id' is both ignore and ignore"),
        (TEXT, {"groups": "id"}, "column 'id' is both ignore and groups"),
        (TEXT, {"ignore": ("id", "size", "colour"), "categorical": ()}, "wanted a column that varies beside"),
        (TEXT, {"categorical": ()}, "row 1, column 'colour': wanted a finite number, found 'red'"),
        (TEXT.replace("2.5", "1_0"), {}, "row 2, column 'size': wanted a finite number, found '1_0'"),
        (TEXT.replace("3.5", "inf"), {}, "row 3, column 'size': wanted a finite number, found 'inf'"),
        (TEXT.replace("2.5", "NaN"), {}, "row 2, column 'size': found no value: write missing: mean"),
        (TEXT.replace("red", "?"), {}, "row 1, column 'colour': found no value (2 such rows)"),
        (TEXT.replace(",9", ","), {"missing": Missing.MEAN}, "row 2, column 'kind': found no value"),
        (TEXT.replace(",9", ",10"), {}, "wanted at least two values in column 'kind', found '10' only"),
        (TEXT.replace("blue", "red"), {}, "wanted columns that vary, found 'colour' with one value in all"),
        (
            TEXT.replace("blue", "red"),
            {"ignore": (), "categorical": ("colour", "id", "size"), "groups": "kind"},
            "column 'kind' is both target and groups",
        ),
    ],
)
def test_bad_data_is_said_with_row_and_column(text, changes, said):
    with pytest.raises(SpecError) as caught:
        chosen(text, **changes)
    assert said in str(caught.value)
    assert str(caught.value).startswith("t.csv: ")
