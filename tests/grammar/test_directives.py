import os

import pytest

from evogen.errors import GrammarError
from evogen.grammar import derive, load, parse

MAIN = """# a comment
%include "parts/base.bnf"   # where <b> is
<a> @type(t) ::= <b> | <c>
<c> ::= end
"""
BASE = '%include "deep.bnf"\n<b> ::= x <d>\n'
DEEP = "<d> ::= y | z"


@pytest.fixture
def tree(tmp_path):
    (tmp_path / "parts").mkdir()
    for name, text in {"main.bnf": MAIN, "parts/base.bnf": BASE, "parts/deep.bnf": DEEP}.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def refusal(path):
    with pytest.raises(GrammarError) as caught:
        load(path)
    return str(caught.value)


def test_included_rules_stand_where_the_include_stood(tree):
    grammar = load(tree / "main.bnf")
    assert [rule.symbol for rule in grammar.rules] == ["d", "b", "a", "c"]
    assert str(derive(grammar, "a", [0, 1])) == "x z"


def test_the_text_of_a_grammar_needs_no_other_file(tree):
    grammar = load(tree / "main.bnf")
    again = parse(grammar.text, "grammar.bnf")
    assert again == grammar
    assert again.text == grammar.text
    assert "include" not in grammar.text


def test_a_plain_file_keeps_its_meaning_when_included(tmp_path):
    (tmp_path / "a.bnf").write_text('%include "b.bnf"\n')
    (tmp_path / "b.bnf").write_text("<x> ::= a <y>*\n<y> ::= b")
    grammar = load(tmp_path / "a.bnf")
    assert len(grammar.rules) == 2 + 8
    assert parse(grammar.text) == grammar


def test_errors_show_the_file_and_line_that_hold_the_fault(tree):
    (tree / "parts/deep.bnf").write_text("\n<d> ::= y\n  | [w,int,1,3,2]")
    where = tree / "parts/deep.bnf"
    assert refusal(tree / "main.bnf").split("\n")[:3] == [
        f"{where}:3:14: empty range: min 3 is above max 2",
        "    | [w,int,1,3,2]",
        "               ^",
    ]
    (tree / "parts/deep.bnf").write_text("<d> ::= y")
    (tree / "main.bnf").write_text(MAIN + "<e> ::= <f>\n")
    assert refusal(tree / "main.bnf").startswith(f"{tree / 'main.bnf'}:5:9: <f> is not defined")
    (tree / "main.bnf").write_text(MAIN + "<b> ::= y\n")
    wanted = f"{tree / 'main.bnf'}:5:1: <b> is already defined in {tree / 'parts/base.bnf'}:2\n"
    assert refusal(tree / "main.bnf").startswith(wanted)


def test_a_file_included_twice_stands_once(tree):
    (tree / "main.bnf").write_text('%include "parts/deep.bnf"\n' + MAIN)
    assert [rule.symbol for rule in load(tree / "main.bnf").rules] == ["d", "b", "a", "c"]


@pytest.mark.parametrize(
    ("line", "column", "what"),
    [
        ('%include "none.bnf"', 1, "there is no file"),
        ('  %include "parts"', 3, "there is no file"),
        ("%include base.bnf", 1, "a quoted file name was wanted"),
        ('%include "/etc/passwd"', 1, "'/etc/passwd' is an absolute path"),
        (r'%include "C:\base.bnf"', 1, r"'C:\base.bnf' is an absolute path"),
        ('%include "~/base.bnf"', 1, "'~/base.bnf' is an absolute path"),
        ('%include "main.bnf"', 1, "main.bnf includes itself"),
        (f'%include "{"x" * 300}"', 1, "there is no file"),
        ('%include "a\0b"', 1, "a quoted file name was wanted"),
        ("%version 2", 1, "version 2, 1 was wanted"),
        ("%version", 1, "no version, 1 was wanted"),
        ('%includ "base.bnf"', 1, "unknown directive '%includ'; did you mean 'include'?"),
    ],
)
def test_directives_that_cannot_be_followed_are_refused_with_their_place(tree, line, column, what):
    (tree / "main.bnf").write_text(f"<a> @type(t) ::= x\n{line}\n")
    first, shown, caret, *_ = refusal(tree / "main.bnf").split("\n")
    assert first.startswith(f"{tree / 'main.bnf'}:2:{column}: ")
    assert what in first
    assert (shown, caret) == (f"  {line}", f"  {' ' * (column - 1)}^")


def test_a_cycle_of_includes_is_refused(tree):
    (tree / "parts/deep.bnf").write_text('%include "../main.bnf"\n')
    first = refusal(tree / "main.bnf").split("\n")[0]
    assert first.startswith(f"{tree / 'parts/deep.bnf'}:1:1: ")
    assert first.endswith("main.bnf includes itself")


def test_a_cycle_through_a_link_is_refused(tmp_path):
    (tmp_path / "a.bnf").write_text('%include "b.bnf"\n<a> ::= x\n')
    os.symlink(tmp_path / "a.bnf", tmp_path / "b.bnf")
    assert "includes itself" in refusal(tmp_path / "a.bnf")


def test_a_link_to_itself_and_a_long_chain_of_files_are_refused(tmp_path):
    os.symlink(tmp_path / "loop.bnf", tmp_path / "loop.bnf")
    assert "loop.bnf: a grammar file was wanted" in refusal(tmp_path / "loop.bnf")
    (tmp_path / "a.bnf").write_text('%include "loop.bnf"')
    assert "there is no file" in refusal(tmp_path / "a.bnf")
    for i in range(60):
        (tmp_path / f"{i}.bnf").write_text(f'%include "{i + 1}.bnf"\n')
    assert "50.bnf:1:1: more than 50 files include each other" in refusal(tmp_path / "0.bnf")


def test_an_include_in_a_text_without_a_file_is_refused():
    with pytest.raises(GrammarError, match=r"^<text>:1:1: an include, but this text is no file"):
        parse('%include "base.bnf"\n<a> ::= x')


def test_a_file_that_is_not_utf8_is_named(tree):
    (tree / "parts/deep.bnf").write_bytes(b"<d> ::= \xe9")
    assert refusal(tree / "main.bnf").startswith(f"{tree / 'parts/deep.bnf'}: not UTF-8 text (byte 8)")
