"""Circuits as networks, beside plain numpy that follows the papers' equations."""

import dataclasses

import numpy as np
import pytest
import torch

from evogen.connectome.circuits import plans
from evogen.connectome.connectome import Connectome
from evogen.errors import DevelopmentError, GrammarError
from evogen.experiment.circuits import START, grammar_of
from evogen.genome import Gene, Genome
from evogen.grammar import parse
from evogen.keys import Key
from evogen.measures import structure
from evogen.phenotype import Development, develop, embryo
from evogen.schema import Where

INPUTS, JOINTS = 20, 5


def genome(seed=0, expression=None):
    return Genome(None, Gene(2 * seed + 2, ()), (Gene(2 * seed + 1, (), expression or {}),))


def plan_of(born, section, inputs, outputs):
    grammar = grammar_of(section, Where())
    return plans.plan(born, grammar, start=START, inputs=inputs, outputs=outputs)


def grown(section, *, wiring=None, seeds=(0,), inputs=INPUTS, outputs=JOINTS, expression=None):
    development = Development(wiring or Connectome(), {}, Key(9).child("innate"), torch.float64)
    born = [genome(seed, expression) for seed in seeds]
    return develop(
        development, [embryo(development, one, plan_of(one, section, inputs, outputs)) for one in born]
    )


def slot(phenotype, name="theta"):
    return phenotype.values(phenotype.flat)[name]


def swimmer(x, weights, joints=JOINTS):
    """Torques (B, J) of the NCAP swimmer, as its code computes them from the halves of the joints."""
    prop, osc, ipsi, contra = weights

    def g(value):
        return np.clip(value, 0, 1)

    d, v, (o_d, o_v) = x[:, :joints], x[:, joints : 2 * joints], x[:, 2 * joints : 2 * joints + 2].T
    torque = np.zeros((len(x), joints))
    for i in range(joints):
        b_d = g(osc * o_d) if i == 0 else g(prop * d[:, i - 1])
        b_v = g(osc * o_v) if i == 0 else g(prop * v[:, i - 1])
        torque[:, i] = g(ipsi * b_d + contra * b_v) - g(ipsi * b_v + contra * b_d)
    return torque


@pytest.mark.parametrize("theta", [(1, 1, 1, 1), (0.7, 1.3, 0.4, 0.9), (-0.7, 2.0, 0.4, -0.1)])
def test_ncap_is_the_papers_network(theta):
    phenotype = grown({"circuit": "ncap"})
    assert slot(phenotype).tolist() == [[1.0] * 4]
    x = np.random.default_rng(0).random((50, INPUTS))
    flat = phenotype.flat.clone()
    flat[0, :4] = torch.tensor(theta, dtype=flat.dtype)
    prop, osc, ipsi, contra = np.abs(theta)
    found = phenotype.network(flat).forward(torch.from_numpy(x)[None])
    assert not phenotype.layout.stateful
    np.testing.assert_allclose(found[0].numpy(), swimmer(x, (prop, osc, ipsi, -contra)), rtol=0, atol=1e-12)
    assert phenotype.trainable(0).sum() == 4
    (born,) = phenotype.agents(flat, [Key(1)]).weights[0][:1]
    assert torch.equal(born, phenotype.network(flat).weights[0][0])


def test_measures_count_what_synapses_share():
    plan = plan_of(genome(), {"circuit": "ncap"}, INPUTS, JOINTS)
    found = structure(genome(), plan)
    assert found["parameters"] == 4
    assert found["synapses"] == 40
    unshared = plan_of(genome(), {"circuit": {"kind": "ncap", "sharing": "edge"}}, INPUTS, JOINTS)
    assert structure(genome(), unshared)["parameters"] == 30


