"""The screen of variants: bit for bit what each is alone, however many are developed together."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

import evogen
from evogen.analysis.knockout.silenced import parts, written
from evogen.analysis.screen import Screened, screen
from evogen.cohort import Ref
from evogen.connectome.direct import Direct
from evogen.connectome.mixed import Mixed
from evogen.evaluation import Problem, assess, developed
from evogen.experiment.launch import problem
from evogen.genome import Genome, Rules, frozen
from evogen.keys import Key
from evogen.tasks import Fold
from evogen.tasks.cartpole import CartPole
from evogen.testing.tiny import Blobs, Lessons, Walk
from evogen.variation.sample import sample

SPACES = Path(__file__).parents[2] / "searchspaces"


def posed(name: str, task: object, **changes: object) -> Problem:
    """A search space's problem with a task of a few inputs."""
    return replace(problem(evogen.load(SPACES / f"{name}.yaml"), "cpu"), task=task, **changes)


CASES = {
    "synaptogen": posed("cartpole", CartPole(report_episodes=1)),
    "direct": posed("cartpole", Walk(), wiring=Direct()),
    "supervised": posed("iris", Blobs()),
    "neurons": posed("neurons", Blobs()),
    "mixed-rich": posed("rich", Walk(), wiring=Mixed()),
    "plastic": posed("digits-life", Lessons()),
    "plastic-drawn": posed("joint", Walk()),
    "float64": posed("rich", Walk(), dtype="float64"),
}


def genomes(of: Problem, count: int) -> list[Genome]:
    return [sample(of.space, Key(2), Ref(0, row)) for row in range(count)]


def screened(of: Problem, every: list[Genome], **changes: object) -> Screened:
    how = {"agents": 3, "key": of.key.child("report", every[0].id)} | changes
    return screen(of, every, **how)


@pytest.mark.parametrize("name", CASES)
def test_the_reference_scores_as_it_is_assessed_alone_to_the_last_bit(name: str) -> None:
    of = CASES[name]
    every = genomes(of, 4)
    found = screened(of, every)
    assert not found.errors
    assert found.scores.shape == (4, 3)
    assert found.scores[0].tolist() == list(assess(of, every[0], agents=3))


@pytest.mark.parametrize("name", CASES)
def test_no_bit_depends_on_how_many_are_developed_together(name: str) -> None:
    of = CASES[name]
    every = genomes(of, 4)
    together, one_by_one = screened(of, every), screened(of, every, room=1)
    assert np.array_equal(together.scores, one_by_one.scores)
    assert len({tuple(row) for row in together.scores.tolist()}) > 1


@pytest.mark.parametrize("name", CASES)
def test_variants_of_a_genome_score_as_alone_and_what_changes_nothing_scores_the_same(name: str) -> None:
    of = replace(CASES[name])
    (genome,) = genomes(of, 1)
    phenotype = developed(of, genome)
    intact = written(genome, phenotype.expression(phenotype.flat, 0))
    plan = phenotype.bodies[0].plan
    variants = list(parts(intact, plan, of.rules))[:6]
    every = [genome, intact, *(one.genome for one in variants)]
    plans = {row: one.plan for row, one in enumerate(variants, 2)}
    how = {"key": Key(5), "fold": Fold.SEARCH}
    together = screened(of, every, plans=plans, **how).scores
    assert np.array_equal(together, screened(of, every, plans=plans, room=1, **how).scores)
    if of.dtype == "float32":  # genomes carry float32
        assert np.array_equal(together[0], together[1])
    alone = screened(of, [variants[-1].genome], plans={0: variants[-1].plan}, **how).scores
    assert np.array_equal(alone[0], together[-1])


def test_all_variants_meet_the_same_births_and_episodes() -> None:
    of = CASES["plastic-drawn"]
    (genome,) = genomes(of, 1)
    scores = screened(of, [genome] * 3).scores
    assert np.array_equal(scores[0], scores[1])
    assert np.array_equal(scores[0], scores[2])
    assert len(set(scores[0])) > 1, "agents differ"


def test_a_genome_that_cannot_be_developed_costs_only_its_own_row() -> None:
    of = CASES["synaptogen"]
    good, other = genomes(of, 2)
    assert other.rules is not None
    square = frozen(np.zeros((2, 2)))
    bad = replace(other, rules=Rules(other.rules.genes, square, other.rules.c))
    found = screened(of, [good, bad, other], fold=Fold.SEARCH)
    assert list(found.errors) == [1]
    assert "rules.O has shape (2, 2)" in found.errors[1]
    assert np.isnan(found.scores[1]).all()
    assert np.array_equal(found.scores[[0, 2]], screened(of, [good, other], fold=Fold.SEARCH).scores)


@dataclass(frozen=True)
class Picky(Walk):
    """A task that cannot score an agent without a synapse."""

    def score(self, agents: object, keys: object, fold: Fold) -> object:
        if any(not bool(W[row].any()) for W in agents.weights for row in range(agents.rows)):
            raise ZeroDivisionError("no synapse")
        return Walk.score(self, agents, keys, fold)


def test_a_variant_that_raises_costs_only_its_own_row() -> None:
    of = posed("cartpole", Picky())
    (genome,) = genomes(of, 1)
    phenotype = developed(of, genome)
    plan = phenotype.bodies[0].plan
    silent = replace(plan, projections=tuple(link._replace(density=0.0) for link in plan.projections))
    found = screened(of, [genome] * 3, plans={1: silent})
    assert found.errors == {1: "ZeroDivisionError: no synapse"}
    assert np.isnan(found.scores).any(1).tolist() == [False, True, False]
