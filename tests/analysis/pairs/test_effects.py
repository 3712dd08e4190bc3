"""Effects of planted differences: a useless one has none, an essential one all of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from torch import Tensor

import evogen
from evogen.analysis.pairs.effects import Comparison, Part, compared, effects
from evogen.cohort import Ref
from evogen.connectome.direct import Direct
from evogen.experiment.launch import problem
from evogen.genome import Gene, Genome, frozen
from evogen.keys import Key
from evogen.phenotype import Network
from evogen.tasks import Fold
from evogen.testing.tiny import Lessons
from evogen.variation.sample import sample

from ..planted import CARRIER, USELESS, noisy, posed, trained

AGENTS = 16
SPACES = Path(__file__).parents[3] / "searchspaces"


def with_rule(genome: Genome, gene: int, value: float) -> Genome:
    """Return the genome with another rule of a gene with itself."""
    rules = genome.rules
    assert rules is not None
    O = rules.O.copy()
    O[gene, gene] = value
    return replace(genome, rules=replace(rules, O=frozen(O)))


def without_gene(genome: Genome, gene: int) -> Genome:
    rules = genome.rules
    assert rules is not None
    kept = [at for at in range(len(rules.genes)) if at != gene]

    def cut(one: Gene) -> Gene:
        named = one.expression.items()
        return replace(one, expression={k: frozen(v[:, kept]) if k.endswith(".X") else v for k, v in named})

    mask = None if rules.mask is None else frozen(rules.mask[np.ix_(kept, kept)])
    genes, O = tuple(rules.genes[at] for at in kept), frozen(rules.O[np.ix_(kept, kept)])
    fewer = replace(rules, genes=genes, O=O, mask=mask)
    modules = tuple(cut(one) for one in genome.architecture)
    return replace(genome, rules=fewer, interface=cut(genome.interface), architecture=modules)


def found(a: Genome, b: Genome) -> Comparison:
    return effects(posed(), compared(posed(), a, b), agents=AGENTS)


def only(comparison: Comparison) -> Part:
    (part,) = comparison.parts
    return part


def test_a_genome_differs_from_itself_in_nothing() -> None:
    same = found(trained(), trained())
    assert same.parts == ()
    assert same.whole == same.together == same.interaction == (0.0, 0.0, 0.0)
    assert same.weights is not None
    assert same.weights.relative == 0.0


def test_a_rule_that_nobody_expresses_has_exactly_no_effect() -> None:
    part = only(found(with_rule(trained(), USELESS, 3.0), trained()))
    assert part.effect == (0.0, 0.0, 0.0)
    assert part.p == 1.0
    assert part.weights is not None
    assert (part.weights.relative, part.weights.gained, part.weights.lost) == (0.0, 0, 0)


def test_a_rule_whose_synapses_cannot_matter_has_no_effect_within_its_interval() -> None:
    part = only(found(with_rule(noisy(), USELESS, -3.0), noisy()))
    assert part.effect is not None
    assert part.effect.low <= 0.0 <= part.effect.high
    assert part.weights is not None
    assert part.weights.relative > 0.01, "its synapses form"


def test_the_essential_rule_has_the_full_effect() -> None:
    silent = with_rule(trained(), CARRIER, -50.0)
    whole = found(silent, trained())
    part = only(whole)
    assert part.effect == whole.whole == whole.together
    assert whole.interaction == (0.0, 0.0, 0.0)
    assert whole.scores is not None
    assert part.effect is not None
    assert part.effect.mean == pytest.approx(whole.scores[1] - whole.scores[0])
    assert part.effect.mean > 0.4
    assert part.effect.low > 0
    assert part.p < 0.01
    assert part.weights is not None
    assert part.weights.relative == pytest.approx(1.0, abs=1e-6)


def test_looking_back_the_essential_rule_is_a_loss_of_the_same_size() -> None:
    silent = with_rule(trained(), CARRIER, -50.0)
    forth, back = found(silent, trained()).whole, found(trained(), silent).whole
    assert forth is not None
    assert back is not None
    assert back.mean < -0.4
    assert abs(back.mean + forth.mean) < 0.1, "the two are other draws of the same"


def test_single_effects_are_told_apart() -> None:
    a = with_rule(with_rule(trained(), CARRIER, -50.0), USELESS, 3.0)
    whole = found(a, trained())
    by_gene = {part.group.title: part for part in whole.parts}
    genes = trained().rules
    assert genes is not None
    essential = by_gene[f"rule gene {genes.genes[CARRIER]}: its rules"]
    useless = by_gene[f"rule gene {genes.genes[USELESS]}: its rules"]
    assert essential.effect == whole.whole
    assert useless.effect == (0.0, 0.0, 0.0)
    assert whole.interaction == (0.0, 0.0, 0.0)


def test_two_of_which_one_is_enough_interact() -> None:
    rules = trained().rules
    assert rules is not None
    a = with_rule(
        replace(trained(), rules=replace(rules, c=frozen(np.full(rules.c.shape, -60.0)))), CARRIER, -50.0
    )
    whole = found(a, trained())
    assert [part.group.title for part in whole.parts] == [
        f"rule gene {rules.genes[CARRIER]}: its rules",
        "conductances",
    ]
    assert whole.whole is not None
    assert all(
        part.effect is not None and part.effect.mean == pytest.approx(whole.whole.mean)
        for part in whole.parts
    )
    assert whole.interaction is not None
    assert whole.interaction.mean == pytest.approx(-whole.whole.mean), "either costs all, both cost no more"


def test_the_essential_rule_gene_is_essential_as_a_whole() -> None:
    part = only(found(without_gene(trained(), CARRIER), trained()))
    assert part.group.title == f"rule gene {trained().rules.genes[CARRIER]} added"  # type: ignore[union-attr]
    assert part.effect is not None
    assert part.effect.mean > 0.4


def test_genes_that_took_the_place_of_all_others_are_undone_with_them() -> None:
    b = trained()
    (module,) = b.architecture
    a = replace(b, architecture=(replace(module, innovation=module.innovation + 7),))
    whole = found(a, b)
    part = only(whole)
    assert part.group.title == f"gene {module.innovation + 7} replaced by gene {module.innovation}"
    assert part.effect == whole.whole
    assert part.weights is not None
    assert (part.weights.common, part.weights.gained) == (0, part.weights.lost)


def test_what_cannot_be_undone_alone_says_so_and_leaves_the_rest() -> None:
    b = trained()
    a = with_rule(replace(b, architecture=()), USELESS, 3.0)
    whole = found(a, b)
    by_title = {part.group.title: part for part in whole.parts}
    added = by_title[f"gene {b.architecture[0].innovation} added"]
    assert "at least one was wanted" in added.failure
    assert added.effect is None
    (rest,) = (part for part in whole.parts if part is not added)
    assert rest.effect == (0.0, 0.0, 0.0)
    assert whole.together is not None
    assert np.isnan(whole.together.mean)


def test_a_first_genome_that_cannot_be_developed_says_so() -> None:
    b = trained()
    whole = found(replace(b, architecture=()), b)
    assert "the first genome cannot be developed here" in whole.failure
    assert whole.whole is not None
    assert np.isnan(whole.whole.mean)


def test_agents_that_are_born_equal_are_said_to_be() -> None:
    of = replace(posed(), wiring=Direct())
    genomes = [sample(of.space, Key(2), Ref(0, row)) for row in range(2)]
    whole = effects(of, compared(of, *genomes), agents=3)
    assert whole.alike
    assert whole.scores is not None
    assert whole.level == pytest.approx(whole.scores[1])
    varied = found(with_rule(trained(), CARRIER, -50.0), trained())
    assert (varied.alike, varied.level) == (False, None)


def test_a_codon_is_told_by_what_it_does_to_the_network() -> None:
    b = trained()
    (module,) = b.architecture
    told = set()
    for codon in range(6):
        codons = (*module.codons[:-2], codon, module.codons[-1])
        a = replace(b, architecture=(replace(module, codons=codons),))
        told.update(text for part in compared(posed(), a, b).parts for text in part.meaning)
    assert told
    assert all(f"gene {module.innovation} l" in text or "link" in text for text in told)


def test_examples_that_chose_the_genome_are_not_asked_again() -> None:
    asked = set()

    @dataclass(frozen=True)
    class Watched(Lessons):
        def score(self, agents: Network, keys: Sequence[Key], fold: Fold) -> Tensor:
            asked.add(fold)
            return Lessons.score(self, agents, keys, fold)

    of = replace(problem(evogen.load(SPACES / "digits-life.yaml"), "cpu"), task=Watched())
    a, b = (sample(of.space, Key(2), Ref(0, row)) for row in range(2))
    b = replace(a, plasticity=b.plasticity)
    effects(of, compared(of, a, b), agents=2)
    assert asked == {Fold.REPORT}
