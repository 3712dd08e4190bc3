"""The page of a knock-out: a map of what a genome needs, as a geneticist would draw it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from evogen.analysis.knockout.silenced import Kind
from evogen.analysis.knockout.worth import Knockout, Label, Part, cautions, learners
from evogen.report import matrices
from evogen.report.figures import Frame, axes, dots, drawing, extent, figure, legend
from evogen.report.markup import Element, absent, cell, element, number, table
from evogen.report.matrices import Block, Matrix, Scale

COLOURS = {
    Label.ESSENTIAL: "red",
    Label.USEFUL: "orange",
    Label.HARMFUL: "purple",
    Label.NO_EFFECT: "grey",
    Label.NONE: "grey",
}
KINDS = {
    Kind.GENE: ("genes", "blue"),
    Kind.PAIR: ("gene pairs", "grey"),
    Kind.MODULE: ("modules", "orange"),
    Kind.CLASS: ("class modules", "red"),
    Kind.RULE: ("plasticity rules", "purple"),
    Kind.TERM: ("plasticity terms", "green"),
}
MOST_BARS, MOST_ROWS = 40, 600
_MAP, _EDGE, _CORNER = 420, 16, 46


def sections(found: Knockout, title: str) -> list[Element]:
    """Return the page's sections.

    Args:
        found: the screen.
        title: of the candidate, such as RUN@REF.
    """
    return [
        _heading(found, title),
        _rules(found),
        element(
            "section",
            element(
                "div",
                _bars("Modules", found.of(Kind.MODULE, Kind.CLASS), found.gap),
                _bars("Plasticity", found.of(Kind.RULE, Kind.TERM), found.gap),
                class_="pair",
            ),
        ),
        _foretold(found),
        _table(found),
        _method(found),
    ]


def _heading(found: Knockout, title: str) -> Element:
    counts = Counter(part.label for part in found.parts[1:])
    tiles = [
        ("intact score", number(found.score)),
        ("lost without any synapse", number(found.gap)),
        *((label.value, number(float(counts[label]))) for label in Label if counts[label]),
    ]
    warnings = [element("p", text, class_="warning") for text in cautions(found)]
    return element(
        "section",
        element("h1", f"Knock-out of {title}"),
        element(
            "p",
            f"Every part of the genome, as its life tuned it, silenced in turn: {len(found.intact)} agents "
            f"each, on {found.reported}. No agent learns again.",
            class_="lead",
        ),
        element(
            "dl",
            *(element("div", element("dt", name), element("dd", value)) for name, value in tiles),
            class_="tiles",
        ),
        *warnings,
    )


def _rules(found: Knockout) -> Element:
    genes, pairs = found.of(Kind.GENE), found.of(Kind.PAIR)
    head = element("h2", "Genes and the pairs that they form")
    if not genes:
        return element("section", head, absent("No genetic rules: every synapse has a weight of its own."))
    measured = _map("Measured losses", genes, pairs, [part.loss for part in genes], "loss")
    if found.unit is None:
        return element("section", head, measured)
    predicted = [part.predicted for part in genes]
    foretold = _map(f"Predicted: {found.unit}", genes, pairs, predicted, "predicted")
    return element("section", head, element("div", measured, foretold, class_="pair"))


def _map(title: str, genes: Sequence[Part], pairs: Sequence[Part], edge: Sequence[float], of: str) -> Element:
    """Return the matrix of pairs with the losses of whole genes along both axes, in the same order."""
    g = len(genes)
    inner: Matrix = np.full((g, g), np.nan)
    for part in pairs:
        inner[part.where] = getattr(part, of)
    margin: Matrix = np.array(edge, dtype=float)
    outer, middle = matrices.signed(margin), matrices.signed(inner)
    side = float(_MAP)
    start = _CORNER + _EDGE + 4.0
    step = side / g
    shown = range(0, g, max(1, g // 16))
    names = [
        *(
            element("text", str(k + 1), x=start + (k + 0.5) * step, y=_CORNER - 5.0, class_="middle")
            for k in shown
        ),
        *(
            element("text", str(k + 1), x=_CORNER - 5.0, y=start + (k + 0.5) * step + 4, class_="end")
            for k in shown
        ),
        element("text", "gene of the dendrite", x=start + side / 2, y=14, class_="name middle"),
        element(
            "text",
            "gene of the axon",
            x=0,
            y=0,
            class_="name middle",
            transform=f"translate(12 {start + side / 2:.0f}) rotate(-90)",
        ),
    ]
    picture = drawing(
        start + side + 6,
        start + side + 6,
        f"{title}. Genes: {matrices.summary(margin[None])}. Pairs: {matrices.summary(inner)}",
        *names,
        matrices.image(Block("genes", margin[None], outer), start, _CORNER, side, _EDGE),
        matrices.image(Block("genes", margin[:, None], outer), _CORNER, start, _EDGE, side),
        matrices.image(Block("pairs", inner, middle), start, start, side, side),
        kind="matrix",
    )
    note = (
        "Edges: the protein absent from all neurons. Squares: two proteins that do not bind, axon by row, "
        "dendrite by column; mid-grey: not screened, or no rule."
    )
    bars = element("div", *_scales(outer, middle), class_="flow")
    return figure(title, picture, bars, note=note)


def _scales(outer: Scale, middle: Scale) -> tuple[Element, Element]:
    return matrices.bar(outer, "whole gene"), matrices.bar(middle, "gene pair")


def _bars(title: str, parts: Sequence[Part], gap: float) -> Element:
    """Return losses as bars with their intervals, largest first."""
    known = sorted((part for part in parts if np.isfinite(part.loss)), key=lambda part: -part.loss)
    if not known:
        return element("div", element("h2", title), absent("There is none."))
    kept = known[:MOST_BARS]
    ends = [0.0, gap, *(end for part in kept for end in (part.loss, part.low, part.high))]
    low, high = extent(ends)
    left, width, line = 150.0, 470.0, 24.0

    def across(value: float) -> float:
        return left + (value - low) / (high - low) * (width - left - 8)

    marks: list[Element] = []
    for at, part in enumerate(kept):
        y = 12.0 + at * line
        begin, end = sorted((across(0.0), across(part.loss)))
        kind = COLOURS.get(part.label, "grey")
        marks += [
            element("text", part.name, x=left - 8, y=y + 9, class_="end"),
            element("rect", x=begin, y=y, width=max(end - begin, 1.0), height=11, class_=f"bars {kind}"),
            element(
                "path",
                d=f"M{across(part.low):.1f} {y + 5.5:.1f}H{across(part.high):.1f}",
                class_=f"step {kind}",
            ),
        ]
    bottom = 12.0 + len(kept) * line
    lines = [(0.0, "0"), (gap, number(gap, digits=3))] if np.isfinite(gap) and gap else [(0.0, "0")]
    for value, text in lines:
        marks.append(element("path", d=f"M{across(value):.1f} 4V{bottom:.1f}", class_="axis"))
        marks.append(element("text", text, x=across(value), y=bottom + 16, class_="middle"))
    label = f"{title}: " + ", ".join(f"{part.name} {number(part.loss, digits=3)}" for part in kept)
    dropped = f" The {len(kept)} largest of {len(known)}." if len(kept) < len(known) else ""
    note = (
        "Loss of the mean score and its 95 % interval; the right line is the loss without any synapse."
        + dropped
    )
    return element(
        "div",
        element("h2", title),
        figure("", drawing(width, bottom + 24, label, *marks), note=note, kind="chart"),
    )


def _foretold(found: Knockout) -> Element:
    head = element("h2", "Predicted and measured")
    if found.unit is None:
        return element(
            "section", head, absent("This task has no first-order prediction: it scores whole lives.")
        )
    known = [part for part in found.parts[1:] if np.isfinite([part.predicted, part.loss]).all()]
    frame = Frame(
        extent(part.predicted for part in known),
        extent(part.loss for part in known),
        f"predicted loss: {found.unit}",
        "measured loss",
        760,
        340,
    )
    drawn, said = [], []
    for kind, (name, colour) in KINDS.items():
        if own := [part for part in known if part.kind is kind]:
            drawn.append(dots(frame, [part.predicted for part in own], [part.loss for part in own], colour))
            rank, count = found.agreement(kind)
            said.append((f"dot {colour}", f"{name} ({count}): rank correlation {number(rank, digits=2)}"))
    rank, count = found.agreement()
    label = f"Predicted and measured losses of {count} parts, rank correlation {number(rank, digits=2)}"
    note = (
        "Gradient of the average network times the whole change of its weights: first order, so it misses "
        "what parts do together, and what born agents make of noise."
    )
    picture = drawing(frame.width, frame.height, label, axes(frame), *drawn)
    return element("section", head, figure(label, picture, legend(*said), note=note, kind="chart"))


def _table(found: Knockout) -> Element:
    known = sorted(
        (part for part in found.parts if part.label is not Label.LEFT_OUT),
        key=lambda part: -np.nan_to_num(part.loss, nan=-np.inf),
    )
    rows = [
        [
            cell(part.name),
            cell(part.kind.value),
            _number(part.loss),
            cell(
                f"{number(part.low, digits=3)} to {number(part.high, digits=3)}",
                order=part.low,
                kind="number",
            ),
            _number(part.p),
            cell(part.label.value),
            _number(part.predicted),
            _number(part.wiring),
            cell(part.note),
        ]
        for part in known[:MOST_ROWS]
    ]
    head = ("part", "kind", "loss", "95 % interval", "p", "verdict", "predicted", "wiring", "note")
    less = len(known) - len(rows)
    note = f"{less} smaller losses are in the JSON file of --json." if less else ""
    return element(
        "section",
        element("h2", "All parts"),
        table(head, rows, class_="sortable"),
        *(element("p", text, class_="note") for text in (note, learners(found)) if text),
    )


def _number(value: float) -> Element:
    return cell(number(value, digits=3), order=value if np.isfinite(value) else -np.inf, kind="number")


def _method(found: Knockout) -> Element:
    texts = (
        "Gene: its protein is absent, so no synapse of it forms in any neuron. Pair: the two proteins do not "
        "bind, in this direction. Module: no synapse leads to its neurons, from them or between them. "
        "Plasticity: the number is 0 in all synapses that follow the rule, or what the note says.",
        f"Loss: intact minus silenced, mean over {len(found.intact)} born agents, which meet the same draws "
        "of birth and the same episodes in every variant. Interval: Student's, for one part alone. Verdicts "
        f"hold for all {len(found.parts) - found.left_out} parts together at 5 %: p is that of the largest "
        "|t| of all parts when the signs of agents change at random (Westfall, Young).",
        "Essential: at least 90 % of what is lost without any synapse. Exactly none: every agent scored what "
        "it did. Wiring: |change| / |intact| of the expected weights. Redundant parts stand in for one "
        "another: a part without effect alone may have one together with others.",
    )
    return element("section", element("h2", "How to read it"), *(element("p", text) for text in texts))
