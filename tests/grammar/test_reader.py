import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evogen.errors import GrammarError
from evogen.grammar import load, parse

SHIPPED = sorted((Path(__file__).parents[2] / "grammars").glob("*.bnf"))

SYNTAX = {
    "¡x <a> ::= y": "found 'x', wanted a rule '<name> ::='",
    "¡<a> := x": "found '<a>', wanted a rule '<name> ::='",
    "¡<a ::= x": "found '<', wanted a rule '<name> ::='",
    "<a> ::= x |¡": "found the end of the file, wanted",
    "<a> ::=\n\n  x |\n¡| y": "found '|', wanted",
    "<a> ::= x ¡::= y": "found '::=', wanted",
    "<a> ::= x {2} ¡y": "found 'y', wanted a rule '<name> ::=' or '|'",
    "<a> ::= x {¡two}": "found 'two', wanted a number",
    "<a> ::= ¡<b c>": "found '<', wanted",
    "<a> ::= ¡'x": "found ''', wanted",
    "<a> ::= x\n<b> ::= ¡]": "found ']', wanted",
    "<a> ::= ¡[w,int,8,64]": "[w,int,8,...] ends behind 1 of its numbers, wanted min and max",
    "<a> ::= <b>¡*x\n<b> ::= y": "'*x' right behind <b>: a repetition, or a word?",
    "<a> ::= [w,int,1,1,¡many]": "found 'many', wanted a number",
}
MEANING = {
    "<a> ::= ¡<b>?2\n<b> ::= y": "<b>?2: ? takes no number",
    "<a> ::= ¡<b>*0\n<b> ::= y": "<b>*0: 1 to 1024 times were wanted",
    "<a> ::= ¡[w,choice,2]": "[w,choice,2,...] ends behind 0 of its numbers, wanted one value or more",
    "<a> ::= [w,int¡]": "found ']', wanted ','",
    "<a> ::= [w,choice,1,2,4,¡2]": "2 is written twice",
    "<a> @cap(¡two) ::= x | y <a>": "@cap(two): a whole number from 0 to 1024 was wanted",
    "<a> @cap(¡1.5) ::= x | y <a>": "@cap(1.5): a whole number from 0 to 1024 was wanted",
    "<a> @cap(¡9999) ::= x | y <a>": "@cap(9999): a whole number from 0 to 1024 was wanted",
    "<a> @dynamic(¡3) ::= ...": "@dynamic(3): a name was wanted",
    "<a> ::= <b>\n¡<b> @dynamic(inputs) ::= x | y": "a dynamic rule with alternatives of its own",
    "<a> ::= ¡GE_RANGE:0": "empty range: GE_RANGE:0",
    "<a> ::= ¡GE_RANGE:-2": "unknown range GE_RANGE:-2",
    "<a> ::= ¡GE_RANGE:70000": "unknown range GE_RANGE:70000",
    "<a> ::= ¡GE_RANGE:dataset_n_var": "unknown range GE_RANGE:dataset_n_var; did you mean 'dataset_n_vars'?",
    "<a> ::= ¡GE_GENERATE:dataset_eq": "GE_GENERATE is Python, which is never run here",
    "<a> ::= x {¡0}": "weight 0",
    "<a> ::= x {¡1e999}": "weight 1e999",
    "<a> @¡tpe(b) ::= x": "unknown annotation 'tpe'; did you mean 'type'?",
    "<a> @type(b) @¡type(c) ::= x": "a second @type",
    "<a> ::= [w,¡flaot,1,0,1]": "unknown kind of number 'flaot'; did you mean 'float'?",
    "<a> ::= [w,int,¡0,0,1]": "[w,...] stands for 0 numbers, a whole number above 0 was wanted",
    "<a> ::= [w,int,¡1.5,0,1]": "[w,...] stands for 1.5 numbers, a whole number above 0 was wanted",
    "<a> ::= [w,int,1,0,¡2.5]": "bound 2.5 of [w,int,...]: a finite number was wanted, a whole one for int",
    "<a> ::= [w,float,1,¡-1e999,0]": "bound -1e999 of [w,float,...]: a finite number was wanted",
    "<a> ::= x\n | [w,float,1,¡2,1]": "empty range: min 2 is above max 1",
    "<a> ::= [eta,log,1,¡0,1]": "log scale from 0: min must be above 0",
    "<a> ::= [eta,log,1,¡-1,1]": "log scale from -1: min must be above 0",
}


