"""The winner's rules and expression as heat maps.

    P = sigmoid(O / tau)     probability that a pair of genes makes a synapse
    X^2                      expression of each gene by each neuron, as it enters the synapse count (eq. 3)
    softmax(T), softmax(R)   each neuron's shares of transmitters and receptors (eq. 4)

Source: SynaptoGen (arXiv 2402.07242); see evogen.connectome.synaptogen.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from evogen.genome import Gene, Genome, Rules
from evogen.report.figures import figure
from evogen.report.markup import Element, absent, element, number, table
from evogen.report.matrices import Block, Matrix, Scale, bar, largest, panel, signed, square

_CELL, _WIDE = 7.0, 15.0
_SHARE = Scale(0.0, 1.0)


def rules(genome: Genome) -> Iterator[Element]:
    """Return the rule matrix P and the conductances."""
    found = genome.rules
    if found is None:
        yield absent("This wiring has no genetic rules.")
        return
    P = probabilities(found)
    image = square(
        "Rule matrix P",
        Block("P", P, _SHARE),
        rows="presynaptic gene",
        columns="postsynaptic gene",
        size=_WIDE,
    )
    note = f"{len(found.genes)} genes, temperature {number(found.temperature)}; P = sigmoid(O / temperature)"
    shown = figure("Rule matrix P", image, bar(_SHARE, "probability of a synapse"), note=note)
    yield element("div", shown, _conductances(found), class_="pair")


def expression(genome: Genome) -> Iterator[Element]:
    """Return one panel per neuron group, or per projection where weights are free."""
    if not any(gene.expression for gene in genome.genes()):
        yield absent("Nothing was tuned: the expression is the innate draw.")
        return
    named = [item for gene in genome.genes() for item in gene.expression.items()]
    squares = [np.square(array) for name, array in named if name.endswith(".X")]
    free = [array for name, array in named if name.endswith(".W")]
    amount, weight = Scale(0.0, largest(*squares), power=0.5), signed(*free)
    modules = {gene.innovation: at for at, gene in enumerate(genome.architecture, 1)}
    panels = [item for gene in genome.genes() for item in _panels(gene, modules, amount, weight)]
    panels.sort(key=lambda item: item[0].startswith("out "))  # stable: the input stays first
    figures = (figure(title, panel(title, blocks, size=_CELL)) for title, blocks in panels)
    yield element("div", *figures, class_="flow")
    bars = [bar(amount, "X², square-root scale"), bar(_SHARE, "share of T, R")] if squares else []
    bars += [bar(weight, "weight")] if free else []
    yield element("div", *bars, class_="flow")
    if squares:
        text = (
            "A column is a neuron. Rows: X², one a gene; T and R, shares of its transmitters and receptors."
        )
        yield element("p", text, class_="note")


def probabilities(found: Rules) -> Matrix:
    """Return P (g, g); a pair that the mask forbids has 0."""
    O = found.O.astype(np.float64) / found.temperature
    P = 0.5 + 0.5 * np.tanh(0.5 * O)
    return P if found.mask is None else P * found.mask


def _conductances(found: Rules) -> Element:
    size = 0.5 + 0.5 * np.tanh(0.5 * found.c.astype(np.float64))  # (n, 2n)
    rows = (
        (str(t + 1), f"+{size[t, 2 * t]:.3f}", f"−{size[t, 2 * t + 1]:.3f}") for t in range(found.c.shape[0])
    )
    note = "in units of the wiring's scale: sigmoid(c), each transmitter on its own two receptors"
    shown = table(("transmitter", "excitatory receptor", "inhibitory receptor"), rows)
    return figure("Conductance of one synapse", shown, note=note)


def _panels(
    gene: Gene, modules: Mapping[int, int], amount: Scale, weight: Scale
) -> Iterator[tuple[str, list[Block]]]:
    owner = f"module {modules[gene.innovation]}, " if gene.innovation in modules else ""
    groups: dict[str, dict[str, Matrix]] = {}
    for name, array in gene.expression.items():
        group, _, symbol = name.rpartition(".")
        groups.setdefault(group, {})[symbol] = array
    for group, named in groups.items():
        blocks = []
        if "X" in named:
            blocks.append(Block("X²", np.square(named["X"]).T, amount))
        blocks += [Block(name, _softmax(named[name]).T, _SHARE) for name in ("T", "R") if name in named]
        if "W" in named:
            blocks.append(Block("W", named["W"], weight))
        if blocks:
            yield f"{owner}{group} ({blocks[0].values.shape[1]})", blocks


def _softmax(array: Matrix) -> Matrix:
    e = np.exp(array - array.max(axis=-1, keepdims=True))
    return np.asarray(e / e.sum(axis=-1, keepdims=True))
