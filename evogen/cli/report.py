"""The command `report`."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from evogen.cli.options import printed


def report(
    folders: Annotated[list[Path], typer.Argument(metavar="RUN...", help="One run folder or more.")],
    *,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="The HTML file; RUN/report.html by default.")
    ] = None,
) -> None:
    """Write one offline HTML page about one run or more, and what it shows as JSON and CSV beside it."""
    from evogen.report import write
    from evogen.runs.salvage import open_readable

    with ExitStack() as stack:
        found = [stack.enter_context(open_readable(folder)) for folder in folders]
        printed([f"report: {write(found, out or folders[0] / 'report.html')}"])


COMMANDS = (report,)
