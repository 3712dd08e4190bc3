"""Raced cohorts: what the race changes (when one leaves), and what it must not (any bit beside)."""

from dataclasses import dataclass, replace

import pytest
import torch
from test_evaluation import CASES, bits, cohort, problem

from evogen.cohort import Cohort, Individual, Outcome
from evogen.connectome.birth import Birth
from evogen.evaluation import evaluate
from evogen.learning.dqn import DQN
from evogen.learning.ppo import PPO
from evogen.learning.snes import SNES
from evogen.learning.supervised import Supervised
from evogen.schema import Racing
from evogen.tasks.cartpole import CartPole
from evogen.testing.tiny import Blobs, Drift, Walk

LOOP = {"environments": 2, "horizon": 7, "epochs": 1, "minibatches": 2}
LIVES = {
    "supervised": problem("reflex", Blobs(), Supervised(epochs=4, batch=20, noise=0.2)),
    "ppo": problem("reflex", Walk(), PPO(iterations=4, **LOOP)),
    "ppo-cartpole": problem("reflex", CartPole(episodes=1), PPO(iterations=4, **LOOP)),
    "ppo-lens-noise": problem(
        "reflex", Drift(), PPO(iterations=4, **LOOP), birth=Birth(agents=2, degree=1e3, training="noise")
    ),
    "dqn": problem(
        "reflex", Walk(), DQN(steps=160, environments=4, starts=20, batch=8, train_every=8, gradient_steps=1)
    ),
    "snes": problem("reflex", Walk(), SNES(steps=120, population=4)),
}
RACING = Racing(rungs=3, keep=0.5, width=3)
SIZE = 6


def run(of, genomes, rungs=None, *, absent=()):
    return evaluate(of, Cohort(0, tuple(Individual(one) for one in genomes), frozenset(absent)), rungs)


def rungs(evaluations):
    return [int(one.metrics["rung"]) for one in evaluations]


def unraced(evaluation):
    """All that an evaluation says but its rung."""
    kept = {name: value for name, value in evaluation.metrics.items() if name != "rung"}
    return bits(replace(evaluation, metrics=kept))


@pytest.mark.parametrize("name", LIVES)
def test_a_race_changes_when_one_leaves_and_no_bit_beside(name):
    of, whole = replace(LIVES[name], racing=RACING), LIVES[name]
    genomes = cohort(whole, SIZE)
    raced, full = run(of, genomes), run(whole, genomes)
    assert {one.outcome for one in raced} == {Outcome.OK}
    left = rungs(raced)
    assert [left.count(rung) for rung in (1, 2, 3)] == [3, 1, 2]  # round(6 / 2) = 3, round(6 / 4) = 2
    for one, other, rung in zip(raced, full, left, strict=True):
        assert one.curve == other.curve[: len(one.curve)]
        if rung == 3:
            assert unraced(one) == bits(other)
        elif name != "snes":
            assert one.steps == other.steps * 2**rung // 8
            assert len(one.curve) == len(other.curve) * 2**rung // 8
        else:
            assert one.steps < other.steps
    wide = run(replace(of, racing=replace(RACING, width=SIZE)), genomes)
    assert [bits(one) for one in wide] == [bits(one) for one in raced]
    for rung in (1, 2, 3):
        row = left.index(rung)
        assert bits(run(of, [genomes[row]], {0: rung})[0]) == bits(raced[row])


@pytest.mark.parametrize("name", ["supervised", "ppo"])
def test_one_rung_of_the_full_length_is_no_race(name):
    genomes = cohort(LIVES[name], 4)
    raced = run(replace(LIVES[name], racing=Racing(rungs=1)), genomes)
    assert [unraced(one) for one in raced] == [bits(one) for one in run(LIVES[name], genomes)]
    assert rungs(raced) == [1] * 4


@pytest.mark.parametrize("name", ["supervised", "ppo"])
def test_the_best_by_their_own_curves_stay(name):
    of = replace(LIVES[name], racing=Racing(rungs=2))
    genomes = cohort(of, SIZE)
    full, end = run(LIVES[name], genomes), 2
    order = sorted(range(SIZE), key=lambda row: (-full[row].curve[end - 1], row))
    left = rungs(run(of, genomes))
    assert {row for row in range(SIZE) if left[row] == 2} == set(order[:3])


