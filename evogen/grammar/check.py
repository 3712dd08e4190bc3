"""What a grammar must satisfy beyond its syntax, so that every codon list derives to a finite tree."""

from __future__ import annotations

import math
from typing import Protocol

from evogen.errors import GrammarError, near
from evogen.grammar.model import Place, Rule, Symbol, mentions, minimal_depths, reach, starts


class Fault(Protocol):
    """Makes an error that shows a place of the text."""

    def __call__(self, place: Place, /, *, what: str, remedy: str) -> GrammarError:
        """Return the error, to be raised by the caller."""
        ...


def check(rules: tuple[Rule, ...], fault: Fault) -> None:
    """Raise the first thing that is wrong.

    Raises:
        GrammarError: a duplicate rule or alternative; an undefined, never-ending or unreachable symbol.
    """
    _duplicate_rules(rules, fault)
    _duplicate_alternatives(rules, fault)
    _undefined(rules, fault)
    _unproductive(rules, fault)
    _unreachable(rules, fault)


def _duplicate_rules(rules: tuple[Rule, ...], fault: Fault) -> None:
    first: dict[str, Rule] = {}
    for rule in rules:
        other = first.setdefault(rule.symbol, rule)
        if other is not rule:
            what = f"<{rule.symbol}> is already defined in line {other.place.line}"
            raise fault(rule.place, what=what, remedy="Join the two rules with '|', or rename one.")


def _duplicate_alternatives(rules: tuple[Rule, ...], fault: Fault) -> None:
    for rule in rules:
        seen = set()
        for alternative in rule.alternatives:
            if alternative.items in seen:
                what = f"an alternative of <{rule.symbol}> is written twice"
                remedy = "Write it once; a weight {2} makes it more likely in new genomes."
                raise fault(alternative.place, what=what, remedy=remedy)
            seen.add(alternative.items)


def _undefined(rules: tuple[Rule, ...], fault: Fault) -> None:
    known = {rule.symbol for rule in rules}
    items = (item for rule in rules for alternative in rule.alternatives for item in alternative.items)
    for item in items:
        if isinstance(item, Symbol) and item.name not in known:
            what = f"<{item.name}> is not defined{near(item.name, known)}"
            raise fault(
                item.place, what=what, remedy=f"Add a rule '<{item.name}> ::= ...', or mend the name."
            )


def _unproductive(rules: tuple[Rule, ...], fault: Fault) -> None:
    endless = {symbol for symbol, each in minimal_depths(rules).items() if min(each) == math.inf}
    edges = {rule.symbol: endless.intersection(mentions(rule)) for rule in rules}
    for rule in rules:  # the symbol to blame leads back to itself; others only lead to it
        if rule.symbol in endless and rule.symbol in reach(edges, edges[rule.symbol]):
            what = f"<{rule.symbol}> never ends: each of its alternatives leads to itself again"
            remedy = "Add an alternative that leads to terminals only."
            raise fault(rule.place, what=what, remedy=remedy)


def _unreachable(rules: tuple[Rule, ...], fault: Fault) -> None:
    begin = starts(rules)
    found = reach({rule.symbol: mentions(rule) for rule in rules}, begin)
    for rule in rules:
        if rule.symbol not in found:
            what = f"<{rule.symbol}> is never used: not reachable from <{'>, <'.join(begin)}>"
            remedy = "Use it in a rule, remove it, or make it a start with @type(...) on its head."
            raise fault(rule.place, what=what, remedy=remedy)
