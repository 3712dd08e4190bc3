"""Evaluation of cohorts: genomes are developed in batches, live and are scored; a failure is an outcome."""

from __future__ import annotations

import math
import traceback
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar, cast

import torch
from torch import Tensor

from evogen.cohort import Cohort, Evaluation, Outcome
from evogen.connectome import Wiring
from evogen.connectome.birth import Birth
from evogen.errors import DevelopmentError, EvogenError, MemoryShortageError, WorkerError
from evogen.genome import Genome
from evogen.grammar.architecture import plan_of
from evogen.grammar.plan import Plan
from evogen.keys import Key
from evogen.learning import Fit, Learner, Resumable, deadline, racing
from evogen.learning.racing import Candidate
from evogen.measures import structure
from evogen.metrics import Metric, Subject, measured
from evogen.phenotype import Development, Layout, Phenotype, develop, embryo
from evogen.registry import evolvable_fields
from evogen.schema import Racing
from evogen.space import SearchSpace
from evogen.stopwatch import timed
from evogen.tasks import ControlTask, Fold, Task, TaskKind

_MEMORY = (MemoryError, torch.OutOfMemoryError)
_FAULTS = (ImportError, OSError)
_R = TypeVar("_R")


@dataclass(frozen=True)
class Problem:
    """Everything that a candidate's evaluation depends on beside its genome.

    Attributes:
        space: decodes architecture genes.
        task, learner, wiring, birth: the configured parts.
        rules: configured plasticity rules by name.
        key: the run's root key.
        dtype: `float32` or `float64`.
        device: where torch computes.
        threads: torch threads of each worker.
        lives: of each candidate, each with expression, learning and births of its own; fitness is their mean.
        seconds: for the inner loop of one life of a group, or for each rung of it; None is no limit. See
            `evogen.learning.deadline`.
        racing: how inner loops are raced; None lets all go to their end.
        metrics: what is measured beside, after each life.
    """

    space: SearchSpace
    task: Task
    learner: Learner
    wiring: Wiring
    rules: Mapping[str, object]
    birth: Birth
    key: Key
    dtype: str = "float32"
    device: str = "cpu"
    threads: int = 1
    lives: int = 1
    seconds: float | None = None
    racing: Racing | None = None
    metrics: tuple[Metric, ...] = ()


def evaluate(
    problem: Problem, cohort: Cohort, rungs: Mapping[int, int] | None = None
) -> tuple[Evaluation, ...]:
    """Let every candidate of a cohort live `problem.lives` times; the first life is the one that is kept.

    Lives differ in every draw, innate expression included; those of one number share that expression between
    candidates, as single lives do. In a race the first life decides when a candidate leaves, in all of them.

    Args:
        problem: what evaluations depend on.
        cohort: the candidates.
        rungs: by row, the rung at which a candidate leaves the race, as its `rung` was recorded: the bits are
            then those of the race, whoever else is in the cohort. None lets them race.

    Returns:
        One for every row that is present, in order.
    """
    lives = [_evaluated(problem, cohort, rungs)]
    if problem.racing is not None and rungs is None:
        rungs = {
            row: int(one.metrics.get("rung", problem.racing.rungs))
            for row, one in zip(cohort.present, lives[0], strict=True)
        }
    keys = [problem.key.child("again", life) for life in range(1, problem.lives)]
    lives += [_evaluated(replace(problem, key=key), cohort, rungs) for key in keys]
    return tuple(_together(of_one) for of_one in zip(*lives, strict=True))


def _together(lives: Sequence[Evaluation]) -> Evaluation:
    """Return what a candidate's lives came to: the first that failed, or the mean of all."""
    first = next((life for life in lives if life.outcome is not Outcome.OK), lives[0])
    if len(lives) == 1 or first.outcome is not Outcome.OK:
        return first
    scores = tuple(score for life in lives for score in life.scores)
    metrics = {
        name: math.fsum(life.metrics[name] for life in lives) / len(lives)
        for name in first.metrics
        if all(name in life.metrics for life in lives)
    }
    curves = zip(*(life.curve for life in lives), strict=True)
    return replace(
        first,
        fitness=math.fsum(scores) / len(scores),
        scores=scores,
        metrics=metrics,
        curve=tuple(math.fsum(values) / len(lives) for values in curves),
        steps=sum(life.steps for life in lives),
    )


