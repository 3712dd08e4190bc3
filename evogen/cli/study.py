"""The command `study`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from evogen.cli.ends import INTERRUPTED
from evogen.cli.options import names, notice
from evogen.cli.outputs import ValuesFile, refuse
from evogen.errors import SpecError
from evogen.studies import names as known


def study(
    name: Annotated[
        str,
        typer.Argument(metavar="NAME", help=f"Which comparison: {', '.join(known())}."),
    ],
    *,
    quick: Annotated[bool, typer.Option("--quick", help="Few seeds and steps, in minutes.")] = False,
    seeds: Annotated[int | None, typer.Option(min=2, max=1000, help="Training seeds of each cell.")] = None,
    tasks: Annotated[str | None, typer.Option(metavar="A,B", help="Only these tasks.")] = None,
    arms: Annotated[str | None, typer.Option(metavar="A,B", help="Only these arms.")] = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes that train.")] = 1,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="The folder; runs/study-NAME by default.")
    ] = None,
    run: Annotated[
        Path | None, typer.Option("--run", metavar="RUN", help="rules, locality: a run to study.")
    ] = None,
    json: ValuesFile = None,
) -> None:
    """Run a comparison, or go on with it; print its table."""
    import shlex
    import sys

    from evogen import studies
    from evogen.studies.export import dumped

    command = shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])
    options = studies.Options(quick, seeds, names(tasks), names(arms), workers, out, command, run)
    refuse(values=json)
    for folder in [] if out is None else [out, *out.parents]:
        if folder.exists() and not folder.is_dir():
            raise SpecError(f"--out: wanted a folder, {folder} is a file")
    try:
        found = studies.find(name).run(options, notice)
    except KeyboardInterrupt as error:
        typer.echo("interrupted; what the study keeps stays: the same command goes on", err=True)
        raise typer.Exit(INTERRUPTED) from error
    typer.echo(found.text)
    if json is not None:
        json.write_text(dumped(found.record), encoding="utf-8")
    typer.echo(f"files: {', '.join(str(path) for path in found.files)}")


COMMANDS = (study,)
