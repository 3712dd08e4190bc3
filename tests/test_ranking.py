from itertools import pairwise

import numpy as np
import pytest
from lives import make_cohort

from evogen.cohort import Evaluation, Outcome, Ref
from evogen.evaluators import Result
from evogen.ranking import dominant, front, leaders, objectives
from evogen.runs import Run
from evogen.strategies import Told
from evogen.strategies.goals import Goals

TWO = Goals({"fitness": "maximise", "synapses": "minimise"})
BOUNDED = Goals(constraints={"synapses": {"at_most": 10}})


def run_of(path, goals, *cohorts):
    """Return a run whose candidates have these pairs of fitness and synapses; None fails."""
    run = Run.create(path / "run", experiment="name: x\n", files={}, environment={}, goals=goals)
    for index, pairs in enumerate(cohorts):
        evaluations = tuple(
            Evaluation(Outcome.DIVERGED)
            if pair is None
            else Evaluation(Outcome.OK, pair[0], metrics={"synapses": float(pair[1])})
            for pair in pairs
        )
        run.commit(make_cohort(index, size=len(pairs)), Result(index, evaluations, 0.1, "here"))
    return run


def test_the_best_keeps_the_constraints(tmp_path):
    with run_of(tmp_path, BOUNDED, [(9.0, 50), (3.0, 10), None], [(5.0, 11), (4.0, 2)]) as run:
        assert run.goals == BOUNDED
        assert run.best() == Ref(1, 1)
        assert [told.ref for told in leaders(run, 3)] == [Ref(1, 1), Ref(0, 1), Ref(1, 0)]
    with Run.open(tmp_path / "run") as reader:
        assert reader.resolve("best") == Ref(1, 1)


def test_where_all_break_them_the_best_is_the_nearest(tmp_path):
    with run_of(tmp_path, BOUNDED, [(9.0, 50), (3.0, 12), None]) as run:
        assert run.best() == Ref(0, 1)
        assert run.leader().violation == pytest.approx(0.2)


def test_the_first_objective_decides_and_may_be_minimised(tmp_path):
    goals = Goals({"synapses": "minimise", "fitness": "maximise"})
    with run_of(tmp_path, goals, [(9.0, 50), (3.0, 12), (1.0, 12)]) as run:
        assert run.best() == Ref(0, 1)
        assert objectives(goals, run.leader()) == {"synapses": 12.0, "fitness": 3.0}


def test_the_next_objective_decides_between_equals_so_that_none_dominates_the_best(tmp_path):
    with run_of(tmp_path, TWO, [(1.0, 26), (0.5, 3)], [(1.0, 14), (1.0, 14)]) as run:
        assert run.best() == Ref(1, 0) == front(run)[0].ref


def test_a_reader_takes_in_what_is_committed_later(tmp_path):
    with run_of(tmp_path, TWO, [(1.0, 5)]) as run, Run.open(run.path) as reader:
        assert reader.best() == Ref(0, 0)
        cohort = make_cohort(1, size=1)
        run.commit(cohort, Result(1, (Evaluation(Outcome.OK, 2.0, metrics={"synapses": 9.0}),), 0.1, "here"))
        assert reader.best() == Ref(1, 0)


def test_nobody_on_the_front_dominates_another_and_everybody_else_is_dominated(tmp_path):
    random = np.random.default_rng(3)
    values = [(float(a), int(b)) for a, b in random.integers(0, 12, (60, 2))]
    with run_of(tmp_path, TWO, values[:30], [*values[30:], None]) as run:
        found = front(run)
    on = [(told.fitness, -told.others[0]) for told in found]
    for (a, b), (c, d) in pairwise(on):
        assert a > c
        assert b > d  # a better fitness is paid for in synapses
    for value in values:
        assert value in on or any(a >= value[0] and b <= value[1] for a, b in on)
    firsts = {value: index for index, value in reversed(list(enumerate(values)))}
    assert [told.ref for told in found] == [Ref(firsts[pair] // 30, firsts[pair] % 30) for pair in on]


def test_who_breaks_the_constraints_is_not_on_the_front_of_who_keeps_them(tmp_path):
    goals = Goals(TWO.objectives, {"synapses": {"at_least": 4}})
    with run_of(tmp_path, goals, [(1.0, 1), (1.0, 4), (0.5, 9), (2.0, 6)]) as run:
        assert [told.ref for told in front(run)] == [Ref(0, 3), Ref(0, 1)]


def rules_out(a, b):
    """Whether candidate a keeps b from the front; both are (place, values, violation)."""
    if a[2] != b[2]:
        return a[2] < b[2]
    equal = bool(np.all(a[1] == b[1]))
    return a[0] < b[0] if equal else bool(np.all(a[1] >= b[1]))


@pytest.mark.parametrize("objectives", [1, 2, 3, 4])
@pytest.mark.parametrize("seed", range(10))
def test_dominant_are_those_that_no_pair_rules_out(objectives, seed):
    random = np.random.default_rng([objectives, seed])
    values = random.integers(0, 4, (25, objectives)).astype(float)
    drawn = [(at, row, float(random.integers(0, 2))) for at, row in enumerate(values)]
    told = [Told(Ref(0, at), float(row[0]), tuple(row[1:].tolist()), over) for at, row, over in drawn]
    wanted = [b[0] for b in drawn if not any(rules_out(a, b) for a in drawn if a is not b)]
    assert sorted(one.ref.row for one in dominant(told)) == wanted


def test_front_of_very_many_takes_no_pairs():
    xs = np.arange(50_000.0)
    told = [Told(Ref(0, at), x, (-x,)) for at, x in enumerate(xs.tolist())]
    assert len(dominant(told)) == 50_000
