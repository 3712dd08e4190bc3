"""Racing: successive halving of a cohort; candidates that learn badly at first leave before the end.

    of R rungs, i ends after L keep^(R - i) units of the inner loop; the best N keep^i of N candidates go on

Candidates are ranked by the last point of the learner's own curve; equals by their rows, and what is not
finite comes last. One that leaves is scored with what it has learnt so far: a true fitness, of a shorter
training, so on average a lower one. Learning rates fall as over the full length: whoever stays learns as if
there were no race. A mean return counts as 0 as long as no episode has ended: let the first rung be longer
than an episode.

At most `width` candidates train together. A rung goes through the whole cohort before any goes on; those that
stay are then put together anew, so that batches are full again (only candidates of one layout fit together).
In whose company one trains changes no bit of it; when it leaves depends on the whole cohort. That is recorded
among the metrics, as `rung`, and a candidate that is told when to leave gives the same bits alone.

Source: Jamieson, Talwalkar 2016, "Non-stochastic best arm identification and hyperparameter optimization"
(successive halving); Li et al. 2018, "Hyperband" (resources in powers of 1 / keep).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import pairwise
from typing import Any, NamedTuple, Protocol, TypeVar, cast

import torch

from evogen.cohort import Evaluation
from evogen.errors import EvogenError, SpecError
from evogen.genome import Genome
from evogen.keys import Key
from evogen.learning import Fit, Resumable
from evogen.phenotype import Embryo
from evogen.phenotype.rows import gather
from evogen.registry import known
from evogen.schema import Racing
from evogen.tasks import ControlTask, Task, TaskKind

POINTS = 40  # of a curve that every learner has at least, or one a unit


class Candidate(NamedTuple):
    """A candidate of a cohort, and where its training is.

    Attributes:
        row: in the cohort.
        genome, embryo: what it is.
        progress: of those that it trained with; None before it began.
        at: its row there.
        merit: what it is ranked by, higher is better.
    """

    row: int
    genome: Genome
    embryo: Embryo
    progress: Any = None
    at: int = 0
    merit: float = -math.inf


class Course(NamedTuple):
    """The rungs of a race.

    Attributes:
        ends: units of the inner loop after which each rung is over.
        room: candidates that may go on after each rung; none after the last. It is a share of the whole
            cohort, so those that fail leave their places to others.
        width: candidates that train together at most.
    """

    ends: tuple[int, ...]
    room: tuple[int, ...]
    width: int


_M = TypeVar("_M")


class Train(Protocol):
    """Lets candidates of one layout learn on."""

    def __call__(self, team: Sequence[Candidate], until: int) -> Sequence[Candidate | Evaluation]:
        """Return them after so many units, with progress and merit; or the evaluation of one that failed."""
        ...


Score = Callable[[Sequence[Candidate]], Sequence[Evaluation]]
"""Evaluates candidates of one layout with what they have learnt."""


def course(racing: Racing, learner: Resumable, size: int) -> Course:
    """Return the rungs of a race of `size` candidates.

    Raises:
        SpecError: the inner loop is too short for so many rungs.
    """
    length = learner.length()
    shares = [racing.keep**left for left in reversed(range(racing.rungs))]
    ends = tuple(max(1, round(length * share)) for share in shares)
    if any(a >= b for a, b in pairwise(ends)) or ends[0] * POINTS < length:
        text = f"{racing.rungs} rungs that end after {', '.join(map(str, ends))} of {length} units"
        raise SpecError(
            f"wanted rungs that end one after another, the first after 1/{POINTS} of the inner loop or more; "
            f"found {text}: choose fewer rungs or a larger keep"
        )
    room = [max(1, round(size * racing.keep**rung)) for rung in range(1, racing.rungs)]
    return Course(ends, (*room, 0), racing.width)


def check(racing: Racing, learner: object, task: Task) -> None:
    """Refuse a race that cannot be run.

    Raises:
        SpecError: the learner cannot be stopped on its way, the task's episodes cannot be taken apart by
            candidate, or the inner loop is too short.
    """
    if not isinstance(learner, Resumable):
        able = ", ".join(name for name, cls in known("learner").items() if issubclass(cls, Resumable))
        raise SpecError(f"wanted a learner that can be stopped on its way ({able}), found another")
    course(racing, learner, 1)
    if task.kind not in (TaskKind.CONTROL, TaskKind.CONTINUOUS):
        return
    try:
        gather([cast("ControlTask", task).start([Key(0)], 1, torch.device("cpu"))], [[0]])
    except EvogenError as error:
        raise SpecError(f"candidates cannot change their company in this task: {error}") from None


def race(
    fields: Iterable[Sequence[Candidate]],
    over: Course,
    *,
    train: Train,
    score: Score,
    rungs: Mapping[int, int] | None = None,
) -> dict[int, Evaluation]:
    """Return what the candidates of a cohort came to, by row, each with the `rung` at which it left.

    Args:
        fields: candidates by layout, in the order of their rows.
        over: the rungs.
        train: see there.
        score: see there.
        rungs: by row, counted from 1, the rung at which a candidate leaves; None ranks them.
    """
    found: dict[int, Evaluation] = {}
    for rung, end in enumerate(over.ends, 1):
        ended: dict[int, Evaluation] = {}
        running = []
        for field in fields:
            made = _in_teams(field, over.width, partial(train, until=end))
            ended |= {r.row: m for r, m in zip(field, made, strict=True) if isinstance(m, Evaluation)}
            running.append([m for m in made if not isinstance(m, Evaluation)])
        on = _going_on([candidate for field in running for candidate in field], rung, over, rungs)
        for field in running:
            leaving = [candidate for candidate in field if candidate.row not in on]
            scored = _in_teams(leaving, over.width, score)
            ended |= {
                candidate.row: evaluation for candidate, evaluation in zip(leaving, scored, strict=True)
            }
        fields = [[candidate for candidate in field if candidate.row in on] for field in running]
        found |= {
            row: replace(one, metrics={**one.metrics, "rung": float(rung)}) for row, one in ended.items()
        }
    return found


def joined(team: Sequence[Candidate]) -> Any:
    """Return the progress of these candidates alone, in their order."""
    parts: list[Any] = []
    rows: list[list[int]] = []
    for candidate in team:
        if not parts or parts[-1] is not candidate.progress:
            parts.append(candidate.progress)
            rows.append([])
        rows[-1].append(candidate.at)
    return gather(parts, rows)


def placed(team: Sequence[Candidate], progress: Any) -> list[Candidate]:
    """Return candidates that have trained together: their progress, and the merit that it gives them."""
    fit: Fit = progress.fit
    last = fit.curve[:, -1].double()
    fine = last.isfinite() & fit.flat.isfinite().all(1)
    merits = last.masked_fill(~fine, -torch.inf).tolist()
    return [
        candidate._replace(progress=progress, at=at, merit=merit)
        for at, (candidate, merit) in enumerate(zip(team, merits, strict=True))
    ]


def _in_teams(
    field: Sequence[Candidate], width: int, work: Callable[[Sequence[Candidate]], Sequence[_M]]
) -> list[_M]:
    return [made for start in range(0, len(field), width) for made in work(field[start : start + width])]


def _going_on(
    candidates: Sequence[Candidate], rung: int, over: Course, rungs: Mapping[int, int] | None
) -> set[int]:
    """Return the rows that go on after this rung."""
    if rung == len(over.ends):
        return set()
    if rungs is not None:
        return {candidate.row for candidate in candidates if rungs[candidate.row] > rung}
    ranked = sorted(candidates, key=lambda candidate: (-candidate.merit, candidate.row))
    return {candidate.row for candidate in ranked[: over.room[rung - 1]]}
