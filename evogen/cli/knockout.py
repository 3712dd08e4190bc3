"""The command `knockout`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from evogen.cli.options import Candidate, SameDevice, notice, printed
from evogen.cli.outputs import PageFile, ValuesFile, refuse, write_page, write_values

if TYPE_CHECKING:
    from evogen.analysis.knockout.worth import Knockout, Part

_BAR = 8
_LINE = "{:<17.17} {:>8} {:>19} {:<8} {:>9} {}"


def knockout(
    candidate: Candidate,
    *,
    agents: Annotated[int, typer.Option(min=6, help="Born of the intact genome and of each variant.")] = 16,
    pairs: Annotated[
        int, typer.Option(min=0, help="Gene pairs, those of the largest predicted losses.")
    ] = 1024,
    score: Annotated[
        Literal["fresh", "report"],
        typer.Option(help="Fresh episodes in the search's copy of an environment, or what the report plays."),
    ] = "fresh",
    lines: Annotated[int, typer.Option("-n", min=1, help="Most parts to list.")] = 20,
    out: PageFile = None,
    json: ValuesFile = None,
    device: SameDevice = None,
) -> None:
    """Silence every gene, gene pair, module and plasticity term in turn; say what each is worth."""
    from rich.console import Console
    from rich.progress import Progress

    from evogen.analysis import knockout as screens
    from evogen.analysis.knockout import worth
    from evogen.experiment import experiment_of
    from evogen.experiment.launch import device_of, problem, usable
    from evogen.runs import Run, locate
    from evogen.tasks import Fold

    refuse(page=out, values=json)
    folder, which = locate(candidate)
    with Run.open(folder) as run:
        ref = run.resolve(which)
        genome, outcome = run.tuned_genome(ref), run.row(ref).outcome
        posed = problem(experiment_of(run), usable(device or device_of(run)))
    if outcome != "ok":
        notice(f"{ref} ended {outcome.value}: it is screened as it was born")
    fold = Fold.REPORT if score == "report" else None
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("screen", total=None)
        found = screens.knockout(
            posed,
            genome,
            agents=agents,
            pairs=pairs,
            fold=fold,
            seen=lambda done, of: bar.update(task, completed=done, total=of),
        )
    title = f"{folder}@{ref}"
    printed(_lines(found, title, lines))
    if json is not None:
        write_values(json, {"candidate": title, **worth.values(found)})
    if out is not None:
        from evogen.report import knockout as pages

        write_page(out, f"evogen: knock-out of {title}", pages.sections(found, title))


def _lines(found: Knockout, title: str, most: int) -> Iterator[str]:
    import textwrap

    from evogen.analysis.knockout.worth import cautions, learners

    parts = [part for part in found.parts[1:] if part.label != "not screened"]
    yield f"knock-out of {title}, as its life tuned it"
    yield from textwrap.wrap(f"{len(found.intact)} agents each, on {found.reported}", 80)
    silent = found.score - found.gap
    yield f"intact {found.score:.4g}; without any synapse {silent:.4g}, a gap of {found.gap:.4g}"
    counts = Counter(part.label for part in parts)
    said = ", ".join(
        f"{counts[label]} {label.value}" for label in type(found.parts[0].label) if counts[label]
    )
    error = f" (5 % error over all together{', of births' if found.examples else ''})"
    yield from textwrap.wrap(f"{len(parts)} parts: {said}{'' if found.alike else error}", 80)
    for caution in filter(None, (*cautions(found), learners(found))):
        yield from textwrap.wrap(f"note: {caution}", 80, subsequent_indent="      ")
    yield ""
    yield _LINE.format("part", "loss", "95 % interval", "of gap", "predicted", "verdict").rstrip()
    ranked = sorted(parts, key=lambda part: -part.loss if part.loss == part.loss else float("inf"))
    for part in ranked[:most]:
        yield _line(part, found.gap)
    if len(ranked) > most:
        yield f"{len(ranked) - most} smaller losses are not listed: -n {len(ranked)}, --json or -o"
    if found.unit is not None:
        rank, count = found.agreement()
        yield f"predicted: {found.unit}, to first order;"
        yield f"rank correlation with the losses {rank:.2f} over {count} parts"


def _line(part: Part, gap: float) -> str:
    share = part.loss / gap if gap > 0 else 0.0
    bar = "#" * round(_BAR * min(max(share, 0.0), 1.0)) if share == share else ""
    interval = f"[{part.low:.3g}, {part.high:.3g}]"
    predicted = "-" if part.predicted != part.predicted else f"{part.predicted:.3g}"
    verdict = f"{part.label.value}{' *' if part.note else ''}"
    return _LINE.format(part.name, f"{part.loss:.4g}", interval, bar, predicted, verdict).rstrip()


COMMANDS = (knockout,)
