"""From a grammar's text to the trees of its rules, in one of two dialects.

A text with an annotation on a head or a directive is read strictly (meta.lark). Any other is plain BNF, as
other systems write it (plain.lark): there more characters may stand in a word, an alternative may be left
empty, and what only looks like a mistake is noted instead of refused.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Literal

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedCharacters, UnexpectedToken

from evogen.grammar.directives import blanked, directed
from evogen.grammar.text import Place, Text

NUMERIC = "A numeric terminal is: [name,int|float|log,count,min,max] or [name,choice,count,value,value,...]."
_SYNTAX = f"""A rule is: <name> @type(name) ::= item item {{weight}} | item item ...
An item is: <name>, <name>* <name>+ <name>?, a word, a "quoted string" ("" stands for nothing), or a number.
{NUMERIC}"""
_LABELS = {
    "HEAD": "a rule '<name> ::='",
    "SYMBOL": "a <symbol>",
    "REPEATED": "",
    "WORD": "a word",
    "STRING": "a quoted string",
    "NAME": "a name",
    "NUMBER": "a number",
    "OPEN": "'['",
    "WEIGHT": "'{'",
    "$END": "the end of the file",
}
_UNSEEN = re.compile(r""""[^"\n]*"|'[^'\n]*'|#[^\n]*""")
_ANNOTATION = re.compile(r"<[^<>\s]+>\s*@\w+\s*\(|@(?:type|cap|dynamic)\b")

Dialect = Literal["meta", "plain"]


def dialect(text: Text) -> Dialect:
    """Return how a text is to be read."""
    annotated = _ANNOTATION.search(_UNSEEN.sub("", text.content)) is not None
    return "meta" if annotated or directed(text) else "plain"


def tree(text: Text, dialect: Dialect) -> Tree[Token]:
    """Return the tree of all rules.

    Raises:
        GrammarError: a syntax error, a directive that cannot be followed.
    """
    language = _language(dialect)
    try:
        return language.parse(text.content if dialect == "plain" else blanked(text))
    except UnexpectedToken as error:
        token, wanted = error.token, set(error.expected)
        ended = token.type == "$END"
        at = Place(token.end_line or 1, token.end_column or 1) if ended else place(token)
        found = "the end of the file" if ended else f"'{token}'"
        raise text.fault(
            at, what=f"found {found}, wanted {_labels(language, wanted)}", remedy=_SYNTAX
        ) from error
    except UnexpectedCharacters as error:
        what = f"found '{error.char}', wanted {_labels(language, set(error.allowed or ()))}"
        raise text.fault(Place(error.line, error.column), what=what, remedy=_SYNTAX) from error


def subtrees(tree: Tree[Token]) -> list[Tree[Token]]:
    """Return the children that are trees."""
    return [child for child in tree.children if isinstance(child, Tree)]


def tokens(tree: Tree[Token]) -> list[Token]:
    """Return the children that are tokens."""
    return [child for child in tree.children if isinstance(child, Token)]


def place(token: Token) -> Place:
    """Return where a token begins."""
    return Place(token.line or 1, token.column or 1)


@cache
def _language(dialect: Dialect) -> Lark:
    return Lark.open_from_package("evogen.grammar", f"{dialect}.lark", parser="lalr")


def _labels(language: Lark, terminals: set[str]) -> str:
    names = [label for name, label in _LABELS.items() if name in terminals and label]
    marks = sorted(str(language.get_terminal(name).pattern.value) for name in terminals - _LABELS.keys())
    return " or ".join(names + [f"'{mark}'" for mark in marks])
