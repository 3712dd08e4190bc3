"""What was decided in a tree, in the order in which codons are read; the way back from trees to codons."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from evogen.grammar.derivation import CODONS, Node, Number, Pick, expand
from evogen.grammar.model import Dynamic, Grammar, Numeric, Rule

Part = Rule | Numeric | Dynamic


class Decision(NamedTuple):
    """One choice that takes a codon.

    Attributes:
        part: what was decided: a rule's alternative, a number, a pick.
        among: the alternatives of a rule that were open, else empty.
        limit: how many outcomes there were; CODONS for a number.
        outcome: a place in `among`, the index of a pick, or the codon of a number.
    """

    part: Part
    among: tuple[int, ...]
    limit: int
    outcome: int


def decisions(grammar: Grammar, tree: Node, context: Mapping[str, int] | None = None) -> list[Decision]:
    """Return what was decided in a tree.

    A number that no codon gives (the middle of a range, where codons had run out) counts as the nearest that
    one gives.

    Args:
        grammar: the tree's.
        tree: as `derive` gives it.
        context: with which the tree was derived.

    Raises:
        GrammarError: the tree's root is no start symbol, or the context lacks a name.
    """
    following = _Following(_outcomes(tree))
    expand(grammar, tree.symbol, following, context)
    return following.made


def name(part: Part) -> str:
    """Return how the class of a decision is shown: <symbol>, [number] or (context)."""
    match part:
        case Rule():
            return f"<{part.symbol}>"
        case Numeric():
            return f"[{part.name}]"
        case Dynamic():
            return f"({part.context})"


def codon(numeric: Numeric, value: float) -> int:
    """Return the codon that gives a number, the middle one of several; the nearest one where none does."""
    return round(numeric.unit(value) * (CODONS - 1))


def _outcomes(tree: Node) -> Iterator[float]:
    for part in tree.walk():
        match part:
            case Node():
                yield part.alternative
            case Number():
                yield from part.values
            case Pick():
                yield part.index


@dataclass
class _Following:
    """Decides as a tree did, and takes notes."""

    outcomes: Iterator[float]
    made: list[Decision] = field(default_factory=list)

    @property
    def used(self) -> int:
        return len(self.made)

    def alternative(self, rule: Rule, depth: int, among: tuple[int, ...]) -> int:  # noqa: ARG002
        chosen = int(next(self.outcomes))
        if len(among) > 1:
            self.made.append(Decision(rule, among, len(among), among.index(chosen)))
        return chosen

    def value(self, numeric: Numeric) -> float:
        value = next(self.outcomes)
        self.made.append(Decision(numeric, (), CODONS, codon(numeric, value)))
        return value

    def pick(self, dynamic: Dynamic, count: int) -> int:
        index = int(next(self.outcomes))
        self.made.append(Decision(dynamic, (), max(count, 1), max(index, 0)))
        return index
