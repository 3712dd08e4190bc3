"""What every evaluator does: see `evogen.evaluators.Evaluator`."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing

from evogen.cohort import Cohort, Evaluation, Individual, Outcome
from evogen.evaluators import Evaluate, Evaluator
from evogen.testing import tiny

Make = Callable[[Evaluate], Evaluator]
COHORTS = tuple(
    Cohort(index, tuple(Individual(tiny.genome(10 * index + row)) for row in range(1 + index % 3)))
    for index in range(5)
)


def judge(cohort: Cohort) -> tuple[Evaluation, ...]:
    """Evaluate by the genome's id alone; one candidate in four is invalid."""
    return tuple(_one(individual.genome.id) for individual in cohort.individuals)


def gives_every_cohort_back_once(make: Make) -> None:
    """Whatever the order, each cohort that was submitted is collected once, row by row as it was judged."""
    with closing(make(judge)) as evaluator:
        assert evaluator.slots >= 1
        waiting, found = list(COHORTS), {}
        outstanding = 0
        while waiting or outstanding:
            while waiting and outstanding < evaluator.slots:
                evaluator.submit(waiting.pop(0))
                outstanding += 1
            result = evaluator.collect()
            assert result is not None
            outstanding -= 1
            assert result.cohort not in found
            found[result.cohort] = result
    assert found.keys() == {cohort.index for cohort in COHORTS}
    for cohort in COHORTS:
        result = found[cohort.index]
        assert result.seconds >= 0
        assert result.worker
        outcomes = [(one.outcome, one.fitness, one.scores, one.message) for one in result.evaluations]
        assert outcomes == [(one.outcome, one.fitness, one.scores, one.message) for one in judge(cohort)]


def can_be_closed_with_work_outstanding(make: Make) -> None:
    """Closing forgets what was not collected."""
    with closing(make(judge)) as evaluator:
        evaluator.submit(COHORTS[0])


def gives_up_when_its_patience_ends(make: Make) -> None:
    """What was not begun, or never submitted, is not waited for."""
    with closing(make(judge)) as evaluator:
        assert evaluator.collect(0.0) is None


def _one(name: str) -> Evaluation:
    if int(name[0], 16) < 4:
        return Evaluation(Outcome.INVALID, message=name)
    fitness = int(name[:8], 16) / 7
    return Evaluation(Outcome.OK, fitness=fitness, scores=(fitness,))


FACTS = (
    gives_every_cohort_back_once,
    can_be_closed_with_work_outstanding,
    gives_up_when_its_patience_ends,
)
