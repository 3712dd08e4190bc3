"""The text of a grammar: the places in it, and the faults that are shown there.

A file that includes others becomes one text, which needs them no more; a place in it is shown under the name
and the line of the file that it came from.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from evogen.errors import GrammarError


class Place(NamedTuple):
    """A place in a grammar's text, both counted from 1."""

    line: int
    column: int


class Origin(NamedTuple):
    """From line `first` of the text on, its lines are those of a file from line `line` on."""

    first: int
    source: str
    line: int


@dataclass(frozen=True)
class Text:
    """A grammar's text, without the rules in it.

    Attributes:
        source: the name that messages show, usually a path.
        content: all lines.
        origins: where they come from, in order of `first`; empty: all from `source`.
    """

    source: str
    content: str
    origins: tuple[Origin, ...] = ()

    def where(self, place: Place) -> str:
        """Return `file:line:column`."""
        source, line = self._origin(place)
        return f"{source}:{line}:{place.column}"

    def near(self, place: Place, other: Place) -> str:
        """Return how to speak of another place to a reader of this one: `line 3`, or `base.bnf:3`."""
        source, line = self._origin(other)
        return f"line {line}" if source == self._origin(place)[0] else f"{source}:{line}"

    def fault(self, place: Place, *, what: str, remedy: str) -> GrammarError:
        """Return an error: `file:line:column: what`, the line with a caret under the column, the remedy."""
        line = self.content.split("\n")[place.line - 1].rstrip("\r")
        blanks = "".join("\t" if character == "\t" else " " for character in line[: place.column - 1])
        return GrammarError(f"{self.where(place)}: {what}\n  {line}\n  {blanks}^\n{remedy}")

    def _origin(self, place: Place) -> tuple[str, int]:
        source, line = self.source, place.line
        for origin in self.origins:
            if origin.first <= place.line:
                source, line = origin.source, origin.line + place.line - origin.first
        return source, line
