"""Files that commands write beside their text: an HTML page (`-o`) and the values as JSON (`--json`)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from evogen.cli.options import printed
from evogen.errors import RunError

if TYPE_CHECKING:
    from evogen.report.markup import Element

PageFile = Annotated[
    Path | None, typer.Option("--out", "-o", metavar="FILE.html", help="Write an HTML page there.")
]
ValuesFile = Annotated[
    Path | None, typer.Option("--json", metavar="FILE", help="Write all values as JSON there.")
]


def refuse(*, page: Path | None = None, values: Path | None = None) -> None:
    """Refuse files that cannot be written, before the work is done and not after it.

    Raises:
        RunError: one is a folder, or the folder of the values is not there; that of a page is made.
    """
    if values is not None and (values.is_dir() or not values.parent.is_dir()):
        raise RunError(f"--json {values}: wanted a file in a folder that is there")
    if page is not None and page.is_dir():
        raise RunError(f"-o {page}: wanted a file, this is a folder")


def write_page(path: Path, title: str, sections: Sequence[Element]) -> None:
    """Write a page and say so.

    Raises:
        RunError: it cannot be written, or the file is there and is no page.
    """
    from evogen.report import page

    printed([f"page: {page.save(page.document(title, sections), path)}"])


def write_values(path: Path, value: object) -> None:
    """Write a JSON value, all of whose numbers are finite, and say so.

    Raises:
        RunError: it cannot be written.
    """
    from json import dumps

    try:
        path.write_text(dumps(value, indent=2, allow_nan=False) + "\n", encoding="utf-8")
    except OSError as error:
        raise RunError(f"--json {path}: cannot write it ({error.strerror})") from error
    printed([f"values: {path}"])
