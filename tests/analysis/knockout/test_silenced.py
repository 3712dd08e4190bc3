"""What is cut, and that nothing else is: weights against the equations, masks and coefficients by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch_fakes import synaptogen_weights

import evogen
from evogen.analysis.knockout.silenced import Kind, Variant, pairs, parts, written
from evogen.cohort import Ref
from evogen.connectome.direct import Direct
from evogen.connectome.gcm import GCM
from evogen.connectome.mixed import Mixed
from evogen.connectome.synaptogen import SynaptoGen
from evogen.evaluation import Problem, conceived, developed, together
from evogen.experiment.launch import problem
from evogen.genome import Genome
from evogen.grammar.plan import Plan
from evogen.keys import Key
from evogen.phenotype import Phenotype
from evogen.testing.tiny import Blobs, Lessons
from evogen.variation.sample import sample

SPACES = Path(__file__).parents[3] / "searchspaces"


def posed(name: str, **changes: object) -> Problem:
    of = problem(evogen.load(SPACES / f"{name}.yaml"), "cpu")
    task = Lessons() if name == "digits-life" else Blobs()
    return replace(of, task=task, dtype="float64", **changes)


def settled(of: Problem, row: int = 0) -> tuple[Genome, Plan]:
    genome = sample(of.space, Key(3), Ref(0, row))
    phenotype = developed(of, genome)
    return written(genome, phenotype.expression(phenotype.flat, 0)), phenotype.bodies[0].plan


def grown(of: Problem, variant: Variant) -> Phenotype:
    return together(of, [conceived(of, 0, variant.genome, variant.plan)])


def born(of: Problem, genome: Genome, plan: Plan) -> Phenotype:
    return together(of, [conceived(of, 0, genome, plan)])


def weights(phenotype: Phenotype) -> list[torch.Tensor]:
    return [W[0].detach() for W in phenotype.network(phenotype.flat).weights]


def test_written_out_expression_changes_no_bit_of_a_network() -> None:
    for name in ("cartpole", "iris", "neurons", "rich"):
        of = replace(posed(name), dtype="float32")
        genome = sample(of.space, Key(3), Ref(0, 0))
        before = developed(of, genome)
        after = developed(of, written(genome, before.expression(before.flat, 0)))
        assert torch.equal(before.flat, after.flat)


@pytest.mark.parametrize("mask", ["forbid", "band"])
def test_without_a_protein_none_of_its_synapses_forms_and_all_others_are_as_they_were(mask: str) -> None:
    of = posed("cartpole", wiring=SynaptoGen(mask=mask))
    genome, plan = settled(of)
    genes = [one for one in parts(genome, plan, of.rules) if one.kind is Kind.GENE]
    assert [one.where for one in genes] == [(k,) for k in range(16)]
    intact = weights(born(of, genome, plan))
    each = [weights(grown(of, one)) for one in genes[:2]]
    both = weights(grown(of, replace(genes[0], genome=_without(genes[1], 0))))
    assert not torch.equal(each[0][0], intact[0])
    for W, first, second, neither in zip(intact, *each, both, strict=True):
        # what both genes do together, in either direction, was lost twice
        together = W - first - second + neither
        assert bool((together != 0).any())
    for one, k in zip(genes, range(2), strict=False):
        assert not one.genome.interface.expression["in.X"][:, k].any()
        changed = one.genome.interface.expression["in.X"] != genome.interface.expression["in.X"]
        assert np.flatnonzero(changed.any(0)).tolist() == [k]


def _without(variant: Variant, k: int) -> Genome:
    found = [one for one in parts(variant.genome, variant.plan, {}) if one.where == (k,)]
    return found[0].genome


@pytest.mark.parametrize("wiring", [SynaptoGen(), SynaptoGen(mask="band"), Mixed(), GCM()])
def test_two_proteins_that_do_not_bind_lose_their_own_term_of_every_weight(wiring: object) -> None:
    of = posed("cartpole", wiring=wiring)
    genome, plan = settled(of)
    every = list(pairs(genome, plan, of.wiring))
    assert [one.where for one in every] == [(i, j) for i in range(16) for j in range(16)]
    chosen = [every[16 * 2 + 5], every[0], every[255]]
    intact = weights(born(of, genome, plan))
    left = [weights(grown(of, one)) for one in every]
    for number, W in enumerate(intact):  # W is linear in P: the terms of all pairs sum to it
        lost = sum(W - one[number] for one in left)
        assert torch.allclose(lost, W, rtol=1e-4, atol=1e-5 * float(W.abs().max()))
    for one in chosen:
        assert one.genome.rules is not None
        assert one.genome.rules.mask is not None
        assert float(one.genome.rules.mask.sum()) == 255


def test_one_pair_by_hand() -> None:
    of = posed("cartpole")
    genome, plan = settled(of)
    assert genome.rules is not None
    variant = list(pairs(genome, plan, of.wiring))[16 * 2 + 5]
    mask = np.ones((16, 16))
    mask[2, 5] = 0
    own = {
        name: {
            symbol: gene.expression[f"{name}.{symbol}"]
            for symbol in ("X", "T", "R")
            if f"{name}.{symbol}" in gene.expression
        }
        for gene in (genome.interface,)
        for name in ("in", "out")
    }
    rules = genome.rules
    direct = [link for link in plan.projections if (link.pre, link.post) == (0, len(plan.groups) - 1)]
    found = grown(of, variant)
    if direct:
        at = found.layout.pairs.index((0, len(found.layout.levels) - 1))
        wanted = synaptogen_weights(own["in"], own["out"], rules.O, rules.c, rules.temperature, mask=mask)
        got = weights(found)[at][: len(wanted), : wanted.shape[1]].numpy()
        assert got == pytest.approx(
            wanted * (found.masks[at][0][: len(wanted), : wanted.shape[1]] > 0).numpy()
        )


def test_a_rule_mask_names_the_pairs_that_there_are() -> None:
    of = posed("cartpole")
    genome, plan = settled(of)
    mask = np.zeros((16, 16), np.float32)
    mask[3, 4] = mask[7, 7] = 1
    assert genome.rules is not None
    masked = replace(genome, rules=replace(genome.rules, mask=mask))
    assert [one.where for one in pairs(masked, plan, SynaptoGen())] == [(3, 4), (7, 7)]
    assert len(list(pairs(masked, plan, SynaptoGen(mask="band")))) == 256


def test_weights_that_follow_no_rules_have_no_genes_and_no_pairs_to_silence() -> None:
    for of in (posed("neurons"), posed("cartpole", wiring=Direct())):
        genome, plan = settled(of)
        assert list(pairs(genome, plan, of.wiring)) == []
        assert {one.kind for one in parts(genome, plan, of.rules)} <= {
            Kind.EVERYTHING,
            Kind.MODULE,
            Kind.CLASS,
        }


@pytest.mark.parametrize("name", ["cartpole", "cartpole-direct", "neurons", "rich"])
def test_a_module_cut_out_loses_all_of_its_synapses_and_no_other_changes(name: str) -> None:
    of = posed(name.removesuffix("-direct"), **({"wiring": Direct()} if "direct" in name else {}))
    genome, plan = settled(of, 1)
    intact = born(of, genome, plan)
    modules = [one for one in parts(genome, plan, of.rules) if one.kind is Kind.MODULE]
    assert [one.where[0] for one in modules] == [gene.innovation for gene in genome.architecture]
    assert len(modules) > 1
    for one in modules:
        found = grown(of, one)
        assert found.layout == intact.layout
        body = found.bodies[0]
        own = [at for at, group in enumerate(plan.groups) if group.gene == one.where[0]]
        for (pre, post), before, after in zip(
            intact.layout.pairs, weights(intact), weights(found), strict=True
        ):
            cut = torch.zeros_like(before, dtype=torch.bool)
            for at in own:
                if body.level[at] == pre:
                    cut[body.rows(at)] = True
                if body.level[at] == post:
                    cut[:, body.rows(at)] = True
            bridges = [
                (body.rows(link.pre), body.rows(link.post))
                for link in plan.projections
                if (body.level[link.pre], body.level[link.post]) == (pre, post)
            ]
            assert bridges or not bool(before.any())
            assert not bool(after[cut].any())
            assert torch.equal(after[~cut], before[~cut])


def test_a_class_module_is_all_of_its_neurons() -> None:
    of = posed("neurons")
    genome, plan = settled(of)
    classes = [one for one in parts(genome, plan, of.rules) if one.kind is Kind.CLASS]
    assert [one.where for one in classes] == [(0,), (1,), (2,)]
    for one in classes:
        found, level = grown(of, one), len(plan.groups) - 1
        body = found.bodies[0]
        last = body.level[level]
        reaching = [
            weights(found)[at][:, one.where[0]].abs().sum()
            for at, (_, post) in enumerate(found.layout.pairs)
            if post == last
        ]
        assert sum(float(part) for part in reaching) == 0, "its output hears nothing"


def test_plasticity_is_silenced_number_by_number_in_all_synapses_of_the_rule() -> None:
    of = posed("digits-life")
    genome, plan = settled(of)
    found = {one.name: one for one in parts(genome, plan, of.rules) if one.kind in (Kind.TERM, Kind.RULE)}
    names = ["eta", "A", "B", "C", "D", "decay", "oja", "bound"]
    assert list(found) == ["rule abcd", *(f"abcd.{name}" for name in names)]
    intact = born(of, genome, plan).traits.rule
    for name in names:
        silenced = grown(of, found[f"abcd.{name}"]).traits.rule
        for key, values in silenced.items():
            if key.endswith(f".{name}"):
                assert not bool(values.any())
                assert bool(intact[key].any())
            else:
                assert torch.equal(values, intact[key])
    assert grown(of, found["rule abcd"]).traits.rule == {}
    zero = replace(genome, plasticity={**genome.plasticity, "rule.abcd.B": 0.0})
    notes = {one.name: one.note for one in parts(zero, plan, of.rules)}
    assert notes["abcd.B"] == "is 0 already"
    assert notes["abcd.A"] == ""


def test_everything_silenced_has_no_synapse() -> None:
    for name in ("cartpole", "iris", "neurons", "rich", "digits-life"):
        of = posed(name)
        first = next(parts(*settled(of), of.rules))
        assert first.kind is Kind.EVERYTHING
        assert not any(bool(W.any()) for W in weights(grown(of, first)))
