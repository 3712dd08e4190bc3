"""All of a trial as a JSON value: rows, contrasts with their verdicts, and what one needs to judge them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from evogen.analysis.plain import plain
from evogen.analysis.statistics import Interval, interval
from evogen.keys import Key
from evogen.studies.store import versions
from evogen.studies.trials.cells import Measured, TrialCell
from evogen.studies.trials.declared import Effort, Trial
from evogen.studies.trials.verdicts import Judged, Numbers, Verdict, judge


def record(trial: Trial, effort: Effort, cells: Mapping[TrialCell, Measured], command: str) -> dict[str, Any]:
    """Return the record; only `seconds` and `versions` differ between equal trials."""
    numbers = {
        (cell.task, cell.arm, name): values
        for cell, found in cells.items()
        for name, values in found.values.items()
    }
    judged = judge(
        [each for each in trial.contrasts if _there(each.task, each.measure, each.arms, numbers)],
        trial.measures,
        numbers,
    )
    whole: dict[str, Any] = plain(
        {
            "study": trial.name,
            "title": trial.title,
            "claim": trial.claim,
            "source": trial.source,
            "published": trial.published,
            "notes": trial.notes,
            "command": command,
            "versions": versions(),
            "seeds": list(range(effort.seeds)),
            "sizes": effort.sizes,
            "tasks": {name: says for name, says in trial.tasks.items() if _any(numbers, 0, name)},
            "arms": {name: says for name, says in trial.arms.items() if _any(numbers, 1, name)},
            "measures": {name: asdict(each) for name, each in trial.measures.items()},
            "rows": [_row(*where, values) for where, values in numbers.items()],
            "contrasts": [_contrast(each) for each in judged],
            "verdict": _counts(judged),
            "seconds": {cell.name: found.seconds for cell, found in cells.items()},
        }
    )
    return whole


def _there(task: str, measure: str, arms: tuple[str, ...], numbers: Numbers) -> bool:
    return all((task, arm, measure) in numbers for arm in arms)


def _any(numbers: Numbers, place: int, name: str) -> bool:
    return any(where[place] == name for where in numbers)


def _row(task: str, arm: str, measure: str, values: np.ndarray) -> dict[str, Any]:
    """Return what an arm came to on a task; no interval of one seed."""
    finite = values[np.isfinite(values)]
    found = interval(values, Key(0).child("trial", task, arm, measure))
    if len(finite) == 1:
        found = Interval(found.mean, np.nan, np.nan)
    return {
        "task": task,
        "arm": arm,
        "measure": measure,
        **found._asdict(),
        "failed": len(values) - len(finite),
        "values": values,
    }


def _contrast(judged: Judged) -> dict[str, Any]:
    return {
        **asdict(judged.contrast),
        "difference": judged.difference._asdict(),
        "wins": judged.wins,
        "test": judged.decision.test.value,
        "p_alone": judged.decision.p,
        "p": judged.decision.adjusted,
        "verdict": judged.decision.verdict.value,
    }


def _counts(judged: list[Judged]) -> dict[str, int]:
    found = Counter(each.decision.verdict for each in judged if not each.contrast.ours)
    return {verdict.value: found[verdict] for verdict in Verdict}
