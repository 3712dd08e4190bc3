"""Three mappings of one grammar, by hand and by their laws."""

import copy

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evogen.errors import GrammarError
from evogen.grammar import CODONS, derive, parse
from evogen.grammar.initialisers import INITIALISERS
from evogen.grammar.mappers import flat, genes, structured
from evogen.grammar.mappers.decisions import codon, decisions, name

NET = parse("""
<net> @type(net)  ::= <cell> | <cell> <net>
<cell>            ::= at:cell <module> <neuron>
<neuron> @type(neurons) ::= group:neurons <act> <sum> readout:sum [weight,float,1,-3,3]
<act>             ::= act:tanh | act:relu | act:sigmoid
<sum>             ::= <term> | <term> <sum>
<term>            ::= term:from <source> [weight,float,1,-3,3]
<source> @dynamic(sources) ::= ...
<module> @dynamic(modules) ::= ...
""")
CAPPED = parse("""
<a> @type(a) @cap(2) ::= x | y <a> | <b> <a> <a> | z [n,int,2,1,9] [c,choice,1,8,16,32] [t,log,1,1,20]
<b> ::= u | v <b>
""")
HERE = {"sources": 5, "modules": 3}
codon_lists = st.lists(st.integers(0, CODONS - 1), max_size=60)
SHARED = [(NET, "net", HERE), (NET, "neuron", HERE), (CAPPED, "a", {}), (CAPPED, "a", None)]


def ids(value):
    return value if isinstance(value, str) else ""


def test_flat_codons_are_read_left_to_right():
    #        net cell module act sum source weight readout net module ...
    codons = [1, 4, 5, 2, 7, 65535, 0]
    tree = flat.decode(NET, "net", codons, HERE)
    assert str(tree).startswith(
        "at:cell [modules=1] group:neurons act:sigmoid term:from [sources=2] [weight=3] "
        "readout:sum [weight=-3] at:cell [modules=0] group:neurons act:tanh term:from [sources=0] [weight=0]"
    )


def test_wraps_read_the_codons_again_and_then_the_shallowest_completes():
    grammar = parse("<a> ::= x | y <a> | z <a>")
    assert [str(flat.decode(grammar, "a", [1, 2], wraps=w)) for w in range(3)] == [
        "y z x",
        "y z y z x",
        "y z y z y z x",
    ]
    assert str(flat.decode(grammar, "a", [], wraps=9)) == "x"


def test_a_gene_is_decoded_from_its_own_codons_and_context():
    lists = [(0, 0, 7, 65535, 0), (1, 0, 7, 0, 0)]
    one, other = genes.decode(NET, "neuron", lists, [{"sources": 5}, {"sources": 3}])
    assert str(one) == "group:neurons act:tanh term:from [sources=2] [weight=3] readout:sum [weight=-3]"
    assert str(other) == "group:neurons act:relu term:from [sources=1] [weight=-3] readout:sum [weight=-3]"
    assert genes.decode(NET, "neuron", lists[1:], [{"sources": 3}]) == (other,)


def test_each_list_is_read_in_the_order_of_need():
    found = [(name(slot.part), slot.limit) for slot in structured.slots(NET, "net", HERE)]
    assert found == [
        ("<net>", 2),
        ("[weight]", CODONS),
        ("<act>", 3),
        ("<sum>", 2),
        ("[weight]", CODONS),
        ("(sources)", 5),
        ("(modules)", 3),
    ]
    lists = [(1, 0), (0,), (2, 1), (1, 0, 0), (0, 65535, 65535), (4, 3, 2), (1, 2)]
    tree = structured.decode(NET, "net", lists, HERE)
    assert str(tree) == (
        "at:cell [modules=1] group:neurons act:sigmoid term:from [sources=4] [weight=-3] "
        "term:from [sources=3] [weight=3] readout:sum [weight=-3] "
        "at:cell [modules=2] group:neurons act:relu term:from [sources=2] [weight=3] "
        f"readout:sum [weight={0:.4g}]"
    )
    assert structured.needed(NET, "net", lists, HERE) == (2, 2, 2, 3, 3, 3, 2)


