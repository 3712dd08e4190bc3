"""Networks in which some projections have free weights and the others follow genetic rules."""

from dataclasses import replace

import experiment_files
import numpy as np
import pytest
import torch
from torch_fakes import Layer, development, genome_of, inherit, plan_of, random_rules

import evogen
from evogen.connectome.birth import Birth
from evogen.connectome.direct import Direct
from evogen.connectome.gcm import GCM
from evogen.connectome.mixed import Mixed
from evogen.connectome.synaptogen import SynaptoGen
from evogen.errors import GrammarError, SpecError
from evogen.keys import Key
from evogen.phenotype import develop, embryo

MODULES = {7: [Layer(5), Layer(3)], 8: [Layer(6)]}
FREE = (1, 4)  # l0 -> l1 of gene 7, and the readout of gene 8
SAMPLED = {"agents": 6, "degree": 100.0, "counts": "poisson", "conductance": "drawn"}


def made(*free, wiring=None, rows=1, dtype=torch.float64):
    how = development(wiring or Mixed(), dtype=dtype)
    plan = plan_of(MODULES)
    links = [link._replace(free=number in free) for number, link in enumerate(plan.projections)]
    plan = replace(plan, projections=tuple(links))
    genomes = [genome_of(MODULES, rules=random_rules(seed=row)) for row in range(rows)]
    return develop(how, [embryo(how, genome, plan) for genome in genomes]), genomes, how, plan


def parts(found, weights):
    """The weights (..., pre, post) of each projection of the plan."""
    body = found.bodies[0]
    at = dict(zip(found.layout.pairs, weights, strict=True))
    return [
        at[body.level[link.pre], body.level[link.post]][..., body.rows(link.pre), body.rows(link.post)]
        for link in body.plan.projections
    ]


@pytest.mark.parametrize("rules", [SynaptoGen(), GCM()], ids=["synaptogen", "gcm"])
def test_free_projections_have_weights_of_their_own_and_the_others_those_of_the_rules(rules):
    found, *_ = made(*FREE, wiring=Mixed(rules))
    plain, *_ = made(wiring=rules)
    own = found.expression(found.flat, 0)
    ours, theirs = (parts(each, each.network(each.flat).weights) for each in (found, plain))
    for number, (mine, other) in enumerate(zip(ours, theirs, strict=True)):
        assert torch.equal(mine, other) == (number not in FREE)
    np.testing.assert_array_equal(ours[1][0].numpy().astype(np.float32), own[7]["l0>l1.W"])
    np.testing.assert_array_equal(ours[4][0].numpy().astype(np.float32), own[8]["l0>out.W"])
    names = {name for gene in own.values() for name in gene if name.endswith(".W")}
    assert names == {"l0>l1.W", "l0>out.W"}


def test_free_weights_are_drawn_as_those_of_a_direct_wiring():
    found, *_ = made(*FREE)
    direct, *_ = made(wiring=Direct())
    for number in FREE:
        ours, theirs = (parts(each, each.network(each.flat).weights)[number] for each in (found, direct))
        assert torch.equal(ours, theirs)


def test_agents_differ_where_rules_wire_them_and_nowhere_else():
    found, *_ = made(*FREE)
    agents = found.agents(found.flat, [Key(3)], Birth(**SAMPLED))
    average = parts(found, found.network(found.flat).weights)
    for number, (born, mean) in enumerate(zip(parts(found, agents.weights), average, strict=True)):
        if number in FREE:
            torch.testing.assert_close(born, mean.expand_as(born))
        else:
            assert not torch.equal(born[0], born[1])