@dataclass(frozen=True)
class Early(Supervised):
    """Supervised whose schedule is that of all its epochs, of which it makes the first only."""

    def fit(self, phenotype, task, keys, values):
        return self.advance(phenotype, task, self.begin(phenotype, task, keys, values), 1).fit


def test_one_that_leaves_was_trained_for_so_long_at_the_rates_of_the_full_length():
    whole = LIVES["supervised"]
    genomes = cohort(whole, SIZE)
    early = run(replace(whole, learner=Early(epochs=4, batch=20, noise=0.2)), genomes)
    short = run(replace(whole, learner=Supervised(epochs=1, batch=20, noise=0.2)), genomes)
    raced = run(replace(whole, racing=RACING), genomes)
    for row in (row for row, rung in enumerate(rungs(raced)) if rung == 1):
        assert unraced(raced[row]) == bits(early[row])
        assert raced[row].steps == short[row].steps
        assert bits(early[row]) != bits(short[row])


def test_the_cuts_are_those_of_the_whole_cohort_though_some_are_absent():
    of = replace(LIVES["supervised"], racing=Racing(rungs=2))
    genomes = cohort(of, 6)
    everyone = run(of, genomes)
    gone = rungs(everyone).index(1)  # one that left at once: the others are as they were
    rest = [one for row, one in enumerate(everyone) if row != gone]
    assert [bits(one) for one in run(of, genomes, absent=[gone])] == [bits(one) for one in rest]
    few = run(of, genomes, absent=[0, 1, 2])
    assert len(few) == 3
    assert rungs(few) == [2, 2, 2]


def exploding(genome):
    return replace(genome, plasticity={"learner.learning_rate": 1e30})


def test_invalid_and_diverged_candidates_are_outcomes_here_too():
    of = replace(LIVES["supervised"], racing=RACING)
    good = cohort(of, 5)
    found = run(of, [replace(good[0], rules=None), exploding(good[1]), *good[2:]])
    assert [one.outcome for one in found[:2]] == [Outcome.INVALID, Outcome.DIVERGED]
    assert "rung" not in found[0].metrics
    assert found[1].metrics["rung"] == 1
    assert {one.outcome for one in found[2:]} == {Outcome.OK}


@dataclass(frozen=True)
class Fragile(Supervised):
    """Raises after half the epochs if a candidate has the learning rate `poison`."""

    poison: float = 0.0

    def advance(self, phenotype, task, progress, until):
        done = super().advance(phenotype, task, progress, until)
        if (
            until == self.epochs
            and torch.isclose(done.values["learning_rate"], torch.tensor(self.poison)).any()
        ):
            raise ZeroDivisionError("choked on a learning rate")
        return done


def test_one_that_raises_on_its_way_crashes_alone_and_the_others_run_again_to_the_same_bits():
    calm = replace(LIVES["supervised"], learner=Supervised(epochs=4, batch=20), racing=Racing(2, 0.5, SIZE))
    (one,) = cohort(calm, 1)
    rates = [0.005 * (row + 1) for row in range(SIZE)]
    genomes = [replace(one, plasticity={"learner.learning_rate": rate}) for rate in rates]
    expected = run(calm, genomes)
    poison = rungs(expected).index(2)
    of = replace(calm, learner=Fragile(epochs=4, batch=20, poison=rates[poison]))
    with pytest.warns(UserWarning, match="choked on a learning rate"):
        found = run(of, genomes)
    assert found[poison].outcome is Outcome.CRASHED
    assert rungs(found) == rungs(expected)
    rest = [row for row in range(SIZE) if row != poison]
    assert [bits(found[row]) for row in rest] == [bits(expected[row]) for row in rest]


def test_the_first_life_decides_for_all_lives():
    of = replace(LIVES["ppo"], racing=Racing(rungs=2), lives=2)
    genomes = cohort(of, 4)
    found = run(of, genomes)
    assert rungs(found) == rungs(run(replace(of, lives=1), genomes))
    for genome, one in zip(genomes, found, strict=True):
        assert bits(run(of, [genome], {0: int(one.metrics["rung"])})[0]) == bits(one)


def test_without_a_race_nothing_is_recorded():
    (one,) = run(CASES["module-ppo"], cohort(CASES["module-ppo"], 1))
    assert "rung" not in one.metrics
