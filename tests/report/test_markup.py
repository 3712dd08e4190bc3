import pytest
from hypothesis import given
from hypothesis import strategies as st

from evogen.report.markup import cell, element, html, number, row, table

from .searches import Page

PRINTABLE = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1)


@given(PRINTABLE)
def test_any_text_stays_text(text):
    page = Page(html(element("p", text, title=text)))
    assert page.tags == [("p", {"title": text})]
    assert "".join(page.words) == text


def test_children_keep_their_order():
    made = element("p", "a", element("b", "c"), None, "d", element("i"), "e")
    assert html(made) == "<p>a<b>c</b>d<i></i>e</p>"


def test_attribute_names_and_numbers_are_written_as_html():
    made = element("path", class_="line", stroke_width=2.500, x=3.0, width=None, viewBox="0 0 1 1")
    assert html(made) == '<path class="line" stroke-width="2.5" x="3" viewBox="0 0 1 1"></path>'


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (float("nan"), "–"),
        (float("-inf"), "−∞"),
        (0.0, "0"),
        (0.123456, "0.1235"),
        (-2.5, "−2.5"),
        (1048576, "1,048,576"),
        (12345.6, "12,346"),
        (1e-7, "1e−07"),
    ],
)
def test_numbers_are_written_for_people(value, text):
    assert number(value) == text


def test_table_aligns_a_heading_as_its_column():
    made = table(("name", "size"), [["a", cell("3", order=3, kind="number")]], class_="sortable")
    heads = [(item.text, item.get("class")) for item in made.iter("th")]
    assert heads == [("name", None), ("size", "number")]
    assert [item.get("data-order") for item in made.iter("td")] == [None, "3.0"]


def test_row_names_its_candidate():
    made = table(("name", "size"), [row("2:1", ["a", "b"]), row(None, ["c", "d"]), ["e", "f"]])
    lines = [line for line in made.iter("tr") if line[0].tag == "td"]
    assert [line.get("data-ref") for line in lines] == ["2:1", None, None]
    assert [[item.text for item in line] for line in lines] == [["a", "b"], ["c", "d"], ["e", "f"]]


def test_table_without_rows_keeps_its_headings():
    assert [item.text for item in table(("a", "b"), []).iter("th")] == ["a", "b"]
