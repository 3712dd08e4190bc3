"""From alternatives that were chosen in any order to the codons that derive to them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from evogen.grammar.derivation import CODONS, expand
from evogen.grammar.model import Dynamic, Grammar, Numeric, Rule


def codons_of(
    grammar: Grammar,
    start: str,
    alternatives: Iterable[int],
    rng: np.random.Generator,
    context: Mapping[str, int] | None = None,
) -> tuple[int, ...]:
    """Return codons, all of them read, of the derivation that takes these alternatives.

    Args:
        grammar: see `derive`.
        start: see `derive`.
        alternatives: one for each symbol of the derivation, leftmost first, single ones too.
        rng: draws the codons of numbers and picks, uniformly, and each alternative's own uniformly among
            those that give it.
        context: see `derive`.
    """
    replaying = Replaying(iter(alternatives), rng)
    expand(grammar, start, replaying, context)
    return tuple(replaying.codons)


@dataclass
class Replaying:
    """Decides as it was told, see `codons_of`."""

    alternatives: Iterator[int]
    rng: np.random.Generator
    codons: list[int] = field(default_factory=list)

    @property
    def used(self) -> int:
        """The codons so far."""
        return len(self.codons)

    def alternative(self, rule: Rule, depth: int, among: tuple[int, ...]) -> int:  # noqa: ARG002
        """Take the next one, and draw one of the codons that give it."""
        chosen = next(self.alternatives)
        if len(among) > 1:
            self.codons.append(codon(among.index(chosen), len(among), self.rng))
        return chosen

    def value(self, numeric: Numeric) -> float:
        """Draw a codon."""
        self.codons.append(int(self.rng.integers(CODONS)))  # ~ U{0 .. CODONS - 1}
        return numeric.value(self.codons[-1] / (CODONS - 1))

    def pick(self, dynamic: Dynamic, count: int) -> int:  # noqa: ARG002
        """Draw an index, and one of the codons that give it."""
        index = int(self.rng.integers(max(count, 1)))  # ~ U{0 .. count - 1}
        self.codons.append(codon(index, max(count, 1), self.rng))
        return index if count else -1


def codon(index: int, n: int, rng: np.random.Generator) -> int:
    """Draw one of the codons that are `index` modulo n."""
    repeats = (CODONS - 1 - index) // n + 1
    return index + n * int(rng.integers(repeats))  # ~ U{codons that give `index`}
