"""A laminar block model of cortex: four layers, each of excitatory and inhibitory neurons.

    P(pre -> post) = inside   within a layer          forward  from L4 to L2/3, L2/3 to L5, L5 to L6
                     back     the other way round     skip     between any other two layers

Inhibitory neurons project within their layer only. It is entered at the excitatory neurons of L4 and left at
those of L5. The graph is synthetic (ours; no table of synapses of a column is at hand), after the canonical
circuit of Douglas and Martin 2004; with inside and back at 0 it has no cycles.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evogen.connectome.circuits.circuit import Circuit, Node
from evogen.keys import Key
from evogen.registry import register, setting

LAYERS = ("L4", "L2/3", "L5", "L6")
"""In the order of the forward way."""


@register("circuit", "laminar")
@dataclass(frozen=True)
class Laminar:
    """Cortical layers with excitation and inhibition (synthetic)."""

    neurons: int = setting(30, low=2, high=256, doc="neurons of each layer")
    inhibitory: float = setting(0.2, low=0.0, high=0.9, doc="share of inhibitory neurons")
    inside: float = setting(0.2, low=0.0, high=1.0, doc="chance of an edge within a layer")
    forward: float = setting(0.3, low=0.0, high=1.0, doc="chance of one to the next layer")
    back: float = setting(0.1, low=0.0, high=1.0, doc="chance of one to the layer before")
    skip: float = setting(0.05, low=0.0, high=1.0, doc="chance of one forward to a layer further on")
    drawn: int = setting(0, low=0, doc="number of the draw")

    def circuit(self, inputs: int, outputs: int) -> Circuit:  # noqa: ARG002
        """Return the circuit, whatever the task."""
        silent = min(round(self.neurons * self.inhibitory), self.neurons - 1)
        nodes = [
            Node(f"{layer} {'I' if at < silent else 'E'}{at}", f"{layer} {'I' if at < silent else 'E'}")
            for layer in LAYERS
            for at in range(self.neurons)
        ]
        excites = np.array([node.block.endswith("E") for node in nodes])
        layer = np.repeat(np.arange(len(LAYERS)), self.neurons)
        step = layer[None] - layer[:, None]
        chance = np.select(
            [step == 0, step == 1, step == -1, step > 1],
            [self.inside, self.forward, self.back, self.skip],
            0.0,
        )
        chance = np.where(excites[:, None] | (step == 0), chance, 0.0)
        np.fill_diagonal(chance, 0.0)
        edges = (
            Key(self.drawn).child("laminar").generator().random(chance.shape) < chance
        )  # ~ Bernoulli(chance)
        roles = {"L4 E": "in", "L5 E": "out"}
        return Circuit(
            tuple(node._replace(role=roles.get(node.block, "hid")) for node in nodes),  # type: ignore[arg-type]
            edges.astype(np.float64),
            np.where(edges, np.where(excites, 1, -1)[:, None], 0),
            "laminar block model (synthetic)",
        )