def test_a_missing_entry_is_the_shallowest_and_an_entry_too_many_waits():
    empty = [()] * 7
    assert structured.decode(NET, "net", empty, HERE) == flat.decode(NET, "net", (), HERE)
    more = [(0, 1, 1), *empty[1:]]
    assert structured.decode(NET, "net", more, HERE) == structured.decode(NET, "net", empty, HERE)


def test_no_two_stored_entries_mean_the_same():
    """Other codons of a structured genome are told apart too, by their remainder."""
    slots = structured.slots(NET, "net", HERE)
    lists = [(1, 0), (9, 9), (0, 1), (0, 0), (9, 9), (1, 2), (0, 1)]
    for i, slot in enumerate(slots):
        if slot.limit < CODONS:
            each = [[*lists[:i], (entry, *lists[i][1:]), *lists[i + 1 :]] for entry in range(2 * slot.limit)]
            trees = [structured.decode(NET, "net", one, HERE) for one in each]
            assert len(set(trees[: slot.limit])) == slot.limit
            assert trees[slot.limit :] == trees[: slot.limit]


@pytest.mark.parametrize(("grammar", "start", "context"), SHARED, ids=ids)
@pytest.mark.parametrize("name", INITIALISERS)
def test_trees_survive_the_way_through_codons(name, grammar, start, context):
    for seed in range(25):
        rng = np.random.default_rng(seed)
        codons = INITIALISERS[name](grammar, start, rng, max_depth=7, context=context)
        tree = derive(grammar, start, codons, context)
        assert tree.used == len(codons)
        again = flat.encode(grammar, tree, rng, context)
        assert flat.decode(grammar, start, again, context) == tree
        assert len(again) == len(codons)
        assert all(0 <= each < CODONS for each in again)
        lists = structured.encode(grammar, tree, context)
        assert structured.decode(grammar, start, lists, context) == tree
        assert sum(map(len, lists)) == len(codons)
        slots = structured.slots(grammar, start, context)
        assert all(max(own, default=0) < slot.limit for own, slot in zip(lists, slots, strict=True))
        both = [context or {}] * 2
        assert genes.decode(grammar, start, genes.encode(grammar, [tree] * 2, rng, both), both) == (
            tree,
            tree,
        )


@pytest.mark.parametrize(("grammar", "start", "context"), SHARED, ids=ids)
@given(codons=codon_lists, data=st.data())
@settings(deadline=None, max_examples=60)
def test_decoding_is_total_and_changes_nothing(grammar, start, context, codons, data):
    tree = flat.decode(grammar, start, codons, context, wraps=2)
    assert tree.used <= 3 * len(codons)
    lists = [data.draw(codon_lists) for _ in structured.slots(grammar, start, context)]
    before = copy.deepcopy(lists)
    tree = structured.decode(grammar, start, lists, context)
    assert lists == before
    assert tree == structured.decode(grammar, start, tuple(map(tuple, lists)), context)
    needs = structured.needed(grammar, start, lists, context)
    assert tree.used == sum(min(n, len(own)) for n, own in zip(needs, lists, strict=True))


@given(value=st.integers(0, CODONS - 1))
def test_a_numbers_codon_is_found_again(value):
    grammar = parse("<a> ::= [f,float,1,-3,3] [g,log,1,1e-4,0.5] [h,float,1,0,1e9] [t,log,1,1,20]")
    made = decisions(grammar, derive(grammar, "a", [value] * 4))
    assert [each.outcome for each in made] == [value] * 4
    whole = parse("<a> ::= [i,int,1,1,64] [c,choice,1,8,16,32]")
    tree = derive(whole, "a", [value] * 2)
    assert derive(whole, "a", [each.outcome for each in decisions(whole, tree)]) == tree
    assert codon(decisions(grammar, derive(grammar, "a", []))[0].part, 0.0) in (32767, 32768)


def test_what_is_missing_is_named():
    with pytest.raises(GrammarError, match="'sources' is not in the context"):
        structured.decode(NET, "net", [()] * 7, {"modules": 1})
    with pytest.raises(GrammarError, match="unknown start symbol"):
        structured.slots(NET, "cell", HERE)
    with pytest.raises(GrammarError, match="'modules' is not in the context"):
        structured.slots(NET, "net", {"sources": 1})
