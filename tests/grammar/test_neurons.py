from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evogen.errors import DevelopmentError, GrammarError
from evogen.genome import Gene, Genome
from evogen.grammar import CODONS, load, parse
from evogen.grammar.activations import ACTIVATIONS
from evogen.grammar.architecture import check, owner, plan_of
from evogen.grammar.cells import TYPES
from evogen.grammar.mappers.structured import slots
from evogen.grammar.neurons import STRUCTURES
from evogen.grammar.plan import Group, Projection
from evogen.neurons import activations as functions
from evogen.registry import evolvable_fields, find
from evogen.space import ArchitectureSpace

INPUTS, OUTPUTS, LAYERS = 5, 3, 3
FILES = sorted((Path(__file__).parents[2] / "grammars").glob("*.bnf"))
GRAMMARS = {file.name: load(file) for file in FILES}
STARTS = [
    (name, start)
    for name, grammar in GRAMMARS.items()
    for start in grammar.starts
    if grammar.rule(start).type == "neurons"
]
PICKS = "\n<s> @dynamic(sources) ::= ...\n<b> @dynamic(below) ::= ...\n<k> @dynamic(modules) ::= ..."
codon_lists = st.lists(st.integers(0, CODONS - 1), max_size=40)


def space_of(grammar, start="g", **settings_):
    mine = {"inputs": INPUTS, "outputs": OUTPUTS, "layers": LAYERS, "weights": "evolved"}
    return ArchitectureSpace(grammar, start=start, **mine | settings_)


def spoken(sentence, **settings_):
    """Return a space whose genes say this sentence, which may pick <s>, <b> and <k>."""
    picks = "".join(line for line in PICKS.splitlines(keepends=True) if line[:3] in sentence)
    return space_of(parse(f"<g> @type(neurons) ::= {sentence}\n{picks}"), **settings_)


def planned(space, *genes):
    return plan_of(space, Genome(None, Gene(1, ()), genes), INPUTS, OUTPUTS)


def number(name, value):
    return f"[{name},float,1,{value},{value}]"


def test_a_sentence_becomes_a_group_its_ways_in_and_its_way_out():
    space = spoken(
        f"group:neurons [size,int,1,2,2] {number('bias', 0.5)} act:relu neuron:leaky {number('tau', 4)}"
        f" term:from <s> {number('weight', -1)} term:from <s> {number('weight', 2)}"
        f" plastic:abcd {number('eta', 0.25)} readout:sum {number('weight', 3)} plastic:none"
    )
    result = planned(space, Gene(10, (0, 0, 0, 4, 0, 1)))
    assert result.groups == (
        Group(1, "in", INPUTS),
        Group(10, "n", 2, "relu", "leaky", {"tau": 4.0}, bias=0.5),
        Group(1, "out", OUTPUTS),
    )
    assert result.projections == (
        Projection(0, 1, 10, rule="abcd", coefficients={"eta": 0.25}, rows=(1, 4), weights=(2, 2, -1, -1)),
        Projection(1, 2, 10, weights=(3.0,) * 2 * OUTPUTS),
    )
    assert (result.levels, result.modules) == ((0, 1, 2), 0)


def test_what_is_left_out_is_the_documented():
    result = planned(spoken("group:neurons"), Gene(10, ()))
    assert result.groups[1] == Group(10, "n", 1)
    assert result.projections == (Projection(0, 1, 10), Projection(1, 2, 10))


def test_trained_weights_are_none_of_the_sentences_business():
    words = f"group:neurons {number('bias', 1)} term:from <s> {number('weight', 1)} readout:sum"
    result = planned(spoken(words, weights="trained"), Gene(10, (0, 2)))
    assert result.groups[1].bias is None
    assert result.projections == (Projection(0, 1, 10, rows=(2,)), Projection(1, 2, 10))


def test_terms_of_one_source_add_up_and_count_only_if_all_have_weights():
    twice = f"group:neurons term:from <s> {number('weight', 2)} term:from <s> {number('weight', 0.5)}"
    assert planned(spoken(twice), Gene(10, (3, 0, 3))).projections[0].weights == (2.5,)
    once = f"group:neurons term:from <s> {number('weight', 2)} term:from <s>"
    assert planned(spoken(once), Gene(10, (3, 0, 4))).projections[0] == Projection(0, 1, 10, rows=(3, 4))


def test_a_pick_from_nothing_is_no_synapse_but_keeps_the_groups_place():
    result = planned(spoken("group:neurons term:from <b>", structure="layered"), Gene(10, (7,)))
    assert result.projections == (Projection(0, 1, 10, rows=()), Projection(1, 2, 10))