@pytest.mark.parametrize("control", ["exact", "density", "rewired", "blocks", "signs", "dense"])
def test_a_candidate_in_company_has_the_bits_that_it_has_alone(control):
    section = {"circuit": {"kind": "laminar", "neurons": 8}, "control": control}
    whole = grown(section, seeds=(0, 1, 2), inputs=6, outputs=3)
    x = torch.rand(3, 8, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(0))

    def lived(phenotype, observed):
        flat = phenotype.flat.clone().requires_grad_()
        network = phenotype.network(flat)
        state = network.start(8)
        for _ in range(3):
            said, state = network.step(observed, state)
        return said, torch.autograd.grad(said.square().sum(), flat)[0]

    said, slope = lived(whole, x)
    for row in range(3):
        alone = grown(section, seeds=(row,), inputs=6, outputs=3)
        own, gradient = lived(alone, x[row : row + 1])
        assert torch.equal(said[row], own[0])
        assert torch.equal(slope[row], gradient[0])
    if control in ("density", "rewired", "blocks"):
        assert not torch.equal(whole.masks[1][0], whole.masks[1][1])


def test_a_circuit_with_cycles_hears_itself_a_step_later():
    phenotype = grown({"circuit": {"kind": "areas", "neurons": 4}}, inputs=3, outputs=2)
    values = phenotype.values(phenotype.flat)
    network = phenotype.network(phenotype.flat)
    into, around, out = (W[0].numpy() for W in network.weights)
    hidden, (b, c) = np.zeros(64), (values[f"{at}.b"][0].numpy() for at in (1, 2))
    state, rng = network.start(1), np.random.default_rng(1)
    for _ in range(6):
        x = rng.normal(size=3)
        said, state = network.step(torch.from_numpy(x)[None, None], state)
        hidden = np.tanh(x @ into + hidden @ around + b)
        np.testing.assert_allclose(said[0, 0].numpy(), (hidden @ out + c)[:2], atol=1e-12)
    plan = phenotype.bodies[0].plan
    assert [group.size for group in plan.groups] == [3, 20, 2]


