"""evaluate and assess: candidates alone and in company, every outcome, and the streams that are used."""

import math
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch_fakes import random_rules

from evogen import evaluation
from evogen.cohort import Cohort, Individual, Outcome, Ref
from evogen.connectome.birth import Birth
from evogen.connectome.direct import Direct
from evogen.connectome.synaptogen import CHOICE, SynaptoGen
from evogen.errors import WorkerError
from evogen.evaluation import Problem, assess, evaluate
from evogen.genome import frozen
from evogen.grammar import load, parse
from evogen.keys import Key
from evogen.learning.none import NoLearner
from evogen.learning.ppo import PPO
from evogen.learning.supervised import Supervised
from evogen.measures import MEASURES
from evogen.plasticity.abcd import ABCD
from evogen.registry import known
from evogen.space import ArchitectureSpace, Log, RulesSpace, SearchSpace
from evogen.tasks import Fold
from evogen.tasks.cartpole import CartPole
from evogen.tasks.digits import Digits
from evogen.tasks.digits_life import DigitsLife
from evogen.testing.tiny import Blobs, Walk
from evogen.variation.sample import sample

GRAMMAR = load(Path(__file__).parents[1] / "grammars" / "modules.bnf")
SHORT_PPO = PPO(iterations=2, environments=5, horizon=11, epochs=2, minibatches=3)
SHORT_SUPERVISED = Supervised(epochs=1, batch=200, noise=0.3)


def problem(start, task, learner, *, rules=None, **changes):
    space = SearchSpace(
        RulesSpace(genes=10, transmitters=2) if changes.get("wiring", SynaptoGen()).genetic else None,
        ArchitectureSpace(GRAMMAR, start, initial_modules=3),
        {} if learner == NoLearner() else {"learner.learning_rate": Log(1e-3, 1e-1)},
    )
    parts = {name: part() for name, part in known("rule").items()} | (rules or {})
    return Problem(
        **{"wiring": SynaptoGen(), "birth": Birth(agents=2, degree=1e3), "key": Key(3)} | changes,
        space=space,
        task=task,
        learner=learner,
        rules=parts,
    )


def cohort(of, size, *, seed=0):
    """Candidates of different architectures, and (with rules) of different gene numbers."""
    rows = []
    for row in range(size):
        rules = of.space.rules and replace(of.space.rules, genes=(10, 17, 16, 4)[row % 4])
        rows.append(sample(replace(of.space, rules=rules), Key(seed), Ref(0, row)))
    return rows


def run(of, genomes):
    return evaluate(of, Cohort(0, tuple(Individual(genome) for genome in genomes)))


def bits(evaluation):
    """All that an evaluation says, comparable with ==."""
    arrays = {
        f"{gene}.{name}": array.tobytes()
        for gene, own in evaluation.tuned.items()
        for name, array in own.items()
    }
    rules = {name: array.tobytes() for name, array in evaluation.tuned_rules.items()}
    numbers = (
        evaluation.fitness,
        evaluation.scores,
        dict(evaluation.metrics),
        evaluation.curve,
        evaluation.steps,
    )
    return evaluation.outcome, numbers, arrays, rules


def layouts(genomes):
    """Rough signature of each genome's plan, to show that a cohort is mixed."""
    return {tuple(len(gene.codons) for gene in genome.architecture) for genome in genomes}


CASES = {
    "reflex-ppo": problem("reflex", CartPole(episodes=2), SHORT_PPO),
    "reflex-supervised": problem("reflex", Digits(), SHORT_SUPERVISED),
    "reflex-direct": problem("reflex", Walk(), SHORT_PPO, wiring=Direct()),
    "module-ppo": problem("module", Walk(), SHORT_PPO),
    "module-supervised": problem("module", Blobs(), replace(SHORT_SUPERVISED, batch=15)),
    "hebbian-life": problem("hebbian", DigitsLife(lessons=5, lives=1, questions=10), NoLearner()),
}


@pytest.mark.parametrize("name", CASES)
def test_a_candidate_is_the_same_in_a_mixed_cohort_as_alone_to_the_last_bit(name):
    of = CASES[name]
    genomes = cohort(of, 6)
    assert len(layouts(genomes)) > 1
    together = run(of, genomes)
    assert {one.outcome for one in together} == {Outcome.OK}
    assert len({one.scores for one in together}) > 1
    for genome, one in zip(genomes, together, strict=True):
        assert bits(run(of, [genome])[0]) == bits(one)


