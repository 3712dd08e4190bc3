"""What a grammar must satisfy beyond its syntax, so that every codon list derives to a finite tree."""

from __future__ import annotations

import math
from collections.abc import Iterator

from evogen.errors import near
from evogen.grammar.model import (
    Alternative,
    Item,
    Rule,
    Symbol,
    mentions,
    minimal_depths,
    outward,
    reach,
    starts,
)
from evogen.grammar.text import Place, Text

LONGEST = 2**16
"""Most symbols and terminals of the shallowest derivation of a symbol."""

Doubt = tuple[Place, str, str]
"""Where, what is odd, and what to do about it."""


def check(rules: tuple[Rule, ...], text: Text) -> None:
    """Raise the first thing that makes these rules no grammar.

    Raises:
        GrammarError: a duplicate rule, an undefined or never-ending symbol, a cap that cannot hold, a symbol
            that cannot end within LONGEST steps.
    """
    _duplicate_rules(rules, text)
    _undefined(rules, text)
    _unproductive(rules, text)
    _caps(rules, text)
    _endless(rules, text)


def doubts(rules: tuple[Rule, ...]) -> Iterator[Doubt]:
    """Iterate over what is probably a mistake: duplicate alternatives, then unreachable symbols."""
    yield from _duplicate_alternatives(rules)
    yield from _unreachable(rules)


def _duplicate_rules(rules: tuple[Rule, ...], text: Text) -> None:
    first: dict[str, Rule] = {}
    for rule in rules:
        other = first.setdefault(rule.symbol, rule)
        if other is not rule:
            what = f"<{rule.symbol}> is already defined in {text.near(rule.place, other.place)}"
            raise text.fault(rule.place, what=what, remedy="Join the two rules with '|', or rename one.")


def _undefined(rules: tuple[Rule, ...], text: Text) -> None:
    known = {rule.symbol for rule in rules}
    items = (item for rule in rules for alternative in rule.alternatives for item in alternative.items)
    for item in items:
        if isinstance(item, Symbol) and item.name not in known:
            what = f"<{item.name}> is not defined{near(item.name, known)}"
            remedy = f"Add a rule '<{item.name}> ::= ...', or mend the name."
            raise text.fault(item.place, what=what, remedy=remedy)


def _unproductive(rules: tuple[Rule, ...], text: Text) -> None:
    endless = {symbol for symbol, each in minimal_depths(rules).items() if min(each) == math.inf}
    edges = {rule.symbol: endless.intersection(mentions(rule)) for rule in rules}
    for rule in rules:  # the symbol to blame leads back to itself; others only lead to it
        if rule.symbol in endless and rule.symbol in reach(edges, edges[rule.symbol]):
            what = f"<{rule.symbol}> never ends: each of its alternatives leads to itself again"
            remedy = "Add an alternative that leads to terminals only."
            raise text.fault(rule.place, what=what, remedy=remedy)


def _caps(rules: tuple[Rule, ...], text: Text) -> None:
    for rule in rules:
        if rule.cap is None:
            continue
        ways_out = len(outward(rule, rules))
        if ways_out == 0:
            what = f"<{rule.symbol}> has a cap, but each of its alternatives can lead back to it"
            remedy = "Give it an alternative that cannot, or put @cap on the symbol that repeats."
            raise text.fault(rule.place, what=what, remedy=remedy)
        if ways_out == len(rule.alternatives):
            what = f"<{rule.symbol}> has a cap, but none of its alternatives leads back to it"
            raise text.fault(rule.place, what=what, remedy="Take @cap away; it limits recursion.")


def _duplicate_alternatives(rules: tuple[Rule, ...]) -> Iterator[Doubt]:
    for rule in rules:
        seen: dict[tuple[Item, ...], Alternative] = {}
        for alternative in rule.alternatives:
            other = seen.setdefault(alternative.items, alternative)
            if other is not alternative:
                what = f"an alternative of <{rule.symbol}> is written twice"
                remedy = "Write it once; a weight {2} makes it more likely in new genomes."
                yield alternative.place, what, remedy


def _unreachable(rules: tuple[Rule, ...]) -> Iterator[Doubt]:
    begin = starts(rules)
    found = reach({rule.symbol: mentions(rule) for rule in rules}, begin)
    for rule in rules:
        if rule.symbol not in found:
            what = f"<{rule.symbol}> is never used: not reachable from <{'>, <'.join(begin)}>"
            remedy = "Use it in a rule, remove it, or make it a start with @type(...) on its head."
            yield rule.place, what, remedy


def _endless(rules: tuple[Rule, ...], text: Text) -> None:
    """Refuse rules that double and double again, which even an empty list of codons would be derived to."""
    depths, size = minimal_depths(rules), dict[str, int]()
    for rule in sorted(rules, key=lambda rule: min(depths[rule.symbol])):
        shallowest = depths[rule.symbol].index(min(depths[rule.symbol]))
        items = rule.alternatives[shallowest].items
        size[rule.symbol] = 1 + sum(size[item.name] if isinstance(item, Symbol) else 1 for item in items)
        if size[rule.symbol] > LONGEST:
            what = f"<{rule.symbol}> stands for {LONGEST:,} symbols and words or more at least"
            raise text.fault(rule.place, what=what, remedy="Give it an alternative that ends sooner.")
