"""The command line. Every command imports what it needs when it runs, so that `--help` stays quick.

Exit codes: 0 done; 1 a replay differs from what is stored; 2 something that the user can put right, said in
one screen; 130 interrupted (SIGINT); 143 ended by SIGTERM.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from evogen import stored
from evogen.errors import EvogenError, RunError, SpecError, near
from evogen.stored import Folder

if TYPE_CHECKING:
    from evogen.experiment import Experiment
    from evogen.runs import Run

app = typer.Typer(
    help="Evolve what a neural network is born with: wiring rules, architecture and plasticity.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
Spec = Annotated[
    Path, typer.Argument(metavar="FILE", help="An experiment file, such as searchspaces/x.yaml.")
]
Workers = Annotated[int, typer.Option(min=0, help="Ray workers; 0 evaluates in this process.")]
Address = Annotated[
    str | None, typer.Option(help="A running Ray cluster: auto, HOST:PORT or ray://HOST:PORT.")
]
Cpus = Annotated[float, typer.Option(min=0, help="Processors of each worker; 0.1 lets ten share one.")]
Gpus = Annotated[float, typer.Option(min=0, help="GPUs of each worker; 0.25 lets four share one.")]
Device = Annotated[str, typer.Option(help="Where torch computes: cpu, cuda, cuda:1.")]
Overrides = Annotated[
    list[str] | None, typer.Option("--set", metavar="PATH=VALUE", help="Change a setting: search.cohorts=40.")
]
Seed = Annotated[int | None, typer.Option(min=0, help="The root of all randomness; short for --set seed=S.")]
Mirror = Annotated[
    str | None,
    typer.Option(metavar="URL", help="Keep a copy there: a folder, or s3://BUCKET/NAME (s3fs)."),
]
MirrorEvery = Annotated[int, typer.Option(min=1, help="Cohorts between two uploads to the mirror.")]
INTERRUPTED, TERMINATED = 130, 143
LEADERS = 5


@contextmanager
def _reported() -> Iterator[None]:
    try:
        yield
    except EvogenError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from error
    except KeyboardInterrupt as error:
        typer.echo("interrupted; what is committed stays: 'evogen resume RUN' goes on", err=True)
        raise typer.Exit(INTERRUPTED) from error


@app.command()
@_reported()
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
) -> None:
    """Run a search, check its winner, write the report."""
    from rich.console import Console

    import evogen
    from evogen.budget import length
    from evogen.progress import Tally, watch

    experiment = evogen.load(file, _overrides(overrides, seed))
    console = Console()
    tally = Tally(length(experiment.search), max(workers, 1))
    if workers > (flight := experiment.search.lookahead):
        _notice(
            f"{workers - flight} workers will stand idle: search.lookahead {flight} cohorts are in flight"
        )
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
            on_event=see,
            on_notice=_notice,
        )
    with found:
        _finish(found, experiment, device)


@app.command()
@_reported()
def resume(
    folder: Folder,
    *,
    workers: Workers = 0,
    address: Address = None,
    cpus: Cpus = 1.0,
    gpus: Gpus = 0.0,
    device: stored.SameDevice = None,
    overrides: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="PATH=VALUE", help="Change how long it is: search.cohorts=200."),
    ] = None,
    mirror: Mirror = None,
    mirror_every: MirrorEvery = 10,
) -> None:
    """Go on with a run; no bit of it depends on having been cut."""
    from rich.console import Console

    import evogen
    from evogen.experiment import experiment_of
    from evogen.progress import tally_of, watch

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
            on_event=see,
            on_notice=_notice,
        )
    with found:
        _finish(found, experiment, device)


@app.command()
@_reported()
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

    experiment = evogen.load(file, _overrides(overrides, seed))
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


for command in stored.COMMANDS:
    app.command()(_reported()(command))


@app.command()
@_reported()
def study(
    name: Annotated[
        str,
        typer.Argument(metavar="NAME", help="Which comparison: synaptogen, rules, locality, grammar, joint."),
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
    json: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the whole as JSON there.")] = None,
) -> None:
    """Run a comparison, or go on with it; print its table."""
    import shlex
    import sys

    from evogen import studies
    from evogen.studies.export import dumped

    command = shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])
    options = studies.Options(quick, seeds, _names(tasks), _names(arms), workers, out, command, run)
    if json is not None and (json.is_dir() or not json.parent.is_dir()):
        raise SpecError(f"--json {json}: wanted a file in a folder that is there")
    for folder in [] if out is None else [out, *out.parents]:
        if folder.exists() and not folder.is_dir():
            raise SpecError(f"--out: wanted a folder, {folder} is a file")
    try:
        found = studies.find(name).run(options, _notice)
    except KeyboardInterrupt as error:
        typer.echo("interrupted; what the study keeps stays: the same command goes on", err=True)
        raise typer.Exit(INTERRUPTED) from error
    typer.echo(found.text)
    if json is not None:
        json.write_text(dumped(found.record), encoding="utf-8")
    typer.echo(f"files: {', '.join(str(path) for path in found.files)}")


@app.command()
@_reported()
def validate(file: Spec, *, seed: Seed = None, overrides: Overrides = None) -> None:
    """Check an experiment file and print it in full."""
    import evogen

    experiment = evogen.load(file, _overrides(overrides, seed))
    typer.echo(experiment.yaml, nl=False)


@app.command()
@_reported()
def teach(
    task: Annotated[
        str, typer.Argument(metavar="TASK", help="A task, or a Gymnasium id such as LunarLander-v3.")
    ],
    *,
    seed: Annotated[int, typer.Option(min=0, help="The root of all randomness.")] = 0,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="The new file; TASK.safetensors by default.")
    ] = None,
) -> None:
    """Train a teacher for the learner 'distill'."""
    import torch

    from evogen.keys import Key
    from evogen.learning.teach import train
    from evogen.learning.teacher import name_of
    from evogen.registry import find, known

    torch.set_num_threads(1)
    try:
        subject = find("task", task)() if task in known("task") else find("task", "gymnasium")(id=task)
    except ValueError as error:
        raise SpecError(f"evogen teach {task}: {error}") from error
    path = out or Path(f"{name_of(subject)}.safetensors")
    if path.exists() or not path.parent.is_dir():
        what = "is there already" if path.exists() else "has no folder to lie in"
        raise SpecError(f"{path} {what}: give another --out")
    found = train(subject, Key(seed))
    found.save(path)
    how = found.origin
    typer.echo(f"teacher: {path}")
    typer.echo(
        f"mean return {how.returns:.1f} over {how.episodes} fresh episodes; {how.steps} steps of training"
    )


@app.command()
@_reported()
def grammar(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A grammar file, such as grammars/x.bnf.")],
    *,
    start: Annotated[str, typer.Option(help="Where derivations start; at the first rule by default.")] = "",
    depth: Annotated[int | None, typer.Option(min=1, max=100, help="Most symbols from root to leaf.")] = None,
    counts: Annotated[
        list[str] | None, typer.Option("--count", metavar="NAME=N", help="What a dynamic rule picks from.")
    ] = None,
    listing: Annotated[bool, typer.Option("--list", help="Print every sentence instead.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="Most sentences of --list.")] = 100,
    sample: Annotated[int, typer.Option(min=0, help="Print so many random sentences instead.")] = 0,
    seed: Annotated[int, typer.Option(min=0, help="The root of --sample's randomness.")] = 0,
) -> None:
    """Check a grammar file; count, list or sample what it can say."""
    from evogen.grammar import load, overview

    found = load(file)
    begin = start or found.starts[0]
    context = overview.counts(found, begin, counts or ())
    if listing:
        _print(overview.sentences(found, begin, context, depth, limit))
    elif sample:
        _print(overview.samples(found, begin, context, depth=depth, number=sample, seed=seed))
    else:
        _print(overview.lines(found, begin, context, depth))


@app.command("list")
@_reported()
def list_parts(
    kinds: Annotated[
        str, typer.Argument(metavar="[tasks|rules|learners|strategies|wirings|neurons|priors|constraints]")
    ] = "",
) -> None:
    """List what an experiment file can name, with all settings."""
    from evogen.registry import PACKAGES, plural
    from evogen.summary import part_lines

    known = {plural(kind): kind for kind in PACKAGES}
    if kinds and kinds not in known:
        raise SpecError(f"evogen list {kinds}: nothing of that kind{near(kinds, known)}")
    for kind in [known[kinds]] if kinds else known.values():
        _print(part_lines(kind))


def main() -> None:
    """Run the command that the process was started with."""
    app(prog_name="evogen")


def _notice(text: str) -> None:
    typer.echo(f"note: {text}", err=True)


def _overrides(written: list[str] | None, seed: int | None) -> list[str]:
    return [*(written or []), *([] if seed is None else [f"seed={seed}"])]


def _names(written: str | None) -> tuple[str, ...] | None:
    return None if written is None else tuple(name.strip() for name in written.split(",") if name.strip())


def _print(lines: Iterator[str] | list[str]) -> None:
    for line in lines:
        typer.echo(line)


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
    _print(lines)
