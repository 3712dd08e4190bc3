import pytest

from evogen.errors import DevelopmentError
from evogen.grammar.learners import learning
from evogen.grammar.plan import Learning


@pytest.mark.parametrize(
    ("name", "numbers", "asked"),
    [
        ("full", {}, None),
        ("none", {}, Learning(0.0)),
        ("scaled", {"rate": 0.5}, Learning(0.5)),
        ("adam", {"rate": 2.0}, Learning(2.0)),
        ("sgd", {"rate": 0.1, "momentum": 0.9}, Learning(0.1, 0.9)),
    ],
)
def test_words_say_how_a_gene_learns(name, numbers, asked):
    assert learning(name, numbers) == asked


@pytest.mark.parametrize(
    ("name", "numbers", "what"),
    [
        ("scaled", {}, r"learn:scaled takes the numbers \['rate'\], found \[\]"),
        ("none", {"rate": 1.0}, r"learn:none takes the numbers \[\], found \['rate'\]"),
        ("scaled", {"rate": -1.0}, "a rate of at least 0, found -1"),
        ("sgd", {"rate": 1.0, "momentum": 1.0}, r"a momentum in \[0, 1\), found 1"),
    ],
)
def test_numbers_that_make_no_sense_are_refused(name, numbers, what):
    with pytest.raises(DevelopmentError, match=what):
        learning(name, numbers)
