from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evogen.errors import GrammarError
from evogen.grammar import CODONS, Node, Number, Pick, Word, derive, grow, parse

codon_lists = st.lists(st.integers(0, CODONS - 1), max_size=80)
STARTS = ("module", "reflex", "hebbian")

TOY = parse("""
<net> ::= <unit> | <unit> <net> | nothing
<unit> ::= <only> [w,float,2,0,10] <act>
<only> ::= unit
<act> ::= tanh {6} | relu {3} | selu
""")


def depth(node):
    return 1 + max((depth(child) for child in node.children if isinstance(child, Node)), default=0)


def test_codons_are_read_left_to_right_where_there_is_a_choice():
    tree = derive(TOY, "net", [3 + 1, 65535, 0, 1, 6 + 2])
    assert str(tree) == "unit [w=10,0] relu nothing"
    assert tree.used == 5
    unit, rest = tree.children
    assert (unit.symbol, unit.alternative, unit.used, rest.used) == ("unit", 0, 3, 1)
    assert (tree.type, tree.alternative) == (None, 1)


def test_first_shallowest_alternative_and_middle_after_the_last_codon():
    assert str(derive(TOY, "net", [])) == "nothing"
    tree = derive(TOY, "net", [0, 65535])
    assert str(tree) == "unit [w=10,5] tanh"
    assert tree.used == 2


def test_tie_of_depth_takes_the_first():
    grammar = parse("<a> ::= <a> x | <b> | <c>\n<b> ::= one\n<c> ::= two")
    assert str(derive(grammar, "a", [])) == "one"


def test_codons_left_over_are_silent():
    tree = derive(TOY, "net", [2, 1, 2, 3])
    assert (str(tree), tree.used) == ("nothing", 1)
    assert tree == derive(TOY, "net", [2])


def test_leaves_carry_types():
    grammar = parse("<a> @type(thing) ::= kind:x [n,int,1,3,3] [f,float,1,3,3]")
    tree = derive(grammar, "a", [])
    word, whole, real = tree.leaves()
    assert tree.type == "thing"
    assert isinstance(word, Word)
    assert (whole, real) == (Number("n", (3,)), Number("f", (3.0,)))
    assert isinstance(whole.values[0], int)
    assert isinstance(real.values[0], float)


def test_trees_differ_where_the_choice_differs_even_with_equal_sentences():
    grammar = parse("<a> ::= <b> | <c>\n<b> ::= x\n<c> ::= x")
    assert str(derive(grammar, "a", [0])) == str(derive(grammar, "a", [1]))
    assert derive(grammar, "a", [0]) != derive(grammar, "a", [1])


PICKING = parse("<a> ::= <s> <a> | end\n<s> @dynamic(sources) ::= ...")


def test_a_pick_reads_one_codon_modulo_what_there_is():
    picks = [derive(PICKING, "a", [0, codon, 1], {"sources": 5}) for codon in (0, 4, 5, 65535)]
    assert [next(tree.leaves()) for tree in picks] == [Pick("sources", i) for i in (0, 4, 0, 0)]
    assert all(tree.used == 3 for tree in picks)
    assert str(picks[1]) == "[sources=4] end"


def test_a_pick_from_nothing_is_none_and_reads_its_codon():
    tree = derive(PICKING, "a", [0, 7, 1], {"sources": 0})
    assert (str(tree), tree.used) == ("[sources=-1] end", 3)


def test_a_pick_after_the_last_codon_is_the_first():
    only = parse("<a> ::= <s> <s>\n<s> @dynamic(sources) ::= ...")
    assert str(derive(only, "a", [3], {"sources": 5})) == "[sources=3] [sources=0]"
    assert str(derive(only, "a", [], {"sources": 0})) == "[sources=-1] [sources=-1]"


def test_a_name_that_the_context_lacks_is_refused_where_it_stands():
    with pytest.raises(
        GrammarError, match=r"^<text>:2:27: 'sources' is not in the context; did you mean 'source"
    ):
        derive(PICKING, "a", [0], {"source": 2})
    assert str(derive(PICKING, "a", [1])) == "end"


def test_picks_are_grown_uniformly():
    only = parse("<a> ::= <s>\n<s> @dynamic(sources) ::= ...")
    rng = np.random.default_rng(0)
    grown = [
        derive(only, "a", grow(only, "a", rng, context={"sources": 4}), {"sources": 4}) for _ in range(4000)
    ]
    counts = Counter(next(tree.leaves()).index for tree in grown)
    assert sum((counts[i] - 1000) ** 2 / 1000 for i in range(4)) < 16.27  # chi2, 3 df, 0.1 %


CAPPED = parse("<a> @cap(2) ::= x <a> | y <b> | z\n<b> ::= one | two")


def test_a_cap_closes_the_alternatives_that_lead_back():
    assert str(derive(CAPPED, "a", [0, 0, 0, 1])) == "x x y two"  # the third codon chooses among y and z
    assert str(derive(CAPPED, "a", [0, 0, 1])) == "x x z"
    assert str(derive(CAPPED, "a", [0, 1, 0])) == "x y one"
    assert derive(CAPPED, "a", [0, 0, 1]).children[1].children[1].alternative == 2


