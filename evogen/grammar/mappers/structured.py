"""Structured Grammatical Evolution: a codon list for each non-terminal, each read in the order of need.

A list holds the alternatives that its symbol takes, one after the other, as indices: codons of [0, limit)
with limit the number of alternatives, so no two of them mean the same. (Any other codon is taken modulo the
limit, which keeps the mapping total.) A numeric or dynamic terminal counts as a non-terminal of its own, as
it would be in plain BNF; a number's limit is CODONS. A symbol without a choice has no list.

Lists are as long as they happen to be (dynamic SGE), but decoding never writes into them: a missing entry
stands for the shallowest alternative, the middle of a number's range, the first of a pick. A list that is
longer than its symbol is needed waits for a derivation that needs it.

Sources: Lourenço, Pereira and Costa 2016, "Unveiling the properties of structured grammatical evolution";
Lourenço et al. 2018 (dynamic SGE).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from evogen.grammar.derivation import CODONS, Node, counted, expand
from evogen.grammar.mappers.decisions import Decision, Part, decisions
from evogen.grammar.model import Dynamic, Grammar, Numeric, Rule, mentions, reach
from evogen.grammar.text import Place

Lists = tuple[tuple[int, ...], ...]
_Name = str | Place


class Slot(NamedTuple):
    """A list of the genome.

    Attributes:
        part: the rule whose alternatives it holds, or the numeric or dynamic terminal.
        limit: its codons are in [0, limit).
    """

    part: Part
    limit: int


def slots(grammar: Grammar, start: str, context: Mapping[str, int] | None = None) -> tuple[Slot, ...]:
    """Return what each list of a genome stands for, in the order of the grammar's text.

    Raises:
        GrammarError: an unknown start, or a name that the context lacks.
    """
    return tuple(Slot(part, _limit(grammar, part, context or {})) for part in _parts(grammar, start))


def decode(
    grammar: Grammar,
    start: str,
    lists: Sequence[Sequence[int]],
    context: Mapping[str, int] | None = None,
) -> Node:
    """Return the tree of a genome.

    Args:
        grammar: see `derive`.
        start: the symbol of the whole network.
        lists: one for each of `slots`.
        context: see `derive`.

    Raises:
        GrammarError: an unknown start, or a name that the context lacks.
    """
    parts = _parts(grammar, start)
    named = {_name(part): codons for part, codons in zip(parts, lists, strict=True)}
    return expand(grammar, start, _Reading(grammar, named), context)


def encode(grammar: Grammar, tree: Node, context: Mapping[str, int] | None = None) -> Lists:
    """Return the lists that decode to a tree, without an entry that is not read.

    Args:
        grammar: the tree's.
        tree: as `derive` gives it; a number that no codon gives becomes the nearest one.
        context: with which the tree was derived.
    """
    named: dict[_Name, list[int]] = {_name(part): [] for part in _parts(grammar, tree.symbol)}
    for decision in decisions(grammar, tree, context):
        named[_name(decision.part)].append(_entry(decision))
    return tuple(tuple(entries) for entries in named.values())


def needed(
    grammar: Grammar,
    start: str,
    lists: Sequence[Sequence[int]],
    context: Mapping[str, int] | None = None,
) -> tuple[int, ...]:
    """Return how many entries of each list the genome's tree asks for, those that are missing too."""
    tree = decode(grammar, start, lists, context)
    return tuple(len(entries) for entries in encode(grammar, tree, context))


@lru_cache(maxsize=64)
def _parts(grammar: Grammar, start: str) -> tuple[Part, ...]:
    grammar.start(start)
    reached = reach({rule.symbol: mentions(rule) for rule in grammar.rules}, [start])
    found: dict[_Name, Part] = {}
    for rule in (rule for rule in grammar.rules if rule.symbol in reached):
        if len(rule.alternatives) > 1:
            found[rule.symbol] = rule
        items = (item for alternative in rule.alternatives for item in alternative.items)
        found |= {item.place: item for item in items if isinstance(item, Numeric | Dynamic)}
    return tuple(found.values())


def _name(part: Part) -> _Name:
    """Return what tells the parts of one grammar apart: a rule's symbol, the place of a terminal."""
    return part.symbol if isinstance(part, Rule) else part.place


def _limit(grammar: Grammar, part: Part, context: Mapping[str, int]) -> int:
    match part:
        case Rule():
            return len(part.alternatives)
        case Numeric():
            return CODONS
        case Dynamic():
            return max(counted(grammar, part, context), 1)


def _entry(decision: Decision) -> int:
    return decision.among[decision.outcome] if decision.among else decision.outcome


@dataclass
class _Reading:
    """Decides as the lists say."""

    grammar: Grammar
    lists: Mapping[_Name, Sequence[int]]
    read: Counter[_Name] = field(default_factory=Counter)

    @property
    def used(self) -> int:
        return self.read.total()

    def alternative(self, rule: Rule, depth: int, among: tuple[int, ...]) -> int:  # noqa: ARG002
        if len(among) == 1:
            return among[0]
        entry = self._next(rule)
        if entry is None:
            return min(among, key=self.grammar.depths(rule.symbol).__getitem__)
        index = entry % len(rule.alternatives)
        return index if index in among else among[index % len(among)]

    def value(self, numeric: Numeric) -> float:
        entry = self._next(numeric)
        return numeric.value(0.5 if entry is None else entry / (CODONS - 1))

    def pick(self, dynamic: Dynamic, count: int) -> int:
        entry = self._next(dynamic)
        return (entry or 0) % count if count else -1

    def _next(self, part: Part) -> int | None:
        name = _name(part)
        at, own = self.read[name], self.lists[name]
        if at == len(own):
            return None
        self.read[name] += 1
        return own[at]
