"""The findings of a trial as files: table.txt, record.json, and one offline page, index.html."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from evogen.report.charts import strips
from evogen.report.figures import figure
from evogen.report.markup import Child, Element, element, numeric, table
from evogen.report.page import document
from evogen.studies.export import dumped
from evogen.studies.trials.table import RULE, found, head, implied, sides, summary

Record = Mapping[str, Any]
COLOURS = ("blue", "orange")


def write_all(folder: Path, text: str, whole: Record) -> tuple[Path, ...]:
    """Write the files and return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    contents = {
        "table.txt": text + "\n",
        "record.json": dumped(whole),
        "index.html": document(whole["title"], [_claim(whole), *_tasks(whole), _basis(whole)]),
    }
    for name, content in contents.items():
        (folder / name).write_text(content, encoding="utf-8", newline="")
    return tuple(folder / name for name in contents)


def _claim(whole: Record) -> Element:
    parts: list[Child] = []
    for title, items in sides(whole):
        rows = [(item["verdict"], implied(item, whole), found(item, whole)) for item in items]
        parts += [element("h3", title), table(["verdict", "contrast", "here"], rows)]
    return element(
        "section",
        element("h1", whole["title"]),
        element("p", f"On trial: {whole['claim']}", class_="lead"),
        element("p", f"Source: {whole['source']}. Published: {whole['published']}"),
        element("h2", "Verdict"),
        element("p", summary(whole)) if parts else None,
        *parts,
        element("p", RULE, class_="note"),
    )


def _tasks(whole: Record) -> Iterator[Element]:
    for task, says in whole["tasks"].items():
        rows = [row for row in whole["rows"] if row["task"] == task]
        names = [name for name in whole["measures"] if any(row["measure"] == name for row in rows)]
        yield element(
            "section",
            element("h2", task),
            element("p", says),
            element("div", *(_seeds(name, rows, whole) for name in names), class_="pair"),
            table(
                ["arm", "measure", "mean", "95 % from", "to", "failed"], [_row(row, whole) for row in rows]
            ),
        )


def _seeds(name: str, rows: list[dict[str, Any]], whole: Record) -> Element | None:
    """Draw every seed's number by arm."""
    groups: list[tuple[str, str, list[float]]] = []
    for row in rows:
        values = [value for value in row["values"] if value is not None]
        if row["measure"] == name and values:
            groups.append((COLOURS[len(groups) % len(COLOURS)], row["arm"], values))
    if not groups:
        return None
    note = "one dot a training seed; upright: their mean; area: one standard deviation"
    title = whole["measures"][name]["says"]
    return figure(title, strips(groups, head(name, whole)), note=note, kind="chart")


def _row(row: Record, whole: Record) -> list[Child]:
    ends = (numeric(row[name]) for name in ("mean", "low", "high"))
    return [row["arm"], head(row["measure"], whole), *ends, numeric(row["failed"])]


def _basis(whole: Record) -> Element:
    arms = (element("li", element("b", name), f": {says}") for name, says in whole["arms"].items())
    notes = (element("li", note) for note in whole["notes"])
    sizes = ", ".join(f"{name} {value:g}" for name, value in whole["sizes"].items())
    return element(
        "section",
        element("h2", "What is what"),
        element("ul", *arms, *notes),
        element("p", element("code", whole["command"]), f"; {len(whole['seeds'])} seeds; {sizes}"),
    )
