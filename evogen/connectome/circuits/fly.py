"""The fly's optic lobe: 65 cell types and the signed synapses between them, from the data of `flyvis`.

An edge of the data is from a type to a type, with a mean number of synapses for each offset (u, v) between
their columns on a hexagonal grid. With `extent` r there are 1 + 3 r (r + 1) columns, each with a cell of
every type, and what leads out of them is cut off; in a single column (0) a cell stands for its type, and the
synapses of all offsets are added up. Cells of one type share their weights: one for each edge, or one for
each of its offsets. It is entered at the eight photoreceptors and left at the types that leave the medulla.

Source: Lappalainen et al. 2024, "Connectome-constrained networks predict neural activity across the fly
visual system"; reconstructions FIB-25 and FIB-19.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Literal

import numpy as np

from evogen.connectome.circuits.circuit import GIVEN, Circuit, Node, counted_ties
from evogen.connectome.circuits.data import data_file
from evogen.registry import register, setting

_FILE = ("connectome", "fib25-fib19_v2.2.json")


@register("circuit", "fly")
@dataclass(frozen=True)
class Fly:
    """Columns of the fly's optic lobe, a cell of each of 65 types in every column."""

    extent: int = setting(0, low=0, high=3, doc="rings of columns around the first one")
    sharing: Literal["type", "offset"] = setting(
        "offset", doc="cells share one weight an edge between types, or one an edge and offset"
    )
    activation: Literal["tanh", "relu"] = setting("relu", doc="of every cell; the model's own is relu")

    def circuit(self, inputs: int, outputs: int) -> Circuit:  # noqa: ARG002
        """Return the circuit, whatever the task."""
        with data_file("flyvis", *_FILE).open(encoding="utf-8") as file:
            stored = json.load(file)
        columns = [
            (u, v)
            for u in range(-self.extent, self.extent + 1)
            for v in range(-self.extent, self.extent + 1)
            if abs(u + v) <= self.extent
        ]
        types = [node["name"] for node in stored["nodes"]]
        ins, outs = set(stored["input_units"]), set(stored["output_units"])
        nodes = tuple(
            Node(
                f"{name} {u},{v}",
                name,
                "in" if name in ins else "out" if name in outs else "hid",
                name,
                self.activation,
            )
            for u, v in columns
            for name in types
        )
        at = {
            (name, *column): number
            for number, (column, name) in enumerate((c, t) for c in columns for t in types)
        }
        size = len(nodes)
        strength, sign = np.zeros((size, size)), np.zeros((size, size), dtype=np.int64)
        tie = np.full((size, size), GIVEN)
        number = 0
        for edge in stored["edges"]:
            offsets = (
                edge["offsets"] if self.extent else [((0, 0), sum(count for _, count in edge["offsets"]))]
            )
            for offset, count in offsets:
                for u, v in columns:
                    post = at.get((edge["tar"], u + offset[0], v + offset[1]))
                    if post is not None:
                        pre = at[edge["src"], u, v]
                        strength[pre, post], sign[pre, post], tie[pre, post] = count, edge["alpha"], number
                number += self.sharing == "offset"
            number += self.sharing == "type"
        return Circuit(
            nodes, strength, sign, "fly optic lobe, FIB-25 and FIB-19, from flyvis", counted_ties(tie)
        )
