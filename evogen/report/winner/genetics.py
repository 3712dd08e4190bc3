"""The winner's rules and expression as clustered heat maps.

    P = sigmoid(O / tau)     probability that a pair of genes makes a synapse
    X^2                      expression of each gene by each neuron, as it enters the synapse count (eq. 3)
    softmax(T), softmax(R)   each neuron's shares of transmitters and receptors (eq. 4)

Source: SynaptoGen (arXiv 2402.07242); see evogen.connectome.synaptogen.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from evogen.analysis.portrait import Portrait
from evogen.genome import Genome, Rules
from evogen.report.figures import figure, legend, switch
from evogen.report.markup import Child, Element, absent, cell, element, number, table
from evogen.report.matrices import Block, Matrix, Scale, bar, largest, signed
from evogen.report.winner.clusters import cluster
from evogen.report.winner.heat import PARTS, Axis, Part, heat

LISTED = 16  # genes whose numbers are given as a table
_SHARE = Scale(0.0, 1.0)
_ORDER = "in the genome's order instead of clustered"


def rules(genome: Genome) -> Iterator[Element]:
    """Return the rule matrices O and P, and the conductances."""
    found = genome.rules
    if found is None:
        yield absent("This wiring has no genetic rules.")
        return
    P, O = probabilities(found), affinities(found)
    names = tuple(str(at) for at in range(1, len(found.genes) + 1))
    rows = Axis("presynaptic gene", names, cluster(P))
    columns = Axis("postsynaptic gene", names, cluster(P.T))
    drawn = [_matrices(O, P, found, *axes) for axes in ((rows, columns), (rows.plain(), columns.plain()))]
    yield switch(_ORDER, *drawn)
    if len(names) <= LISTED:
        yield element("details", element("summary", "P as numbers"), _numbers(P, names))
    yield _conductances(found)


def expression(portrait: Portrait) -> Iterator[Element]:
    """Return what every neuron expresses: one heat map over all of them."""
    values = portrait.parameters
    if not any(name.endswith(".X") for name in values):
        yield absent(
            "Its weights are free: no gene is expressed. They are all shown above, under Architecture."
        )
        return
    X2 = np.square(_across(portrait, "X")).T  # (g, N)
    shares = [(symbol, _softmax(_across(portrait, symbol)).T) for symbol in ("T", "R")]
    amount = Scale(0.0, largest(X2), power=0.5)
    kinds, key = _parts(portrait)
    names = tuple(neuron.name for level in portrait.levels for neuron in level)
    columns = Axis("neuron", names, cluster(np.sqrt(X2.T)), kinds)
    genes = Axis("gene", tuple(str(at) for at in range(1, len(X2) + 1)), cluster(np.sqrt(X2)))
    parts = [Part(Block("X²", X2, amount), genes)]
    for symbol, share in shares:
        own = tuple(f"{symbol}{at}" for at in range(1, len(share) + 1))
        parts.append(Part(Block(symbol, share, _SHARE), Axis(symbol, own, cluster(share)).plain()))
    plain = [part._replace(rows=part.rows.plain()) for part in parts]
    size = min(14.0, max(0.5, 880 / len(names))), 12.0 if len(X2) <= 40 else max(3.0, 480 / len(X2))
    drawn = [
        element("div", heat(title, shown, axis, cell=size), class_="scroll", tabindex=0)
        for title, shown, axis in (
            ("Expression, clustered", parts, columns),
            ("Expression in the genome's order", plain, columns.plain()),
        )
    ]
    bars = element("div", bar(amount, "X², square-root scale"), bar(_SHARE, "share of T, R"), class_="flow")
    note = (
        "A column is a neuron. X²: how much of each gene it makes. T: its shares of the transmitters it "
        "releases. R: of the receptors it has, two a transmitter, the excitatory one first. Grey: has none."
    )
    yield figure("Expression of the neurons", switch(_ORDER, *drawn), legend(*key), bars, note=note)


def affinities(found: Rules) -> Matrix:
    """Return O / tau (g, g); NaN for a pair that the mask forbids."""
    O = found.O.astype(np.float64) / found.temperature
    return O if found.mask is None else np.where(found.mask > 0, O, np.nan)


def probabilities(found: Rules) -> Matrix:
    """Return P (g, g); a pair that the mask forbids has 0."""
    P = 0.5 + 0.5 * np.tanh(0.5 * found.O.astype(np.float64) / found.temperature)
    return P if found.mask is None else P * (found.mask > 0)


def _matrices(O: Matrix, P: Matrix, found: Rules, rows: Axis, columns: Axis) -> Element:
    size = max(3.0, min(17.0, 420 / len(P)))
    scale, masked = signed(O), np.isnan(O)
    shown = np.where(masked, np.nan, P)
    figures = (
        figure(
            title,
            element(
                "div",
                heat(title, [Part(Block(name, values, colours), rows)], columns, cell=(size, size)),
                class_="scroll",
                tabindex=0,
            ),
            bar(colours, label),
            note=note,
        )
        for title, name, values, colours, label, note in (
            ("Rule matrix O", "O / τ", O, scale, "O / temperature", _told(found, masked)),
            ("Probability P", "P", shown, _SHARE, "probability of a synapse", "P = sigmoid(O / temperature)"),
        )
    )
    return element("div", *figures, class_="pair")


def _told(found: Rules, masked: Matrix) -> str:
    closed = f"; grey: {int(masked.sum())} pairs that the mask forbids" if masked.any() else ""
    return f"{len(found.genes)} genes, temperature {number(found.temperature)}{closed}"


def _numbers(P: Matrix, names: tuple[str, ...]) -> Element:
    rows: list[list[Child]] = [
        [
            element("th", name, scope="row"),
            *(cell(f"{value:.3f}", order=value, kind="number") for value in line),
        ]
        for name, line in zip(names, P, strict=True)
    ]
    return table(("from, to", *names), rows, class_="sortable")


def _conductances(found: Rules) -> Element:
    size = 0.5 + 0.5 * np.tanh(0.5 * found.c.astype(np.float64))  # (n, 2n)
    rows = (
        (str(t + 1), f"+{size[t, 2 * t]:.3f}", f"−{size[t, 2 * t + 1]:.3f}") for t in range(found.c.shape[0])
    )
    note = "in units of the wiring's scale: sigmoid(c), each transmitter on its own two receptors"
    shown = table(("transmitter", "excitatory receptor", "inhibitory receptor"), rows)
    return figure("Conductance of one synapse", shown, note=note)


def _across(portrait: Portrait, symbol: str) -> Matrix:
    """Return a parameter of all neurons (N, width); NaN where a level has none."""
    found = [portrait.parameters.get(f"{at}.{symbol}") for at in range(len(portrait.levels))]
    width = max(array.shape[1] for array in found if array is not None)
    parts = [
        np.full((len(level), width), np.nan) if array is None else array
        for level, array in zip(portrait.levels, found, strict=True)
    ]
    return np.concatenate(parts)


def _parts(portrait: Portrait) -> tuple[tuple[str, ...], list[tuple[str, str]]]:
    """Return the colour of each neuron's level or group, and what the colours mean."""
    groups = list(dict.fromkeys(neuron.group for level in portrait.levels for neuron in level))
    level_of = {neuron.group: at for at, level in enumerate(portrait.levels) for neuron in level}
    last, few = len(portrait.levels) - 1, len(groups) <= len(PARTS) + 1
    colours, key = {}, {}
    for at, group in enumerate(groups):
        own = at - 1 if few else level_of[group] - 1
        colour = {0: "ink", last: "orange"}.get(level_of[group], PARTS[own % len(PARTS)])
        colours[group] = colour
        names = {0: "input", last: "output"}
        hidden = f"level {level_of[group]}"
        if few and level_of[group] not in names:
            name = next(neuron.name for level in portrait.levels for neuron in level if neuron.group == group)
            hidden = name.rpartition(".")[0] or name
        key[colour] = names.get(level_of[group], hidden)
    kinds = tuple(colours[neuron.group] for level in portrait.levels for neuron in level)
    return kinds, [(f"{colour} dot", text) for colour, text in key.items()]


def _softmax(array: Matrix) -> Matrix:
    e = np.exp(array - array.max(axis=-1, keepdims=True))
    return np.asarray(e / e.sum(axis=-1, keepdims=True))
