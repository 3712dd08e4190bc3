"""Arguments and options that several commands share, and how they say things."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from evogen.terminal import plain

Folder = Annotated[Path, typer.Argument(metavar="RUN", help="A run folder, such as runs/NAME.")]
Candidate = Annotated[
    str, typer.Argument(metavar="RUN@WHICH", help="WHICH: best, COHORT:ROW, or a genome's id.")
]
SameDevice = Annotated[str | None, typer.Option(help="Where torch computes; as before by default.")]
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
Track = Annotated[
    list[str] | None,
    typer.Option(
        "--track", metavar="KIND:PLACE", help="Tell it to tensorboard:DIR or mlflow:URI; repeatable."
    ),
]


def notice(text: str) -> None:
    """Say something beside what a command prints."""
    typer.echo(plain(f"note: {text}"), err=True)


def printed(lines: Iterable[str]) -> None:
    """Print lines; what a run folder says in them cannot steer the terminal."""
    for line in lines:
        typer.echo(plain(line))


def settings(written: list[str] | None, seed: int | None) -> list[str]:
    """Return the changes that --set and --seed ask for."""
    return [*(written or []), *([] if seed is None else [f"seed={seed}"])]


def names(written: str | None) -> tuple[str, ...] | None:
    """Return the parts of A,B,C; None for None."""
    return None if written is None else tuple(name.strip() for name in written.split(",") if name.strip())
