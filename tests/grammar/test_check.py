import pytest

from evogen.errors import GrammarError
from evogen.grammar import parse

CASES = {
    "<a> ::= x\n¡<a> ::= y": "<a> is already defined in line 2",
    "<a> ::= x <b>\n | y\n | ¡x <b>\n<b> ::= z": "an alternative of <a> is written twice",
    "<a> ::= x {2} | ¡x {3}": "an alternative of <a> is written twice",
    "<a> ::= x | [w,int,1,0,1] | ¡[w,int,1,0,1]": "an alternative of <a> is written twice",
    "<layer> ::= x ¡<widht>\n<width> ::= y": "<widht> is not defined; did you mean 'width'?",
    "¡<a> ::= <a>": "<a> never ends",
    "¡<a> ::= x <a> | <a> y": "<a> never ends",
    "<a> ::= <b> | x <b>\n¡<b> ::= <c>\n<c> ::= y <b>": "<b> never ends",
    "<a> ::= <y> <z>\n<y> ::= t | <a>\n¡<z> ::= u <z>": "<z> never ends",
    "<a> ::= x\n¡<b> ::= y": "<b> is never used: not reachable from <a>",
    "<a> ::= x\n<b> @type(t) ::= y\n¡<c> ::= <b>": "<c> is never used: not reachable from <a>, <b>",
    "<a> ::= <b>\n¡<b> @cap(2) ::= x <b> | <c>\n<c> ::= y | <b>": "<b> has a cap, but each",
    "¡<a> @cap(2) ::= x | y": "<a> has a cap, but none of its alternatives leads back to it",
}


@pytest.mark.parametrize(("marked", "what"), CASES.items())
def test_refuses_with_place_and_caret(refused, marked, what):
    assert refused(f"%version 1\n{marked}").startswith(what)


def test_a_typed_head_is_a_start_and_need_not_be_used():
    grammar = parse("<a> ::= x\n<b> @type(t) ::= <c>\n<c> ::= y")
    assert grammar.starts == ("a", "b")


def test_rules_that_double_again_and_again_are_refused():
    chain = "\n".join(f"<a{i}> ::= <a{i + 1}> <a{i + 1}>" for i in range(40))
    with pytest.raises(GrammarError, match=r"<a\d+> stands for 65,536 symbols and words or more at least"):
        parse(f"{chain}\n<a40> ::= x")
    parse("<a> ::= <b> <b>\n<b> ::= <c> <c> | x\n<c> ::= <a> <a>")  # doubles, but need not


def test_recursion_with_a_way_out_is_accepted():
    grammar = parse("<a> ::= <a> <b> | <b>\n<b> ::= '(' <a> ')' | x")
    assert grammar.depths("a") == (2, 1)
    assert grammar.depths("b") == (2, 0)
