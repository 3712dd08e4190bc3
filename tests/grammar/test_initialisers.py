"""Each initialiser against its law, which is worked out here by enumeration and by nothing of evogen's.

A tree is (symbol, alternative, (trees of its symbols)). The grammar is written twice: as text, and as
weighted lists of symbols.
"""

from collections import Counter
from fractions import Fraction
from functools import cache
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import chisquare

from evogen.errors import GrammarError, SpecError
from evogen.grammar import CODONS, Node, derive, load, parse
from evogen.grammar.counting import count, derivations
from evogen.grammar.initialisers import INITIALISERS, counts, find, full, grow, pi_grow, ramped, size_uniform
from evogen.grammar.initialisers.draws import below as drawn_below
from evogen.grammar.initialisers.states import heights

SHIPPED = sorted((Path(__file__).parents[2] / "grammars").glob("*.bnf"))
TINY = parse("""
<a> ::= x {2} | <b> <a> {3} | <b> <c>
<b> ::= y | z <c> {2}
<c> ::= u | v <b> | w
""")
RULES = {
    "a": [(2, ()), (3, ("b", "a")), (1, ("b", "c"))],
    "b": [(1, ()), (2, ("c",))],
    "c": [(1, ()), (1, ("b",)), (1, ())],
}
LIMIT = 4
DRAWS = 3_000


def trees(symbol, limit):
    """Return every tree of at most this depth."""
    if limit == 0:
        return []
    return [
        (symbol, i, below)
        for i, (_, items) in enumerate(RULES[symbol])
        for below in product(*(trees(item, limit - 1) for item in items))
    ]


def depth(tree):
    return 1 + max((depth(below) for below in tree[2]), default=0)


def size(tree):
    return 1 + sum(size(below) for below in tree[2])


@cache
def depths(symbol):
    return {depth(tree) for tree in trees(symbol, LIMIT)}


def fits(items, room):
    return all(min(depths(item)) <= room for item in items)


def fills(items, room):
    """Tell whether a longest branch below can hold exactly `room` symbols."""
    return (not items and room == 0) or (fits(items, room) and any(room in depths(item) for item in items))


def by_weight(symbol, allowed):
    total = sum(RULES[symbol][i][0] for i in allowed)
    return {i: Fraction(RULES[symbol][i][0], total) for i in allowed}


def topdown(symbol, limit, allow):
    """Return the law of trees whose every symbol is decided by weight among those that `allow` allows."""
    law = Counter()
    for i, p in by_weight(symbol, allow(symbol, limit - 1)).items():
        each = [topdown(item, limit - 1, allow).items() for item in RULES[symbol][i][1]]
        for below in product(*each):
            chance = p
            for _, q in below:
                chance *= q
            law[symbol, i, tuple(tree for tree, _ in below)] += chance
    return law


def growing(symbol, room):
    return [i for i, (_, items) in enumerate(RULES[symbol]) if fits(items, room)]


def filling(symbol, room):
    return [i for i, (_, items) in enumerate(RULES[symbol]) if fills(items, room)] or growing(symbol, room)


def grow_law():
    return topdown("a", LIMIT, growing)


def full_law():
    return topdown("a", LIMIT, filling)


def ramped_law():
    law = Counter()
    for limit, allow in product(range(1, LIMIT + 1), (growing, filling)):
        for tree, p in topdown("a", limit, allow).items():
            law[tree] += p / (2 * LIMIT)
    return law


def pi_grow_law():
    """Return the law over all orders of expansion: a partial tree has None where a symbol waits."""

    def holes(tree, path=(), at=1):
        if isinstance(tree, str):
            return [(path, tree, at)]
        return [hole for i, below in enumerate(tree[2]) for hole in holes(below, (*path, i), at + 1)]

    def put(tree, path, new):
        if not path:
            return new
        symbol, i, below = tree
        return symbol, i, (*below[: path[0]], put(below[path[0]], path[1:], new), *below[path[0] + 1 :])

    law, now = Counter(), Counter({"a": Fraction(1)})
    while now:
        after = Counter()
        for tree, p in now.items():
            waiting = holes(tree)
            if not waiting:
                law[tree] += p
                continue
            for path, symbol, at in waiting:
                others = [hole for hole in waiting if hole[0] != path]
                reached = deepest(tree) == LIMIT
                free = reached or any(LIMIT - where + 1 in depths(other) for _, other, where in others)
                allowed = (growing if free else filling)(symbol, LIMIT - at)
                for i, q in by_weight(symbol, allowed).items():
                    after[put(tree, path, (symbol, i, RULES[symbol][i][1]))] += p * q / len(waiting)
        now = after
    return law


