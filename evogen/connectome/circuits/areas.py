"""Areas of the motor loop, each a block of neurons: M1 -> S1 -> premotor -> basal ganglia -> thalamus -> M1.

    P(pre -> post) = inside  within an area,  between  where an area projects to another,  else 0

With `feedback: left-out` nothing goes back to an area before: thalamus, premotor and S1 do not reach M1. The
loop is entered at M1 and left at the thalamus. Basal ganglia inhibit the thalamus; else a share of each
area's neurons inhibits, within its area only. The graph is synthetic (ours), after the blocks of the
motorSRNN (Liu et al. 2023), whose tables were not at hand.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from evogen.connectome.circuits.circuit import Circuit, Node
from evogen.keys import Key
from evogen.registry import register, setting

AREAS = ("M1", "S1", "premotor", "basal ganglia", "thalamus")
FORWARD = ((0, 1), (0, 2), (1, 2), (0, 3), (2, 3), (3, 4), (2, 4))
BACK = ((4, 0), (2, 0), (1, 0), (4, 2))


@register("circuit", "areas")
@dataclass(frozen=True)
class Areas:
    """Blocks of the motor loop, with long-range feedback or without (synthetic)."""

    neurons: int = setting(20, low=2, high=256, doc="neurons of each area")
    inhibitory: float = setting(
        0.2, low=0.0, high=0.9, doc="share of inhibitory neurons, but for basal ganglia"
    )
    inside: float = setting(0.2, low=0.0, high=1.0, doc="chance of an edge within an area")
    between: float = setting(0.2, low=0.0, high=1.0, doc="chance of one where an area projects to another")
    feedback: Literal["kept", "left-out"] = setting("kept", doc="what becomes of the ways back")
    drawn: int = setting(0, low=0, doc="number of the draw")

    def circuit(self, inputs: int, outputs: int) -> Circuit:  # noqa: ARG002
        """Return the circuit, whatever the task."""
        count, silent = self.neurons, min(round(self.neurons * self.inhibitory), self.neurons - 1)
        area = np.repeat(np.arange(len(AREAS)), count)
        ganglia = area == AREAS.index("basal ganglia")
        inhibits = ganglia | (np.tile(np.arange(count), len(AREAS)) < silent)
        ways = FORWARD + (BACK if self.feedback == "kept" else ())
        joined = np.zeros((len(AREAS), len(AREAS)), dtype=bool)
        joined[tuple(np.array(ways).T)] = True
        far = joined[area[:, None], area] & (~inhibits | ganglia)[:, None]
        chance = np.where(area[:, None] == area, self.inside, np.where(far, self.between, 0.0))
        np.fill_diagonal(chance, 0.0)
        edges = (
            Key(self.drawn).child("areas").generator().random(chance.shape) < chance
        )  # ~ Bernoulli(chance)
        roles = {"M1": "in", "thalamus": "out"}
        nodes = tuple(
            Node(f"{AREAS[of]} {at}", AREAS[of], roles.get(AREAS[of], "hid"), "I" if inhibits[at] else "E")  # type: ignore[arg-type]
            for at, of in enumerate(area.tolist())
        )
        return Circuit(
            nodes,
            edges.astype(np.float64),
            np.where(edges, np.where(inhibits, -1, 1)[:, None], 0),
            "areas of the motor loop (synthetic)",
        )