def test_an_unfolded_circuit_is_the_same_circuit_with_a_held_input():
    """After K steps of the same input, without biases: the K-th answer."""
    section = {"circuit": {"kind": "areas", "neurons": 4}}
    folded = grown(section, inputs=3, outputs=2)
    x = torch.rand(1, 5, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    network = folded.network(folded.flat)
    state = network.start(5)
    said, state = network.step(x, state)
    for steps in (2, 3, 4):
        said, state = network.step(x, state)
        unfolded = grown({**section, "unfold": steps}, inputs=3, outputs=2)
        assert torch.equal(slot(unfolded), slot(folded))
        assert not unfolded.layout.stateful
        assert unfolded.trainable(0).sum() == slot(folded).shape[1]
        torch.testing.assert_close(unfolded.network(unfolded.flat).forward(x), said, rtol=0, atol=1e-12)


def test_signs_hold_under_either_bound_and_free_signs_do_not():
    for bound in ("absolute", "clamped"):
        phenotype = grown({"circuit": {"kind": "laminar", "neurons": 8}}, wiring=Connectome(bound=bound))
        around = phenotype.network(torch.randn_like(phenotype.flat)).weights[1][0]
        sign = phenotype.constants["1>1.sign"][0]
        assert (around * sign >= 0).all()
        assert around[phenotype.masks[1][0] == 0].abs().max() == 0
    free = grown({"circuit": {"kind": "laminar", "neurons": 8}, "signs": "free"})
    assert not free.constants["1>1.sign"].any()
    assert (free.network(-free.flat.abs()).weights[1] <= 0).all()


@pytest.mark.parametrize("bound", ["absolute", "clamped"])
def test_a_weight_at_its_bound_still_has_a_gradient(bound):
    phenotype = grown({"circuit": "ncap"}, wiring=Connectome(bound=bound))
    flat = torch.zeros_like(phenotype.flat) - 0.3
    flat.requires_grad_()
    weights = phenotype.network(flat).weights
    (slope,) = torch.autograd.grad(sum(W.sum() for W in weights), flat)
    assert (slope[0, :4] != 0).all()
    assert weights[0].detach().min() >= 0
    assert (weights[0] == 0).all() == (bound == "clamped")


def test_initial_sizes_follow_counts_and_fan_in():
    phenotype = grown({"circuit": {"kind": "laminar", "neurons": 8}}, inputs=4, outputs=2)
    drive = sum(W[0].square().sum(0) for W in phenotype.network(phenotype.flat).weights[:2])
    heard = drive[drive > 0]
    torch.testing.assert_close(heard, torch.ones_like(heard))  # unit inputs give unit variance


def test_what_was_learnt_is_inherited_by_the_gene_of_the_circuit():
    phenotype = grown({"circuit": "ncap"})
    flat = phenotype.flat.clone()
    flat[0, :4] = torch.tensor([0.1, 0.2, 0.3, 0.4])
    learnt = phenotype.expression(flat, 0)
    assert set(learnt) == {1}
    child = grown({"circuit": "ncap"}, expression=learnt[1])
    np.testing.assert_allclose(slot(child)[0].numpy(), [0.1, 0.2, 0.3, 0.4], atol=1e-6)
    other = grown({"circuit": {"kind": "ncap", "sharing": "edge"}}, expression=learnt[1])
    assert slot(other).tolist() == [[1.0] * 30]  # another circuit has nothing to inherit


def test_a_threshold_leaves_weak_edges_out_and_numbers_parameters_alike():
    plan = plan_of(genome(), {"circuit": {"kind": "laminar", "neurons": 8}, "threshold": 2}, 4, 2)
    assert sum(int(link.pattern.edges.sum()) for link in plan.projections) < 100  # the ports alone
    whole = plan_of(genome(), {"circuit": {"kind": "laminar", "neurons": 8}}, 4, 2)
    assert plan.anatomy.ties == whole.anatomy.ties
    weak = grown({"circuit": {"kind": "laminar", "neurons": 8}, "threshold": 2}, inputs=4, outputs=2)
    assert weak.trainable(0).sum() == 4 * 6 + 6 * 2 + 32 + 2  # free ports from 4 inputs, to 2 outputs, biases


def test_gap_junctions_are_edges_both_ways_with_one_parameter():
    from evogen.connectome.circuits import Circuit, Node

    nodes = tuple(Node(name, "x", role) for name, role in (("a", "in"), ("b", "hid"), ("c", "out")))
    strength = np.zeros((3, 3))
    strength[0, 1] = 2.0
    electrical = np.zeros((3, 3))
    electrical[0, 1] = electrical[1, 0] = 1.0
    electrical[1, 2] = electrical[2, 1] = 5.0
    circuit = Circuit(nodes, strength, -(strength > 0).astype(int), "", electrical=electrical)
    whole = plans._whole(circuit, 0.0)
    assert whole.strength[0, 1] == 3.0  # a synapse takes the gap junction beside it along
    assert whole.sign[0, 1] == -1
    assert whole.tie[1, 2] == whole.tie[2, 1] == 2
    assert whole.tie[1, 0] == 1
    assert whole.sign[1, 2] == whole.sign[1, 0] == 1
    assert whole.parameters == 3


def test_bad_sentences_are_refused():
    def planned(text, **settings):
        grammar = parse(f"<circuit> @type(circuit) ::= {text}")
        plans.check(grammar, "circuit")
        return plans.plan(genome(), grammar, start="circuit", inputs=INPUTS, outputs=JOINTS, **settings)

    assert planned("circuit:ncap control:rewired signs:free").anatomy.words == "circuit ncap (rewired)"
    with pytest.raises(GrammarError, match="unknown control 'rewire'"):
        planned("circuit:ncap control:rewire")
    with pytest.raises(GrammarError, match="'layer:dense' is no word of a circuit"):
        planned("circuit:ncap layer:dense")
    with pytest.raises(DevelopmentError, match="circuit:NAME was wanted"):
        planned("control:exact")
    with pytest.raises(DevelopmentError, match="circuit 'ncap' has no setting 'neurons'"):
        planned("circuit:ncap [neurons,int,1,2,3]")
    with pytest.raises(DevelopmentError, match="sharing of shared, edge, found none"):
        planned("circuit:ncap sharing:none")
    grammar = parse("<circuit> @type(circuit) ::= circuit:ncap")
    two = dataclasses.replace(genome(), architecture=(Gene(1, ()), Gene(3, ())))
    with pytest.raises(DevelopmentError, match="a circuit is one gene, found 2"):
        plans.plan(two, grammar, start="circuit", inputs=INPUTS, outputs=JOINTS)
