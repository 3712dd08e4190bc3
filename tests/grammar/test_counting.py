from itertools import islice
from math import comb, inf
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from evogen.errors import GrammarError
from evogen.grammar import CODONS, Node, derive, load, parse
from evogen.grammar.counting import by_depth, count, deepest, derivations

TINY = load(Path(__file__).parents[2] / "grammars/tiny.bnf")
GRAMMARS = {
    "binary trees": "<a> ::= x | <a> <a>",
    "left recursion": "<a> ::= <a> y | x | ''",
    "caps": "<a> @cap(2) ::= x | <a> <b>\n<b> @cap(1) ::= y | z <a> | <b> <b>",
    "repeats": "%version 1\n<a> ::= <b>*2 <b>? <c>+3\n<b> ::= x | y\n<c> ::= z | (<b>)",
    "numbers": "<a> ::= [i,int,2,-1,1] <b> | [c,choice,1,1,4,16]\n<b> ::= [l,float,1,1,2] | y",
    "picks": "<a> ::= <s> <s> | <t>\n<s> @dynamic(many) ::= ...\n<t> @dynamic(none) ::= ...",
    "GE_RANGE": "<a> ::= x <v> | GE_RANGE:4\n<v> ::= GE_RANGE:dataset_n_vars",
}
CONTEXT = {"many": 3, "none": 0, "dataset_n_vars": 5, "sources": 2}


def depth_of(tree):
    return 1 + max((depth_of(child) for child in tree.children if isinstance(child, Node)), default=0)


@pytest.mark.parametrize("text", GRAMMARS.values(), ids=GRAMMARS)
@pytest.mark.parametrize("depth", range(5))
def test_all_that_is_counted_is_listed_once(text, depth):
    grammar = parse(text)
    listed = list(derivations(grammar, "a", depth, CONTEXT))
    trees = [derive(grammar, "a", codons, CONTEXT) for codons in listed]
    assert len(listed) == count(grammar, "a", depth, CONTEXT)
    assert len(set(trees)) == len(trees)
    assert all(tree.used == len(codons) for tree, codons in zip(trees, listed, strict=True))
    assert all(depth_of(tree) <= depth for tree in trees)


@pytest.mark.parametrize("text", [text for text in GRAMMARS.values() if "float" not in text])
@given(codons=st.lists(st.integers(0, CODONS - 1), max_size=12))
@settings(deadline=None, max_examples=40)
def test_whatever_codons_derive_to_is_listed(text, codons):
    grammar = parse(text)
    tree = derive(grammar, "a", codons, CONTEXT)
    assume(depth_of(tree) <= 4)
    listed = derivations(grammar, "a", 4, CONTEXT)
    assert tree in {derive(grammar, "a", each, CONTEXT) for each in listed}


def test_binary_trees_follow_their_recurrence():
    grammar = parse("<a> ::= x | <a> <a>")
    assert list(by_depth(grammar, "a", 6)) == [
        1,
        2,
        5,
        26,
        677,
        458330,
    ]  # n(d) = 1 + n(d - 1)^2, OEIS A003095


def test_counts_are_exact_beyond_floats():
    grammar = parse("<a> ::= <b> <b> <b> <b>\n<b> ::= [i,int,9,1,100]")
    assert count(grammar, "a", 2) == 100**36


def test_numbers_count_as_many_values_as_codons_can_say():
    grammar = parse("<a> ::= [i,int,1,1,1000000] [f,float,2,0,1] [g,float,1,3,3]")
    assert count(grammar, "a", 1) == CODONS
    assert count(grammar, "a", 1, floats=CODONS) == CODONS**3


def test_a_repetition_of_n_counts_a_geometric_sum():
    grammar = parse("%version 1\n<a> ::= <b>*5\n<b> ::= x | y | z")
    assert count(grammar, "a", 9) == sum(3**k for k in range(6))
    grammar = parse("%version 1\n<a> ::= <b>+5\n<b> ::= x | y | z")
    assert count(grammar, "a", 9) == sum(3**k for k in range(1, 6))


def test_a_cap_of_n_counts_the_trees_of_that_nesting():
    grammar = parse("<a> @cap(6) ::= x | y <a>")
    assert count(grammar, "a", 50) == 7
    assert deepest(grammar, "a") == 7


def test_deepest_derivation():
    assert deepest(parse("<a> ::= <b> | x\n<b> ::= <c>\n<c> ::= y"), "a") == 3
    assert deepest(parse("<a> ::= x | <b>\n<b> ::= y | <a>"), "a") == inf


def test_tiny_grammar_has_as_many_sentences_as_its_text_says():
    for n in range(1, 5):
        context = {"sources": n}
        sentences = {
            str(derive(TINY, "neuron", each, context)) for each in derivations(TINY, "neuron", 4, context)
        }
        assert len(sentences) == count(TINY, "neuron", 4, context) == 2 * (2 * n + 4 * n**2)
    assert deepest(TINY, "neuron") == 4


def test_a_list_without_end_begins_at_once():
    grammar = parse("<a> ::= x | <a> <a> | y")
    first = [str(derive(grammar, "a", codons)) for codons in islice(derivations(grammar, "a", 90), 4)]
    assert first[:2] == ["x", "x x"]


def test_unknown_start_and_a_lacking_context_are_refused():
    grammar = parse(GRAMMARS["picks"])
    with pytest.raises(GrammarError, match="unknown start symbol 'b'"):
        count(grammar, "b", 3)
    with pytest.raises(GrammarError, match="'many' is not in the context"):
        list(derivations(grammar, "a", 3))


def test_catalan_numbers():
    grammar = parse("<a> @cap(3) ::= '' | '(' <a> ')' <a>")
    sentences = {str(derive(grammar, "a", codons)) for codons in derivations(grammar, "a", 9)}
    for pairs in range(3):  # Dyck words of that many pairs
        assert sum(s.count("(") == pairs for s in sentences) == comb(2 * pairs, pairs) // (pairs + 1)