def test_a_candidate_in_float64_is_the_same_in_a_mixed_cohort_as_alone():
    of = problem("module", Walk(), SHORT_PPO, dtype="float64")
    genomes = cohort(of, 4, seed=1)
    for genome, one in zip(genomes, run(of, genomes), strict=True):
        (alone,) = run(of, [genome])
        assert alone.fitness == pytest.approx(one.fitness, rel=1e-10)
        assert alone.curve == pytest.approx(one.curve, rel=1e-10)
        for gene, own in one.tuned.items():
            for symbol, array in own.items():
                np.testing.assert_allclose(alone.tuned[gene][symbol], array, rtol=1e-10)


def test_order_and_copies_in_a_cohort_do_not_matter():
    of = CASES["reflex-direct"]
    a, b, c = cohort(of, 3)
    first, again = run(of, [a, b, c]), run(of, [c, a, a])
    assert [bits(one) for one in again] == [bits(first[2]), bits(first[0]), bits(first[0])]


def test_an_evaluation_has_a_mean_over_born_agents_and_what_was_learnt():
    of = CASES["reflex-ppo"]
    genomes = cohort(of, 2)
    for genome, one in zip(genomes, run(of, genomes), strict=True):
        assert len(one.scores) == 2
        assert one.fitness == pytest.approx(sum(one.scores) / 2)
        assert one.metrics.keys() | {"fitness", "steps"} == MEASURES.keys()
        assert len(one.curve) == 2
        assert one.steps == 2 * 5 * 11
        assert one.tuned.keys() == {gene.innovation for gene in genome.genes()}
        assert one.tuned_rules["O"].shape == genome.rules.O.shape
        assert not np.array_equal(one.tuned_rules["O"], genome.rules.O)
        assert one.message == ""


def exploding(genome):
    """The genome with a learning rate that no parameter survives."""
    return replace(genome, plasticity={"learner.learning_rate": 1e30})


def overflowing(genome):
    """The genome whose input neurons express so much that their weights are infinite."""
    g = len(genome.rules.genes)
    inputs = {"in.X": frozen(np.full((64, g), 1e20))}
    return replace(genome, interface=replace(genome.interface, expression=inputs))


@pytest.mark.parametrize("name", ["reflex-ppo", "reflex-supervised", "module-ppo", "module-supervised"])
@pytest.mark.parametrize("fail", [exploding, overflowing])
def test_a_row_that_becomes_nan_diverges_and_leaves_the_others_their_bits(name, fail):
    of = CASES[name]
    genome, *mates = twins(of, cohort(of, 4)[1])
    healthy = run(of, [*mates, genome])
    broken = run(of, [*mates, fail(genome)])
    assert [bits(one) for one in broken[:-1]] == [bits(one) for one in healthy[:-1]]
    assert {one.outcome for one in healthy} == {Outcome.OK}
    assert broken[-1].outcome is Outcome.DIVERGED
    assert broken[-1].fitness is None
    assert "non-finite" in broken[-1].message
    assert all(math.isfinite(value) for value in (*broken[-1].scores, *broken[-1].curve))


def twins(of, genome):
    """Genomes of one layout, so that they share a batch: equal but for their rules."""
    rows = [genome]
    for seed in range(2):
        g, n = len(genome.rules.genes), len(genome.rules.c)
        rows.append(replace(genome, rules=random_rules(g, n, seed=seed)))
    return rows


def test_a_broken_candidate_diverges_without_an_inner_loop_too():
    of = problem("reflex", Walk(), NoLearner())
    genome, mate = twins(of, cohort(of, 1)[0])[:2]
    found = run(of, [overflowing(genome), mate])
    assert [one.outcome for one in found] == [Outcome.DIVERGED, Outcome.OK]
    assert bits(found[1]) == bits(run(of, [mate])[0])


def test_genomes_that_cannot_be_developed_are_invalid():
    of = CASES["reflex-ppo"]
    good, other = cohort(of, 2)
    no_rules = replace(other, rules=None)
    no_module = replace(other, architecture=())
    expression = {"in.X": frozen(np.zeros((4, 3)))}
    misfit = replace(other, interface=replace(other.interface, expression=expression))
    found = run(of, [no_rules, good, no_module, misfit])
    assert [one.outcome for one in found] == [Outcome.INVALID, Outcome.OK, Outcome.INVALID, Outcome.INVALID]
    assert bits(found[1]) == bits(run(of, [good])[0])
    for one, what in zip((found[0], *found[2:]), ("genetic rules", "architecture gene", "in.X"), strict=True):
        assert one.fitness is None
        assert "DevelopmentError" in one.message
        assert what in one.message


