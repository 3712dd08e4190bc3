from dataclasses import replace

from evogen.grammar.constraints import repaired
from evogen.grammar.constraints.frozen_have_plasticity import FrozenHavePlasticity
from evogen.grammar.constraints.most_layers import MostLayers
from evogen.grammar.constraints.most_neurons import MostNeurons
from evogen.grammar.constraints.something_learns import SomethingLearns
from evogen.grammar.constraints.still_spikes import StillSpikes
from evogen.grammar.plan import INPUT, OUTPUT, Group, Learning, Plan, Projection

FROZEN = Learning(0.0)


def plan(*sizes, learning=None, rules=None, **second):
    """A module of gene 7 with layers of these sizes; `rules` of its projections in order."""
    groups = (Group(1, INPUT, 4), *(Group(7, f"l{i}", n) for i, n in enumerate(sizes)), Group(1, OUTPUT, 2))
    rules = rules or ("none",) * (len(sizes) + 1)
    links = tuple(Projection(at, at + 1, 7, rule=rule) for at, rule in enumerate(rules))
    return Plan(groups, links, learning or {}, **second)


def two(learning):
    """Modules of genes 7 and 8 side by side; the second one's readout is plastic."""
    groups = (Group(1, INPUT, 4), Group(7, "l0", 3), Group(8, "l0", 5), Group(1, OUTPUT, 2))
    ends = ((0, 1, 7, "none"), (1, 3, 7, "none"), (0, 2, 8, "none"), (2, 3, 8, "abcd"))
    return Plan(groups, tuple(Projection(*end, gene, rule=rule) for *end, gene, rule in ends), learning)


def test_without_constraints_a_plan_is_what_it_was():
    subject = plan(3)
    assert repaired(subject, ()) is subject
    assert subject.repairs is None


def test_repairs_are_counted_and_added_up():
    subject = plan(30, 20, 10, 5, learning={7: FROZEN})
    found = repaired(subject, (MostLayers(2), SomethingLearns(), MostNeurons(40), StillSpikes()))
    assert found.repairs == 2 + 1 + 1
    assert [group.size for group in found.groups] == [4, 20, 20, 2]
    assert found.learning == {}
    assert repaired(plan(3), (MostLayers(2), SomethingLearns())) == replace(plan(3), repairs=0)


def test_where_all_genes_are_frozen_the_first_learns():
    slow = Learning(0.5)
    assert SomethingLearns().repair(two({7: FROZEN, 8: FROZEN})) == (two({8: FROZEN}), 1)
    assert SomethingLearns().repair(two({7: FROZEN, 8: slow})) == (two({7: FROZEN, 8: slow}), 0)


def test_a_frozen_gene_needs_a_plastic_projection():
    assert FrozenHavePlasticity().repair(two({7: FROZEN, 8: FROZEN})) == (two({8: FROZEN}), 1)
    assert FrozenHavePlasticity().repair(two({8: FROZEN})).repairs == 0


def test_spikes_follow_no_rule():
    subject = plan(3, 4, 5, rules=("abcd", "abcd", "none", "abcd"))
    groups = list(subject.groups)
    groups[2] = groups[2]._replace(neuron="lif")
    found = StillSpikes().repair(replace(subject, groups=tuple(groups)))
    assert [link.rule for link in found.plan.projections] == ["abcd", "none", "none", "abcd"]
    assert found.repairs == 1


def test_what_a_removed_layer_fed_is_fed_by_the_last_that_stays():
    subject = plan(3, 4, 5, rules=("none", "none", "none", "abcd"))
    recurrent = replace(subject, projections=(*subject.projections, Projection(3, 3, 7), Projection(1, 1, 7)))
    found = MostLayers(1).repair(recurrent)
    assert [group.name for group in found.plan.groups] == ["in", "l0", "out"]
    ends = [(link.pre, link.post, link.rule) for link in found.plan.projections]
    assert ends == [(0, 1, "none"), (1, 2, "abcd"), (1, 1, "none")]
    assert found.repairs == 2


def test_layers_of_neuron_groups_are_their_structures_business():
    subject = plan(3, 4, 5, levels=(0, 1, 2, 3, 4))
    assert MostLayers(1).repair(subject) == (subject, 0)


def test_the_largest_groups_give_up_neurons_first():
    found = MostNeurons(20).repair(plan(30, 3, 9)).plan
    assert [group.size for group in found.groups[1:-1]] == [8, 3, 8]
    assert MostNeurons(2).repair(plan(30, 3, 9)).plan.groups[2].size == 1


def test_explicit_synapses_of_neurons_that_are_gone_go_too():
    subject = plan(3, 2)
    weights = tuple(float(n) for n in range(4))
    named = subject.projections[1]._replace(rows=(0, 2), columns=(0, 1), weights=weights)
    subject = replace(subject, projections=(subject.projections[0], named, subject.projections[2]))
    link = MostNeurons(3).repair(subject).plan.projections[1]
    assert (link.rows, link.columns, link.weights) == ((0,), (0,), (0.0,))
