from evogen.cohort import Ref
from evogen.strategies import Told
from evogen.strategies.goals import UNKNOWN, Goals

REF = Ref(1, 2)
MEASURED = {"fitness": 3.0, "synapses": 12.0, "steps": 100.0}


def test_without_goals_fitness_counts_alone():
    told = Goals().told(REF, MEASURED)
    assert (told.fitness, told.others, told.violation, told.merit) == (3.0, (), 0.0, (0.0, 3.0))
    assert told.metrics is MEASURED


def test_what_is_minimised_is_turned_and_the_order_is_kept():
    goals = Goals({"synapses": "minimise", "fitness": "maximise", "steps": "minimise"})
    told = goals.told(REF, MEASURED)
    assert (told.fitness, told.others) == (-12.0, (3.0, -100.0))


def test_a_candidate_that_failed_or_lacks_an_objective_has_no_fitness():
    assert Goals().told(REF, None).fitness is None
    assert Goals({"expected_score": "maximise"}).told(REF, MEASURED).fitness is None
    assert Goals().told(REF, None).merit < Told(REF, -1e300).merit


def test_excesses_are_relative_and_add_up():
    goals = Goals(constraints={"synapses": {"at_most": 10.0}, "fitness": {"at_least": 4.0, "at_most": 9.0}})
    assert goals.told(REF, MEASURED).violation == 2 / 10 + 1 / 4
    assert goals.told(REF, MEASURED | {"synapses": 10.0, "fitness": 4.0}).violation == 0.0
    assert Goals(constraints={"depth": {"at_most": 1.0}}).told(REF, MEASURED).violation == UNKNOWN


def test_who_keeps_the_constraints_comes_first():
    broken, kept = Told(REF, 9.0, violation=0.1), Told(REF, -9.0)
    assert kept.merit > broken.merit > Told(REF, 10.0, violation=0.2).merit