def deepest(tree):
    """Return the depth of the symbols that are there, those that wait included only at the limit."""
    return 1 if isinstance(tree, str) else 1 + max((deepest(below) for below in tree[2]), default=0)


def size_uniform_law():
    every = trees("a", LIMIT)
    sizes = Counter(size(tree) for tree in every)
    return Counter({tree: Fraction(1, len(sizes) * sizes[size(tree)]) for tree in every})


LAWS = {
    grow: grow_law,
    full: full_law,
    ramped: ramped_law,
    pi_grow: pi_grow_law,
    size_uniform: size_uniform_law,
}


def shape(node: Node):
    below = tuple(shape(child) for child in node.children if isinstance(child, Node))
    return node.symbol, node.alternative, below


@pytest.mark.parametrize("draw", LAWS, ids=lambda draw: draw.__name__)
def test_trees_are_drawn_by_the_initialisers_law(draw):
    law = LAWS[draw]()
    assert sum(law.values()) == 1
    rng = np.random.default_rng(7)
    found = Counter(shape(derive(TINY, "a", draw(TINY, "a", rng, max_depth=LIMIT))) for _ in range(DRAWS))
    assert found.keys() <= law.keys()
    often = {tree for tree, p in law.items() if p * DRAWS >= 5}
    assert len(often) > 5
    rest = float(sum(p for tree, p in law.items() if tree not in often)) * DRAWS
    observed = [found[tree] for tree in often] + [sum(n for tree, n in found.items() if tree not in often)]
    expected = [float(law[tree]) * DRAWS for tree in often] + [rest]
    if not rest:
        observed.pop(), expected.pop()
    assert chisquare(observed, expected).pvalue > 0.001


def test_the_laws_differ():
    laws = [law() for law in LAWS.values()]
    for i, one in enumerate(laws):
        for other in laws[:i]:
            assert sum(abs(one[tree] - other[tree]) for tree in one | other) > 0.3


def test_counts_are_those_of_the_enumeration():
    found = counts(TINY, "a", max_depth=LIMIT, max_size=6)
    expected = Counter(size(tree) for tree in trees("a", LIMIT))
    assert dict(found) == {k: n for k, n in expected.items() if k <= 6}
    catalan = parse("<a> ::= x | <a> <a>")  # binary trees: 2k - 1 symbols, Catalan(k - 1) of them
    assert dict(counts(catalan, "a", max_depth=99, max_size=19)) == {
        1: 1, 3: 1, 5: 2, 7: 5, 9: 14, 11: 42, 13: 132, 15: 429, 17: 1430, 19: 4862
    }  # fmt: skip


def test_sizes_are_uniform_up_to_the_bound():
    catalan = parse("<a> ::= x | <a> <a>")
    rng = np.random.default_rng(8)
    drawn = [size_uniform(catalan, "a", rng, max_depth=40, max_size=39) for _ in range(2_000)]
    found = Counter(size(shape(derive(catalan, "a", codons))) for codons in drawn)
    assert set(found) == set(range(1, 40, 2))
    assert chisquare(list(found.values())).pvalue > 0.001


def test_a_grown_branch_reaches_the_limit_wherever_pi_grow_can_get_there():
    for seed in range(200):
        codons = pi_grow(TINY, "a", np.random.default_rng(seed), max_depth=LIMIT)
        assert depth(shape(derive(TINY, "a", codons))) == LIMIT


@pytest.mark.parametrize("name", INITIALISERS)
def test_codons_say_the_same_with_equal_chance(name):
    grammar = parse("<act> ::= tanh | relu | selu [gain,float,1,0,1]")
    rng = np.random.default_rng(9)
    drawn = [INITIALISERS[name](grammar, "act", rng) for _ in range(3_000)]
    for place in (0, 1):
        codons = np.array([each[place] for each in drawn if len(each) > place])
        assert chisquare(np.histogram(codons, bins=16, range=(0, CODONS))[0]).pvalue > 0.001


