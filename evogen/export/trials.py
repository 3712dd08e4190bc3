"""A run as an Optuna study, in Optuna's journal format: `optuna-dashboard FILE` opens it.

One trial per candidate. Its parameters are its plasticity genes and what it is made of (`evogen.measures`),
its values the objectives, its system attribute `constraints` the violation, which Optuna's samplers and
dashboard take as feasible if it is 0 or less. Who did not end OK is a failed trial.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import islice, takewhile
from pathlib import Path
from typing import IO, Any

import optuna
from optuna.distributions import BaseDistribution, FloatDistribution, IntDistribution
from optuna.storages import JournalStorage
from optuna.storages.journal import BaseJournalBackend
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState, create_trial

from evogen.cohort import Outcome
from evogen.experiment import experiment_of
from evogen.measures import MEASURES
from evogen.ranking import objectives
from evogen.runs import Run
from evogen.runs.records import Row, Timing
from evogen.space import Distribution, Integers, Log, Uniform
from evogen.strategies.goals import Goals, measured_in

_TOGETHER = 1000
_STRUCTURE = tuple(name for name in MEASURES if name not in ("fitness", "expected_score", "steps"))
_DIRECTION = {"maximise": StudyDirection.MAXIMIZE, "minimise": StudyDirection.MINIMIZE}


def write_study(run: Run, path: Path) -> None:
    """Write a journal of one study, which is called as the run's folder is."""
    goals, timings, space = run.goals, run.timings(), _distributions(run)
    with path.open("w", encoding="utf-8") as file, _quiet():
        first = _Journal(file, [])
        directions = [_DIRECTION[direction] for direction in goals.objectives.values()]
        storage = JournalStorage(first)
        study = storage.create_new_study(directions, run.path.resolve().name)
        storage.set_study_user_attr(study, "objectives", list(goals.objectives))
        begin = list(first.read_logs(0))
        born = takewhile(lambda pair: pair[0].ref.cohort < len(timings), run.born())  # a search may go on
        while together := list(islice(born, _TOGETHER)):
            # A storage keeps what it has seen: a new one for each part, which has seen the study only.
            part = JournalStorage(_Journal(file, begin))
            for row, genome in together:
                trial = _trial(row, genome["plasticity"], space, goals, timings[row.ref.cohort])
                part.create_new_trial(study, template_trial=trial)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Optuna from saying that it made a study."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)


class _Journal(BaseJournalBackend):
    """Appends to an open file, and remembers what a storage asks for again.

    JournalFileBackend locks the file, syncs the disk and reads back for every trial, 7 ms each.
    """

    def __init__(self, file: IO[str], begin: Sequence[dict[str, Any]]) -> None:
        self._file = file
        self._logs = list(begin)

    def read_logs(self, log_number_from: int) -> Iterator[dict[str, Any]]:
        """Return what was appended from this one on."""
        return iter(self._logs[log_number_from:])

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Write one line for each."""
        self._file.writelines(f"{json.dumps(log, separators=(',', ':'))}\n" for log in logs)
        self._logs += logs


def _trial(
    row: Row,
    genes: Mapping[str, Any],
    space: Mapping[str, BaseDistribution],
    goals: Goals,
    timing: Timing,
) -> FrozenTrial:
    told = goals.told(row.ref, measured_in(row.fitness, row.metrics, row.steps))
    failed = row.outcome is not Outcome.OK or told.fitness is None
    known = {**genes, **{name: row.metrics[name] for name in _STRUCTURE if name in row.metrics}}
    params = {
        name: int(known[name]) if isinstance(kind, IntDistribution) else float(known[name])
        for name, kind in space.items()
        if name in known
    }
    trial = create_trial(
        state=TrialState.FAIL if failed else TrialState.COMPLETE,
        values=None if failed else list(objectives(goals, told).values()),
        params=params,
        distributions={name: space[name] for name in params},
        user_attrs={
            "candidate": str(row.ref),
            "genome": row.genome,
            "outcome": row.outcome.value,
            "operator": row.operator,
            "parents": " ".join(str(parent) for parent in row.parents),
        },
        system_attrs={"constraints": [told.violation]} if goals.constraints and not failed else {},
    )
    trial.datetime_complete = datetime.fromtimestamp(timing.committed)
    trial.datetime_start = trial.datetime_complete - timedelta(seconds=timing.seconds)
    return trial


def _distributions(run: Run) -> dict[str, BaseDistribution]:
    """Return the genes with their bounds, and what candidates are made of between the ends that were met."""
    genes = {name: _distribution(kind) for name, kind in experiment_of(run).space.plasticity.items()}
    met: dict[str, tuple[float, float, bool]] = {}
    for row in run.rows():
        for name in _STRUCTURE:
            if (value := row.metrics.get(name)) is not None:
                low, high, whole = met.get(name, (value, value, True))
                met[name] = min(low, value), max(high, value), whole and value.is_integer()
    return genes | {
        name: IntDistribution(int(low), int(high)) if whole else FloatDistribution(low, high)
        for name, (low, high, whole) in met.items()
    }


def _distribution(kind: Distribution) -> BaseDistribution:
    match kind:
        case Uniform(low, high):
            return FloatDistribution(low, high)
        case Log(low, high):
            return FloatDistribution(low, high, log=True)
        case Integers(low, high):
            return IntDistribution(low, high)
    raise AssertionError(kind)
