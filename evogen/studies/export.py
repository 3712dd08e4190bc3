"""The findings as files: table.txt, table.csv, table.json and one offline page, table.html."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from evogen.analysis.plain import plain
from evogen.analysis.statistics import Interval
from evogen.studies.published import FIGURES
from evogen.studies.rows import Contrast, Point, Row, Tables, thresholds
from evogen.studies.store import versions

STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;"
    "color-scheme:light dark}table{border-collapse:collapse;margin:1rem 0 2rem;display:block;overflow-x:auto}"
    "th,td{padding:.2rem .7rem;text-align:right;border-bottom:1px solid #8884;white-space:nowrap;"
    "font-variant-numeric:tabular-nums}th:first-child,td:first-child{text-align:left}pre{overflow-x:auto}"
)


def record(title: str, tabled: Tables, command: str) -> dict[str, Any]:
    """Return all of a study as a JSON value; only `seconds` and `command` differ between equal runs."""
    cells = tabled.cells
    found = {
        "study": title,
        "command": command,
        "versions": versions(),
        "seeds": list(range(cells[0][0].effort.seeds)),
        "settings": {cell.name: cell.settings() for cell, _ in cells},
        "thresholds": dict(thresholds(cells)),
        "published": {task: asdict(FIGURES[task]) for task in thresholds(cells) if task in FIGURES},
        "rows": [_named(row) for row in tabled.rows],
        "contrasts": [_named(item) for item in tabled.contrasts],
        "sweep": [_named(item) for item in tabled.points],
        "seconds": {
            cell.name: {"training": result.training, "scoring": result.scoring} for cell, result in cells
        },
    }
    whole: dict[str, Any] = plain(found)
    return whole


def write_all(folder: Path, text: str, whole: Mapping[str, Any]) -> tuple[Path, ...]:
    """Write the four files and return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    contents = {
        "table.txt": text + "\n",
        "table.csv": _csv(whole["rows"]),
        "table.json": dumped(whole),
        "table.html": _html(text, whole),
    }
    for name, content in contents.items():
        (folder / name).write_text(content, encoding="utf-8", newline="")
    return tuple(folder / name for name in contents)


def dumped(whole: Mapping[str, Any]) -> str:
    """Return a record as JSON text."""
    return json.dumps(whole, indent=1, allow_nan=False) + "\n"


def _named(item: Row | Contrast | Point) -> dict[str, Any]:
    """Return the fields by name, an interval as its three numbers."""
    return {
        name: value._asdict() if isinstance(value, Interval) else value for name, value in vars(item).items()
    }


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in row.items():
        if isinstance(value, dict):
            found |= {f"{name}_{part}": each for part, each in value.items()}
        else:
            found[name] = value
    return found


def _csv(every: Sequence[Mapping[str, Any]]) -> str:
    flat = [_flat(row) for row in every]
    text = io.StringIO()
    writer = csv.DictWriter(text, list(flat[0]))
    writer.writeheader()
    writer.writerows(flat)
    return text.getvalue()


def _html(text: str, whole: Mapping[str, Any]) -> str:
    page = ElementTree.Element("html", lang="en")
    head = ElementTree.SubElement(page, "head")
    ElementTree.SubElement(head, "meta", charset="utf-8")
    ElementTree.SubElement(head, "title").text = whole["study"]
    ElementTree.SubElement(head, "style").text = STYLE
    body = ElementTree.SubElement(page, "body")
    ElementTree.SubElement(body, "h1").text = whole["study"]
    ElementTree.SubElement(body, "p").text = whole["command"]
    ElementTree.SubElement(body, "pre").text = text
    for name in ("rows", "contrasts", "sweep"):
        if whole[name]:
            ElementTree.SubElement(body, "h2").text = name
            body.append(_table([_flat(row) for row in whole[name]]))
    return "<!doctype html>\n" + ElementTree.tostring(page, encoding="unicode", method="html")


def _table(every: Iterable[Mapping[str, Any]]) -> ElementTree.Element:
    table = ElementTree.Element("table")
    for number, row in enumerate(every):
        if number == 0:
            heads = ElementTree.SubElement(ElementTree.SubElement(table, "thead"), "tr")
            for name in row:
                ElementTree.SubElement(heads, "th", scope="col").text = name.replace("_", " ")
            body = ElementTree.SubElement(table, "tbody")
        line = ElementTree.SubElement(body, "tr")
        for value in row.values():
            shown = "-" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)
            ElementTree.SubElement(line, "td").text = shown
    return table
