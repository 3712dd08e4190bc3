"""The contract of a wiring, kept by the settings of it that are not the default."""

import numpy as np
import pytest
import torch
from torch_fakes import Layer, genome_of, phenotype_of, random_rules

from evogen.connectome.birth import Birth
from evogen.connectome.synaptogen import SynaptoGen
from evogen.genome import frozen
from evogen.keys import Key
from evogen.testing.wiring import FACTS

from .laws import World

VARIANTS = {
    "band": SynaptoGen(mask="band"),
    "dale": SynaptoGen(polarity="neuron"),
    "scaled": SynaptoGen(scale=20.0, polarity="neuron", mask="band"),
}


RULE_MASK = frozen(np.eye(5))


@pytest.mark.parametrize("mask", ["forbid", "band"])
def test_a_candidate_without_a_rule_mask_is_the_same_beside_one_that_has_it(mask):
    modules, wiring = {7: [Layer(5)]}, SynaptoGen(mask=mask)
    free, bound = (genome_of(modules, rules=random_rules(5, 3, mask=bits)) for bits in (None, RULE_MASK))
    both = phenotype_of((free, modules), (bound, modules), wiring=wiring)
    own = phenotype_of((free, modules), wiring=wiring)
    keys = [Key(0).child("a"), Key(0).child("b")]
    for W, V in zip(both.network(both.flat).weights, own.network(own.flat).weights, strict=True):
        assert torch.equal(W[0], V[0])
    for W, V in zip(
        both.agents(both.flat, keys).weights, own.agents(own.flat, keys[:1]).weights, strict=True
    ):
        assert torch.equal(W[:8], V)


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: fact.__name__)
@pytest.mark.parametrize("wiring", VARIANTS.values(), ids=VARIANTS)
def test_every_variant_keeps_the_contract(wiring, fact):
    fact(wiring)


def test_moments_of_wide_levels_do_not_depend_on_company_under_several_threads():
    """A sum over 65,536 synapses to one number is shared by threads, one to several numbers is not."""
    world, threads = World((2, 256, 256), ((0, 1), (1, 2)), 4), torch.get_num_threads()
    rows = [world.values(world.candidate(seed=seed)) for seed in range(3)]
    company = {name: torch.cat([row[name] for row in rows]).float() for name in rows[0]}
    masks = [torch.ones(3, world.sizes[pre], world.sizes[post]) for pre, post in world.pairs]
    torch.set_num_threads(4)
    try:
        together = SynaptoGen().moments(company, world.pairs, masks, Birth())
        for row in range(3):
            own = {name: part[row : row + 1].clone() for name, part in company.items()}
            alone = SynaptoGen().moments(own, world.pairs, [mask[:1] for mask in masks], Birth())
            for everyone, one in zip(together, alone, strict=True):
                assert torch.equal(everyone.mean[row], one.mean[0])
                assert torch.equal(everyone.variance[row], one.variance[0])
    finally:
        torch.set_num_threads(threads)
