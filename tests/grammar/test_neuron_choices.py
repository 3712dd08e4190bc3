"""What a neuron group may choose beside its sources: recurrence, priors, activations, its own learning."""

import neuron_fakes
import numpy as np
import pytest
import torch

from evogen.errors import DevelopmentError, GrammarError
from evogen.genome import Gene, Genome
from evogen.grammar import parse
from evogen.grammar.architecture import check, plan_of
from evogen.grammar.plan import Learning, Projection
from evogen.space import ArchitectureSpace

INPUTS, OUTPUTS = 4, 2


def planned(sentence, *genes, **more):
    grammar = parse(f"<g> @type(neurons) ::= {sentence}")
    space = ArchitectureSpace(grammar, start="g", inputs=INPUTS, outputs=OUTPUTS, **more)
    genome = Genome(None, Gene(1, ()), genes or (Gene(10, ()),))
    return plan_of(space, genome, INPUTS, OUTPUTS), genome


SIZE = "[size,int,1,3,3]"


def test_a_recurrent_group_hears_itself_and_still_feeds_the_output():
    plan, genome = planned(f"group:recurrent {SIZE} act:tanh", structure="layered", layers=1)
    assert plan.projections == (Projection(0, 1, 10), Projection(1, 1, 10), Projection(1, 2, 10))
    found = neuron_fakes.phenotype_of((genome, plan))
    own, network = found.expression(found.flat, 0)[10], found.network(found.flat)
    seen = np.random.default_rng(0).normal(size=(4, INPUTS))
    state, said = network.start(1), np.zeros(3)
    for observation in seen:
        output, state = network.step(torch.from_numpy(observation).reshape(1, 1, -1), state)
        said = np.tanh(observation @ own["in>n.W"] + said @ own["n>n.W"] + own["n.b"])
        np.testing.assert_allclose(output[0, 0], said @ own["n>out.W"], rtol=1e-5)


def test_priors_guide_dense_ways_in():
    plan, _ = planned(f"group:neurons {SIZE} conn:local [radius,float,1,0.1,0.1]")
    assert plan.projections[0] == Projection(0, 1, 10, prior="local", settings={"radius": 0.1})


def test_every_neuron_of_a_mixed_group_has_its_own_activation():
    plan, genome = planned(f"group:neurons {SIZE} act:mix [sin,float,1,1,1] [square,float,1,1,1]")
    assert set(plan.groups[1].activations) == {"sin", "square"}
    found = neuron_fakes.phenotype_of((genome, plan))
    own, functions = found.expression(found.flat, 0)[10], {"sin": np.sin, "square": np.square}
    x = np.array([0.5, -1.0, 2.0, 0.1])
    drive = x @ own["in>n.W"] + own["n.b"]
    said = [functions[name](u) for name, u in zip(plan.groups[1].activations, drive, strict=True)]
    output = found.network(found.flat).forward(torch.from_numpy(x).reshape(1, 1, -1))
    np.testing.assert_allclose(output[0, 0], said @ own["n>out.W"], rtol=1e-5)


def test_a_gene_says_how_it_is_tuned():
    plan, _ = planned("group:neurons learn:sgd [rate,float,1,2,2] [momentum,float,1,0.5,0.5]")
    assert plan.learning == {10: Learning(2.0, 0.5)}
    assert planned("group:neurons learn:full")[0].learning == {}


@pytest.mark.parametrize(
    ("sentence", "what"),
    [
        ("group:neurons learn:sgd", "gene 10 is no neuron group: learn:sgd takes the numbers"),
        ("group:neurons learn:none learn:none", "learn stands twice in one group"),
        ("group:neurons act:mix", "gene 10: act:mix wanted a share above 0"),
        ("group:neurons conn:sparse [radius,float,1,0,1]", "a word takes the numbers"),
    ],
)
def test_choices_that_make_no_sense_are_refused(sentence, what):
    with pytest.raises(DevelopmentError, match=what):
        planned(sentence)


def test_the_groups_of_a_net_share_a_gene_so_none_learns_by_itself():
    cell = "<n> @type(net) ::= at:cell <k> group:neurons learn:none\n<k> @dynamic(modules) ::= ..."
    with pytest.raises(GrammarError, match="unknown kind 'learn'"):
        check(parse(cell, "g.bnf"), "n")
