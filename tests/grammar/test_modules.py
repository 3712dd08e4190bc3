from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evogen.errors import DevelopmentError, GrammarError
from evogen.genome import Gene, Genome
from evogen.grammar import CODONS, grow, load, parse
from evogen.grammar.modules import check, plan
from evogen.grammar.plan import Group, Learning, Projection
from evogen.registry import evolvable_fields, find

codon_lists = st.lists(st.integers(0, CODONS - 1), max_size=60)
STARTS = ("module", "reflex", "hebbian")


def genome(*codon_lists):
    genes = tuple(Gene(10 + i, tuple(codons)) for i, codons in enumerate(codon_lists))
    return Genome(None, Gene(1, ()), genes)


def planned(sentence, codons=()):
    grammar = parse(f"<m> @type(module) ::= {sentence}")
    return plan(genome(codons), grammar, start="m", inputs=4, outputs=2)


def by_gene(result, gene):
    names = [f"{group.gene}.{group.name}" for group in result.groups]
    ends = [
        (names[p.pre], names[p.post], p.density, p.rule, p.coefficients)
        for p in result.projections
        if p.gene == gene
    ]
    return [group for group in result.groups if group.gene == gene], ends


def test_records_become_groups_and_projections():
    result = planned(
        "layer:dense [width,int,1,5,5] act:tanh conn:full neuron:leaky [tau,log,1,4,4] plastic:none"
        " layer:dense [width,int,1,3,3] act:relu conn:sparse [density,float,1,0.5,0.5] neuron:rate"
        " plastic:abcd [eta,float,1,0.25,0.25] [A,float,1,-1,-1]"
        " readout:sum conn:sparse [density,float,1,0.75,0.75] plastic:abcd"
    )
    assert result.groups == (
        Group(1, "in", 4),
        Group(10, "l0", 5, "tanh", "leaky", {"tau": 4.0}),
        Group(10, "l1", 3, "relu", "rate", {}),
        Group(1, "out", 2),
    )
    assert result.projections == (
        Projection(0, 1, 10, 1.0, "none", {}),
        Projection(1, 2, 10, 0.5, "abcd", {"eta": 0.25, "A": -1.0}),
        Projection(2, 3, 10, 0.75, "abcd", {}),
    )


def test_a_recurrent_layer_hears_itself_with_what_comes_in():
    result = planned(
        "layer:recurrent [width,int,1,5,5] act:tanh conn:sparse [density,float,1,0.5,0.5] plastic:abcd"
        " layer:dense [width,int,1,3,3] readout:sum"
    )
    assert [(p.pre, p.post, p.density, p.rule) for p in result.projections] == [
        (0, 1, 0.5, "abcd"), (1, 1, 0.5, "abcd"), (1, 2, 1.0, "none"), (2, 3, 1.0, "none"),
    ]  # fmt: skip


def test_priors_keep_their_numbers():
    result = planned(
        "layer:dense [width,int,1,5,5] conn:shuffled-local [radius,float,1,0.25,0.25] readout:sum conn:local"
    )
    assert [(p.prior, p.settings, p.density) for p in result.projections] == [
        ("shuffled-local", {"radius": 0.25}, 1.0), ("local", {}, 1.0),
    ]  # fmt: skip


def test_a_mix_gives_every_neuron_its_own_activation():
    result = planned("layer:dense [width,int,1,7,7] act:mix [tanh,float,1,1,1] [sin,float,1,1,1] readout:sum")
    assert result.groups[1].activation == "mix"
    assert set(result.groups[1].activations) == {"tanh", "sin"}
    assert len(result.groups[1].activations) == 7


@pytest.mark.parametrize("before", [True, False])
def test_a_gene_says_how_it_learns_wherever_the_word_stands(before):
    learn, module = "learn:scaled [rate,float,1,0.5,0.5]", "layer:dense [width,int,1,5,5] readout:sum"
    result = planned(f"{learn} {module}" if before else f"{module} {learn}")
    assert result.learning == {10: Learning(0.5)}
    assert planned(f"{module} learn:full").learning == {}


def test_sections_left_out_are_the_documented_ones():
    result = planned("layer:dense [width,int,1,5,5] readout:sum")
    assert result.groups[1] == Group(10, "l0", 5, "identity", "rate", {})
    assert result.projections[1] == Projection(1, 2, 10, 1.0, "none", {})


