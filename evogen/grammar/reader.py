"""From the text of a grammar file (annotated or plain BNF, see `syntax`) to a checked Grammar."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from itertools import pairwise
from os import PathLike
from pathlib import Path
from typing import cast

from lark import Token, Tree

from evogen.errors import near
from evogen.grammar import repeats
from evogen.grammar.check import check, doubts
from evogen.grammar.directives import read
from evogen.grammar.model import Alternative, Dynamic, Grammar, Item, Rule, Symbol, Word
from evogen.grammar.numerals import numeric, ranged
from evogen.grammar.syntax import Dialect, dialect, place, subtrees, tokens, tree
from evogen.grammar.text import Place, Text

_ANNOTATIONS = {"type": "NAME", "cap": "NUMBER", "dynamic": "NAME"}  # and what each takes
_HEAD = "A head may carry, once each: @type(name), @cap(whole number), @dynamic(name)."
_COMPUTED = "A dynamic rule is: <name> @dynamic(context) ::= ... with the three dots and nothing else."
_REPEATED = (
    f"<x>*5 is up to 5 of <x>, <x>+5 is 1 to 5, <x>? is 0 or 1; without a number up to {repeats.MOST}."
)
_MARKED = re.compile(r"^<(?P<symbol>[^<>]+)>(?P<mark>[*+?])(?P<most>\d*)$")
_MOST = 1024  # repetitions, and nestings under a cap
_DIGITS = 9  # of a number that is looked at: int refuses thousands of them


def load(path: str | PathLike[str]) -> Grammar:
    """Read a grammar file, UTF-8, and what it includes.

    Raises:
        GrammarError: no such file, not UTF-8, or anything that `parse` raises.
    """
    return _grammar(read(Path(path)))


def parse(text: str, source: str = "<text>") -> Grammar:
    """Read a grammar; `source` is the name that messages show.

    Raises:
        GrammarError: a syntax error, an impossible numeric terminal or weight, an unknown annotation or
            version, a duplicate rule, an undefined or never-ending symbol; where a head carries an annotation
            or the text a directive, a duplicate alternative or an unreachable symbol too, which are only
            noted in plain BNF.
    """
    return _grammar(Text(source, text))


def _grammar(text: Text) -> Grammar:
    language = dialect(text)
    reading = _Reading(text, language)
    written = [reading.rule(each) for each in subtrees(tree(text, language))]
    repeated = {rule.symbol: rule for each in reading.repeated.values() for rule in each}
    rules = (*written, *repeated.values())
    check(rules, text)
    for at, what, remedy in doubts(rules):
        if language == "meta":
            raise text.fault(at, what=what, remedy=remedy)
        reading.note(at, what)
    return Grammar(rules, text.content, text.source, text.origins, tuple(reading.notes))


def _is_cap(token: Token) -> bool:
    return token.isdecimal() and len(token) <= _DIGITS and int(token) <= _MOST


@dataclass
class _Reading:
    """Makes rules of trees; holds what they need besides, and what is to be said of them.

    Attributes:
        text: what is read.
        language: its dialect.
        repeated: the rules of every repetition, by its symbol.
        notes: what is no fault in plain BNF, but may be a mistake.
    """

    text: Text
    language: Dialect
    repeated: dict[str, tuple[Rule, ...]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def note(self, at: Place, what: str) -> None:
        self.notes.append(f"{self.text.where(at)}: {what}")

    def rule(self, tree: Tree[Token]) -> Rule:
        head = cast("Token", tree.children[0])
        said = self._annotations([part for part in subtrees(tree) if part.data == "annotation"])
        written = [part for part in subtrees(tree) if part.data == "alternative"]
        alternatives = [each for part in written for each in self._alternatives(part, place(head))]
        if not alternatives:
            what = f"{head} has no alternative"
            raise self.text.fault(place(head), what=what, remedy='Write one; "" stands for nothing.')
        if "dynamic" in said:
            alternatives = [self._computed(str(said["dynamic"]), alternatives, place(head))]
        kind = str(said["type"]) if "type" in said else None
        cap = int(said["cap"]) if "cap" in said else None
        return Rule(head[1:-1], kind, tuple(alternatives), place(head), cap)

    def _annotations(self, written: list[Tree[Token]]) -> dict[str, Token]:
        said: dict[str, Token] = {}
        for name, value in (tokens(annotation) for annotation in written):
            if name not in _ANNOTATIONS or name in said:
                unknown = f"unknown annotation '{name}'{near(name, _ANNOTATIONS)}"
                what = f"a second @{name}" if name in said else unknown
                raise self.text.fault(place(name), what=what, remedy=_HEAD)
            if value.type != _ANNOTATIONS[name] or (name == "cap" and not _is_cap(value)):
                wanted = f"a whole number from 0 to {_MOST}" if name == "cap" else "a name"
                what = f"@{name}({value}): {wanted} was wanted"
                raise self.text.fault(place(value), what=what, remedy=_HEAD)
            said[str(name)] = value
        return said

    def _computed(self, context: str, alternatives: list[Alternative], head: Place) -> Alternative:
        items = [item for alternative in alternatives for item in alternative.items]
        if len(items) != 1 or not isinstance(items[0], Word) or items[0].text != "...":
            what = "a dynamic rule with alternatives of its own"
            raise self.text.fault(head, what=what, remedy=_COMPUTED)
        return Alternative((Dynamic(context, items[0].place),), 1.0, items[0].place)

    def _alternatives(self, tree: Tree[Token], head: Place) -> list[Alternative]:
        """Return the alternatives that one stands for; none where it is left empty, as plain BNF may."""
        parts = subtrees(tree)
        weight = 1.0
        if parts and parts[-1].data == "weight":
            weight = self._weight(tokens(parts.pop())[0])
        if not parts:
            self.note(head, "an alternative without anything is left out")
            return []
        self._look_at_marks(parts)
        at = place(tokens(parts[0])[0])
        items = tuple(self._item(part) for part in parts if tokens(part)[0] not in ('""', "''"))
        if parts[0].data == "word":
            return [Alternative(each, weight, at) for each in ranged(items, self.text)]
        return [Alternative(items, weight, at)]

    def _weight(self, token: Token) -> float:
        weight = float(token.strip("{} \t\r\n"))
        if not 0 < weight < math.inf:
            remedy = "A weight is a finite number above 0; 1 where none is written."
            raise self.text.fault(place(token), what=f"weight {token}", remedy=remedy)
        return weight

    def _item(self, tree: Tree[Token]) -> Item:
        first, *_ = tokens(tree)
        match tree.data:
            case "symbol":
                return Symbol(first[1:-1], place(first))
            case "repeated":
                return self._repeated(first)
            case "word":
                return Word(str(first), place(first))
            case "string":
                return Word(first[1:-1], place(first))
            case _:
                return numeric(tokens(tree), self.text)

    def _repeated(self, token: Token) -> Symbol:
        match = _MARKED.match(token)
        assert match is not None  # the terminal REPEATED says the same
        symbol, mark, said = match["symbol"], match["mark"], match["most"]
        if (mark == "?" and said) or len(said) > _DIGITS or not (1 <= int(said or repeats.MOST) <= _MOST):
            what = f"{token}: {'? takes no number' if mark == '?' else f'1 to {_MOST} times were wanted'}"
            raise self.text.fault(place(token), what=what, remedy=_REPEATED)
        most = 1 if mark == "?" else int(said or repeats.MOST)
        whole = repeats.name(symbol, mark, most)
        if whole not in self.repeated:
            self.repeated[whole] = repeats.rules(symbol, mark, most, place(token))
        return Symbol(whole, place(token))

    def _look_at_marks(self, parts: list[Tree[Token]]) -> None:
        """Refuse `<x>*y`, of which nobody knows what it says; in plain BNF note `<x>* y`, a word there."""
        for i, (part, after) in enumerate(pairwise(parts)):
            first, second = tokens(part)[0], tokens(after)[0]
            if part.data != "symbol" or after.data != "word" or first.end_pos != second.start_pos:
                continue
            if self.language == "meta" and second[0] in "*+?":
                what = f"'{second}' right behind {first}: a repetition, or a word?"
                remedy = f"Write a blank or quotes for a word. {_REPEATED}"
                raise self.text.fault(place(second), what=what, remedy=remedy)
            alone = i + 2 == len(parts) or tokens(parts[i + 2])[0].start_pos != second.end_pos
            if self.language == "plain" and second in ("*", "+", "?") and alone:
                self.note(
                    place(second), f"'{second}' behind {first} is a word; %version 1 makes it a repetition"
                )
