"""Studies: a named comparison, arms x tasks x seeds, and the table that it prints.

An arm is one way to make agents (`evogen.studies.arms`), a cell is one arm on one task with all its training
seeds (`evogen.studies.cell`). A study keeps what took long, `synaptogen` its finished cells, `rules` its
search; the same command goes on from there. Most studies put a claim of the literature on trial, all in one
frame (`evogen.studies.trials`).
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from evogen.errors import SpecError, near

TRIALS = (
    "ncap",
    "celegans",
    "lifetime",
    "neuromodulation",
    "stpn",
    "local-rules",
    "spiking-coding",
    "dendrites",
    "reserve",
    "laminar",
    "motor-loop",
    "liquid",
    "regulatory",
    "evolve-rules",
)
"""Claims of the literature on trial, see `evogen.studies.trials`."""

_MODULES: Mapping[str, str] = {
    "synaptogen": "evogen.studies.synaptogen",
    "rules": "evogen.studies.rules",
    "locality": "evogen.studies.locality",
    "grammar": "evogen.studies.grammar.study",
    "joint": "evogen.studies.joint",
    **{name: f"evogen.studies.{name.replace('-', '_')}" for name in TRIALS},
}


@dataclass(frozen=True)
class Options:
    """What the user may say about a study; None leaves it as the study has it.

    Attributes:
        quick: few seeds and steps, to see it work.
        seeds: training seeds of each cell.
        tasks, arms: names of those wanted.
        workers: processes.
        out: the folder of cells and tables.
        command: what was typed, for the record.
        run: a search that was made already, for a study that begins with one.
    """

    quick: bool = False
    seeds: int | None = None
    tasks: tuple[str, ...] | None = None
    arms: tuple[str, ...] | None = None
    workers: int = 1
    out: Path | None = None
    command: str = ""
    run: Path | None = None


@dataclass(frozen=True)
class Study:
    """A comparison that can be run by name.

    Attributes:
        name, title: for the command line and the head of the table.
        run: takes the options and a receiver of progress lines; returns the record that `--json` writes.
    """

    name: str
    title: str
    run: Callable[[Options, Callable[[str], None]], Findings]


@dataclass(frozen=True)
class Findings:
    """What a study found: the table as text, the whole as a JSON value, and the files that hold it."""

    text: str
    record: Mapping[str, Any]
    files: tuple[Path, ...] = field(default=())


def find(name: str) -> Study:
    """Return a study.

    Raises:
        SpecError: there is none of this name.
    """
    if name not in _MODULES:
        raise SpecError(f"unknown study '{name}'{near(name, _MODULES)}")
    study: Study = importlib.import_module(_MODULES[name]).STUDY
    return study


def names() -> tuple[str, ...]:
    """Return the names of all studies."""
    return tuple(_MODULES)


def refuse_run(options: Options) -> None:
    """Refuse a run that was made already, in a study that makes its own.

    Raises:
        SpecError: there is one.
    """
    if options.run is not None:
        raise SpecError("--run: this study makes its own searches; only 'rules' and 'locality' take a run")


def refuse_unknown(options: Options, *, tasks: Sequence[str], arms: Sequence[str]) -> None:
    """Refuse names of tasks or arms that a study does not know, or that stand twice.

    Raises:
        SpecError: there is one.
    """
    for option, known, names in (("tasks", tasks, options.tasks), ("arms", arms, options.arms)):
        for name in names or ():
            if name not in known:
                raise SpecError(f"--{option}: unknown '{name}'{near(name, known)}")
        if names is not None and len(set(names)) < max(len(names), 1):
            raise SpecError(f"--{option}: wanted different names, found '{','.join(names)}'")