def test_the_degree_counts_the_synapses_of_rules_only():
    """Born weights of the other projections are those of a wiring without the free synapses."""
    found, *_ = made(*FREE)
    plain, *_ = made(wiring=SynaptoGen())
    body, masks = plain.bodies[0], [mask.clone() for mask in plain.masks]
    at = dict(zip(plain.layout.pairs, masks, strict=True))
    for number in FREE:
        link = body.plan.projections[number]
        at[body.level[link.pre], body.level[link.post]][:, body.rows(link.pre), body.rows(link.post)] = 0
    without = replace(plain, masks=tuple(masks))
    born = [parts(one, one.agents(one.flat, [Key(3)], Birth(**SAMPLED)).weights) for one in (found, without)]
    for number, (ours, theirs) in enumerate(zip(*born, strict=True)):
        assert torch.equal(ours, theirs) == (number not in FREE)


def test_gradients_reach_free_weights_and_the_rules():
    found, *_ = made(*FREE)
    flat = found.flat.clone().requires_grad_()
    x = torch.from_numpy(Key(0).child("x").generator().normal(size=(1, 4, 4)))
    (gradient,) = torch.autograd.grad(found.network(flat).forward(x).square().sum(), flat)
    own = found.expression(gradient, 0)
    assert all(own[gene][name].any() for gene, name in ((7, "l0>l1.W"), (8, "l0>out.W"), (7, "l0.X")))
    assert found.trim(gradient, 0)["O"].any()
    used = found.trainable(0)
    assert not gradient[0].numpy()[~used].any()


def test_free_weights_are_inherited():
    found, genomes, how, plan = made(*FREE)
    tuned = found.flat * 1.5
    child = inherit(genomes[0], found.expression(tuned, 0))
    again = develop(how, [embryo(how, child, plan)])
    for number in FREE:
        ours, theirs = (
            parts(one, one.network(flat).weights)[number]
            for one, flat in ((again, again.flat), (found, tuned))
        )
        torch.testing.assert_close(ours, theirs, rtol=1e-6, atol=1e-7)


def test_a_candidate_is_the_same_in_company():
    together, *_ = made(*FREE, rows=3, dtype=torch.float32)
    how, plan = development(Mixed(), dtype=torch.float32), plan_of(MODULES)
    bound = genome_of(MODULES, rules=random_rules(seed=1))
    formed = [embryo(how, bound, plan), embryo(how, bound, together.bodies[0].plan)]
    mixture = develop(how, formed)
    alone = develop(how, formed[1:])
    x = torch.from_numpy(Key(0).child("x").generator().normal(size=(1, 4, 4))).float()
    expected = alone.network(alone.flat).forward(x)[0]
    assert torch.equal(together.network(together.flat).forward(x.expand(3, -1, -1))[1], expected)
    assert torch.equal(mixture.network(mixture.flat).forward(x.expand(2, -1, -1))[1], expected)


def test_rules_of_a_mixed_wiring_are_genetic():
    with pytest.raises(ValueError, match="rules: wanted a genetic wiring such as synaptogen, found Direct"):
        Mixed(Direct())


GRAMMAR = "<reflex> @type(module) ::= layer:dense [width,int,1,2,4] act:tanh wire:{} readout:sum\n"


@pytest.mark.parametrize(
    ("word", "wiring", "error", "said"),
    [
        ("free", "synaptogen", GrammarError, "wire:free wanted the wiring 'mixed', found 'synaptogen'"),
        ("genetic", "mixed", SpecError, "wiring: no module of <reflex> says wire:free: write it, or choose"),
        ("free", "{kind: mixed, rules: direct}", SpecError, "wanted a genetic wiring such as synaptogen"),
        ("free", "{kind: mixed, rules: {kind: gcm, tune_rules: false}}", None, ""),
    ],
)
def test_the_word_and_the_wiring_need_each_other(tmp_path, word, wiring, error, said):

    file = experiment_files.write(tmp_path, grammar=GRAMMAR.format(word))
    chosen = [f"wiring={wiring}", "plasticity={}"]
    if error is None:
        experiment = evogen.load(file, chosen)
        assert experiment.wiring == Mixed(GCM(tune_rules=False))
        assert "kind: gcm" in experiment.yaml
        return
    with pytest.raises(error, match=said):
        evogen.load(file, chosen)