@given(codons=codon_lists, seed=st.integers(0, 2**32))
@settings(deadline=None)
def test_a_cap_bounds_the_nesting_of_all_derivations(codons, seed):
    grammar = parse("<a> @cap(3) ::= <b> <b> | x\n<b> @cap(1) ::= <a> | <b> <a> | y")
    for tree in (
        derive(grammar, "a", codons),
        derive(grammar, "a", grow(grammar, "a", np.random.default_rng(seed))),
    ):
        assert nesting(tree, "a") <= 3
        assert nesting(tree, "b") <= 1


def nesting(tree, symbol, above=0):
    own = above if tree.symbol == symbol else 0
    below = above + (tree.symbol == symbol)
    return max([own, *(nesting(child, symbol, below) for child in tree.children if isinstance(child, Node))])


def test_unknown_start_is_refused():
    with pytest.raises(GrammarError, match="unknown start symbol 'nte'; did you mean 'net'"):
        derive(TOY, "nte", [])
    with pytest.raises(GrammarError, match="unknown start symbol"):
        grow(TOY, "unit", np.random.default_rng(0))


def test_recursion_deeper_than_the_stack_ends():
    grammar = parse("<a> ::= x | x <a>")
    tree = derive(grammar, "a", [1] * 20_000)
    assert tree.used == 20_000
    assert sum(1 for _ in tree.leaves()) == 20_001
    assert tree == derive(grammar, "a", [1] * 20_000)
    assert hash(tree) == hash(derive(grammar, "a", [1] * 20_000))


def test_left_recursion_ends():
    grammar = parse("<a> ::= <a> x | y")
    assert str(derive(grammar, "a", [0, 0, 0])) == "y x x x"


@pytest.mark.parametrize("start", STARTS)
@given(codons=codon_lists)
@settings(deadline=None)
def test_every_codon_list_derives_to_the_same_tree_again(modules, start, codons):
    given_codons = list(codons)
    tree = derive(modules, start, codons)
    assert tree.symbol == start
    assert tree.used <= len(codons)
    assert tree == derive(modules, start, tuple(codons))
    assert tree == derive(modules, start, codons[: tree.used])
    assert codons == given_codons


@given(codons=codon_lists)
@settings(deadline=None)
def test_numbers_stay_in_their_ranges(modules, codons):
    bounds = {"width": (8, 64), "density": (0.2, 1), "tau": (1, 20), "eta": (1e-4, 0.5), "decay": (0, 0.5)}
    numbers = [leaf for leaf in derive(modules, "module", codons).leaves() if isinstance(leaf, Number)]
    for number in numbers:
        low, high = bounds.get(number.name, (-1, 1))
        assert low <= number.values[0] <= high


@pytest.mark.parametrize("start", STARTS)
@given(seed=st.integers(0, 2**32), limit=st.integers(1, 20))
@settings(deadline=None, max_examples=50)
def test_grown_codons_derive_to_the_tree_that_was_grown(modules, start, seed, limit):
    codons = grow(modules, start, np.random.default_rng(seed), max_depth=limit)
    assert all(type(codon) is int and 0 <= codon < CODONS for codon in codons)
    tree = derive(modules, start, codons)
    assert tree.used == len(codons)
    assert tree == derive(modules, start, (*codons, 7, 7, 7))
    assert depth(tree) <= max(limit, 4)  # 4: the shallowest module


def test_growing_is_a_function_of_the_generator(modules):
    one, same, other = (grow(modules, "module", np.random.default_rng(seed)) for seed in (5, 5, 6))
    assert one == same
    assert one != other


def chi_square(counts, weights):
    expected = np.array(weights) / sum(weights) * sum(counts)
    return float(((np.array(counts) - expected) ** 2 / expected).sum())


def test_weights_bias_growing():
    rng = np.random.default_rng(20)
    grammar = parse("<act> ::= tanh {6} | relu {3} | selu")
    drawn = Counter(str(derive(grammar, "act", grow(grammar, "act", rng))) for _ in range(6000))
    counts = [drawn[name] for name in ("tanh", "relu", "selu")]
    assert chi_square(counts, [6, 3, 1]) < 13.8  # chi-square with 2 degrees of freedom: p = 0.001
    assert chi_square(counts, [1, 1, 1]) > 1000


def test_codons_are_uniform_among_those_that_give_the_alternative():
    rng = np.random.default_rng(21)
    grammar = parse("<act> ::= tanh {6} | relu {3} | selu")
    codons = np.array([grow(grammar, "act", rng)[0] for _ in range(6000)])
    counts = np.histogram(codons, bins=16, range=(0, CODONS))[0]
    assert chi_square(counts, [1] * 16) < 37.7  # 15 degrees of freedom: p = 0.001


def test_weights_do_not_touch_the_reading_of_codons():
    light, heavy = parse("<a> ::= x | y"), parse("<a> ::= x | y {1000}")
    assert [str(derive(light, "a", [c])) for c in range(8)] == [
        str(derive(heavy, "a", [c])) for c in range(8)
    ]


def test_growing_keeps_within_the_depth_whatever_the_weights():
    grammar = parse("<a> ::= x | x <a> {1000}")
    lengths = {
        len(list(derive(grammar, "a", grow(grammar, "a", np.random.default_rng(s), max_depth=9)).leaves()))
        for s in range(20)
    }
    assert max(lengths) == 9
