from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evogen.errors import GrammarError
from evogen.grammar import CODONS, Pick, derive, load, parse, sentence

SHIPPED = sorted((Path(__file__).parents[2] / "grammars").glob("*.bnf"))
GRAMMARS = {path.name: load(path) for path in SHIPPED} | {
    "every kind of terminal": parse("""
        <a> @cap(2) ::= x y <b> z {2} | <c> | "" | <a> <c> <a>
        <b> @type(t) ::= [w,choice,1,2,4,8] <s> | [h,int,3,-2,400] <a> | [f,float,2,-1,1] [e,log,1,1e-3,1]
        <c> ::= <d>
        <d> @cap(1) ::= one <a> | two | three
        <s> @dynamic(sources) ::= ...
    """)
}
STARTS = [(name, start) for name, grammar in GRAMMARS.items() for start in grammar.starts]
codon_lists = st.lists(st.integers(0, CODONS - 1), max_size=60)
contexts = st.integers(0, 600)


@pytest.mark.parametrize(("name", "start"), STARTS)
@given(codons=codon_lists, count=contexts)
@settings(deadline=None, max_examples=60)
def test_a_sentence_is_the_leaves_of_the_tree(name, start, codons, count):
    grammar = GRAMMARS[name]
    context = {dynamic.context: count for dynamic in grammar.dynamics(start)}
    leaves = sentence(grammar, start, codons, context)
    tree = derive(grammar, start, codons, context)
    assert leaves == tuple(tree.leaves())
    assert [type(leaf) for leaf in leaves] == [type(leaf) for leaf in tree.leaves()]
    values = [type(value) for leaf in leaves for value in getattr(leaf, "values", ())]
    assert values == [type(value) for leaf in tree.leaves() for value in getattr(leaf, "values", ())]


def test_numbers_agree_with_the_tree_for_every_codon():
    grammar = parse("<a> ::= [w,int,1,-3,97] [v,choice,1,0.5,2,8] [e,log,1,1e-4,0.5] [x,float,1,-0.3,0.7]")
    for codon in range(0, CODONS, 7):
        assert sentence(grammar, "a", [codon] * 4) == tuple(derive(grammar, "a", [codon] * 4).leaves())


def test_recursion_deeper_than_the_stack_ends():
    grammar = parse("<a> ::= x | x <a>")
    assert len(sentence(grammar, "a", [1] * 20_000)) == 20_001


def test_unknown_start_and_a_lacking_context_are_refused():
    grammar = parse("<a> ::= x | <s>\n<s> @dynamic(sources) ::= ...")
    with pytest.raises(GrammarError, match="unknown start symbol 'b'"):
        sentence(grammar, "b", [])
    with pytest.raises(GrammarError, match="'sources' is not in the context; did you mean 'source'"):
        sentence(grammar, "a", [1, 0], {"source": 3})
    assert sentence(grammar, "a", [1, 7], {"sources": 4}) == (Pick("sources", 3),)
    assert [leaf.text for leaf in sentence(grammar, "a", [0])] == ["x"]
