"""The joint study: what does each chromosome add to a search in which all three evolve?

On each task the joint search stands against searches in which one chromosome is frozen, and against two in
which nothing evolves, at equal candidates, environment steps and gradient steps. Every search's winner is
scored by agents born anew, on what no search saw.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from evogen.studies import Findings, Options, Study, refuse_run, refuse_unknown
from evogen.studies.export import write_all
from evogen.studies.jobs import spread
from evogen.studies.joint_arms import ARMS, JOINT
from evogen.studies.joint_cell import Effort, JointCell, read, work
from evogen.studies.joint_rows import record
from evogen.studies.joint_table import lines
from evogen.studies.joint_tasks import WORLDS

FULL = Effort()
QUICK = Effort(seeds=3, agents=4, cohorts=3, cohort_size=6)
FOLDER, QUICK_FOLDER = Path("runs/study-joint"), Path("runs/study-joint-quick")
TITLE = "Joint search: what rules, architecture and plasticity each add"

Say = Callable[[str], None]


def run(options: Options, say: Say) -> Findings:
    """Do what is missing of the study and return its table.

    Raises:
        SpecError: an option is wrong.
        RunError: a cell's file is damaged or was made otherwise.
        WorkerError: a worker died.
    """
    effort = QUICK if options.quick else FULL
    if options.seeds is not None:
        effort = replace(effort, seeds=options.seeds)
    refuse_run(options)
    refuse_unknown(options, tasks=list(WORLDS), arms=[arm.name for arm in ARMS])
    folder = options.out or (QUICK_FOLDER if options.quick else FOLDER)
    cells, store = plan(options, effort), folder / "cells"
    there = {cell: found for cell in cells if (found := read(store, cell)) is not None}
    if there:
        say(f"{len(there)} of {len(cells)} cells are there already")

    def finish(cell: JointCell) -> None:
        found = read(store, cell)
        assert found is not None
        there[cell] = found
        score = f"{found.score:.{cell.world.decimals}f}"
        say(f"{len(there)}/{len(cells)} {cell.name}: score {score}, {found.seconds:.0f} s")

    missing = [cell for cell in cells if cell not in there]
    spread(missing, partial(work, store), workers=options.workers, finish=finish)
    whole = record(TITLE, {cell: there[cell] for cell in cells}, effort, options.command)
    text = "\n".join([TITLE, "", *lines(whole)])
    return Findings(text, whole, write_all(folder, text, whole))


def plan(options: Options, effort: Effort) -> Sequence[JointCell]:
    """Return the cells, all arms and tasks of a seed before the next seed."""
    tasks = options.tasks or tuple(WORLDS)
    arms = [arm for arm in ARMS if options.arms is None or arm.name in {*options.arms, JOINT.name}]
    return [
        JointCell(world, arm, seed, effort)
        for seed in range(effort.seeds)
        for world in WORLDS.values()
        if world.name in tasks
        for arm in arms
    ]


STUDY = Study("joint", TITLE, run)