def _evaluated(
    problem: Problem, cohort: Cohort, rungs: Mapping[int, int] | None = None
) -> tuple[Evaluation, ...]:
    """Develop, train and score a cohort; but for when it leaves a race, a candidate's result is its own.

    A genome that cannot be developed ends INVALID, a row that becomes non-finite DIVERGED; if the batched
    program raises, its halves run again, down to those candidates that raise: they end CRASHED.
    """
    torch.set_num_threads(problem.threads)
    found: dict[int, Evaluation] = {}
    groups: dict[Layout, list[Candidate]] = {}
    built: dict[int, dict[str, float]] = {}
    for row in cohort.present:
        genome = cohort.individuals[row].genome
        try:
            with timed("develop"):
                derived = _plan(problem, genome)
                formed = embryo(_development(problem), genome, derived)
        except EvogenError:
            found[row] = Evaluation(Outcome.INVALID, message=traceback.format_exc())
        except Exception as error:  # noqa: BLE001 (ends as the outcome of the one candidate that raises)
            _refuse_faults(error)
            found[row] = Evaluation(Outcome.CRASHED, message=traceback.format_exc())
        else:
            built[row] = structure(genome, derived)
            groups.setdefault(formed.layout, []).append(Candidate(row, genome, formed))
    fields = list(groups.values())
    lived = _lived(problem, fields) if problem.racing is None else _raced(problem, fields, cohort, rungs)
    for row, evaluation in lived.items():
        found[row] = replace(evaluation, metrics={**built[row], **evaluation.metrics})
    return tuple(found[row] for row in cohort.present)


def _lived(problem: Problem, groups: Sequence[Sequence[Candidate]]) -> dict[int, Evaluation]:
    return {
        candidate.row: evaluation
        for group in groups
        for candidate, evaluation in zip(group, guarded(problem, partial(_live, problem), group), strict=True)
    }


def _raced(
    problem: Problem,
    groups: Sequence[Sequence[Candidate]],
    cohort: Cohort,
    rungs: Mapping[int, int] | None,
) -> dict[int, Evaluation]:
    learner = cast("Resumable", problem.learner)
    assert problem.racing is not None

    def train(team: Sequence[Candidate], until: int) -> list[Candidate | Evaluation]:
        return guarded(problem, partial(_train, problem, learner, until, len(team)), team)

    def score(team: Sequence[Candidate]) -> list[Evaluation]:
        return guarded(problem, partial(_leave, problem), team)

    over = racing.course(problem.racing, learner, len(cohort.individuals))
    return racing.race(groups, over, train=train, score=score, rungs=rungs)


def _train(
    problem: Problem, learner: Resumable, until: int, size: int, team: Sequence[Candidate]
) -> list[Candidate]:
    phenotype = together(problem, team)
    if len(team) < size or team[0].progress is None:  # a part runs again: what the whole used up is lost
        keys, values = [life.child("learn") for life in _lives(problem, team)], _values(problem, team)
        progress = learner.begin(phenotype, problem.task, keys, values)
    else:
        progress = racing.joined(team)
    with timed("learn"):
        advanced = learner.advance(phenotype, problem.task, progress, until)
    return racing.placed(team, advanced)


def _leave(problem: Problem, team: Sequence[Candidate]) -> list[Evaluation]:
    return _scored(problem, together(problem, team), team, racing.joined(team).fit)


def assess(problem: Problem, genome: Genome, *, agents: int) -> tuple[float, ...]:
    """Score agents born of a (tuned) genome on episodes or examples that the search never used.

    Args:
        problem: the search's.
        genome: a candidate's genome with its tuned expression written back.
        agents: how many are born, with streams that the search never used.

    Returns:
        One score per agent.
    """
    torch.set_num_threads(problem.threads)
    key = problem.key.child("report", genome.id)
    phenotype = developed(problem, genome)
    born = phenotype.agents(phenotype.flat, [key.child("birth")], replace(problem.birth, agents=agents))
    scores = problem.task.score(born, [key.child("score", agent) for agent in range(agents)], Fold.REPORT)
    return tuple(float(score) for score in scores)


def developed(problem: Problem, genome: Genome) -> Phenotype:
    """Develop one genome alone, as it is born."""
    return together(problem, [conceived(problem, 0, genome)])


def conceived(problem: Problem, row: int, genome: Genome, plan: Plan | None = None) -> Candidate:
    """Lay one genome out, as the candidate of a row; by its own plan unless another one is given.

    Raises:
        EvogenError: it cannot be developed.
    """
    return Candidate(row, genome, embryo(_development(problem), genome, plan or _plan(problem, genome)))


@timed("develop")
def together(problem: Problem, group: Sequence[Candidate]) -> Phenotype:
    """Develop candidates of one layout, as they are born; in whose company changes no bit."""
    return develop(_development(problem), [candidate.embryo for candidate in group])


def guarded(
    problem: Problem, work: Callable[[Sequence[Candidate]], Sequence[_R]], group: Sequence[Candidate]
) -> list[_R | Evaluation]:
    """Do a group's batched work; if it raises, its halves', down to the candidates that raise.

    Returns:
        What the work gives for each candidate, or the evaluation in which a failed one ends.
    """
    try:
        with torch.inference_mode(mode=False), torch.enable_grad(), deadline.limited(problem.seconds):
            return list(work(group))
    except deadline.Overdue as error:
        if len(group) == 1:
            return [Evaluation(Outcome.TIMEOUT, message=str(error))]
        return _halved(problem, work, group)
    except DevelopmentError:  # the learner refuses this layout, so every candidate of the group
        return [Evaluation(Outcome.INVALID, message=traceback.format_exc()) for _ in group]
    except Exception as error:  # noqa: BLE001 (ends as the outcome of the one candidate that raises)
        if len(group) == 1:
            _refuse_faults(error)
            return [Evaluation(Outcome.CRASHED, message=traceback.format_exc())]
        warnings.warn(f"a batch of {len(group)} raised {error!r}; its halves run again", stacklevel=2)
        return _halved(problem, work, group)