@dataclass(frozen=True)
class Choking(NoLearner):
    """Raises if a candidate wants a learning rate above 1."""

    learning_rate: float = field(default=0.1, metadata={"evolvable": True, "low": 0.0, "high": 9.0})

    def fit(self, phenotype, task, keys, values):
        if (values["learning_rate"] > 1).any():
            raise ZeroDivisionError("choked on a learning rate")
        return super().fit(phenotype, task, keys, values)


def test_a_candidate_that_raises_crashes_alone():
    of = problem("reflex", Walk(), Choking())
    genome, *mates = twins(of, cohort(of, 1)[0])
    healthy = run(of, [*mates, genome])
    with pytest.warns(UserWarning, match="choked on a learning rate"):
        found = run(of, [*mates, replace(genome, plasticity={"learner.learning_rate": 2.0})])
    assert [bits(one) for one in found[:-1]] == [bits(one) for one in healthy[:-1]]
    assert found[-1].outcome is Outcome.CRASHED
    assert found[-1].fitness is None
    assert "Traceback" in found[-1].message
    assert "ZeroDivisionError: choked on a learning rate" in found[-1].message


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda rules: replace(rules, O=frozen(np.zeros((40, 40)))), "rules.O has shape"),
        (lambda rules: replace(rules, c=frozen(np.zeros((3, 5)))), "rules.c has shape"),
    ],
)
def test_a_genome_whose_rules_do_not_fit_ends_invalid(change, said):
    of = problem("reflex", Walk(), NoLearner())
    good, other = cohort(of, 2)
    found = run(of, [replace(other, rules=change(other.rules)), good])
    assert found[0].outcome is Outcome.INVALID
    assert said in found[0].message
    assert bits(found[1]) == bits(run(of, [good])[0])


def test_a_genome_that_breaks_development_crashes_alone(monkeypatch):
    of = problem("reflex", Walk(), NoLearner())
    good, odd = cohort(of, 2)
    healthy = bits(run(of, [good])[0])
    real = evaluation.embryo

    def breaking(development, genome, plan):
        if genome == odd:
            raise ZeroDivisionError("what no check foresees")
        return real(development, genome, plan)

    monkeypatch.setattr(evaluation, "embryo", breaking)
    found = run(of, [odd, good])
    assert found[0].outcome is Outcome.CRASHED
    assert "Traceback" in found[0].message
    assert bits(found[1]) == healthy


@dataclass(frozen=True)
class Watched(Walk):
    """Walk, which remembers the agents that it scored, their keys and the fold."""

    seen: list = field(default_factory=list, compare=False)

    def score(self, agents, keys, fold):
        self.seen.append((agents.weights[0], tuple(keys), fold))
        return super().score(agents, keys, fold)


def test_assessment_uses_other_agents_other_episodes_and_the_other_fold():
    of = problem("reflex", Watched(), NoLearner(), birth=Birth(agents=5, degree=100.0))
    (genome,) = cohort(of, 1)
    run(of, [genome])
    assert assess(of, genome, agents=5) == assess(of, genome, agents=5)
    searched, expected, reported, again = of.task.seen
    assert [fold for *_, fold in of.task.seen] == [Fold.SEARCH, Fold.SEARCH, Fold.REPORT, Fold.REPORT]
    assert not {*searched[1], *expected[1]} & {*reported[1]}
    assert len({*reported[1]}) == 5
    assert reported[1] == again[1]
    assert torch.equal(reported[0], again[0])
    agents = torch.cat([searched[0], expected[0], reported[0]]).flatten(1)
    assert len(agents.unique(dim=0)) == 5 + 1 + 5


def test_one_step_of_the_inner_loop_scales_with_the_learning_rate_gene():
    """Adam's first step is rate times pace and the gradient's sign; one batch holds the training fold."""
    paces = {"T": CHOICE, "R": CHOICE}
    of = problem("reflex", Blobs(), Supervised(epochs=1, batch=48), dtype="float64")
    (genome,) = cohort(of, 1)
    innate = run(replace(of, learner=NoLearner()), [genome])[0].tuned
    moved = []
    for rate in (0.01, 0.02):
        (one,) = run(of, [replace(genome, plasticity={"learner.learning_rate": rate})])
        moved.append(
            {gene: {n: a - innate[gene][n] for n, a in own.items()} for gene, own in one.tuned.items()}
        )
    for gene, own in moved[0].items():
        for name, step in own.items():
            assert np.allclose(moved[1][gene][name], 2 * step, atol=1e-6)
            assert np.abs(step).max() == pytest.approx(0.01 * paces.get(name[-1], 1.0), rel=1e-3)


