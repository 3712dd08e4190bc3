from collections.abc import Callable
from pathlib import Path

import pytest

from evogen.errors import GrammarError
from evogen.grammar import Grammar, load, parse

MARK = "¡"


@pytest.fixture(scope="session")
def modules() -> Grammar:
    return load(Path(__file__).parents[2] / "grammars" / "modules.bnf")


@pytest.fixture
def refused() -> Callable[[str], str]:
    """Parse a text with MARK before the offending place, check where the error points, return its words."""

    def parse_marked(marked: str) -> str:
        before = marked[: marked.index(MARK)]
        line, column = before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
        text = marked.replace(MARK, "")
        with pytest.raises(GrammarError) as caught:
            parse(text, "g.bnf")
        first, shown, caret, *remedy = str(caught.value).split("\n")
        assert first.startswith(f"g.bnf:{line}:{column}: ")
        assert shown == "  " + text.split("\n")[line - 1]
        assert caret == "  " + " " * (column - 1) + "^"
        assert remedy
        return first.partition(f":{column}: ")[2]

    return parse_marked
