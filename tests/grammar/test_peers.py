"""Files in the styles of PonyGE2, GRAPE, SGE and DENSER, written for these tests."""

import numpy as np
import pytest

from evogen.errors import GrammarError
from evogen.grammar import Number, Pick, derive, grow, load, parse

FORMULAS = r"""
<f> ::= (<f> + <f>) |
	(<f>*<f>)   |   # tabs, blanks and comments between the alternatives
	safe(<f>, <f>) | x.iloc[:, <v>] | k[<v>] | ~<f> | (<f> "|" <f>)
<v> ::= GE_RANGE:dataset_n_vars
"""
COMPARISONS = "<test> ::= <x><rel><x>\n<rel> ::= < | <= | > | >= | '<' | \"!=\" | ==\n<x>::=a|b"
PYTHON = """
<program> ::= def f(xs):{:n = 0{::}<body>{::}return n:}
<body> ::= <line> | <body>{::}<line>
<line> ::= if <test>:{:<line>:}else:{:<line>:} | 'n += '<digit>
<test> ::= n % 2 == <digit>
<digit> ::= GE_RANGE:10
"""
GATES = "<g>  ::=  and_(<g>,<g>)|\n          not_(<g>)|\n\t<x>\n<x> ::=   x[0]|x[1]|x[0]"
CURVE = r"""#core
<start> ::= <curve>
<curve> ::= <curve><op><curve>|(<curve>)|<pre>(<t>)
<op> ::= +|-|*|\eb_div_\eb
#|\eb_pow_\eb
<pre> ::= sin|_exp_
<t> ::= t[0]|1.0"""
LAYERS = """
<net> ::= <conv> <net> | <dense>
<conv> ::= layer:conv [num-filters,int,1,16,64] [shape,int,2,2,5] <pad> <act>
<dense> ::= layer:fc [num-units,int,1,32,256] <act> bias:True
<pad> ::= padding:same |  padding:valid
<act> ::= act:relu |  act:linear
<learning> ::= learning:adam [lr,float,1,0.0001,0.1]
"""
STYLES = {
    "formulas": FORMULAS,
    "comparisons": COMPARISONS,
    "python": PYTHON,
    "gates": GATES,
    "curve": CURVE,
    "layers": LAYERS,
}
CONTEXT = {"dataset_n_vars": 6, "dataset_n_is": 3, "dataset_n_os": 2}


@pytest.mark.parametrize("text", STYLES.values(), ids=STYLES)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_file_of_that_style_loads_with_a_rule_for_every_definition(tmp_path, text, end):
    path = tmp_path / "file.bnf"
    path.write_bytes(text.strip().replace("\n", end).encode())
    grammar = load(path)
    assert len(grammar.rules) == text.count("::=")
    assert parse(grammar.text) == grammar
    start = grammar.starts[0]
    for seed in range(20):
        codons = grow(grammar, start, np.random.default_rng(seed), max_depth=6, context=CONTEXT)
        assert derive(grammar, start, codons, CONTEXT).used == len(codons)


def said(text, start, codons):
    return str(derive(parse(text), start, codons, CONTEXT))


def test_what_stands_between_symbols_is_words():
    assert said(FORMULAS, "f", [0, 3, 8, 2, 4, 1, 4, 5]) == (
        "( x.iloc[:, [dataset_n_vars=2] ] + safe( k[ [dataset_n_vars=1] ] , k[ [dataset_n_vars=5] ] ) )"
    )
    assert said(FORMULAS, "f", [6, 5, 3, 0, 3, 0]).count("|") == 1
    assert said(PYTHON, "program", [1, 1]).startswith("def f(xs):{:n = 0{::} ")


def test_comparison_signs_are_words_with_and_without_quotes():
    signs = [said(COMPARISONS, "test", [0, i, 1]) for i in range(7)]
    assert [sign.split()[1] for sign in signs] == ["<", "<=", ">", ">=", "<", "!=", "=="]


def test_ranges_are_as_many_alternatives_or_as_many_picks():
    grammar = parse("<a> ::= x | GE_RANGE:3 | y\n<b> ::= GE_RANGE:dataset_n_is")
    assert [str(derive(grammar, "a", [i])) for i in range(5)] == ["x", "0", "1", "2", "y"]
    grammar = parse("<b> ::= GE_RANGE:dataset_n_is | none")
    assert list(derive(grammar, "b", [0, 5], CONTEXT).leaves()) == [Pick("dataset_n_is", 2)]


def test_numeric_terminals_of_networks_are_numbers():
    grammar = parse(LAYERS)
    leaves = list(derive(grammar, "net", [0, 65535, 0, 65535, 1, 0, 1, 0, 0]).leaves())
    assert [leaf for leaf in leaves if isinstance(leaf, Number)] == [
        Number("num-filters", (64,)),
        Number("shape", (2, 5)),
        Number("num-units", (32,)),
    ]
    assert [leaf.text for leaf in leaves if not isinstance(leaf, Number)] == [
        "layer:conv",
        "padding:valid",
        "act:relu",
        "layer:fc",
        "act:relu",
        "bias:True",
    ]


def test_what_may_be_a_mistake_is_noted_in_plain_bnf_and_refused_with_a_version():
    assert parse(GATES, "g").notes == ("g:4:21: an alternative of <x> is written twice",)
    assert len(parse(GATES).rule("x").alternatives) == 3
    assert parse(LAYERS, "g").notes == ("g:7:1: <learning> is never used: not reachable from <net>",)
    assert parse("<a> ::= x || y |", "g").notes == ("g:1:1: an alternative without anything is left out",) * 2
    (note,) = parse("<a> ::= <b>* y\n<b> ::= x", "g").notes
    assert note == "g:1:12: '*' behind <b> is a word; %version 1 makes it a repetition"
    assert parse("<a> ::= <b>*<b>\n<b> ::= x").notes == ()
    for text in (GATES.replace("[", "(").replace("]", ")"), LAYERS):
        with pytest.raises(GrammarError):
            parse(f"%version 1\n{text}")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("<a> ::= <b>", "<b> is not defined"),
        ("<a> ::= <a>", "<a> never ends"),
        ("<a> ::= x\n<a> ::= y", "<a> is already defined in line 1"),
        ("<a> ::= [n,int,1,5,2]", "empty range: min 5 is above max 2"),
        ("<a> ::= GE_GENERATE:[str(i) for i in range(3)]", "GE_GENERATE is Python"),
        ("<a> ::= |", "<a> has no alternative"),
        ("<a> ::= x {0}", "weight {0}"),
        ("a> ::= x", "found 'a>', wanted a rule"),
    ],
)
def test_what_cannot_be_derived_is_refused_in_plain_bnf_too(text, what):
    with pytest.raises(GrammarError) as caught:
        parse(text)
    assert what in str(caught.value)


def test_braces_are_a_weight_at_the_end_of_an_alternative_only():
    grammar = parse(r"<a> ::= \d{2} | y {4} x | z {3} | [a-z]{1,3}")
    assert [alternative.weight for alternative in grammar.rules[0].alternatives] == [1, 1, 3, 1]
    assert str(derive(grammar, "a", [1])) == "y {4} x"
    assert str(derive(grammar, "a", [3])) == "[a-z]{1,3}"
