"""The command `report`."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer


def report(
    folders: Annotated[list[Path], typer.Argument(metavar="RUN...", help="One run folder or more.")],
    *,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="The HTML file; RUN/report.html by default.")
    ] = None,
) -> None:
    """Write one offline HTML page about one run or more."""
    import evogen
    from evogen.report import write

    with ExitStack() as stack:
        found = [stack.enter_context(evogen.open(folder)) for folder in folders]
        typer.echo(f"report: {write(found, out or folders[0] / 'report.html')}")


COMMANDS = (report,)
