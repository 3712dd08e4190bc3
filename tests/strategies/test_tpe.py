from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import optuna
import pytest
from lives import KEY
from search_fakes import Backwards, new_run

from evogen.cohort import Individual, Ref
from evogen.engine import drive
from evogen.genome import Genome
from evogen.grammar import derive, parse
from evogen.grammar.derivation import Reading
from evogen.keys import Key
from evogen.runs import Run
from evogen.schema import Inheritance, Search
from evogen.space import ArchitectureSpace, Distribution, Integers, Log, RulesSpace, SearchSpace, Uniform
from evogen.strategies import Scene, Strategy, Told
from evogen.strategies.random import Random
from evogen.strategies.tpe import TPE, _parameters, _walk
from evogen.variation.sample import sample

ONE = parse("<module> @type(module) ::= layer:dense [width,int,1,2,9] act:tanh readout:sum")
HELD = ArchitectureSpace(ONE, evolve=False)
MANY = parse(
    "<module> @type(module) ::= <layers> readout:sum\n"
    "<layers> ::= <layer> | 3.0 * <layer> <layers> | <layer> <layer>\n"
    "<layer> ::= layer:dense [width,int,1,2,9] <act> [a,float,2,-1,1] [b,log,1,1e-3,1e3]\n"
    "<act> ::= act:tanh | act:relu\n"
)
PLASTICITY: dict[str, Distribution] = {
    "a": Uniform(0, 1), "b": Uniform(-5, 5), "c": Log(1e-6, 1), "d": Integers(0, 99)
}  # fmt: skip
CUBE = SearchSpace(None, HELD, PLASTICITY)
Objective = Callable[[Genome], float | None]


def near_target(genome: Genome) -> float:
    """Minus the squared distance to a point of the unit cube."""
    units = [PLASTICITY[name].unit(genome.plasticity[name]) for name in "abcd"]
    return -float(np.sum((np.array(units) - [0.3, 0.8, 0.1, 0.6]) ** 2))


def search(
    strategy: Strategy,
    space: SearchSpace,
    objective: Objective,
    *,
    seed: int = 0,
    cohorts: int = 4,
    size: int = 16,
    bound: Callable[[Genome], float] = lambda genome: 0.0,
) -> dict[Ref, tuple[Individual, Told]]:
    """Ask and tell in turn; `bound` gives the violation."""
    genomes: dict[Ref, Genome] = {}
    found: dict[Ref, tuple[Individual, Told]] = {}
    scene = Scene(space, genomes.__getitem__, Key(seed), Key(seed))
    state = strategy.start()
    for cohort in range(cohorts):
        asked = strategy.ask(state, cohort, size, scene=scene)
        rows = {Ref(cohort, row): one for row, one in enumerate(asked)}
        genomes |= {ref: one.genome for ref, one in rows.items()}
        told = [Told(ref, objective(one.genome), (), bound(one.genome)) for ref, one in rows.items()]
        found |= {one.ref: (rows[one.ref], one) for one in told}
        state = json.loads(json.dumps(strategy.tell(state, told, scene=scene)))
    return found


def best(found: dict[Ref, tuple[Individual, Told]]) -> float:
    return max(told.fitness for _, told in found.values() if told.fitness is not None)


def test_tpe_beats_random_on_a_planted_quadratic() -> None:
    # ten seeds, 64 candidates each; were both equally good, nine wins of ten would have probability 0.011
    tpe, baseline = (
        [best(search(strategy, CUBE, near_target, seed=seed)) for seed in range(10)]
        for strategy in (TPE(), Random())
    )
    assert sum(one > other for one, other in zip(tpe, baseline, strict=True)) >= 9
    assert np.median(tpe) > np.median(baseline) / 4


def test_tpe_finds_a_planted_architecture() -> None:
    space = SearchSpace(None, ArchitectureSpace(MANY, initial_modules=3, max_modules=3))

    def small_and_relu(genome: Genome) -> float:
        words = " ".join(str(derive(MANY, "module", gene.codons)) for gene in genome.architecture)
        return words.count("act:relu") - 2.0 * words.count("act:tanh") - 0.5 * words.count("layer:dense")

    def late(strategy: Strategy) -> list[float]:
        runs = [search(strategy, space, small_and_relu, seed=seed, cohorts=3) for seed in range(2)]
        return [told.fitness or 0.0 for run in runs for ref, (_, told) in run.items() if ref.cohort == 2]

    # 32 candidates each; the standard deviation of random ones is 3.9, so 0.7 in their mean
    assert np.mean(late(TPE())) > np.mean(late(Random())) + 3