@pytest.mark.parametrize(("marked", "what"), [*SYNTAX.items(), *MEANING.items()])
def test_refuses_with_place_and_caret(refused, marked, what):
    assert refused(f"%version 1\n{marked}").startswith(what)


@pytest.mark.parametrize("text", ["", "# only a comment\n"])
def test_a_text_without_rules_is_refused(text):
    with pytest.raises(GrammarError, match=r"^g:1:1: found the end of the file, wanted a rule '<name> ::='"):
        parse(text, "g")


def test_error_names_place_line_and_remedy_in_full():
    with pytest.raises(GrammarError) as caught:
        parse("<a> ::= <b>\n<b> ::= x\n\t| [w,float,1,2,1]\n", "my.bnf")
    assert str(caught.value) == (
        "my.bnf:3:15: empty range: min 2 is above max 1\n"
        "  \t| [w,float,1,2,1]\n"
        "  \t             ^\n"
        "Write the smaller bound first."
    )


def test_windows_line_ends_do_not_shift_the_place():
    with pytest.raises(GrammarError, match=r"^<text>:2:9: <c> is not defined") as caught:
        parse("<a> ::= <b>\r\n<b> ::= <c>\r\n")
    assert "\r" not in str(caught.value)


def test_rules_types_weights_and_terminals_are_read():
    grammar = parse("""
        <net> @type(net) ::= <unit> {2.5}   # a comment with ::= in it
            | layer:dense "two words" 'x|y'
        <unit>
            ::= [w,int,2,1,8] word-1 | ""
    """)
    net, unit = grammar.rules
    assert (net.symbol, net.type, unit.type) == ("net", "net", None)
    assert [alternative.weight for alternative in net.alternatives] == [2.5, 1.0]
    words = net.alternatives[1].items
    assert [word.text for word in words] == ["layer:dense", "two words", "x|y"]
    assert (words[0].kind, words[0].name, words[1].kind) == ("layer", "dense", "")
    number, word = unit.alternatives[0].items
    assert (number.name, number.scale, number.count, number.low, number.high) == ("w", "int", 2, 1, 8)
    assert word.text == "word-1"
    assert unit.alternatives[1].items == ()
    assert (word.place.line, word.place.column) == (5, 31)


def test_annotations_and_choices_are_read():
    grammar = parse("""
        <a> @type(t) @cap(2) ::= x | <a> <s> [w,choice,2,8,16] [v,choice,1,0.5,2]
        <s>
            @dynamic(inputs) ::= ...   # one of them
    """)
    a, s = grammar.rules
    assert (a.type, a.cap, s.type, s.cap) == ("t", 2, None, None)
    whole, real = a.alternatives[1].items[2:]
    assert (whole.count, whole.values, real.values) == (2, (8, 16), (0.5, 2.0))
    assert [type(value) for value in (*whole.values, *real.values)] == [int, int, float, float]
    assert [dynamic.context for dynamic in grammar.dynamics("a")] == ["inputs"]


def test_repetitions_are_rules_of_one_choice_each():
    grammar = parse("%version 1\n<a> ::= <b>*2 | <b>+3 <b>?\n<b> ::= x")
    shown = {
        rule.symbol: [" ".join(item.name for item in each.items) for each in rule.alternatives]
        for rule in grammar.rules[2:]
    }
    assert shown == {
        "b*2": ["", "b b*1"],
        "b*1": ["", "b"],
        "b+3": ["b", "b b+2"],
        "b+2": ["b", "b b"],
        "b?": ["", "b"],
    }
    eight = parse("%version 1\n<a> ::= <b>*\n<b> ::= x")
    assert [rule.symbol for rule in eight.rules[2:]] == [f"b*{n}" for n in range(8, 0, -1)]


