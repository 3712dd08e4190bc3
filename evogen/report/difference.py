"""The page of a diff: a table of differences, their effects as a chart, the rules before and after."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from evogen.analysis.pairs import Candidate, Pair
from evogen.analysis.pairs.effects import Comparison, Estimate, Part
from evogen.analysis.plain import plain
from evogen.diff import Patch, diff, dumped
from evogen.genome import Rules
from evogen.report.figures import drawing, extent, figure, labels, legend, ticks
from evogen.report.markup import Child, Element, absent, cell, element, number, table
from evogen.report.matrices import Block, Matrix, Scale, bar, signed, square
from evogen.report.winner.genetics import probabilities

MOST = 30
_LANE, _LEFT, _WIDTH = 24, 250, 760
_SHARE = Scale(0.0, 1.0)


def sections(pair: Pair) -> list[Element]:
    """Return the sections of the page."""
    found = pair.found
    if not found.parts:
        return [_heading(pair), element("section", absent("No difference: the two genomes are equal."))]
    shown = [_heading(pair), _chart(pair), _table(found), _matrices(found), _method(pair)]
    return [section for section in shown if section is not None]


def values(pair: Pair) -> dict[str, Any]:
    """Return what the page shows as a JSON value; `patch` makes the second genome of the first."""
    found = pair.found
    a, b = found.before, found.after
    value: dict[str, Any] = plain(
        {
            "first": _named(pair.first),
            "second": _named(pair.second),
            "born": pair.born,
            "relation": pair.relation,
            "notes": list(pair.notes),
            "scored_on": pair.scored_on,
            "agents": found.agents,
            "scores": found.scores,
            "whole": _interval(found.whole),
            "together": _interval(found.together),
            "interaction": _interval(found.interaction),
            "differences": [_value(part) for part in found.parts],
            "patch": dumped(Patch(a.id, b.id, diff(a, b))),
        }
    )
    return value


def _named(one: Candidate) -> dict[str, Any]:
    return {"candidate": one.name, "genome": one.row.genome, "fitness": one.row.fitness}


def _value(part: Part) -> dict[str, Any]:
    group, weights = part.group, part.weights
    return {
        "chromosome": group.chromosome,
        "title": group.title,
        "detail": group.detail,
        "kind": group.kind.value,
        "paths": [each.path for each in group.differences],
        "magnitude": group.magnitude,
        "meaning": list(part.meaning),
        "weights": None if weights is None else weights._asdict(),
        "effect": _interval(part.effect),
        "p": part.p,
        "failure": part.failure,
    }


def _interval(value: Estimate | None) -> dict[str, float] | None:
    return None if value is None else value._asdict()


def _heading(pair: Pair) -> Element:
    found, kind = pair.found, "as they were born" if pair.born else "as their lives tuned them"
    tiles: list[tuple[str, str]] = [("differences", number(len(found.parts)))]
    if found.scores is not None:
        tiles += [("score of the first", number(found.scores[0])), ("of the second", number(found.scores[1]))]
    for name, value in (
        ("second − first", found.whole),
        ("sum of single effects", found.together),
        ("interaction", found.interaction),
    ):
        if value is not None:
            tiles.append((name, _text(value)))
    if found.weights is not None and math.isfinite(found.weights.relative):
        tiles.append(("born weights moved by", f"{100 * found.weights.relative:.3g} %"))
    return element(
        "section",
        element("h1", f"From {pair.first.name} to {pair.second.name}"),
        element("p", f"The genomes {kind}. {_sentence(pair.relation)}", class_="lead"),
        element(
            "dl", *(element("div", element("dt", n), element("dd", v)) for n, v in tiles), class_="tiles"
        ),
        *(element("p", _sentence(note), class_="warning") for note in pair.notes),
    )


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def _text(value: Estimate) -> str:
    if math.isnan(value.mean):
        return "–"
    mean, low, high = (number(each, digits=3) for each in value)
    return f"{mean} [{low}, {high}]"


def _chart(pair: Pair) -> Element | None:
    known = [part for part in pair.found.parts if part.effect is not None]
    if not known:
        return None
    parts = sorted(known, key=lambda part: -abs(_mean(part)))[:MOST]
    note = (
        f"dot: mean over {pair.found.agents} born agents of the score with the difference, less that without "
        "it; line: 95 % interval; grey: cannot be told from 0 among so many (p ≥ 0.05, corrected)"
    )
    more = f"The {MOST} largest of {len(known)}. " if len(known) > MOST else ""
    keys = legend(("blue", "made it better"), ("orange", "made it worse"), ("grey", "no telling"))
    image = element("div", _drawn(parts, pair.found), class_="scroll", tabindex=0)
    shown = figure("What each difference does to the score", image, keys, note=more + note)
    return element("section", element("h2", "Effects"), shown)


def _mean(part: Part) -> float:
    return 0.0 if part.effect is None else part.effect.mean


def _drawn(parts: Sequence[Part], found: Comparison) -> Element:
    rows = [(part.group.title, part.effect, _tone(part)) for part in parts]
    if found.whole is not None and math.isfinite(found.whole.mean):
        rows.append(("all at once", found.whole, "ink"))
    ends = [end for _, value, _ in rows if value is not None for end in value]
    low, high = extent([0.0, *ends], margin=0.08)
    bottom = _LANE * len(rows) + 8

    def across(x: float) -> float:
        return _LEFT + (x - low) / (high - low) * (_WIDTH - _LEFT - 20)

    lines: list[Element] = []
    marks = ticks(low, high)
    for x, text in zip(marks, labels(marks), strict=True):
        lines.append(element("path", d=f"M{across(x):.1f} 4V{bottom}", class_="grid"))
        lines.append(element("text", text, x=across(x), y=bottom + 16, class_="middle"))
    lines.append(element("path", d=f"M{across(0.0):.1f} 4V{bottom}", class_="axis"))
    for at, (name, value, tone) in enumerate(rows):
        y = _LANE * at + 18
        short = name if len(name) <= 36 else f"{name[:35]}…"
        lines.append(element("text", short, x=_LEFT - 10, y=y + 4, class_="end"))
        if value is not None:
            x = across(value.mean)
            span = f"M{across(value.low):.1f} {y}H{across(value.high):.1f}"
            lines.append(element("path", d=span, class_=f"line {tone}"))
            lines.append(element("path", d=f"M{x:.1f} {y}h0", class_=f"dots large {tone}"))
    label = "; ".join(f"{name}: {_text(value)}" for name, value, _ in rows if value is not None)
    lines.append(element("text", "effect on the mean score", x=_WIDTH - 20, y=bottom + 34, class_="name end"))
    return drawing(_WIDTH, bottom + 42, f"Effects on the score. {label}", *lines, kind="wide")


def _tone(part: Part) -> str:
    if math.isnan(part.p) or part.p >= 0.05:
        return "grey"
    return "blue" if _mean(part) > 0 else "orange"


def _table(found: Comparison) -> Element:
    head = ["chromosome", "difference", "how large", "in the network"]
    head += ["born weights", "score", "95 %", "p"] if found.agents else ["became"]
    rows = sorted(found.parts, key=lambda part: (-abs(_mean(part)), part.failure))
    shown = table(head, (_cells(part, scored=bool(found.agents)) for part in rows), class_="sortable")
    return element("section", element("h2", "Differences"), shown)


def _cells(part: Part, *, scored: bool) -> Iterator[Child]:
    yield part.group.chromosome
    yield element("th", part.group.title, scope="row")
    yield part.group.detail
    failure = f"cannot be undone alone: {part.failure}" if part.failure else ""
    yield "; ".join(text for text in (*part.meaning, _synapses(part), failure) if text)
    if not scored:
        yield part.group.kind.value
        return
    moved = math.nan if part.weights is None else part.weights.relative
    share = "–" if math.isnan(moved) else f"{100 * moved:.3g} %"
    yield cell(share, order=None if math.isnan(moved) else moved, kind="number")
    effect = part.effect
    yield cell(number(None if effect is None else effect.mean), order=_mean(part), kind="number")
    span = "–" if effect is None else f"{number(effect.low, digits=3)} to {number(effect.high, digits=3)}"
    yield cell(span, kind="number")
    p = part.p
    yield cell("–" if math.isnan(p) else f"{p:.2g}", order=None if math.isnan(p) else p, kind="number")


def _synapses(part: Part) -> str:
    if part.weights is None or not (part.weights.gained or part.weights.lost):
        return ""
    counts = ((part.weights.gained, "more"), (part.weights.lost, "fewer"))
    return ", ".join(f"{count:,} synapses {than}" for count, than in counts if count)


def _matrices(found: Comparison) -> Element | None:
    a, b = found.before.rules, found.after.rules
    if a is None or b is None:
        return None
    genes = tuple(dict.fromkeys([*a.genes, *b.genes]))
    P, Q = (_spread(rules, genes) for rules in (a, b))
    change = Q - P
    if not np.nansum(np.abs(change)) and np.array_equal(np.isnan(P), np.isnan(Q)):
        return None
    size = max(3.0, min(26.0, 330 / len(genes)))
    scale = signed(change)
    shown = [
        figure(
            title,
            square(
                title,
                Block("P", values, colours),
                rows="presynaptic gene",
                columns="postsynaptic gene",
                size=size,
            ),
            bar(colours, name),
        )
        for title, values, colours, name in (
            ("Change of the rule matrix P", change, scale, "P of the second − P of the first"),
            ("P of the second", Q, _SHARE, "probability of a synapse"),
        )
    ]
    gone = [str(gene) for gene in genes if gene not in b.genes]
    new = [str(gene) for gene in genes if gene not in a.genes]
    said = "Rows and columns are rule genes, aligned by identity; grey: only one genome has the gene."
    if gone or new:
        said += f" Lost: {', '.join(gone) or 'none'}. Added: {', '.join(new) or 'none'}."
    return element(
        "section",
        element("h2", "Rules"),
        element("div", *shown, class_="pair"),
        element("p", said, class_="note"),
    )


def _spread(rules: Rules, genes: Sequence[int]) -> Matrix:
    """Return P among these genes, NaN where the genome lacks one."""
    whole = np.full((len(genes), len(genes)), np.nan)
    places = [genes.index(gene) for gene in rules.genes]
    whole[np.ix_(places, places)] = probabilities(rules)
    return whole


def _method(pair: Pair) -> Element | None:
    if not pair.found.agents:
        return None
    texts = (
        "Each difference was undone alone in the second genome. All variants were scored side by side, by "
        f"{pair.found.agents} born agents each under the same draws, on {pair.scored_on}; none learns "
        "again. A difference that changes nothing has an effect of exactly 0.",
        "Intervals are Student's over agents, each for itself; p is corrected for the number of differences "
        "(Westfall and Young's largest |t|). Single effects need not add up to the whole: what is left over "
        "is the interaction.",
        "Born weights: the norm of the change of the expected weights as a share of their norm, over "
        "synapses that both networks have.",
    )
    return element(
        "section", element("h2", "How it was found"), *(element("p", text, class_="note") for text in texts)
    )
