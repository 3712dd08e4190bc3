"""HTML and SVG as a tree: the serialiser escapes every text, so nothing that a run says becomes markup."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from xml.etree import ElementTree

from evogen.terminal import plain

Element = ElementTree.Element
Child = Element | str | None
Attribute = str | int | float | None


def element(name: str, /, *children: Child, **attributes: Attribute) -> Element:
    """Return an element; None is left out among children and attributes.

    Args:
        name: of the tag.
        children: elements and texts, in order.
        attributes: `class_` is written `class`, `stroke_width` as `stroke-width`; floats get two decimals.
    """
    made = Element(
        name, {_name(key): _value(value) for key, value in attributes.items() if value is not None}
    )
    last: Element | None = None
    for child in children:
        if isinstance(child, Element):
            made.append(child)
            last = child
        elif child and last is None:
            made.text = (made.text or "") + child
        elif child and last is not None:
            last.tail = (last.tail or "") + child
    return made


def html(root: Element) -> str:
    """Return the text of a tree in HTML's own syntax; signs that steer or hide text are written out."""
    return plain(ElementTree.tostring(root, encoding="unicode", method="html"))


def table(head: Sequence[str], rows: Iterable[Iterable[Child] | Element], **attributes: Attribute) -> Element:
    """Return a table that scrolls sideways where it is too wide; headings are aligned as their columns.

    Args:
        head: the headings.
        rows: of each line its cells, or what `row` made of them.
        attributes: of the table; the reader sorts one of class `sortable`.
    """
    body = element("tbody", *(line if isinstance(line, Element) else row(None, line) for line in rows))
    kinds = [item.get("class") for item in body[0]] if len(body) else [None] * len(head)
    heads = (element("th", name, scope="col", class_=kind) for name, kind in zip(head, kinds, strict=True))
    whole = element("table", element("thead", element("tr", *heads)), body, **attributes)
    return element("div", whole, class_="scroll", tabindex=0)


def row(ref: object | None, cells: Iterable[Child]) -> Element:
    """Return a line of a table that the reader can select as a candidate, by its COHORT:ROW; None: no one."""
    return element("tr", *map(_cell, cells), data_ref=None if ref is None else str(ref))


def cell(content: Child, *, order: float | None = None, kind: str | None = None) -> Element:
    """Return a `td`; `order` is the number that a column is sorted by, `kind` its CSS class."""
    return element("td", content, data_order=None if order is None else repr(float(order)), class_=kind)


def numeric(value: float | None, *, digits: int = 4) -> Element:
    """Return a `td` with a number, by which its column is sorted."""
    return cell(number(value, digits=digits), order=value, kind="number")


def absent(text: str) -> Element:
    """Return the sentence that stands where there is nothing to show."""
    return element("p", text, class_="empty")


def number(value: float | None, *, digits: int = 4) -> str:
    """Return a number for people: significant digits, thousands separated, a minus that is no hyphen."""
    if value is None or math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    whole = float(value).is_integer() and abs(value) < 1e15
    large = whole or 10**digits <= abs(value) < 1e15
    return (f"{value:,.0f}" if large else f"{value:.{digits}g}").replace("-", "−")


def change(value: float | None) -> str:
    """Return a difference for people: with its sign, three significant digits."""
    return f"+{number(value, digits=3)}" if value is not None and value > 0 else number(value, digits=3)


def _cell(content: Child) -> Element:
    if isinstance(content, Element) and content.tag in ("td", "th"):
        return content
    return element("td", content)


def _name(key: str) -> str:
    return key.rstrip("_").replace("_", "-")


def _value(value: Attribute) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
