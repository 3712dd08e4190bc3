import math
import pickle

import numpy as np
import pytest

from evogen.errors import GrammarError
from evogen.grammar import parse
from evogen.grammar.model import Numeric, Place, Scale

TEXT = """
<a> @type(t) ::= <b> x:one | [w,log,2,1,100]
<b> ::= x:two | y:three <b>
<c> @type(t) ::= z:four
"""


def numeric(text):
    (item,) = parse(f"<a> ::= {text}").rules[0].alternatives[0].items
    return item


def test_survives_pickling_by_value():
    grammar = parse(TEXT, "here.bnf")
    stored = pickle.dumps(grammar)
    assert b"lark" not in stored
    copy = pickle.loads(stored)
    assert copy == grammar
    assert hash(copy) == hash(grammar)
    assert (copy.text, copy.source, copy.rules[1].place) == (TEXT, "here.bnf", grammar.rules[1].place)
    assert copy.depths("b") == grammar.depths("b")


def test_is_frozen():
    with pytest.raises(AttributeError):
        parse(TEXT).text = ""


def test_equality_ignores_where_it_was_read():
    assert parse(TEXT, "one") == parse(TEXT, "two")
    assert parse(TEXT) != parse(TEXT + "# more")


def test_unknown_start_points_to_a_legal_one():
    with pytest.raises(GrammarError) as caught:
        parse("# first line\n<module> ::= <part>\n<part> ::= x", "g.bnf").start("modul")
    assert str(caught.value).split("\n")[:3] == [
        "g.bnf:2:1: unknown start symbol 'modul'; did you mean 'module'?",
        "  <module> ::= <part>",
        "  ^",
    ]


def test_a_symbol_that_is_neither_first_nor_typed_is_no_start():
    with pytest.raises(GrammarError, match="unknown start symbol 'b'; known: a, c"):
        parse(TEXT).start("b")


def test_words_are_those_that_a_start_can_reach():
    grammar = parse(TEXT)
    assert [word.text for word in grammar.words("a")] == ["x:one", "x:two", "y:three"]
    assert [word.text for word in grammar.words("c")] == ["z:four"]


def test_int_gives_equal_shares():
    die = numeric("[die,int,1,1,6]")
    values = [die.value(codon / 65535) for codon in range(65536)]
    shares = [values.count(face) for face in range(1, 7)]
    assert sum(shares) == 65536
    assert max(shares) - min(shares) <= 1
    assert values == sorted(values)
    assert all(isinstance(value, int) for value in values)


def test_choice_gives_equal_shares_in_order_of_the_text():
    choice = numeric("[w,choice,1,16,1,4]")
    values = [choice.value(codon / 65535) for codon in range(65536)]
    assert [values.count(value) for value in (16, 1, 4)] == [21845, 21845, 21846]
    assert (values[0], values[-1], choice.value(0.5)) == (16, 4, 1)
    assert [choice.value(choice.unit(value)) for value in (16, 1, 4)] == [16, 1, 4]


def test_float_is_linear_and_log_is_geometric():
    assert [numeric("[w,float,1,-1,3]").value(u) for u in (0, 0.25, 1)] == [-1, 0, 3]
    log = numeric("[w,log,1,1e-4,1]")
    assert (log.value(0), log.value(1)) == (1e-4, 1)
    assert log.value(0.5) == pytest.approx(1e-2, rel=1e-12)


def test_widest_ranges_stay_finite():
    assert numeric("[w,float,1,-1.7e308,1.7e308]").value(0.5) == 0
    assert numeric("[w,log,1,1e-300,1e300]").value(0.5) == pytest.approx(1)


@pytest.mark.parametrize(
    ("scale", "low", "high"),
    [(Scale.INT, 2, 9), (Scale.INT, -3, 3), (Scale.FLOAT, -1, 1), (Scale.LOG, 1e-3, 1e3), (Scale.INT, 4, 4)],
)
def test_the_unit_of_a_number_gives_it_back(scale, low, high):
    numeric = Numeric("n", scale, 1, low, high, Place(1, 1))
    for point in np.linspace(0, 1, 41).tolist():
        value = numeric.value(point)
        assert 0 <= numeric.unit(value) <= 1
        assert math.isclose(numeric.value(numeric.unit(value)), value, abs_tol=1e-12)
