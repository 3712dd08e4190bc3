"""What `evogen grammar` says of a grammar file, in lines of at most 80 columns (a sentence is one line)."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from evogen.errors import GrammarError, near
from evogen.grammar.counting import by_depth, deepest, derivations
from evogen.grammar.derivation import MAX_DEPTH, derive, grow
from evogen.grammar.model import Dynamic, Grammar, Numeric, Rule, Scale, mentions, reach
from evogen.keys import Key

COUNT = 3
"""How many things a context has of a name that nobody counted."""
DEPTHS = 5
_WIDTH = 80
_LONGEST = 34  # of a symbol in the table of rules
_BITS = 2**14  # numbers of derivations grow with the exponential of an exponential


def counts(grammar: Grammar, start: str, said: Sequence[str]) -> dict[str, int]:
    """Return the context of a start symbol: COUNT of each name, and what `NAME=N` says otherwise.

    Raises:
        GrammarError: no such start, a name that no dynamic rule picks from, a count that is none.
    """
    grammar.start(start)
    context = dict.fromkeys((dynamic.context for dynamic in grammar.dynamics(start)), COUNT)
    for each in said:
        name, _, number = each.partition("=")
        if name not in context:
            remedy = near(name, context) if context else f"; <{start}> has no dynamic rule"
            raise GrammarError(f"--count {each}: '{name}' is counted nowhere{remedy}")
        if not number.isdecimal():
            raise GrammarError(f"--count {each}: wanted NAME=N with a whole number N, found '{number}'")
        context[name] = int(number)
    return context


def lines(grammar: Grammar, start: str, context: Mapping[str, int], depth: int | None) -> Iterator[str]:
    """Describe a grammar: its rules, what can be derived from a start, and what may be mistakes."""
    yield from _wrapped(f"{grammar.source}: {len(grammar.rules)} rules")
    yield from _wrapped(f"starts: {', '.join(f'<{symbol}>' for symbol in grammar.starts)}")
    yield ""
    width = min(max(len(rule.symbol) + 2 for rule in grammar.rules), _LONGEST)
    yield f"{'rule':<{width}}  alternatives  depth  what else"
    edges = {rule.symbol: mentions(rule) for rule in grammar.rules}
    for rule in grammar.rules:
        shown = textwrap.shorten(f"<{rule.symbol}>", width, placeholder="...")
        shown = shown if len(shown) <= width else f"{shown[: width - 3]}..."
        least = 1 + min(grammar.depths(rule.symbol))
        recursive = rule.symbol in reach(edges, edges[rule.symbol])
        what = textwrap.shorten(_what(rule, recursive), _WIDTH - width - 23, placeholder=" ...")
        yield f"{shown:<{width}}  {len(rule.alternatives):>12}  {int(least):>5}  {what}".rstrip()
    yield ""
    yield from _derivations(grammar, start, context, depth)
    if grammar.notes:
        yield ""
        yield "may be mistakes:"
        for note in grammar.notes:
            yield from _wrapped(note)


def sentences(
    grammar: Grammar, start: str, context: Mapping[str, int], depth: int | None, limit: int
) -> Iterator[str]:
    """Iterate over all sentences of a depth, of the deepest derivation where there is no depth.

    Raises:
        GrammarError: there is no depth, and derivations of any depth.
    """
    if depth is None:
        most = deepest(grammar, start)
        if most == math.inf:
            what = f"<{start}> has derivations of any depth: their list has no end"
            raise grammar.fault(grammar.start(start).place, what, "Say how deep: --depth N.")
        depth = int(most)
    listed = derivations(grammar, start, depth, context)
    for codons in islice(listed, limit):
        yield str(derive(grammar, start, codons, context))
    if next(listed, None) is not None:
        yield f"... and more; --limit N lists more than {limit}"


def samples(
    grammar: Grammar, start: str, context: Mapping[str, int], *, depth: int | None, number: int, seed: int
) -> Iterator[str]:
    """Iterate over random sentences, as a new genome's genes would say them."""
    key = Key(seed).child("grammar")
    for i in range(number):
        rng = key.child(i).generator()
        codons = grow(grammar, start, rng, max_depth=depth or MAX_DEPTH, context=context)
        yield str(derive(grammar, start, codons, context))


def _what(rule: Rule, recursive: bool) -> str:
    dynamics = [
        item.context
        for alternative in rule.alternatives
        for item in alternative.items
        if isinstance(item, Dynamic)
    ]
    said = [
        f"type {rule.type}" if rule.type else "",
        f"nests {rule.cap} times at most" if rule.cap is not None else "recursive" if recursive else "",
        f"picks from {', '.join(dynamics)}" if dynamics else "",
    ]
    return "; ".join(part for part in said if part)


def _derivations(
    grammar: Grammar, start: str, context: Mapping[str, int], depth: int | None
) -> Iterator[str]:
    least, most = int(1 + min(grammar.depths(start))), deepest(grammar, start)
    last = depth or int(min(least + DEPTHS - 1, most))
    span = f"{least} to {'any number' if most == math.inf else int(most)}" if least < most else f"{least}"
    yield from _wrapped(f"<{start}>: derivations by the most symbols from root to leaf (there are {span})")
    if context:
        counted = ", ".join(f"{number} {name}" for name, number in sorted(context.items()))
        yield from _wrapped(f"with {counted} to pick from (--count NAME=N)")
    items = list(grammar.terminals(start))
    if any(isinstance(item, Numeric) and item.scale in (Scale.FLOAT, Scale.LOG) for item in items):
        yield "each float and log number counts as one"
    for at, number in enumerate(by_depth(grammar, start, last, context), start=1):
        if at >= min(least, last):
            yield f"{at:>5}  {_number(number)}"
        if number.bit_length() > _BITS and at < last:
            yield "  ...  too many to go on"
            return


def _number(number: int) -> str:
    if number < 10**15:
        return f"{number:,}"
    exponent = math.log10(number)
    return f"about {10 ** (exponent % 1):.2f}e{int(exponent)}"


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, _WIDTH, subsequent_indent="  ", break_on_hyphens=False)