def test_digits_are_learnt_in_life_by_plastic_synapses_only():
    """The default ABCD rule in modules of one layer of 64 neurons; chance is 0.1."""
    grammar = parse(
        "<module> @type(module) ::= layer:dense [width,int,1,64,64] act:tanh plastic:abcd"
        " readout:sum plastic:abcd"
    )
    of = problem("hebbian", DigitsLife(lives=1), NoLearner(), birth=Birth(agents=2))
    of = replace(of, space=SearchSpace(RulesSpace(), ArchitectureSpace(grammar)))
    genomes = [sample(of.space, Key(0), Ref(0, row)) for row in range(6)]
    fitness = {}
    for eta in (0.0, ABCD().eta):
        found = run(of, [replace(genome, plasticity={"rule.abcd.eta": eta}) for genome in genomes])
        fitness[eta] = np.array([one.fitness for one in found])
    assert (fitness[0.0] < 0.2).all()
    assert (fitness[ABCD().eta] > 0.2).all()
    assert fitness[ABCD().eta].mean() > 0.3


@pytest.mark.parametrize(
    "fault", [MemoryError(), ImportError("no module"), OSError("disk"), RuntimeError("can't allocate memory")]
)
def test_a_fault_of_the_machine_is_no_outcome(fault, monkeypatch):
    of = problem("reflex", Walk(), NoLearner())

    def failing(*_: object) -> None:
        raise fault

    monkeypatch.setattr(evaluation, "_live", failing)
    with pytest.raises(WorkerError, match="evaluation cannot go on"):
        run(of, cohort(of, 1))


def test_a_callers_no_grad_changes_no_bit():
    of = problem("reflex", CartPole(episodes=1), SHORT_PPO)
    genomes = cohort(of, 2)
    expected = [bits(one) for one in run(of, genomes)]
    with torch.no_grad():
        assert [bits(one) for one in run(of, genomes)] == expected


def test_several_lives_are_single_lives_and_their_mean() -> None:
    once = CASES["module-ppo"]
    genomes = cohort(once, 3)
    keys = [once.key, once.key.child("again", 1), once.key.child("again", 2)]
    single = [run(replace(once, key=key), genomes) for key in keys]
    for row, one in enumerate(run(replace(once, lives=3), genomes)):
        own = [life[row] for life in single]
        assert one.scores == tuple(score for life in own for score in life.scores)
        assert one.fitness == pytest.approx(np.mean([life.fitness for life in own]))
        assert np.allclose(one.curve, np.mean([life.curve for life in own], 0))
        assert one.steps == sum(life.steps for life in own)
        assert bits(replace(one, fitness=0.0, scores=(), metrics={}, curve=(), steps=0)) == bits(
            replace(own[0], fitness=0.0, scores=(), metrics={}, curve=(), steps=0)
        )
        assert len({life.scores for life in own}) == 3


def test_lives_begin_from_expression_of_their_own_unless_it_is_inherited() -> None:
    of = replace(CASES["module-ppo"], learner=PPO(learning_rate=0.0, iterations=1, environments=4, horizon=4))
    of = replace(of, space=replace(of.space, plasticity={}))
    (genome,) = cohort(of, 1)
    lives = [run(replace(of, key=key), [genome])[0] for key in (of.key, of.key.child("again", 1))]
    first, second = (
        {name: array for own in life.tuned.values() for name, array in own.items()} for life in lives
    )
    assert any(not np.array_equal(first[name], second[name]) for name in first)


def test_a_candidate_of_several_lives_is_the_same_alone_and_in_a_cohort() -> None:
    of = replace(CASES["module-ppo"], lives=2)
    genomes = cohort(of, 3)
    for genome, one in zip(genomes, run(of, genomes), strict=True):
        assert bits(one) == bits(run(of, [genome])[0])


def test_a_life_that_fails_is_the_candidates_outcome() -> None:
    of = replace(CASES["module-ppo"], lives=2)
    broken = replace(cohort(of, 1)[0], rules=None)
    healthy = cohort(of, 2)[1]
    failed, one = run(of, [broken, healthy])
    assert failed.outcome is Outcome.INVALID
    assert failed.fitness is None
    assert "the wiring needs genetic rules" in failed.message
    assert bits(one) == bits(run(of, [healthy])[0])
