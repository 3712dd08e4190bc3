"""Text for a terminal: numbers, and words of a run that cannot move the cursor, colour the screen or hide."""

from __future__ import annotations

import re
import unicodedata

_KEPT = "\n\t"
_SUSPECT = re.compile(r"[^\n\t\x20-\x7e\xa0-\u05ff]")  # what is worth a look: all else is shown as it is
_HIDDEN = ("Cc", "Cf", "Cs", "Zl", "Zp")


def plain(text: str) -> str:
    r"""Return the text with control, format and lone surrogate characters written out, as in `\x1b`.

    Line ends and tabs stay. Format characters are those that turn the direction of writing, or show nothing.
    """
    return _SUSPECT.sub(_written, text)


def number(value: float | None) -> str:
    """Return four significant digits, or '-' for None."""
    return "-" if value is None else f"{value:.4g}"


def _written(found: re.Match[str]) -> str:
    sign = found[0]
    if unicodedata.category(sign) not in _HIDDEN:
        return sign
    return sign.encode("unicode_escape").decode()
