"""Expression by descent: the control whose agents have trained rules and expression of a random lineage.

All profiles of an agent's neurons (X | T | R | b) are leaves of one lineage tree over the whole network, cut
into layers in order. Biases are standardised to the trained biases' mean and deviation. `lineage` leaves the
rest as the tree has it (variance 9 for 134 neurons, the reference's control), `matched` gives X, T and R the
mean and the deviation of their trained entries: it differs in what expression says, not in how large it is.

Source: SynaptoGen's control ("synapses form freely", arXiv 2402.07242), after Kerstjens et al. 2022.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from evogen.genetics.lineage import lineage, matched, profile_columns
from evogen.genome import Array, Gene, Genome, frozen
from evogen.keys import Key

LAYERS = ("in", "l0", "out")
SYMBOLS = ("X", "T", "R", "b")


def redrawn(genome: Genome, key: Key, *, scaled: bool) -> Genome:
    """Return a trained genome with other expression and the same rules.

    Args:
        genome: with the expression of all its neurons.
        key: of the lineage.
        scaled: whether X, T and R get the trained mean and deviation too.
    """
    rules = genome.rules
    assert rules is not None
    owners = {"in": genome.interface, "l0": genome.architecture[0], "out": genome.interface}
    sizes = {name: len(owners[name].expression[f"{name}.X"]) for name in LAYERS}
    columns = profile_columns(len(rules.genes), len(rules.c))
    profiles = lineage(sum(sizes.values()), columns.width, key)
    fresh: dict[str, Array] = {}
    for symbol in SYMBOLS:
        part = profiles[:, getattr(columns, symbol)]
        if scaled or symbol == "b":
            mean, deviation = _moments(owners, symbol)
            part = matched(part, mean, deviation)
        start = 0
        for name in LAYERS:
            rows = part[start : start + sizes[name]]
            fresh[f"{name}.{symbol}"] = frozen(rows[:, 0] if symbol == "b" else rows)
            start += sizes[name]
    return replace(
        genome,
        interface=_given(genome.interface, fresh),
        architecture=(_given(genome.architecture[0], fresh),),
    )


def _moments(owners: Mapping[str, Gene], symbol: str) -> tuple[float, float]:
    """Return mean and deviation over all trained entries of a symbol."""
    names = [f"{name}.{symbol}" for name in LAYERS]
    found = [
        owners[name.split(".")[0]].expression[name].ravel()
        for name in names
        if name in owners[name.split(".")[0]].expression
    ]
    entries = np.concatenate(found).astype(np.float64)
    return float(entries.mean()), float(entries.std())


def _given(gene: Gene, fresh: Mapping[str, Array]) -> Gene:
    """Return the gene with fresh arrays in place of those that it carries."""
    return replace(gene, expression={name: fresh.get(name, old) for name, old in gene.expression.items()})
