"""From the text of a grammar file (annotated BNF, see meta.lark) to a checked Grammar."""

from __future__ import annotations

import math
from functools import cache, partial
from os import PathLike
from pathlib import Path
from typing import cast

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedCharacters, UnexpectedToken

from evogen.errors import GrammarError, near
from evogen.grammar.check import Fault, check
from evogen.grammar.model import (
    Alternative,
    Grammar,
    Item,
    Numeric,
    Place,
    Rule,
    Scale,
    Symbol,
    Word,
    located,
)

_NUMERIC = "A numeric terminal is: [name,int|float|log,count,min,max]."
_SYNTAX = f"""A rule is: <name> @type(name) ::= item item {{weight}} | item item ...
An item is: <name>, a word, a "quoted string" ("" stands for nothing), or a numeric terminal.
{_NUMERIC}"""
_LABELS = {
    "HEAD": "a rule '<name> ::='",
    "SYMBOL": "a <symbol>",
    "WORD": "a word",
    "STRING": "a quoted string",
    "NAME": "a name",
    "NUMBER": "a number",
    "$END": "the end of the file",
}


def load(path: str | PathLike[str]) -> Grammar:
    """Read a grammar file, UTF-8.

    Raises:
        GrammarError: no such file, not UTF-8, or anything that `parse` raises.
    """
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise GrammarError(f"{path}: a grammar file was wanted: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise GrammarError(f"{path}: not UTF-8 text (byte {error.start}); save the file as UTF-8") from error
    return parse(text, str(path))


def parse(text: str, source: str = "<text>") -> Grammar:
    """Read a grammar; `source` is the name that messages show.

    Raises:
        GrammarError: a syntax error, an impossible numeric terminal or weight, an unknown annotation, a
            duplicate rule or alternative, an undefined, never-ending or unreachable symbol.
    """
    fault = partial(located, source, text)
    rules = tuple(_rule(tree, fault) for tree in _subtrees(_tree(text, fault)))
    check(rules, fault)
    return Grammar(rules, text, source)


@cache
def _meta() -> Lark:
    return Lark.open_from_package("evogen.grammar", "meta.lark", parser="lalr")


def _tree(text: str, fault: Fault) -> Tree[Token]:
    try:
        return _meta().parse(text)
    except UnexpectedToken as error:
        token, wanted = error.token, set(error.expected)
        ended = token.type == "$END"
        place = Place(token.end_line or 1, token.end_column or 1) if ended else _place(token)
        found = "the end of the file" if ended else f"'{token}'"
        raise fault(place, what=f"found {found}, wanted {_labels(wanted)}", remedy=_SYNTAX) from error
    except UnexpectedCharacters as error:
        wanted = set(error.allowed or ())
        what = f"found '{error.char}', wanted {_labels(wanted)}"
        raise fault(Place(error.line, error.column), what=what, remedy=_SYNTAX) from error


def _labels(terminals: set[str]) -> str:
    names = [_LABELS[name] for name in _LABELS if name in terminals]
    marks = sorted(str(_meta().get_terminal(name).pattern.value) for name in terminals - _LABELS.keys())
    return " or ".join(names + [f"'{mark}'" for mark in marks])


def _rule(tree: Tree[Token], fault: Fault) -> Rule:
    head = cast("Token", tree.children[0])
    annotations = [part for part in _subtrees(tree) if part.data == "annotation"]
    alternatives = tuple(_alternative(part, fault) for part in _subtrees(tree) if part.data == "alternative")
    return Rule(head[1:-1], _type(annotations, fault), alternatives, _place(head))


def _type(annotations: list[Tree[Token]], fault: Fault) -> str | None:
    types: list[str] = []
    for name, value in (_tokens(annotation) for annotation in annotations):
        if name != "type" or types:
            what = (
                "a second @type" if name == "type" else f"unknown annotation '{name}'{near(name, ['type'])}"
            )
            raise fault(_place(name), what=what, remedy="A head may carry one annotation: @type(name).")
        types.append(str(value))
    return types[0] if types else None


def _alternative(tree: Tree[Token], fault: Fault) -> Alternative:
    parts = _subtrees(tree)
    weight = 1.0
    if parts[-1].data == "weight":
        (token,) = _tokens(parts.pop())
        weight = float(token)
        if not 0 < weight < math.inf:
            remedy = "A weight is a finite number above 0; 1 where none is written."
            raise fault(_place(token), what=f"weight {token}", remedy=remedy)
    items = tuple(_item(part, fault) for part in parts if _tokens(part)[0] not in ('""', "''"))
    return Alternative(items, weight, _place(_tokens(parts[0])[0]))


def _item(tree: Tree[Token], fault: Fault) -> Item:
    first, *_ = _tokens(tree)
    match tree.data:
        case "symbol":
            return Symbol(first[1:-1], _place(first))
        case "word":
            return Word(str(first), _place(first))
        case "string":
            return Word(first[1:-1], _place(first))
        case _:
            return _numeric(_tokens(tree), fault)


def _numeric(tokens: list[Token], fault: Fault) -> Numeric:
    opening, name, scale, count, low, high = tokens
    if scale not in list(Scale):
        what = f"unknown kind of number '{scale}'{near(scale, list(Scale))}"
        raise fault(_place(scale), what=what, remedy=_NUMERIC)
    if not (count.isdecimal() and int(count) > 0):
        what = f"[{name},...] stands for {count} numbers, a whole number above 0 was wanted"
        raise fault(_place(count), what=what, remedy=_NUMERIC)
    for bound in (low, high):
        if not math.isfinite(float(bound)) or (scale == Scale.INT and not float(bound).is_integer()):
            what = f"bound {bound} of [{name},{scale},...]: a finite number was wanted, a whole one for int"
            raise fault(_place(bound), what=what, remedy=_NUMERIC)
    _check_range(low, high, Scale(scale), fault)
    return Numeric(str(name), Scale(scale), int(count), float(low), float(high), _place(opening))


def _check_range(low: Token, high: Token, scale: Scale, fault: Fault) -> None:
    if float(low) > float(high):
        remedy = "Write the smaller bound first."
        raise fault(_place(low), what=f"empty range: min {low} is above max {high}", remedy=remedy)
    if scale is Scale.LOG and float(low) <= 0:
        remedy = "Raise min above 0, or use float."
        raise fault(_place(low), what=f"log scale from {low}: min must be above 0", remedy=remedy)


def _subtrees(tree: Tree[Token]) -> list[Tree[Token]]:
    return [child for child in tree.children if isinstance(child, Tree)]


def _tokens(tree: Tree[Token]) -> list[Token]:
    return [child for child in tree.children if isinstance(child, Token)]


def _place(token: Token) -> Place:
    return Place(token.line or 1, token.column or 1)