def test_tpe_learns_the_rules_and_their_mask() -> None:
    space = SearchSpace(RulesSpace(genes=3, min_genes=3, mask="random", density=0.5), HELD)

    def high_and_full(genome: Genome) -> float:
        assert genome.rules is not None
        assert genome.rules.mask is not None
        return float(genome.rules.O.mean() * 3 + genome.rules.mask.mean())

    found = search(TPE(), space, high_and_full, cohorts=6)
    by_cohort = np.reshape([told.fitness for _, told in found.values()], (6, 16)).mean(axis=1)
    assert by_cohort[-1] > by_cohort[0] + 1  # in standard deviations of one entry of O, or shares of the mask
    for individual, _ in found.values():
        rules = individual.genome.rules
        assert rules is not None
        assert np.abs(rules.O).max() <= 4 / 3 + 1e-6 or individual.operator == "random"
        assert set(np.unique(rules.mask)) <= {0.0, 1.0}


@pytest.mark.parametrize("model", ["joint", "independent"])
def test_failed_candidates_are_the_worst_of_all(model: Literal["joint", "independent"]) -> None:
    def half_fail(genome: Genome) -> float | None:
        return float(genome.plasticity["b"]) if float(genome.plasticity["a"]) < 0.5 else None

    found = search(TPE(model=model), CUBE, half_fail, cohorts=5)
    late = [told for ref, (_, told) in found.items() if ref.cohort >= 3]
    # of 32 draws, 8 or fewer would fail by chance with probability 0.0035
    assert sum(told.fitness is None for told in late) <= 8
    assert (
        np.mean([told.fitness for told in late if told.fitness is not None]) > 2.5
    )  # the mean of a draw is 0


def test_constraints_come_before_fitness() -> None:
    found = search(
        TPE(),
        CUBE,
        lambda genome: float(genome.plasticity["a"]),
        cohorts=5,
        bound=lambda genome: max(0.0, float(genome.plasticity["a"]) - 0.5),
    )
    late = [told for ref, (_, told) in found.items() if ref.cohort >= 3]
    assert np.median([told.violation for told in late]) < 0.1
    assert np.mean([told.fitness or 0.0 for told in late]) > 0.3


def test_candidates_are_sampled_until_enough_succeeded() -> None:
    found = search(TPE(startup=12), CUBE, near_target, cohorts=3, size=8)
    operators = {ref.cohort: individual.operator for ref, (individual, _) in found.items()}
    assert operators == {0: "random", 1: "random", 2: "tpe"}
    assert {one.operator for one, _ in search(TPE(), CUBE, lambda genome: None).values()} == {"random"}


def test_all_candidates_asked_of_one_state_differ() -> None:
    space = SearchSpace(RulesSpace(genes=4), ArchitectureSpace(MANY, max_modules=3), PLASTICITY)
    found = search(TPE(), space, near_target, cohorts=2, size=24)
    assert len({individual.genome.id for individual, _ in found.values()}) == 48


def test_a_chromosome_that_does_not_evolve_is_held() -> None:
    space = SearchSpace(RulesSpace(genes=4, evolve=False), HELD, PLASTICITY)
    genomes = [individual.genome for individual, _ in search(TPE(), space, near_target, cohorts=2).values()]
    assert len({json.dumps(json.loads(genome.json)["rules"]) for genome in genomes}) == 1
    assert len({json.dumps(json.loads(genome.json)["architecture"]) for genome in genomes}) == 1
    assert len({genome.interface.innovation for genome in genomes}) == 1


def test_new_genes_have_identities_of_their_own() -> None:
    space = SearchSpace(None, ArchitectureSpace(MANY, initial_modules=3, max_modules=3), PLASTICITY)
    found = search(TPE(), space, near_target, cohorts=2)
    ids = [gene.innovation for individual, _ in found.values() for gene in individual.genome.genes()]
    assert len(ids) == len(set(ids))


