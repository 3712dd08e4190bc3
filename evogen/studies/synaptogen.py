"""The study of SynaptoGen: its four tasks, its way and ours, with the controls that its paper leaves out.

Ours: training goes through the noise of birth, so that agents with few synapses do what their average network
does. Every arm of a task has the same networks, ten training seeds and the same environment steps, but for
`distill`, which needs fewer and a teacher.

Sources: SynaptoGen (arXiv 2402.07242; eLife RP109166); the figure of 16 genes stands beside ours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from evogen.errors import SpecError
from evogen.studies import Findings, Options, Study, refuse_run, refuse_unknown
from evogen.studies.arms import ARMS, Arm
from evogen.studies.cell import Cell, Result
from evogen.studies.export import record, write_all
from evogen.studies.jobs import do
from evogen.studies.recipes import RECIPES, Effort
from evogen.studies.rows import per_seed, tables
from evogen.studies.store import read
from evogen.studies.table import lines, number

FULL = Effort()
QUICK = Effort(seeds=3, agents=20, episodes=5, average_episodes=20, part=0.25)
QUICK_ARMS = {"cartpole": None, "acrobot": ("noise", "mean")}  # None: all
FOLDER, QUICK_FOLDER = Path("runs/study-synaptogen"), Path("runs/study-synaptogen-quick")
TITLE = "SynaptoGen: trained through the noise of birth, against its paper and controls"

Say = Callable[[str], None]


def run(options: Options, say: Say) -> Findings:
    """Do what is missing of the study and return its table.

    Raises:
        SpecError: an option is wrong, or no task is left.
        RunError: a cell's file is damaged or was made otherwise.
        WorkerError: a worker died.
    """
    effort = QUICK if options.quick else FULL
    if options.seeds is not None:
        effort = replace(effort, seeds=options.seeds)
    refuse_run(options)
    refuse_unknown(options, tasks=list(RECIPES), arms=[arm.name for arm in ARMS])
    folder = options.out or (QUICK_FOLDER if options.quick else FOLDER)
    if folder.exists() and not folder.is_dir():
        raise SpecError(f"--out: wanted a folder, {folder} is a file")
    cells = plan(options, effort, say)
    store = folder / "cells"
    done = {cell.name for cell in cells if read(store, cell) is not None}
    missing = [cell for cell in cells if cell.name not in done]
    if done:
        say(f"{len(done)} of {len(cells)} cells are there already")
    count = len(done)

    def tell(cell: Cell, result: Result) -> None:
        nonlocal count
        count += 1
        say(f"{count}/{len(cells)} {_progress(cell, result)}")

    do(store, missing, workers=options.workers, report=tell)
    found = tables([(cell, _there(store, cell)) for cell in cells])
    text = "\n".join([TITLE, "", *lines(found)])
    whole = record(TITLE, found, options.command)
    return Findings(text, whole, write_all(folder, text, whole))


def plan(options: Options, effort: Effort, say: Say) -> list[Cell]:
    """Return the cells, parents before their children, but of tasks whose environment cannot be made."""
    cells: list[Cell] = []
    for task in options.tasks or (QUICK_ARMS if options.quick else RECIPES):
        try:
            RECIPES[task].play(1)
        except ValueError as error:
            say(f"left out {task}: {error}")
            continue
        usual = QUICK_ARMS.get(task) if options.quick else None
        cells += _cells(task, _arms(options.arms or usual), effort, say)
    if not cells:
        raise SpecError("no task is left to study; see above what is missing")
    return cells


def _cells(task: str, arms: Sequence[Arm], effort: Effort, say: Say) -> list[Cell]:
    by_arm: dict[str, Cell] = {}
    for arm in arms:
        if arm.learner == "dqn" and RECIPES[task].dqn is None:
            say(f"left out {task}-{arm.name}: the reference's learner would take hours there")
            continue
        by_arm[arm.name] = Cell(task, arm, effort, None if arm.of is None else by_arm[arm.of])
    return list(by_arm.values())


def _arms(wanted: Iterable[str] | None) -> list[Arm]:
    """Return the arms wanted, with those whose rules they take, in the table's order."""
    names = set(wanted or (arm.name for arm in ARMS))
    names |= {arm.of for arm in ARMS if arm.name in names and arm.of is not None}
    return [arm for arm in ARMS if arm.name in names]


def _there(store: Path, cell: Cell) -> Result:
    result = read(store, cell)
    assert result is not None
    return result


def _progress(cell: Cell, result: Result) -> str:
    means = ", ".join(
        f"{regime} {number(float(per_seed(scores).mean()))}" for regime, scores in result.scores.items()
    )
    return f"{cell.name}: trained {result.training:.0f} s, scored {result.scoring:.0f} s; {means}"


STUDY = Study("synaptogen", TITLE, run)
