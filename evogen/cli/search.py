"""Commands that search: run, resume, submit."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from evogen.cli.ends import INTERRUPTED, TERMINATED
from evogen.cli.options import (
    Address,
    Cpus,
    Device,
    Folder,
    Gpus,
    Mirror,
    MirrorEvery,
    Overrides,
    SameDevice,
    Seed,
    Spec,
    Track,
    Workers,
    notice,
    printed,
    settings,
)
from evogen.errors import RunError, SpecError

if TYPE_CHECKING:
    from evogen.experiment import Experiment
    from evogen.runs import Run

LEADERS = 5


def run(
    file: Spec,
    *,
    workers: Workers = 0,
    address: Address = None,
    cpus: Cpus = 1.0,
    gpus: Gpus = 0.0,
    device: Device = "cpu",
    seed: Seed = None,
    overrides: Overrides = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="The new run folder; runs/NAME by default.")
    ] = None,
    mirror: Mirror = None,
    mirror_every: MirrorEvery = 10,
    track: Track = None,
) -> None:
    """Run a search, check its winner, write the report."""
    from rich.console import Console

    import evogen
    from evogen.budget import length
    from evogen.progress import Tally, watch
    from evogen.sinks import settled
    from evogen.trackers import tracker

    experiment = evogen.load(file, settings(overrides, seed))
    sinks = [tracker(text) for text in track or ()]
    console = Console()
    tally = Tally(length(experiment.search), max(workers, 1))
    if workers > (flight := experiment.search.lookahead):
        notice(f"{workers - flight} workers will stand idle: search.lookahead {flight} cohorts are in flight")
    with watch(console, tally) as see:
        found = evogen.run(
            experiment,
            workers=workers,
            cpus=cpus,
            gpus=gpus,
            address=address,
            device=device,
            out=out,
            mirror=mirror,
            mirror_every=mirror_every,
            sinks=sinks,
            on_event=see,
            on_notice=notice,
        )
    with found, settled(found, sinks, notice=notice):
        _finish(found, experiment, device)


def resume(
    folder: Folder,
    *,
    workers: Workers = 0,
    address: Address = None,
    cpus: Cpus = 1.0,
    gpus: Gpus = 0.0,
    device: SameDevice = None,
    overrides: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="PATH=VALUE", help="Change how long it is: search.cohorts=200."),
    ] = None,
    mirror: Mirror = None,
    mirror_every: MirrorEvery = 10,
    track: Track = None,
) -> None:
    """Go on with a run; no bit of it depends on having been cut."""
    from rich.console import Console

    import evogen
    from evogen.experiment import experiment_of
    from evogen.progress import tally_of, watch
    from evogen.sinks import settled
    from evogen.trackers import tracker

    sinks = [tracker(text) for text in track or ()]
    with evogen.open(folder) as before:
        experiment = experiment_of(before, overrides or ())
        tally = tally_of(before, experiment.search, slots=max(workers, 1))
    with watch(Console(), tally) as see:
        found = evogen.resume(
            folder,
            workers=workers,
            cpus=cpus,
            gpus=gpus,
            address=address,
            device=device,
            overrides=overrides or (),
            mirror=mirror,
            mirror_every=mirror_every,
            sinks=sinks,
            on_event=see,
            on_notice=notice,
        )
    with found, settled(found, sinks, notice=notice):
        _finish(found, experiment, device)


def submit(
    file: Spec,
    *,
    address: Annotated[str, typer.Option(help="Of the cluster's dashboard: http://HOST:8265.")],
    workers: Annotated[int, typer.Option(min=1, help="Ray workers.")],
    cpus: Cpus = 1.0,
    gpus: Gpus = 0.0,
    device: Device = "cpu",
    seed: Seed = None,
    overrides: Overrides = None,
    out: Annotated[
        str, typer.Option("--out", "-o", help="The new run folder on the head; ~/runs/NAME by default.")
    ] = "",
    mirror: Mirror = None,
    mirror_every: MirrorEvery = 10,
    follow: Annotated[bool, typer.Option("--follow", help="Show the output until the search ends.")] = False,
) -> None:
    """Run a search on a Ray cluster, as a job of its own, with evogen and the files shipped along."""
    import evogen
    from evogen.distributed import submit as jobs
    from evogen.experiment.spec import GRAMMAR

    experiment = evogen.load(file, settings(overrides, seed))
    path = out or f"~/runs/{experiment.name}"
    if not path.startswith(("/", "~/")):
        raise SpecError(f"--out {path}: wanted /PATH or ~/PATH on the cluster's head")
    if mirror is not None and "://" not in mirror and not mirror.startswith(("/", "~/")):
        raise SpecError(f"--mirror {mirror}: wanted a URL, or /PATH or ~/PATH on the cluster's head")
    files = {"experiment.yaml": experiment.yaml.encode(), GRAMMAR: experiment.grammar.encode()}
    options = {
        "address": "auto",
        "workers": workers,
        "cpus": cpus,
        "gpus": gpus,
        "device": device,
        "out": path,
        **({} if mirror is None else {"mirror": mirror, "mirror-every": mirror_every}),
    }
    arguments = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    job = jobs.submit(files | dict(experiment.files), ["run", "experiment.yaml", *arguments], address=address)
    typer.echo(f"job: {job.id}")
    typer.echo(f"run: {path} on the cluster's head")
    typer.echo(f"follow: {job.follow}")
    typer.echo(f"stop: {job.stop}")
    if follow:
        try:
            raise typer.Exit(jobs.follow(job, lambda text: typer.echo(text, nl=False)))
        except KeyboardInterrupt as error:
            typer.echo("the job goes on without being followed", err=True)
            raise typer.Exit(INTERRUPTED) from error


def _finish(found: Run, experiment: Experiment, device: str | None) -> None:
    """Print how to go on with an unfinished run, or the best candidates, the report, the winner's check."""
    from rich.console import Console

    import evogen
    from evogen.budget import Ending, ended, finished, length
    from evogen.report import write
    from evogen.summary import check_lines, leaders

    if not finished(found, experiment.search):
        planned = length(experiment.search)
        typer.echo(f"stopped after {found.told}{f' of {planned}' if planned else ''} cohorts; go on with:")
        typer.echo(f"  evogen resume {found.path}")
        raise typer.Exit(TERMINATED if ended(found) is Ending.TERMINATED else INTERRUPTED)
    Console().print(leaders(found, LEADERS))
    page = found.path / "report.html"
    if found.best() is None:
        typer.echo(f"report: {write([found], page)}")
        raise RunError(f"no candidate has a fitness: 'evogen show {found.path}@0:0' says what went wrong")
    lines = list(
        check_lines(
            evogen.check(found, experiment, device=device), evogen.compare(found, experiment), experiment
        )
    )
    typer.echo(f"report: {write([found], page)}")
    printed(lines)


COMMANDS = (run, resume, submit)