def test_a_grammar_that_branches_without_end_stays_within_its_depth() -> None:
    grammar = parse("<module> @type(module) ::= act:tanh | 0.2 * <module> <module> <module>")
    space = SearchSpace(None, ArchitectureSpace(grammar))

    def large(genome: Genome) -> float:
        return float(len(genome.architecture[0].codons))

    found = search(TPE(startup=8), space, large, cohorts=2, size=8)
    assert {individual.operator for individual, _ in found.values()} == {"random", "tpe"}
    assert best(found) <= sum(3**depth for depth in range(12))


def test_parameters_of_a_genome_are_its_choices() -> None:
    space = SearchSpace(RulesSpace(genes=2, min_genes=2, transmitters=1), ArchitectureSpace(MANY), PLASTICITY)
    genome = sample(space, Key(3), Ref(0, 0))
    found = {name: value for name, (_, value) in _parameters(genome, space, 4.0).items()}
    (gene,), rules = genome.architecture, genome.rules
    assert rules is not None
    assert [found[f"O.{place}"] for place in range(4)] == rules.O.ravel().tolist()
    assert [found[f"c.{place}"] for place in range(2)] == rules.c.ravel().tolist()
    assert found["modules"] == 1
    assert found["plasticity.c"] == pytest.approx(PLASTICITY["c"].unit(genome.plasticity["c"]))
    assert found["module.0.<layers>.1"] == gene.codons[0] % 3
    assert sum(name.startswith("module.") for name in found) == len(gene.codons)


def test_parameters_chosen_as_they_are_make_the_same_modules() -> None:
    space = SearchSpace(None, ArchitectureSpace(MANY, initial_modules=3, max_modules=3))
    for row in range(30):
        genome = sample(space, Key(3), Ref(0, row))
        reading = [Reading(MANY, gene.codons) for gene in genome.architecture]
        parts = _walk(genome, space, lambda name, distribution, value: value, reading.__getitem__, span=4.0)
        again = [derive(MANY, "module", codons) for codons in parts.modules]
        assert again == [derive(MANY, "module", gene.codons) for gene in genome.architecture]


def test_more_told_than_the_window_leaves_the_newest_and_the_best() -> None:
    scene = Scene(CUBE, {}.__getitem__, Key(0), Key(0))
    strategy = TPE(window=8)
    state = strategy.start()
    for cohort in range(20):
        state = strategy.tell(
            state, [Told(Ref(cohort, row), -float(cohort)) for row in range(4)], scene=scene
        )
    assert [record[:2] for record in state["recent"]] == [[c, row] for c in (18, 19) for row in range(4)]
    assert [record[:2] for record in state["best"]] == [[n // 4, n % 4] for n in range(25)]
    assert strategy.welcome(state, [Told(Ref(99, 0), 9.0)], scene=scene)["best"][0] == [99, 0, 9.0, 0.0]


def test_optuna_is_silent_and_its_verbosity_is_left(capfd: pytest.CaptureFixture[str]) -> None:
    before = optuna.logging.get_verbosity()
    search(TPE(), CUBE, near_target, cohorts=2)
    assert optuna.logging.get_verbosity() == before
    assert capfd.readouterr() == ("", "")


def fingerprint(folder: Path, cuts: Sequence[int], space: SearchSpace) -> str:
    new_run(folder).close()
    for cohorts in cuts:
        with Run.open(folder, write=True) as found:
            drive(
                found,
                TPE(startup=4, window=12),
                Backwards(),
                space=space,
                inheritance=Inheritance.LAMARCKIAN,
                search=Search(cohorts=cohorts, cohort_size=4, lookahead=4, snapshot_every=3),
                key=KEY,
                on_event=lambda _: None,
            )
    with Run.open(folder) as found:
        assert found.told == cuts[-1]
        assert any(row.operator == "tpe" for row in found.rows())
        return found.fingerprint()


def test_a_resumed_search_equals_the_unbroken(tmp_path: Path) -> None:
    space = SearchSpace(RulesSpace(genes=3, min_genes=3), ArchitectureSpace(MANY, max_modules=2), PLASTICITY)
    unbroken = fingerprint(tmp_path / "unbroken", [10], space)
    assert fingerprint(tmp_path / "resumed", [1, 5, 10], space) == unbroken
