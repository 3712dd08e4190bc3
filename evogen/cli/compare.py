"""The command `compare`."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from evogen.cli.outputs import PageFile, ValuesFile, refuse, write_page, write_values
from evogen.errors import RunError, SpecError, near

if TYPE_CHECKING:
    from evogen.analysis.comparison import Comparison
    from evogen.analysis.comparison.arms import Arm
    from evogen.analysis.comparison.trials import Score, Trial


def compare(
    folders: Annotated[list[Path] | None, typer.Argument(metavar="RUN...", help="Run folders.")] = None,
    *,
    arm: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=RUN,RUN",
            help="Name an arm; a run may be a pattern. By default runs that differ "
            "in their seed only form one.",
        ),
    ] = None,
    against: Annotated[
        str | None,
        typer.Option(metavar="ARM", help="Compare all others with this one; by default all pairs."),
    ] = None,
    by: Annotated[
        str,
        typer.Option(metavar="fresh|search", help="The winner's fresh score, or the search's own estimate."),
    ] = "fresh",
    unfinished: Annotated[
        str, typer.Option(metavar="refused|failed|left-out", help="What becomes of runs without an end.")
    ] = "refused",
    anyway: Annotated[
        bool, typer.Option("--anyway", help="Compare though tasks or budgets differ, and say so.")
    ] = False,
    ranges: Annotated[
        list[str] | None, typer.Option("--range", metavar="TASK=LOW,HIGH", help="Scores that become 0 and 1.")
    ] = None,
    thresholds: Annotated[
        list[str] | None,
        typer.Option(
            "--threshold", metavar="TASK=X", help="Show when the fitness reached X; the task's own."
        ),
    ] = None,
    out: PageFile = None,
    json: ValuesFile = None,
) -> None:
    """Compare arms, which are groups of runs: which is better, and is it real."""
    from rich.console import Console

    from evogen.analysis.comparison import Options
    from evogen.analysis.comparison import compare as compared
    from evogen.analysis.comparison.fairness import Unfinished
    from evogen.analysis.comparison.trials import Score
    from evogen.cli.verdicts import parts

    _choice("--by", by, [one.value for one in Score])
    _choice("--unfinished", unfinished, [one.value for one in Unfinished])
    refuse(page=out, values=json)
    arms = _arms(folders or [], arm or [], Score(by))
    tasks = list(dict.fromkeys(task for one in arms for task in one.trials))
    stated = {task: _pair(task, numbers) for task, numbers in _by_task("--range", ranges, tasks, 2).items()}
    levels = {task: numbers[0] for task, numbers in _by_task("--threshold", thresholds, tasks, 1).items()}
    found = compared(arms, Options(Score(by), against, Unfinished(unfinished), anyway, stated, levels))
    console = Console()
    for part in parts(found):
        console.print(part)
    _write(found, out, json)


def _write(found: Comparison, out: Path | None, json: Path | None) -> None:
    if json is not None:
        from evogen.analysis.comparison.wording import record

        write_values(json, record(found))
    if out is not None:
        from evogen.report.comparison import sections

        title = f"Comparison of {', '.join(one.arm.name for one in found.standings)}"
        write_page(out, title, sections(found))


def _arms(folders: list[Path], named: list[str], by: Score) -> list[Arm]:
    from evogen.analysis.comparison import arms

    if folders and named:
        raise SpecError("give RUNs, which are grouped by their settings, or --arm for all of them; not both")
    if not folders and not named:
        raise SpecError("wanted run folders, as in 'evogen compare runs/*', or --arm NAME=RUN,RUN")
    if folders:
        return arms.grouped([_read(path, by) for path in folders])
    return arms.named(
        {name: [_read(path, by) for path in paths] for name, paths in arms.paths_of(named).items()}
    )


def _read(path: Path, by: Score) -> Trial:
    import evogen
    from evogen.analysis.comparison.trials import read

    with evogen.open(path) as run:
        return read(run, by)


def _choice(option: str, found: str, wanted: Iterable[str]) -> None:
    if found not in wanted:
        raise SpecError(f"{option} {found}: wanted one of {', '.join(wanted)}{near(found, wanted)}")


def _by_task(option: str, texts: list[str] | None, tasks: list[str], count: int) -> dict[str, list[float]]:
    """Read `TASK=NUMBERS`; the task may be left out where there is one."""
    found = {}
    for text in texts or []:
        name, _, rest = text.rpartition("=")
        name = name or (tasks[0] if len(tasks) == 1 else "")
        if name not in tasks:
            raise SpecError(
                f"{option} {text}: wanted TASK=..., with a task of these runs: {', '.join(tasks)}"
            )
        try:
            numbers = [float(word) for word in re.split(r"\s*,\s*", rest)]
        except ValueError as error:
            raise SpecError(f"{option} {text}: {error}") from error
        if len(numbers) != count or not all(map(math.isfinite, numbers)):
            raise SpecError(f"{option} {text}: wanted {count} finite number{'s' if count > 1 else ''}")
        found[name] = numbers
    return found


def _pair(task: str, numbers: list[float]) -> tuple[float, float]:
    low, high = numbers
    if low >= high:
        raise RunError(f"--range {task}={low:g},{high:g}: wanted LOW,HIGH with LOW below HIGH")
    return low, high


COMMANDS = (compare,)
