"""The command `export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from evogen.cli.options import Folder


def export(
    folder: Folder,
    *,
    to: Annotated[str, typer.Option("--to", metavar="csv|parquet|optuna", help="The form.")],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="The file; one in the run folder by default.")
    ] = None,
) -> None:
    """Write the candidates of a run as a table or as an Optuna study."""
    import evogen
    from evogen.export import export as write

    with evogen.open(folder) as found:
        path = write(found, to, out)
    typer.echo(f"export: {path}")
    if to == "optuna":
        typer.echo(f"open it with: optuna-dashboard {path}")


COMMANDS = (export,)
