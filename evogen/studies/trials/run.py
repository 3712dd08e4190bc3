"""Running a trial: do the cells that are missing, then tell what all of them come to."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from evogen.errors import SpecError
from evogen.studies import Findings, Options, Study, refuse_run, refuse_unknown
from evogen.studies.jobs import spread
from evogen.studies.trials.cells import Measured, TrialCell, cells_of, read, work
from evogen.studies.trials.declared import Effort, Trial
from evogen.studies.trials.page import write_all
from evogen.studies.trials.record import record
from evogen.studies.trials.table import lines

Say = Callable[[str], None]


def trial(declared: Trial) -> Study:
    """Return the study that `evogen study NAME` runs."""
    return Study(declared.name, declared.title, partial(run, declared))


def run(declared: Trial, options: Options, say: Say) -> Findings:
    """Do what is missing of a trial and return its table.

    Raises:
        SpecError: an option is wrong, or nothing is left to do without packages that are not installed.
        RunError: a cell's file is damaged or was made otherwise.
        WorkerError: a worker died.
    """
    refuse_run(options)
    refuse_unknown(options, tasks=list(declared.tasks), arms=list(declared.arms))
    effort = declared.quick if options.quick else declared.full
    if options.seeds is not None:
        effort = replace(effort, seeds=options.seeds)
    folder = options.out or Path(f"runs/study-{declared.name}{'-quick' if options.quick else ''}")
    cells, store = plan(declared, options, effort, say), folder / "cells"
    there = {cell: found for cell in cells if (found := read(store, cell)) is not None}
    if there:
        say(f"{len(there)} of {len(cells)} cells are there already")

    def finish(cell: TrialCell) -> None:
        found = read(store, cell)
        assert found is not None
        there[cell] = found
        say(f"{len(there)}/{len(cells)} {cell.name}: {_told(declared, found)}, {found.seconds:.0f} s")

    missing = [cell for cell in cells if cell not in there]
    spread(missing, partial(work, store), workers=options.workers, finish=finish)
    whole = record(declared, effort, {cell: there[cell] for cell in cells}, command(declared, options))
    text = "\n".join(lines(whole))
    return Findings(text, whole, write_all(folder, text, whole))


def plan(declared: Trial, options: Options, effort: Effort, say: Say) -> list[TrialCell]:
    """Return the cells, but of tasks and arms whose package is not installed."""

    def installed(names: tuple[str, ...]) -> list[str]:
        left = []
        for name in names:
            package, extra = declared.needs.get(name, ("evogen", ""))
            if importlib.util.find_spec(package) is None:
                what = f"'evogen[{extra}]'" if extra else f"--no-deps {package}"
                say(f"left out {name}: it needs {package}; pip install {what}")
            else:
                left.append(name)
        return left

    tasks = installed(options.tasks or tuple(declared.tasks))
    arms = installed(options.arms or tuple(declared.arms))
    cells = cells_of(declared, effort, tasks, arms)
    if not cells:
        raise SpecError(f"study {declared.name}: nothing is left to do; see above what is missing")
    return cells


def command(declared: Trial, options: Options) -> str:
    """Return the command that makes these numbers, wherever it keeps them."""
    named: Mapping[str, tuple[str, ...] | None] = {"tasks": options.tasks, "arms": options.arms}
    words = ["evogen study", declared.name, *(["--quick"] if options.quick else [])]
    words += [] if options.seeds is None else [f"--seeds {options.seeds}"]
    return " ".join([*words, *(f"--{name} {','.join(each)}" for name, each in named.items() if each)])


def _told(declared: Trial, found: Measured) -> str:
    """Return the means of the first measures, for a line of progress."""
    parts = []
    for name, values in list(found.values.items())[:2]:
        measure = declared.measures[name]
        finite = values[np.isfinite(values)]
        mean = f"{finite.mean():.{measure.digits}f}" if len(finite) else "-"
        parts.append(f"{name} {mean}{' ' + measure.unit if measure.unit else ''}")
    return ", ".join(parts)