def test_whole_numbers_of_any_size_are_drawn_evenly():
    rng = np.random.default_rng(10)
    for bound in (3, 2**63 - 1, 2**64, 3 * 2**200):
        drawn = [drawn_below(bound, rng) for _ in range(3_000)]
        assert all(0 <= each < bound for each in drawn)
        assert chisquare(list(Counter(3 * each // bound for each in drawn).values())).pvalue > 0.001


def test_caps_and_contexts_are_kept():
    grammar = parse("""
    <a> @type(a) @cap(2) ::= x | y <a> {9} | <pick> <a> {9}
    <pick> @dynamic(things) ::= ...
    """)
    two = {"things": 2}
    drawn = [size_uniform(grammar, "a", np.random.default_rng(seed), context=two) for seed in range(1_500)]
    ways = {str(derive(grammar, "a", codons, two)) for codons in drawn}
    assert sum(counts(grammar, "a", context=two).values()) == len(ways) == 1 + 3 + 9
    for draw in LAWS:
        for seed in range(50):
            codons = draw(grammar, "a", np.random.default_rng(seed), max_depth=9, context=two)
            tree = derive(grammar, "a", codons, two)
            assert tree.used == len(codons)
            assert sum(isinstance(part, Node) and part.symbol == "a" for part in tree.walk()) <= 3


@pytest.mark.parametrize("name", INITIALISERS)
@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_all_codons_are_read_and_the_depth_is_kept(name, path):
    grammar, context = load(path), {"inputs": 3, "below": 2, "sources": 5, "modules": 2}
    for start in grammar.starts:
        least, _ = heights(grammar, start, 1)
        for seed in range(10):
            limit = 3 + seed
            codons = INITIALISERS[name](
                grammar, start, np.random.default_rng(seed), max_depth=limit, context=context
            )
            assert all(type(codon) is int and 0 <= codon < CODONS for codon in codons)
            tree = derive(grammar, start, codons, context)
            assert tree.used == len(codons)
            assert depth(shape(tree)) <= max(limit, least)
            again = np.random.default_rng(seed)
            assert codons == INITIALISERS[name](grammar, start, again, max_depth=limit, context=context)


def test_an_unknown_initialiser_is_named():
    assert find("pi-grow") is pi_grow
    with pytest.raises(SpecError, match="unknown initialiser 'pigrow'; did you mean 'pi-grow'"):
        find("pigrow")


def test_the_enumeration_equals_the_count():
    every = trees("a", LIMIT)
    assert count(TINY, "a", LIMIT) == len(every)
    assert sum(counts(TINY, "a", max_depth=LIMIT, max_size=99).values()) == len(every)
    found = [shape(derive(TINY, "a", codons)) for codons in derivations(TINY, "a", LIMIT)]
    assert sorted(found) == sorted(every)


@pytest.mark.parametrize("name", ["grow", "pi-grow", "size-uniform"])
def test_the_shipped_tiny_grammar_is_drawn_by_its_law(name):
    """Half of the sentences have one of 8 single terms, half one of 32 pairs: for these three laws alike."""
    grammar, context = load(SHIPPED[0].with_name("tiny.bnf")), {"sources": 2}
    rng = np.random.default_rng(11)
    drawn = [INITIALISERS[name](grammar, "neuron", rng, context=context) for _ in range(3_200)]
    found = Counter(str(derive(grammar, "neuron", codons, context)) for codons in drawn)
    every = {
        str(derive(grammar, "neuron", codons, context))
        for codons in derivations(grammar, "neuron", 9, context)
    }
    assert found.keys() <= every
    assert len(every) == count(grammar, "neuron", 9, context) == 40
    observed = [found[sentence] for sentence in sorted(every)]
    expected = [3_200 / (16 if sentence.count("term") == 1 else 64) for sentence in sorted(every)]
    assert chisquare(observed, expected).pvalue > 0.001


def test_caps_that_multiply_beyond_counting_are_refused():
    symbols = range(8)
    rules = [f"<c{i}> @cap(6) ::= x{i} | {' | '.join(f'<c{j}>' for j in symbols if j != i)}" for i in symbols]
    grammar = parse("\n".join(rules))
    with pytest.raises(GrammarError, match="<text>:1:1: caps that multiply to more than 20000 states"):
        pi_grow(grammar, "c0", np.random.default_rng(0))
    assert grow(grammar, "c0", np.random.default_rng(0))