@pytest.mark.parametrize(
    ("reach", "pres"), [("inputs", {0}), ("below", {1, 2}), ("all", {0, 1, 2}), ("", {0, 1, 2})]
)
def test_dense_ways_in_come_from_what_is_in_reach(reach, pres):
    space = spoken(f"group:neurons conn:full {reach and f'from:{reach}'}", structure="layered")
    genes = [Gene(10, ()), Gene(11, ()), Gene(12, (), layer=1)]
    result = planned(space, *genes)
    assert {p.pre for p in result.projections if p.post == 3} == pres
    assert {p.pre for p in result.projections if p.post in (1, 2)} == {0}


def test_layers_come_in_order_and_sources_name_the_layer_below():
    space = spoken(f"group:neurons term:from <s> {number('weight', 1)}", structure="layered")
    result = planned(space, Gene(10, (INPUTS,), layer=2), Gene(11, (INPUTS + 1,), layer=1), Gene(12, (3,)))
    assert [group.gene for group in result.groups] == [1, 12, 11, 10, 1]
    assert result.levels == (0, 1, 2, 3, LAYERS + 1)
    assert [(p.pre, p.post, p.rows) for p in result.projections] == [
        (0, 1, (3,)), (0, 2, (0,)), (2, 3, None), (1, 4, None), (3, 4, None),
    ]  # fmt: skip