def test_modules_lie_side_by_side_and_meet_in_the_output(modules):
    result = plan(genome((), (1, 0, 0), ()), modules, start="module", inputs=4, outputs=2)
    assert [(group.gene, group.name) for group in result.groups] == [
        (1, "in"), (10, "l0"), (11, "l0"), (11, "l1"), (12, "l0"), (1, "out"),
    ]  # fmt: skip
    assert [(p.pre, p.post, p.gene) for p in result.projections] == [
        (0, 1, 10), (1, 5, 10), (0, 2, 11), (2, 3, 11), (3, 5, 11), (0, 4, 12), (4, 5, 12),
    ]  # fmt: skip


@pytest.mark.parametrize("start", STARTS)
@given(lists=st.lists(codon_lists, min_size=1, max_size=4))
@settings(deadline=None)
def test_every_genome_develops_to_chains_from_input_to_output(modules, start, lists):
    result = plan(genome(*lists), modules, start=start, inputs=3, outputs=2)
    last = len(result.groups) - 1
    assert all(projection.pre < projection.post for projection in result.projections)
    assert {p.post for p in result.projections} == set(range(1, last + 1))
    assert sum(p.pre == 0 for p in result.projections) == len(lists)
    assert sum(p.post == last for p in result.projections) == len(lists)
    assert len(result.projections) == last - 1 + len(lists)


@given(lists=st.lists(codon_lists, min_size=2, max_size=4), data=st.data())
@settings(deadline=None)
def test_redrawing_a_codon_changes_no_other_module(modules, lists, data):
    k = data.draw(st.integers(0, len(lists) - 1))
    changed = [list(codons) for codons in lists]
    changed[k] = data.draw(codon_lists)
    if lists[k]:
        changed[k] = list(lists[k])
        changed[k][data.draw(st.integers(0, len(lists[k]) - 1))] = data.draw(st.integers(0, CODONS - 1))
    before, after = (
        plan(genome(*each), modules, start="module", inputs=3, outputs=2) for each in (lists, changed)
    )
    assert before.groups[0] == after.groups[0]
    assert before.groups[-1] == after.groups[-1]
    for other in set(range(len(lists))) - {k}:
        assert by_gene(before, 10 + other) == by_gene(after, 10 + other)


def test_planning_leaves_the_genome_as_it_was(modules):
    subject = genome((5, 6, 7), (1, 2))
    name, text = subject.id, subject.json
    first = plan(subject, modules, start="module", inputs=3, outputs=2)
    assert first == plan(subject, modules, start="module", inputs=3, outputs=2)
    assert (subject.id, subject.json) == (name, text)


@pytest.mark.parametrize("start", STARTS)
def test_shipped_starts_hold_what_they_say(modules, start):
    check(modules, start)
    rng = np.random.default_rng(3)
    results = [
        plan(genome(grow(modules, start, rng)), modules, start=start, inputs=3, outputs=2) for _ in range(300)
    ]
    rules = {p.rule for result in results for p in result.projections}
    neurons = {group.neuron for result in results for group in result.groups}
    numbers = {name for result in results for p in result.projections for name in p.coefficients}
    depths = [len(result.groups) - 2 for result in results]
    everything = {"eta", "A", "B", "C", "D", "decay"}
    assert (rules, neurons, numbers) == {
        "module": ({"none", "abcd"}, {"rate", "leaky"}, everything),
        "reflex": ({"none"}, {"rate"}, set()),
        "hebbian": ({"none", "abcd"}, {"rate"}, set()),
    }[start]
    assert depths.count(1) > len(depths) / 2
    assert max(depths) == 2 if start == "reflex" else max(depths) > 3


def test_shipped_neurons_and_rules_are_registered_and_take_these_numbers(modules):
    rng = np.random.default_rng(4)
    result = plan(
        genome(*(grow(modules, "module", rng) for _ in range(200))),
        modules,
        start="module",
        inputs=3,
        outputs=2,
    )
    given_numbers = {("neuron", group.neuron, frozenset(group.settings)) for group in result.groups}
    given_numbers |= {("rule", p.rule, frozenset(p.coefficients)) for p in result.projections}
    assert len(given_numbers) == 4
    for kind, name, numbers in given_numbers:
        assert numbers <= {field.name for field in evolvable_fields(find(kind, name))}


