"""Rows and contrasts of the joint study, from its cells.

A contrast is the score of `joint` minus that of another arm, in pairs of seeds. Its effect size is d, the
mean difference over the standard deviation of the differences; `wins` is the share of seeds in which `joint`
is better, a tie counting as half. Holm's correction is over the contrasts of all tasks that answer one
question: what a chromosome adds (arms in which it alone is frozen), or whether evolution beats chance.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from evogen.analysis.plain import plain
from evogen.analysis.statistics import Interval, holm, interval, sign_flip
from evogen.keys import Key
from evogen.studies.joint_arms import JOINT, JointArm
from evogen.studies.joint_cell import Effort, Found, JointCell
from evogen.studies.joint_tasks import World
from evogen.studies.store import versions

Cells = Mapping[JointCell, Found]
LEVEL = 0.05


def record(title: str, cells: Cells, effort: Effort, command: str) -> dict[str, Any]:
    """Return all of the study as a JSON value; only `seconds` and `command` differ between equal runs."""
    worlds = list(dict.fromkeys(cell.world for cell in cells))
    arms = list(dict.fromkeys(cell.arm for cell in cells))
    rows = [row(cells, world, arm, effort) for world in worlds for arm in arms]
    return {
        "study": title,
        "command": command,
        "versions": versions(),
        "seeds": list(range(effort.seeds)),
        "effort": asdict(effort),
        "searches": {world.name: world.search for world in worlds},
        "overrides": {
            f"{cell.world.name}-{cell.arm.name}": list(cell.overrides) for cell in cells if cell.seed == 0
        },
        "rows": rows,
        "contrasts": contrasts(cells, worlds, arms, effort),
        "sweep": [],
        "fingerprints": {cell.name: found.fingerprint for cell, found in cells.items()},
        "seconds": {cell.name: found.seconds for cell, found in cells.items()},
    }


def row(cells: Cells, world: World, arm: JointArm, effort: Effort) -> dict[str, Any]:
    """Return what an arm came to on a task; steps and gradient steps are those of one search."""
    found = [cells[JointCell(world, arm, seed, effort)] for seed in range(effort.seeds)]
    key = Key(0).child("study joint", world.name, arm.name)
    scores = np.array([each.score for each in found])
    fitness = np.array([math.nan if each.fitness is None else each.fitness for each in found])
    return {
        "task": world.name,
        "arm": arm.name,
        "seeds": effort.seeds,
        "agents": effort.agents,
        "score": _numbers(interval(scores, key.child("score"))),
        "fitness": _numbers(interval(fitness, key.child("fitness"))),
        "candidates": effort.candidates,
        "failed": sum(each.failed for each in found),
        "steps": effort.candidates * world.steps,
        "gradient_steps": effort.candidates * world.gradients,
        "scores": plain([each.score for each in found]),
    }


def contrasts(
    cells: Cells, worlds: Sequence[World], arms: Sequence[JointArm], effort: Effort
) -> list[dict[str, Any]]:
    """Return `joint` minus every other arm on every task."""
    found = []
    others = [arm for arm in arms if arm is not JOINT]
    for family in (
        [arm for arm in others if arm.chromosome is not None],
        [arm for arm in others if arm.chromosome is None],
    ):
        pairs = [(world, arm) for arm in family for world in worlds]
        differences = [
            _scores(cells, world, JOINT, effort) - _scores(cells, world, arm, effort) for world, arm in pairs
        ]
        keys = [Key(0).child("study joint", world.name, f"joint {arm.name}") for world, arm in pairs]
        p = [sign_flip(each, key.child("test")) for each, key in zip(differences, keys, strict=True)]
        for (world, arm), each, key, alone, adjusted in zip(
            pairs, differences, keys, p, holm(p), strict=True
        ):
            found.append(
                {
                    "task": world.name,
                    "second": arm.name,
                    "chromosome": arm.chromosome,
                    "difference": _numbers(interval(each, key.child("difference"))),
                    "d": _effect(each),
                    "wins": _wins(each),
                    "p_alone": plain(alone),
                    "p": plain(adjusted),
                }
            )
    return found


def _scores(cells: Cells, world: World, arm: JointArm, effort: Effort) -> np.ndarray:
    return np.array([cells[JointCell(world, arm, seed, effort)].score for seed in range(effort.seeds)])


def _effect(differences: np.ndarray) -> float | None:
    finite = differences[np.isfinite(differences)]
    spread = finite.std(ddof=1) if len(finite) > 1 else 0.0
    return None if spread == 0 else float(finite.mean() / spread)


def _wins(differences: np.ndarray) -> float | None:
    finite = differences[np.isfinite(differences)]
    return float(((finite > 0) + 0.5 * (finite == 0)).mean()) if len(finite) else None


def _numbers(value: Interval) -> dict[str, float | None]:
    return {name: plain(each) for name, each in value._asdict().items()}