def test_modules_feed_their_own_output_and_hear_their_own_layers():
    words = f"group:neurons conn:full readout:sum {number('weight', 2)}"
    genes = [Gene(10 + i, (), module=i % 2, layer=i // 2) for i in range(4)]
    flat = planned(spoken(words, structure="modules"), *genes)
    outs = [(p.pre, p.columns, p.weights) for p in flat.projections if p.post == 5]
    assert outs == [(1, (0,), (2.0,)), (2, (1,), (2.0,)), (3, (0,), (2.0,)), (4, (1,), (2.0,))]
    assert flat.modules == OUTPUTS
    deep = planned(spoken(words, structure="layered-modules"), *genes)
    assert {(p.pre, p.post, p.columns) for p in deep.projections} == {
        (0, 1, None), (0, 2, None), (0, 3, None), (1, 3, None), (0, 4, None), (2, 4, None),
        (3, 5, (0,)), (4, 5, (1,)),
    }  # fmt: skip


def test_only_a_coupled_structure_couples():
    words = (
        f"group:neurons readout:sum {number('weight', 2)} couple:to <k> {number('weight', 7)} couple:to <k>"
    )
    genes = [Gene(10, (0, 2, 0, 0), module=1), Gene(11, ())]
    coupled = planned(spoken(words, structure="coupled"), *genes)
    assert [(p.columns, p.weights) for p in coupled.projections[2:]] == [
        ((0, 1, 2), (2.0, 2.0, 7.0)), ((0,), (2.0,)),
    ]  # fmt: skip
    assert coupled.modules == 0
    apart = planned(spoken(words, structure="modules"), *genes)
    assert [p.columns for p in apart.projections[2:]] == [(1,), (0,)]


def test_a_link_says_what_its_gene_says_in_its_own_place():
    space = spoken(f"group:neurons term:from <s> {number('weight', 1)}", structure="modules")
    result = planned(space, Gene(10, (3,)), Gene(11, (), module=2, link=10))
    assert [(p.gene, p.rows, p.columns) for p in result.projections] == [
        (10, (3,), None), (11, (3,), None), (10, None, (0,)), (11, None, (2,)),
    ]  # fmt: skip
    assert result.links == {11: 10}
    with pytest.raises(DevelopmentError, match="gene 11 links to gene 9, which is not there"):
        owner(Genome(None, Gene(1, ()), (Gene(10, ()),)), Gene(11, (), link=9))


@pytest.mark.parametrize(
    ("sentence", "what"),
    [
        ("act:tanh", "group:neurons was wanted"),
        ("group:neurons group:neurons", "group stands twice in one group"),
        ("group:neurons act:tanh act:relu", "act stands twice"),
        ("group:neurons [size,int,1,0,0]", "size 0 is no whole number above 0"),
        ("group:neurons [width,int,1,2,2]", r"takes the numbers \['bias', 'size'\], found 'width'"),
        ("group:neurons [bias,float,2,0,1]", "one number 'bias' after a word was wanted"),
        ("group:neurons conn:sparse [density,float,1,0,0]", r"density 0.0 is not in \(0, 1\]"),
        ("group:neurons term:from", "a pick was wanted after term:from or couple:to"),
        ("group:neurons <s>", "a pick stands alone or is repeated"),
        ("group:neurons term:from <s> <s>", "a pick stands alone or is repeated"),
        ("group:neurons layer:dense", "unknown kind 'layer'"),
    ],
)
def test_a_sentence_that_is_no_group_cannot_be_developed(sentence, what):
    with pytest.raises(DevelopmentError, match=what) as caught:
        planned(spoken(sentence), Gene(10, ()))
    assert "gene 10" in str(caught.value)


def test_genes_outside_the_structure_and_empty_genomes_cannot_be_developed():
    space = spoken("group:neurons", structure="modules")
    with pytest.raises(DevelopmentError, match=r"gene 10 lies in module 3, layer 0 \(from 0\) of 3 x 1"):
        planned(space, Gene(10, (), module=3))
    for place in ({"module": -1}, {"layer": -1}):
        with pytest.raises(DevelopmentError, match="gene 10 lies in module"):
            planned(spoken("group:neurons", structure="layered-modules"), Gene(10, (), **place))
    with pytest.raises(DevelopmentError, match="at least one was wanted"):
        planned(space)


@pytest.mark.parametrize(
    ("sentence", "context", "what"),
    [
        (
            "term:from",
            "modules",
            "term:from picks from inputs or below or sources, found a pick from modules",
        ),
        ("couple:to", "inputs", "couple:to picks from modules, found a pick from inputs"),
    ],
)
def test_a_pick_from_what_its_word_does_not_know_cannot_be_developed(sentence, context, what):
    text = f"<g> @type(neurons) ::= group:neurons {sentence} <x>\n<x> @dynamic({context}) ::= ..."
    with pytest.raises(DevelopmentError, match=what):
        planned(space_of(parse(text), structure="coupled"), Gene(10, (5,)))


def test_check_points_to_a_word_that_no_group_has():
    grammar = parse("<g> @type(neurons) ::= group:neurons act:tahn", "g.bnf")
    with pytest.raises(GrammarError) as caught:
        check(grammar, "g")
    assert str(caught.value).split("\n")[:3] == [
        "g.bnf:1:38: unknown act 'tahn'; did you mean 'tanh'?",
        "  <g> @type(neurons) ::= group:neurons act:tahn",
        "                                       ^",
    ]
    with pytest.raises(GrammarError, match="unknown kind 'at'"):
        check(parse("<g> @type(neurons) ::= at:cell group:neurons"), "g")


def test_check_points_to_a_pick_from_what_no_place_has():
    grammar = parse(
        "<g> @type(neurons) ::= group:neurons term:from <s>\n<s> @dynamic(input) ::= ...", "g.bnf"
    )
    with pytest.raises(GrammarError, match=r"g\.bnf:2:.*'input'; did you mean 'inputs'"):
        check(grammar, "g")


NET = """
<net> @type(net) ::= <cell> | <cell> <net>
<cell> ::= at:cell <k> group:neurons term:from <s> [weight,float,1,-1,1]
<k> @dynamic(modules) ::= ...
<s> @dynamic(sources) ::= ...
"""


def test_a_net_is_cut_at_its_cells():
    space = space_of(parse(NET), "net", mapping="flat", structure="modules")
    result = planned(space, Gene(10, (1, 2, 4, 0, 0, 1, 3, CODONS - 1)))
    assert [(group.gene, group.name, group.module) for group in result.groups[1:-1]] == [
        (10, "n0", 2), (10, "n1", 1),
    ]  # fmt: skip
    assert [(p.rows, p.columns, p.weights) for p in result.projections] == [
        ((4,), None, (-1.0,)), ((3,), None, (1.0,)), (None, (2,), ()), (None, (1,), ()),
    ]  # fmt: skip


def test_lists_of_a_net_are_read_in_the_order_of_need():
    space = space_of(parse(NET), "net", mapping="structured", structure="modules")
    lists = ((1, 0), (CODONS - 1, 0), (2, 1), (4, 3))  # net, weight, k, s: in the order of the text
    result = planned(space, *(Gene(2 + i, entries) for i, entries in enumerate(lists)))
    assert [(p.gene, p.rows, p.weights) for p in result.projections[:2]] == [
        (2, (4,), (1.0,)), (2, (3,), (-1.0,)),
    ]  # fmt: skip
    assert [group.module for group in result.groups[1:-1]] == [2, 1]
    with pytest.raises(DevelopmentError, match="4 genes were wanted, one for each list, found 1"):
        planned(space, Gene(2, ()))


@pytest.mark.parametrize(
    ("sentence", "what"),
    [
        ("group:neurons", "at:cell <module> was wanted"),
        ("at:cell group:neurons", "at:cell <module> was wanted"),
        ("at:cell <k> at:cell", "a pick of a module was wanted after at:cell"),
    ],
)
def test_a_sentence_without_cells_is_no_net(sentence, what):
    picks = "\n<k> @dynamic(modules) ::= ..." if "<k>" in sentence else ""
    space = space_of(parse(f"<g> @type(net) ::= {sentence}{picks}"), mapping="flat")
    with pytest.raises(DevelopmentError, match=what):
        planned(space, Gene(10, ()))


def test_shipped_starts_are_of_known_types_and_pass_the_check():
    for grammar in GRAMMARS.values():
        for start in grammar.starts:
            if grammar.rule(start).type in (*TYPES, "module"):
                check(grammar, start)
    assert {("neurons.bnf", "neuron"), ("mge_classic.bnf", "neuron")} <= set(STARTS)


def random_genes(rng, space, count):
    """Return genes of random codons, too few, too many or none, in random places."""
    return tuple(
        Gene(
            10 + i,
            tuple(rng.integers(CODONS, size=rng.integers(40)).tolist()),
            module=int(rng.integers(space.places)),
            layer=int(rng.integers(space.depth)),
        )
        for i in range(count)
    )


@pytest.mark.parametrize("structure", STRUCTURES)
@pytest.mark.parametrize(("file", "start"), STARTS)
def test_every_genome_of_a_shipped_start_is_a_network(file, start, structure):
    space = space_of(GRAMMARS[file], start, structure=structure)
    rng = np.random.default_rng([len(start), len(structure)])
    for _ in range(60):
        result = planned(space, *random_genes(rng, space, int(rng.integers(1, 9))))
        assert_network(result, space)


def assert_network(result, space):
    last = len(result.groups) - 1
    assert len(result.levels) == last + 1
    assert (result.levels[0], result.levels[-1]) == (0, space.depth + 1)
    fed = {p.pre for p in result.projections}
    for number, group in enumerate(result.groups[1:last], 1):
        assert group.size >= 1
        assert group.activation in ACTIVATIONS
        assert number in fed
        assert {p.pre for p in result.projections if p.post == number}
        fields = {field.name for field in evolvable_fields(find("neuron", group.neuron))}
        assert group.settings.keys() <= fields
    for p in result.projections:
        pre, post = result.groups[p.pre], result.groups[p.post]
        assert result.levels[p.pre] < result.levels[p.post]
        rows = range(pre.size) if p.rows is None else p.rows
        columns = range(post.size) if p.columns is None else p.columns
        assert set(rows) <= set(range(pre.size))
        assert set(columns) <= set(range(post.size))
        assert len(p.weights) in (0, len(rows) * len(columns))
        if space.shape.modular and p.post < last:
            assert p.pre == 0 or pre.module == post.module
        if result.modules and p.post == last:
            assert p.columns == (pre.module,)


@pytest.mark.parametrize("mapping", ["flat", "structured"])
@given(lists=st.lists(codon_lists, min_size=14, max_size=14))
@settings(deadline=None, max_examples=60)
def test_every_genome_of_the_shipped_net_is_a_network(mapping, lists):
    grammar = GRAMMARS["neurons.bnf"]
    space = space_of(grammar, "net", mapping=mapping, structure="coupled")
    count = 1 if mapping == "flat" else len(slots(grammar, "net", space.context(0, 0, ())))
    assert count <= 14
    result = planned(space, *(Gene(2 + i, tuple(own)) for i, own in enumerate(lists[:count])))
    assert_network(result, space)


def parts(result, *, own):
    """Return what a plan holds by gene: its groups and the ways into them, and those out of them if asked."""
    names = [f"{group.gene}.{group.name}" for group in result.groups]
    found = {group.gene: [group] for group in result.groups[1:-1]}
    for p in result.projections:
        if own or p.post < len(names) - 1:
            said = p.density, p.rule, p.coefficients, p.rows, p.columns, p.weights
            found[p.gene].append((names[p.pre], names[p.post], *said))
    return found


@pytest.mark.parametrize("structure", STRUCTURES)
@pytest.mark.parametrize(("file", "start"), STARTS)
def test_one_codon_changes_one_group_at_most(file, start, structure):
    # where there are layers, a group that nobody reads any longer is read out: ways out are the structure's
    space = space_of(GRAMMARS[file], start, structure=structure)
    rng = np.random.default_rng([len(start), len(structure)])
    own = not space.shape.layered
    for _ in range(40):
        genes = [gene for gene in random_genes(rng, space, 6) if gene.codons] or [Gene(10, (0,))]
        before = parts(planned(space, *genes), own=own)
        at = int(rng.integers(len(genes)))
        codons = list(genes[at].codons)
        codons[int(rng.integers(len(codons)))] = int(rng.integers(CODONS))
        hit = genes[at]
        genes[at] = Gene(hit.innovation, tuple(codons), module=hit.module, layer=hit.layer)
        after = parts(planned(space, *genes), own=own)
        assert {gene for gene in before if before[gene] != after[gene]} <= {hit.innovation}


def test_shipped_neurons_are_registered():
    assert set(ACTIVATIONS) == set(functions.ACTIVATIONS)
