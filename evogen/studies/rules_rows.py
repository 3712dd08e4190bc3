"""Rows and contrasts of the study of evolved rules, from the lives of its arms.

A life that never reached the threshold counts with all the steps that it had: `steps` is the mean of
min(steps to the threshold, steps of the life), and the number that failed stands beside it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from evogen.analysis.statistics import Interval, holm, interval, sign_flip
from evogen.keys import Key
from evogen.studies.rows import per_seed
from evogen.studies.rules_arms import EVOLVED, RulesArm
from evogen.studies.rules_lives import Lives
from evogen.studies.rules_search import Found
from evogen.studies.store import listed, versions
from evogen.tasks import ControlTask

# What a part is for: on another task, a life of one length answers both.
MEASURES: Mapping[str, tuple[str, ...]] = {"short life": ("score",), "long life": ("steps",)}


@dataclass(frozen=True, eq=False)
class Entry:
    """The lives of one arm in one part of the study (`short life`, `long life`, or another task's name)."""

    part: str
    task: ControlTask
    arm: RulesArm
    lives: Lives

    @property
    def score(self) -> np.ndarray:
        """(S,) mean score of the agents of each life."""
        return per_seed(self.lives.scores)

    @property
    def steps(self) -> np.ndarray:
        """(S,) environment steps to the threshold; those of the whole life where it was never reached."""
        return np.where(np.isnan(self.lives.reached), self.lives.steps, self.lives.reached)

    @property
    def failed(self) -> int:
        """Lives that never reached the threshold."""
        return int(np.isnan(self.lives.reached).sum())


def record(title: str, found: Found, entries: Sequence[Entry], effort: Any, command: str) -> dict[str, Any]:
    """Return all of the study as a JSON value."""
    seeds = len(entries[0].lives.scores)
    return {
        "study": title,
        "command": command,
        "versions": versions(),
        "seeds": list(range(seeds)),
        "effort": asdict(effort),
        "search": {
            "experiment": found.experiment.yaml,
            "run": found.path,
            "fingerprint": found.fingerprint,
            "winner": found.candidate,
            "fitness": found.fitness,
            "genes": len(found.rules.genes),
            "O": listed(found.rules.O),
            "c": listed(found.rules.c),
            "mask": None if found.rules.mask is None else listed(found.rules.mask),
        },
        "rows": [_row(entry) for entry in entries],
        "contrasts": contrasts(entries),
        "sweep": [],
    }


def _row(entry: Entry) -> dict[str, Any]:
    threshold, key = entry.task.threshold, _key(entry.part, entry.arm.name)
    lost = int((~np.isfinite(entry.lives.scores)).sum())
    shares = (entry.lives.scores >= (math.inf if threshold is None else threshold)).mean(1)
    return {
        "part": entry.part,
        "arm": entry.arm.name,
        "seeds": len(entry.lives.scores),
        "agents": entry.lives.scores.shape[1],
        "life": entry.lives.steps,
        "threshold": threshold,
        "score": _numbers(interval(entry.score, key.child("score"))),
        "solved": _numbers(interval(shares, key.child("solved"))),
        "lost": lost,
        "steps": _numbers(interval(entry.steps, key.child("steps"))),
        "failed": entry.failed,
        "scores": listed(entry.score),
        "reached": listed(entry.lives.reached),
    }


def contrasts(entries: Sequence[Entry]) -> list[dict[str, Any]]:
    """Return evolved minus every other arm in pairs of seeds, p Holm-adjusted in each part and measure."""
    found = []
    for part in dict.fromkeys(entry.part for entry in entries):
        own = next(entry for entry in entries if (entry.part, entry.arm) == (part, EVOLVED))
        others = [entry for entry in entries if entry.part == part and entry.arm is not EVOLVED]
        for measure in MEASURES.get(part, ("score", "steps")):
            differences = [getattr(own, measure) - getattr(other, measure) for other in others]
            keys = [_key(part, other.arm.name).child(measure) for other in others]
            p = holm(
                [sign_flip(each, key.child("test")) for each, key in zip(differences, keys, strict=True)]
            )
            for other, each, key, adjusted in zip(others, differences, keys, p, strict=True):
                found.append(
                    {
                        "part": part,
                        "measure": measure,
                        "second": other.arm.name,
                        "difference": _numbers(interval(each, key.child("difference"))),
                        "p": None if math.isnan(adjusted) else adjusted,
                    }
                )
    return found


def _numbers(value: Interval) -> dict[str, float | None]:
    return {name: each if math.isfinite(each) else None for name, each in value._asdict().items()}


def _key(*names: str) -> Key:
    return Key(0).child("study rules", "interval", *names)