def test_a_module_may_have_any_number_of_layers(modules):
    result = plan(genome([1, 0, 0, 0, 0, 0] * 2000), modules, start="module", inputs=3, outputs=2)
    assert len(result.groups) > 1000
    assert result.groups[1500].name == "l1499"


@pytest.mark.parametrize(
    ("sentence", "what"),
    [
        ("readout:sum", "one layer or more, then one readout were wanted"),
        ("layer:dense [width,int,1,5,5]", "one layer or more, then one readout were wanted"),
        ("''", "one layer or more, then one readout were wanted"),
        ("layer:dense [width,int,1,5,5] readout:sum readout:sum", "one layer or more, then one readout"),
        ("layer:dense [width,int,1,5,5] readout:sum act:tanh", "a readout has no neurons of its own"),
        ("layer:dense [width,int,1,5,5] readout:sum neuron:rate", "a readout has no neurons of its own"),
        (
            "act:tanh layer:dense [width,int,1,5,5] readout:sum",
            "act stands before any layer, or twice in one",
        ),
        (
            "layer:dense [width,int,1,5,5] act:tanh act:relu readout:sum",
            "act stands before any layer, or twice",
        ),
        ("layer:dense readout:sum", r"layer:dense takes the numbers \['width'\], found \[\]"),
        ("layer:dense [widht,int,1,5,5] readout:sum", r"takes the numbers \['width'\], found \['widht'\]"),
        ("layer:dense [width,int,2,5,5] readout:sum", "one number 'width' after a word was wanted"),
        ("[width,int,1,5,5] layer:dense readout:sum", "one number 'width' after a word was wanted"),
        ("layer:dense [width,int,1,0,0] readout:sum", "width 0 of l0 is no whole number above 0"),
        ("layer:dense [width,float,1,2.5,2.5] readout:sum", "width 2.5 of l0 is no whole number above 0"),
        (
            "layer:dense [width,int,1,5,5] readout:sum conn:sparse [density,float,1,0,0]",
            "density 0.0 is not in",
        ),
        ("layer:dense [width,int,1,5,5] readout:sum learn:none learn:full", "learn was wanted once, found 2"),
        ("layer:dense [width,int,1,5,5] readout:sum learn:sgd", "learn:sgd takes the numbers"),
        ("layer:dense [width,int,1,5,5] act:mix readout:sum", "l0: act:mix wanted a share above 0"),
        ("layer:dense [width,int,1,5,5] act:thanh readout:sum", "unknown act 'thanh'; did you mean 'tanh'"),
        ("layer:dense [width,int,1,5,5] plain readout:sum", "'plain' is no word of a module"),
    ],
)
def test_a_sentence_that_is_no_module_cannot_be_developed(sentence, what):
    with pytest.raises(DevelopmentError, match=what) as caught:
        planned(sentence)
    assert "gene 10" in str(caught.value)


def test_a_genome_without_modules_cannot_be_developed(modules):
    with pytest.raises(DevelopmentError, match="no architecture gene"):
        plan(genome(), modules, start="module", inputs=3, outputs=2)


def test_check_points_to_the_word_that_no_module_has():
    grammar = parse("<m> @type(module) ::= <l> readout:sum\n<l> ::= layer:dense act:tahn", "g.bnf")
    with pytest.raises(GrammarError) as caught:
        check(grammar, "m")
    assert str(caught.value).split("\n")[:3] == [
        "g.bnf:2:21: unknown act 'tahn'; did you mean 'tanh'?",
        "  <l> ::= layer:dense act:tahn",
        "                      ^",
    ]


def test_check_wants_a_start_of_type_module():
    with pytest.raises(GrammarError, match=r"g\.bnf:1:1: start symbol <m> has no type, wanted module"):
        check(parse("<m> ::= layer:dense", "g.bnf"), "m")
    with pytest.raises(GrammarError, match="unknown start symbol 'modul'"):
        check(parse("<m> ::= layer:dense", "g.bnf"), "modul")


def test_every_module_start_of_every_shipped_grammar_passes_the_check():
    for path in (Path(__file__).parents[2] / "grammars").glob("*.bnf"):
        grammar = load(path)
        for start in grammar.starts:
            if grammar.rule(start).type == "module":
                check(grammar, start)