def test_a_mark_apart_from_its_symbol_is_a_word():
    (alternative,) = parse("%version 1\n<a> ::= <b> * <b> '+' <b>\n<b> ::= x").rules[0].alternatives
    assert [type(item).__name__ for item in alternative.items] == [
        "Symbol",
        "Word",
        "Symbol",
        "Word",
        "Symbol",
    ]


def test_a_head_is_told_from_a_mention_across_lines():
    grammar = parse("<a> ::= <b>\n<b>\n<b> @type(t)\n ::= x")
    assert [rule.symbol for rule in grammar.rules] == ["a", "b"]
    assert [item.name for item in grammar.rule("a").alternatives[0].items] == ["b", "b"]


PIECES = [
    "<a> ::=",
    "<b> @type(t) ::=",
    "<a>",
    "<b>",
    "::=",
    "|",
    "x",
    "'q'",
    "{2}",
    "{",
    "[w,int,1,0,1]",
    "[",
    "é",
]


def names_or_error(text):
    try:
        return [rule.symbol for rule in parse(text, "g.bnf").rules]
    except GrammarError as error:
        return str(error)


@given(st.lists(st.sampled_from([*PIECES, "\n"]), max_size=12))
@settings(deadline=None, max_examples=300)
def test_any_text_is_read_or_refused_with_its_place(pieces):
    text = " ".join(pieces)
    result = names_or_error(text)
    if isinstance(result, str):
        assert re.match(r"g\.bnf:\d+:\d+: .+\n  .*\n  \s*\^\n.+", result)
    else:
        assert result == re.findall(r"<(.)>\s*(?:@type\(t\)\s*)?::=", text)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_shipped_grammar_loads_with_a_rule_for_every_definition(path):
    grammar = load(path)
    code = re.sub(r"#.*", "", path.read_text(encoding="utf-8"))
    written = [rule for rule in grammar.rules if not re.search(r"[*+]\d+$|\?$", rule.symbol)]
    assert len(written) == code.count("::=")
    assert grammar.notes == ()
    assert grammar.text == path.read_text(encoding="utf-8")
    assert grammar.source == str(path)


def test_missing_file_is_a_grammar_error(tmp_path):
    with pytest.raises(GrammarError, match=r"none\.bnf: a grammar file was wanted: No such file"):
        load(tmp_path / "none.bnf")


def test_file_that_is_not_utf8_is_a_grammar_error(tmp_path):
    path = tmp_path / "latin.bnf"
    path.write_bytes(b"<a> ::= \xe9")
    with pytest.raises(GrammarError, match=r"latin\.bnf: not UTF-8 text \(byte 8\)"):
        load(path)


def test_repetitions_of_one_symbol_may_have_different_lengths():
    grammar = parse("%version 1\n<a> ::= <b>*3 <b>*2 <b>+3 <b>+2\n<b> ::= x | y")
    assert [rule.symbol for rule in grammar.rules] == [
        "a", "b", "b*3", "b*2", "b*1", "b+3", "b+2",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("<a> @type(x) ::= w [n,float,{},0,1]", "a whole number above 0 was wanted, 65536 at most"),
        ("<a> @type(x) @cap({}) ::= w | <a> w", "a whole number from 0 to 1024 was wanted"),
        ("<a> @type(x) ::= <b>*{}\n<b> ::= w", "1 to 1024 times were wanted"),
        ("<a> ::= GE_RANGE:{}", "unknown range"),
    ],
)
@pytest.mark.parametrize("number", ["99999999", "9" * 5000])
def test_absurd_numbers_are_refused(text, what, number):
    with pytest.raises(GrammarError, match=what):
        parse(text.format(number))


@pytest.mark.parametrize("order", [1, -1])
def test_a_long_chain_of_rules_is_read_in_the_time_of_its_length(order):
    size = 3000  # a pass over all rules for each of them would take minutes
    rules = [f"<a{i}> ::= <a{i + 1}>" for i in range(size)] + [f"<a{size}> ::= x"]
    grammar = parse("\n".join([f"<s> ::= <a0> | <a{size}>", *rules[::order]]))
    assert grammar.depths("s") == (size + 1, 1)
