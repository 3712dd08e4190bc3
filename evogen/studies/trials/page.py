"""The findings of a trial as files: table.txt, record.json, and one offline page, index.html."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from evogen.studies.export import dumped, page


def write_all(folder: Path, text: str, whole: Mapping[str, Any]) -> tuple[Path, ...]:
    """Write the files and return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = [{name: each for name, each in row.items() if name != "values"} for row in whole["rows"]]
    contents = {
        "table.txt": text + "\n",
        "record.json": dumped(whole),
        "index.html": page(whole["title"], whole["command"], text, {"Numbers": rows}),
    }
    for name, content in contents.items():
        (folder / name).write_text(content, encoding="utf-8", newline="")
    return tuple(folder / name for name in contents)
