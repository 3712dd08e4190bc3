"""Commands on what a search is made of: experiment files, grammars, teachers, registered parts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from evogen.cli.options import Overrides, Seed, Spec, printed, settings
from evogen.errors import SpecError, near
from evogen.registry import PACKAGES, plural


def validate(file: Spec, *, seed: Seed = None, overrides: Overrides = None) -> None:
    """Check an experiment file and print it in full."""
    import evogen

    experiment = evogen.load(file, settings(overrides, seed))
    typer.echo(experiment.yaml, nl=False)


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
        printed(overview.sentences(found, begin, context, depth, limit))
    elif sample:
        printed(overview.samples(found, begin, context, depth=depth, number=sample, seed=seed))
    else:
        printed(overview.lines(found, begin, context, depth))


def list_(
    kinds: Annotated[
        str, typer.Argument(metavar="[KINDS]", help=f"Only these: {', '.join(map(plural, PACKAGES))}.")
    ] = "",
) -> None:
    """List what an experiment file can name, with all settings."""
    from evogen.summary import part_lines

    known = {plural(kind): kind for kind in PACKAGES}
    if kinds and kinds not in known:
        raise SpecError(f"evogen list {kinds}: nothing of that kind{near(kinds, known)}")
    for kind in [known[kinds]] if kinds else known.values():
        printed(part_lines(kind))


COMMANDS = (validate, teach, grammar, list_)
