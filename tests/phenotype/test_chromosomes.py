"""Exactly one number of each chromosome is changed, and the phenotype changes as the equations say."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch_fakes import (
    Layer,
    Plain,
    development,
    genome_of,
    phenotype_of,
    random_rules,
    synaptogen_weights,
)

from evogen.cohort import Ref
from evogen.genome import frozen
from evogen.grammar import load
from evogen.grammar.modules import plan
from evogen.keys import Key
from evogen.phenotype import develop, embryo
from evogen.space import ArchitectureSpace, RulesSpace, SearchSpace
from evogen.variation.sample import sample

MODULES = {7: [Layer(6), Layer(5, "relu")], 8: [Layer(4, density=0.5)]}
GRAMMAR = load(Path(__file__).parents[2] / "grammars" / "modules.bnf")


def weights(found):
    return [W[0].numpy() for W in found.network(found.flat).weights]


def test_one_entry_of_the_rule_matrix_changes_every_weight_by_its_share():
    """dW_uv = Cbar_uv x_ui^2 (P'_ij - P_ij) y_vj^2, and no weight changes otherwise."""
    rules, i, j = random_rules(), 1, 3
    O = rules.O.copy()
    O[i, j] += 0.05
    changed = replace(rules, O=frozen(O))
    found = [phenotype_of((genome_of(MODULES, rules=each), MODULES)) for each in (rules, changed)]
    P = [1 / (1 + np.exp(-np.float64(each.O[i, j]) / each.temperature)) for each in (rules, changed)]
    values = found[0].trim(found[0].flat, 0)
    before, after = weights(found[0]), weights(found[1])
    for (pre, post), mask, W, V in zip(found[0].layout.pairs, found[0].masks, before, after, strict=True):
        x, y = values[f"{pre}.X"], values[f"{post}.X"]
        ends = {"X": np.ones((len(x), 1)), "T": values[f"{pre}.T"]}, {"X": np.ones((len(y), 1))}
        ends[1]["R"] = values[f"{post}.R"]
        Cbar = synaptogen_weights(*ends, np.full((1, 1), 100.0), rules.c, 1.0)
        expected = Cbar * np.outer(x[:, i] ** 2, y[:, j] ** 2) * (P[1] - P[0])
        own = (slice(len(x)), slice(len(y)))
        np.testing.assert_allclose((V - W)[own], expected * mask[0].numpy()[own], rtol=1e-8, atol=1e-14)
        assert (V - W)[own].any() == mask[0].any()


def other_codon(genome, wanted):
    """The genome with one codon changed, so that its plan differs from before in just the wanted way."""
    before = grown(genome)
    (gene,) = genome.architecture
    for at in range(len(gene.codons)):
        for value in range(0, 2**16, 4096):
            codons = (*gene.codons[:at], value, *gene.codons[at + 1 :])
            changed = replace(genome, architecture=(replace(gene, codons=codons),))
            after = grown(changed)
            if after != before and wanted(before, after):
                return changed, before, after
    raise AssertionError("no codon does this")


def grown(genome):
    return plan(genome, GRAMMAR, start="reflex", inputs=4, outputs=2)


def in_groups(**changes):
    """Whether the plans differ in one hidden group's fields of these names, and in nothing else."""

    def only(before, after):
        if before.projections != after.projections or len(before.groups) != len(after.groups):
            return False
        pairs = [(a, b) for a, b in zip(before.groups, after.groups, strict=True) if a != b]
        return (
            len(pairs) == 1
            and pairs[0][0]._replace(**{n: getattr(pairs[0][1], n) for n in changes}) == pairs[0][1]
        )

    return only


@pytest.fixture
def genome():
    space = SearchSpace(RulesSpace(genes=6), ArchitectureSpace(GRAMMAR, "reflex"))
    return sample(space, Key(0), Ref(0, 0))


def body(genome, its_plan):
    how = development()
    return develop(how, [embryo(how, genome, its_plan)])


def test_one_codon_changes_the_width_and_the_neurons_that_remain_stay_what_they_were(genome):
    changed, before, after = other_codon(genome, in_groups(size=True))
    found = [body(genome, before), body(changed, after)]
    (gene,) = genome.architecture
    own = [each.expression(each.flat, 0)[gene.innovation] for each in found]
    at = next(
        number
        for number, pair in enumerate(zip(before.groups, after.groups, strict=True))
        if pair[0] != pair[1]
    )
    sizes = before.groups[at].size, after.groups[at].size
    kept, name = min(sizes), before.groups[at].name
    for symbol in ("X", "T", "R"):
        arrays = [part[f"{name}.{symbol}"] for part in own]
        assert [len(array) for array in arrays] == list(sizes)
        assert np.array_equal(arrays[0][:kept], arrays[1][:kept])


def test_one_codon_changes_the_activation_and_no_weight(genome):
    changed, before, after = other_codon(genome, in_groups(activation=True))
    found = [body(genome, before), body(changed, after)]
    for W, V in zip(weights(found[0]), weights(found[1]), strict=True):
        assert np.array_equal(W, V)
    x = np.array([0.3, -0.2, 0.5, -0.4])
    outputs = []
    for each, of in zip(found, (genome, changed), strict=True):
        output, _ = each.network(each.flat).step(torch.from_numpy(x)[None, None], {})
        np.testing.assert_allclose(output[0, 0], Plain(each, 0, of).step(x), rtol=1e-6)
        outputs.append(output)
    assert not torch.allclose(*outputs, rtol=1e-3)


def test_one_plasticity_gene_scales_the_first_fast_weights():
    """F = eta A a_pre a_post after the first step; twice the eta is twice the F."""
    modules = {7: [Layer(5, rule="abcd", coefficients=(("A", 0.5),))]}
    x = torch.tensor([0.3, -0.2, 0.5, -0.4]).double()
    fast = []
    for eta in (0.01, 0.02):
        genome = genome_of(modules, rules=random_rules(), plasticity={"rule.abcd.eta": eta})
        found = phenotype_of((genome, modules))
        network = found.network(found.flat)
        _, state = network.step(x[None, None], network.start(1))
        F = state[f"{found.layout.pairs.index((0, 1))}.abcd"][0, 0, :, :5]
        post = torch.tanh(x @ network.weights[0][0, :, :5] + network.biases[0][0, :5])
        torch.testing.assert_close(F, eta * 0.5 * torch.outer(x, post), rtol=1e-10, atol=0)
        fast.append(F)
    torch.testing.assert_close(fast[1], 2 * fast[0], rtol=1e-12, atol=0)


def test_what_the_grammar_fixes_beats_the_plasticity_gene_and_that_the_rules_default():
    x = torch.ones(1, 1, 4)
    etas = []
    for coefficients, plasticity in (
        ((), {}),
        ((), {"rule.abcd.eta": 0.5}),
        ((("eta", 0.2),), {"rule.abcd.eta": 0.5}),
    ):
        modules = {7: [Layer(5, rule="abcd", coefficients=(("A", 0.0), ("D", 1.0), *coefficients))]}
        found = phenotype_of((genome_of(modules, rules=random_rules(), plasticity=plasticity), modules))
        network = found.network(found.flat)
        _, state = network.step(x, network.start(1))
        (eta,) = state[f"{found.layout.pairs.index((0, 1))}.abcd"][..., :5].unique().tolist()
        etas.append(eta)
    assert etas == pytest.approx([0.01, 0.5, 0.2])
