"""What an alternative is made of: mentions of symbols, and terminals."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import StrEnum

from evogen.grammar.text import Place


@dataclass(frozen=True, slots=True)
class Symbol:
    """A mention of a rule, `<name>`."""

    name: str
    place: Place = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Word:
    """A terminal that stands for itself: `layer:dense`, a plain word, or the content of a quoted string."""

    text: str
    place: Place = field(compare=False, repr=False)

    @property
    def kind(self) -> str:
        """What stands before the first colon; empty without one."""
        return self.text.split(":", 1)[0] if ":" in self.text else ""

    @property
    def name(self) -> str:
        """What stands after the first colon; the whole text without one."""
        return self.text.split(":", 1)[-1]


class Scale(StrEnum):
    """How a numeric terminal spreads its codons over its range."""

    INT = "int"
    FLOAT = "float"
    LOG = "log"
    CHOICE = "choice"


_FLOAT, _LOG, _CHOICE = Scale.FLOAT, Scale.LOG, Scale.CHOICE  # a look-up in an enum costs more than the sum


@dataclass(frozen=True, slots=True)
class Numeric:
    """A terminal that stands for `count` numbers, each in [low, high] or one of `values`.

    Written `[name,int|float|log,count,low,high]` or `[name,choice,count,value,value,...]`.
    """

    name: str
    scale: Scale
    count: int
    low: float
    high: float
    place: Place = field(compare=False, repr=False)
    values: tuple[float, ...] = ()

    def value(self, unit: float) -> float:
        """Return the number at this point of [0, 1].

        int: one of high - low + 1 equal shares; choice: one of as many equal shares as there are values;
        float: linear; log: geometric, low^(1 - unit) high^unit.
        """
        scale, low, high = self.scale, self.low, self.high
        if scale is _FLOAT:
            spread = low * (1 - unit) + high * unit
        elif scale is _LOG:
            spread = math.pow(low, 1 - unit) * math.pow(high, unit)
        elif scale is _CHOICE:
            return self.values[min(int(unit * len(self.values)), len(self.values) - 1)]
        else:
            return int(min(int(low) + int(unit * (int(high) - int(low) + 1)), high))
        return low if spread < low else min(spread, high)

    def unit(self, value: float) -> float:
        """Return the point of [0, 1] of one of its numbers; of one with a share, the middle of that."""
        if self.scale is Scale.CHOICE:
            return (self.values.index(value) + 0.5) / len(self.values)
        if self.scale is Scale.INT:
            return (value - int(self.low) + 0.5) / (int(self.high) - int(self.low) + 1)
        if self.low == self.high:
            return 0.5
        low, high, at = self.low / 2, self.high / 2, value / 2  # high - low may be too large for a float
        if self.scale is Scale.LOG:
            low, high, at = math.log(self.low), math.log(self.high), math.log(value)
        return min(max((at - low) / (high - low), 0.0), 1.0)


@dataclass(frozen=True, slots=True)
class Dynamic:
    """A terminal that stands for one of as many things as the context counts under this name.

    It is the whole of a rule `<symbol> @dynamic(context) ::= ...`.
    """

    context: str
    place: Place = field(compare=False, repr=False)


Item = Symbol | Word | Numeric | Dynamic
