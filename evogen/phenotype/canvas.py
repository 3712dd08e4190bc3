"""Canvas: the arrays of a cohort of neuron genomes, flat enough to be filled by one index."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from itertools import accumulate
from typing import Any

import numpy as np

from evogen.phenotype.development import Development, Tissue
from evogen.phenotype.layout import Layout
from evogen.registry import find


def symbols(padded: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the symbols of the parameters that synapses have."""
    return tuple(sorted({name.split(".")[1] for name in padded if ">" in name}))


class Canvas:
    """The empty arrays of a cohort: a flat axis over the neurons of all levels, one over all links' pairs.

    Attributes:
        size: P.
        padded: every parameter of the layout by name.
        parameters: those of neurons, (P, N, ...).
        mask: (P, pairs).
        row, pair: (P, neurons) and (P, pairs) arrays by name.
        neurons, pairs: where each level and each link begins on these axes, and where the last one ends.
        link: (levels, levels) number of the link from one to the other.
    """

    def __init__(self, development: Development, layout: Layout, size: int) -> None:
        self.development, self.layout = development, layout
        self.size = size
        self.padded = development.parameters(layout)
        widths = [level.size for level in layout.levels]
        self.neurons = np.array([0, *accumulate(widths)])
        self.pairs = np.array([0, *accumulate(widths[pre] * widths[post] for pre, post in layout.pairs)])
        self.link = np.zeros((len(widths), len(widths)), dtype=np.int64)
        for number, (pre, post) in enumerate(layout.pairs):
            self.link[pre, post] = number
        self.parameters = {
            name: np.zeros((self.size, *spec.shape)) for name, spec in self.padded.items() if ">" not in name
        }
        self.mask = np.zeros((self.size, int(self.pairs[-1])), dtype=bool)
        self.row: dict[str, np.ndarray] = {}
        self.pair: dict[str, np.ndarray] = {
            symbol: np.zeros((self.size, int(self.pairs[-1]))) for symbol in symbols(self.padded)
        }
        self.functions: set[str] = {"identity"}

    def rows(self, name: str, fill: float = 0.0) -> np.ndarray:
        """Return a (P, neurons) array, made where it is not there yet."""
        if name not in self.row:
            self.row[name] = np.full((self.size, int(self.neurons[-1])), fill)
        return self.row[name]

    def synapses(self, name: str) -> np.ndarray:
        """Return a (P, pairs) array, made where it is not there yet."""
        if name not in self.pair:
            self.pair[name] = np.zeros((self.size, int(self.pairs[-1])))
        return self.pair[name]

    def tissue(self) -> Tissue:
        """Cut the axes into levels and links."""
        levels, links = self.layout.levels, self.layout.links
        parameters = dict(self.parameters)
        for name in self.padded:
            if ">" in name:
                ends, symbol = name.split(".")
                pre, post = (int(part) for part in ends.split(">"))
                parameters[name] = self._link(self.pair[symbol], int(self.link[pre, post]))
        activation: dict[str, np.ndarray] = {}
        neuron: dict[str, np.ndarray] = {}
        rule: dict[str, np.ndarray] = {}
        functions: list[tuple[str, ...]] = []
        for at, level in enumerate(levels):
            present = {
                name: self._level(self.row[f"act.{name}"], at)
                for name in sorted(self.functions)
                if f"act.{name}" in self.row
            }
            present = {name: array for name, array in present.items() if array.any()}
            functions.append(tuple(present) or ("identity",))
            activation |= {f"{at}.{name}": array for name, array in present.items()}
            for kind in (*level.neurons, *level.spiking):
                neuron[f"{at}.{kind}"] = self._level(self.rows(kind), at)
                for item in fields(default := find("neuron", kind)()):
                    array = self.rows(f"{kind}.{item.name}", float(getattr(default, item.name)))
                    neuron[f"{at}.{kind}.{item.name}"] = self._level(array, at)
        for number, link in enumerate(links):
            for name in link.rules:
                used = self.development.rules[name].coefficients
                found = [name, *(f"{name}.{coefficient}" for coefficient in used)]
                for each in found:
                    rule[f"{number}.{each}"] = self._link(self.synapses(each), number)[:, None]
        masks = [self._link(self.mask, number) for number in range(len(links))]
        return Tissue(parameters, masks, functions, activation, neuron, rule)

    def _level(self, array: np.ndarray, at: int) -> np.ndarray:
        return array[:, None, self.neurons[at] : self.neurons[at + 1]]

    def _link(self, array: np.ndarray, number: int) -> np.ndarray:
        link = self.layout.links[number]
        shape = self.layout.levels[link.pre].size, self.layout.levels[link.post].size
        return array[:, self.pairs[number] : self.pairs[number + 1]].reshape(self.size, *shape)