def _halved(
    problem: Problem, work: Callable[[Sequence[Candidate]], Sequence[_R]], group: Sequence[Candidate]
) -> list[_R | Evaluation]:
    half = len(group) // 2
    return guarded(problem, work, group[:half]) + guarded(problem, work, group[half:])


def _refuse_faults(error: Exception) -> None:
    """Raise a WorkerError for what the machine did, not the candidate: no outcome may come of it."""
    what = f"evaluation cannot go on: {type(error).__name__}: {error}"
    if isinstance(error, _MEMORY) or "can't allocate memory" in str(error):
        raise MemoryShortageError(f"{what}; free memory, then resume") from error
    if isinstance(error, _FAULTS):
        raise WorkerError(f"{what}; repair the installation, then resume") from error


def _live(problem: Problem, group: Sequence[Candidate]) -> list[Evaluation]:
    phenotype = together(problem, group)
    keys, values = [life.child("learn") for life in _lives(problem, group)], _values(problem, group)
    with timed("learn"):
        fit = problem.learner.fit(phenotype, problem.task, keys, values)
    return _scored(problem, phenotype, group, fit)


def _lives(problem: Problem, group: Sequence[Candidate]) -> list[Key]:
    return [problem.key.child("life", candidate.genome.id) for candidate in group]


@timed("score")
def _scored(problem: Problem, phenotype: Phenotype, group: Sequence[Candidate], fit: Fit) -> list[Evaluation]:
    lives, agents = _lives(problem, group), problem.birth.agents
    with torch.no_grad():
        born = phenotype.agents(fit.flat, [life.child("birth") for life in lives])
        keys = [life.child("score", agent) for life in lives for agent in range(agents)]
        scores = problem.task.score(born, keys, Fold.SEARCH).reshape(len(group), agents)
        expected = problem.task.score(
            phenotype.network(fit.flat), [life.child("expected") for life in lives], Fold.SEARCH
        )
        further = {"expected_score": expected}
        if problem.metrics:
            keys = [life.child("metric") for life in lives]
            taught = [life.child("learn") for life in lives]
            subject = Subject(problem.task, problem.learner, phenotype, fit, born, agents, keys, taught)
            further |= measured(problem.metrics, subject)
    return [_evaluation(phenotype, fit, scores, further, row) for row in range(len(group))]


def _evaluation(
    phenotype: Phenotype, fit: Fit, scores: Tensor, further: Mapping[str, Tensor], row: int
) -> Evaluation:
    curve = tuple(float(value) for value in fit.curve[row])
    steps = int(fit.steps[row])
    if not bool(fit.flat[row].isfinite().all()) or not bool(scores[row].isfinite().all()):
        what = "score" if bool(fit.flat[row].isfinite().all()) else "tuned parameters"
        finite = tuple(value for value in curve if math.isfinite(value))
        return Evaluation(Outcome.DIVERGED, curve=finite, steps=steps, message=f"non-finite {what}")
    each = tuple(float(score) for score in scores[row])
    numbers = {name: float(values[row]) for name, values in further.items()}
    return Evaluation(
        Outcome.OK,
        fitness=math.fsum(each) / len(each),
        scores=each,
        metrics={name: value for name, value in numbers.items() if math.isfinite(value)},
        curve=curve,
        steps=steps,
        tuned=phenotype.expression(fit.flat, row),
        tuned_rules=phenotype.rules(fit.flat, row),
    )


def _development(problem: Problem) -> Development:
    dtype = {"float32": torch.float32, "float64": torch.float64}[problem.dtype]
    return Development(
        problem.wiring,
        problem.rules,
        problem.key.child("innate"),
        dtype,
        problem.device,
        problem.birth,
        _normalised(problem.task),
    )


def _normalised(task: Task) -> bool:
    controls = task.kind in (TaskKind.CONTROL, TaskKind.CONTINUOUS)
    return controls and cast("ControlTask", task).normalised


def _plan(problem: Problem, genome: Genome) -> Plan:
    return plan_of(problem.space.architecture, genome, problem.task.inputs, problem.task.outputs)


def _values(problem: Problem, group: Sequence[Candidate]) -> dict[str, Tensor]:
    """Return the learner's evolvable fields, (P,) each."""
    found, how = {}, _development(problem)
    for field in evolvable_fields(type(problem.learner)):
        default = getattr(problem.learner, field.name)
        genes = [candidate.genome.plasticity for candidate in group]
        each = [float(own.get(f"learner.{field.name}", default)) for own in genes]
        found[field.name] = torch.tensor(each, dtype=how.dtype, device=how.device)
    return found
