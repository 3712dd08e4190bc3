"""Commands on one stored run: status, fingerprint, show, replay, fetch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from evogen.cli.ends import DIFFERENT
from evogen.cli.options import Candidate, Folder, SameDevice, printed
from evogen.errors import RunError

if TYPE_CHECKING:
    from evogen.runs import Run


def status(
    folder: Folder,
    *,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Show it until it ends.")] = False,
) -> None:
    """Say how far a run is, and who is at work on it."""
    from evogen import condition
    from evogen.runs import Run

    with Run.open(folder) as found:
        finished = not follow or _followed(found)
        printed(condition.lines(found))
        if not finished:
            raise RunError(f"nobody is at work on {folder} any more, and it is not finished")


def _followed(run: Run) -> bool:
    """Show a run until it ends, or nobody is at work on it; whether it is finished."""
    from rich.console import Console

    from evogen.follow import follow

    return follow(Console(), run)


def fingerprint(folder: Folder) -> None:
    """Print a hash of all candidates and outcomes."""
    import evogen

    with evogen.open(folder) as found:
        typer.echo(found.fingerprint())


def show(
    candidate: Candidate,
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
    printed([dumps(value, indent=2)] if json else summary.candidate_lines(value))


def replay(
    candidate: Candidate,
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


def fetch(
    url: Annotated[str, typer.Argument(metavar="URL", help="What --mirror was given.")],
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="The new run folder.")],
) -> None:
    """Copy a mirror into a run folder, so that 'evogen resume' can go on with it."""
    from evogen.mirror import fetch as copy

    typer.echo(f"{folder}: {copy(url, folder)} cohorts; go on with 'evogen resume {folder}'")


COMMANDS = (status, fingerprint, show, replay, fetch)
