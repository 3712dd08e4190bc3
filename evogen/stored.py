"""Commands on runs that are stored; `evogen.cli` registers them."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from evogen.errors import RunError

DIFFERENT = 1
Folder = Annotated[Path, typer.Argument(metavar="RUN", help="A run folder, such as runs/NAME.")]
SameDevice = Annotated[str | None, typer.Option(help="Where torch computes; as before by default.")]


def status(
    folder: Folder,
    *,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Show it until it ends.")] = False,
) -> None:
    """Say how far a run is, and who is at work on it."""
    from rich.console import Console

    import evogen
    from evogen import follow as following
    from evogen.summary import run_lines

    with evogen.open(folder) as found:
        finished = not follow or following.follow(Console(), found)
        for line in run_lines(found):
            typer.echo(line)
        if not finished:
            raise RunError(f"nobody is at work on {folder} any more, and it is not finished")


def fingerprint(folder: Folder) -> None:
    """Print a hash of all candidates and outcomes."""
    import evogen

    with evogen.open(folder) as found:
        typer.echo(found.fingerprint())


def show(
    candidate: Annotated[
        str, typer.Argument(metavar="RUN@WHICH", help="WHICH: best, COHORT:ROW, or a genome's id.")
    ],
    *,
    json: Annotated[bool, typer.Option("--json", help="Print a JSON object.")] = False,
) -> None:
    """Print what a candidate was born with and became."""
    from json import dumps

    import evogen
    from evogen import summary
    from evogen.experiment import experiment_of

    folder, at, which = candidate.rpartition("@")
    with evogen.open(folder if at else which) as found:
        ref = found.resolve(which if at else "best")
        value = summary.candidate(found, ref, experiment_of(found))
    for line in [dumps(value, indent=2)] if json else summary.candidate_lines(value):
        typer.echo(line)


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


def replay(
    candidate: Annotated[
        str, typer.Argument(metavar="RUN@WHICH", help="WHICH: best, COHORT:ROW, or a genome's id.")
    ],
    *,
    sample: Annotated[
        int, typer.Option(min=0, help="So many candidates of RUN, drawn by its seed, in place of WHICH.")
    ] = 0,
    device: SameDevice = None,
) -> None:
    """Let a stored candidate live again; exit with 1 if any bit of what is stored differs."""
    import evogen
    from evogen import experiment
    from evogen.runs import locate

    folder, which = (Path(candidate), "") if sample else locate(candidate)
    with evogen.open(folder) as found:
        refs = experiment.sample(found, sample) if sample else (found.resolve(which),)
        different = 0
        for ref in refs:
            said = evogen.replay(found, ref, device=device)
            different += bool(said)
            ended = f"ended {found.row(ref).outcome}"
            typer.echo(f"{ref} {'differs' if said else f'equals what is stored, to the last bit ({ended})'}")
            for line in said:
                typer.echo(f"  {line}")
        if different:
            if moved := experiment.moved(found, device):
                typer.echo(f"note: here is other than where the run began: {', '.join(moved)}", err=True)
            raise typer.Exit(DIFFERENT)


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


def fetch(
    url: Annotated[str, typer.Argument(metavar="URL", help="What --mirror was given.")],
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="The new run folder.")],
) -> None:
    """Copy a mirror into a run folder, so that 'evogen resume' can go on with it."""
    from evogen.mirror import fetch as copy

    typer.echo(f"{folder}: {copy(url, folder)} cohorts; go on with 'evogen resume {folder}'")


COMMANDS = (status, fingerprint, show, report, replay, export, fetch)
