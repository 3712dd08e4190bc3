"""The command `diff`."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Annotated

import typer

from evogen.cli.options import Candidate, SameDevice, printed
from evogen.cli.outputs import PageFile, ValuesFile, refuse, write_page, write_values

if TYPE_CHECKING:
    from evogen.analysis.pairs import Pair
    from evogen.analysis.pairs.effects import Estimate, Part

_LINES = 40
_WIDTH, _TITLE = 80, 34


def diff(
    first: Candidate,
    second: Candidate,
    *,
    born: Annotated[bool, typer.Option("--born", help="Compare what they were born with.")] = False,
    effects: Annotated[
        bool, typer.Option("--effects/--no-effects", help="Undo each difference in turn, and score it.")
    ] = True,
    agents: Annotated[int, typer.Option(min=2, help="Agents born of every variant.")] = 16,
    device: SameDevice = None,
    lines: Annotated[int, typer.Option("-n", min=1, help="Most differences to list.")] = _LINES,
    out: PageFile = None,
    json: ValuesFile = None,
) -> None:
    """Say what differs between two candidates, and what each difference does."""
    from evogen.analysis import pairs
    from evogen.report import difference
    from evogen.runs import Run, locate

    refuse(page=out, values=json)
    with ExitStack() as stack:
        found = [
            pairs.candidate(stack.enter_context(Run.open(folder)), which)
            for folder, which in map(locate, (first, second))
        ]
        pair = pairs.pair(found[0], found[1], born=born, agents=agents if effects else 0, device=device)
        printed(_said(pair, lines))
    if json is not None:
        write_values(json, difference.values(pair))
    if out is not None:
        write_page(out, f"{pair.first.name} → {pair.second.name}", difference.sections(pair))


def _said(pair: Pair, most: int) -> Iterator[str]:
    from evogen.report.markup import number

    for name, each in (("from", pair.first), ("to", pair.second)):
        yield f"{name:<6}{each.name}  fitness {number(each.row.fitness)}  genome {each.row.genome[:12]}"
    kept = "they were born" if pair.born else "their lives tuned them (--born: as they were born)"
    yield f"genomes as {kept}"
    if pair.relation:
        yield from _wrapped(pair.relation)
    for note in pair.notes:
        yield from _wrapped(f"note: {note}")
    found = pair.found
    if not found.parts:
        yield "no difference: the two genomes are equal"
        return
    shown = _ordered(found.parts)[:most]
    for chromosome in dict.fromkeys(part.group.chromosome for part in found.parts):
        own = [part for part in shown if part.group.chromosome == chromosome]
        if own:
            yield ""
            yield (
                f"{chromosome:<{_TITLE + 2}}{'weights':>9}{'fitness':>11}  95 %"
                if found.agents
                else chromosome
            )
        for part in own:
            yield from _lines(part, scored=bool(found.agents))
    if len(shown) < len(found.parts):
        yield f"and {len(found.parts) - len(shown)} more, which do less; -n lists more of them"
    if found.agents:
        yield ""
        yield from _total(pair)


def _ordered(parts: Sequence[Part]) -> list[Part]:
    """Return parts by their effect, then by their change of the weights, the largest first."""

    def size(part: Part) -> tuple[float, float, float]:
        effect = 0.0 if part.effect is None else abs(part.effect.mean)
        change = 0.0 if part.weights is None or math.isnan(part.weights.relative) else part.weights.relative
        return effect, change, part.group.magnitude

    return sorted(parts, key=size, reverse=True)


def _lines(part: Part, *, scored: bool) -> Iterator[str]:
    whole = part.group.title
    title = whole if len(whole) <= _TITLE else f"{whole[: _TITLE - 1]}…"
    if not scored:
        yield f"  {title}"
    elif part.effect is None:
        yield f"  {title:<{_TITLE}}{_weights(part):>9}{'–':>11}"
    else:
        yield f"  {title:<{_TITLE}}{_weights(part):>9}{_estimate(part.effect)}"
    detail = "; ".join(text for text in (part.group.detail, *part.meaning) if text)
    if detail:
        yield from _wrapped(detail, "    ")
    if part.failure:
        yield from _wrapped(f"cannot be undone alone: {part.failure}", "    ")


def _weights(part: Part) -> str:
    if part.weights is None or math.isnan(part.weights.relative):
        return "–"
    return f"{100 * part.weights.relative:.3g} %"


def _estimate(value: Estimate) -> str:
    from evogen.report.markup import number

    if math.isnan(value.mean):
        return f"{'–':>11}"
    mean, low, high = (number(each, digits=3) for each in value)
    return f"{mean:>11}  [{low}, {high}]"


def _total(pair: Pair) -> Iterator[str]:
    from evogen.report.markup import number

    found = pair.found
    assert found.scores is not None
    before, after = (number(score) for score in found.scores)
    yield f"  {'fresh score of the first, of the second':<{_TITLE + 9}}{before:>11}  {after}"
    for name, value in (
        ("all differences at once", found.whole),
        ("sum of the single ones", found.together),
        ("interaction: the one less the other", found.interaction),
    ):
        if value is not None:
            yield f"  {name:<{_TITLE + 9}}{_estimate(value)}"
    yield from _wrapped(
        f"weights: how far the expected born weights move, as a share of their norm. fitness: mean score of "
        f"{found.agents} born agents with the difference, less that without it, under the same draws, "
        f"on {pair.scored_on}. 95 % intervals, each for itself."
    )


def _wrapped(text: str, indent: str = "") -> list[str]:
    return textwrap.wrap(text, _WIDTH, initial_indent=indent, subsequent_indent=indent)


COMMANDS = (diff,)
