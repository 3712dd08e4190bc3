"""The worm swimmer's motor circuit: proprioceptive waves down the body, started by a head oscillator.

For J joints, halves d and v (dorsal, ventral), g(x) = clip(x, 0, 1):

    Bd_i = g(w_prop d_{i-1} [i > 0] + w_osc O_d [i = 0])        Bv_i likewise with v and O_v
    Md_i = g(w_ipsi Bd_i + w_contra Bv_i)                       Mv_i = g(w_ipsi Bv_i + w_contra Bd_i)
    torque_i = Md_i - Mv_i

w_prop, w_osc, w_ipsi >= 0 and w_contra <= 0: 4 parameters, or one for each edge where they are not shared.
Inputs come in the order d_0.., v_0.., O_d, O_v, the task's others reach nothing; d_i = g(q_i), v_i = g(-q_i)
of the joint's angle over 2 pi / (J + 1). Turning and speed neurons are left out (plain swimming).

Source: Bhattasali, Zador, Engel 2022, "Neural circuit architectural priors for embodied control", and its
code. A B neuron excites one muscle and inhibits the other (the motor neurons between are left out there), so
that signs belong to edges.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from evogen.connectome.circuits.circuit import GIVEN, Circuit, Node, counted_ties
from evogen.registry import register, setting

CLIP = "hardclip01"
PROP, OSC, IPSI, CONTRA = range(4)


@register("circuit", "ncap")
@dataclass(frozen=True)
class Ncap:
    """Worm swimming: 4 shared weights, or one an edge; a joint for each output of the task."""

    sharing: Literal["shared", "edge"] = setting(
        "shared", doc="one weight a kind of synapse, or one a synapse"
    )

    def circuit(self, inputs: int, outputs: int) -> Circuit:  # noqa: ARG002
        """Return the circuit of a body with `outputs` joints."""
        joints = outputs
        halves = ("d", "v")
        nodes = [
            Node(f"{half}{i}", "sense", "in", "proprioceptor", "identity")
            for half in halves
            for i in range(joints)
        ]
        nodes += [Node(f"O{half}", "sense", "in", "oscillator", "identity") for half in halves]
        nodes += [Node(f"B{half}{i}", "motor", "hid", "B", CLIP) for half in halves for i in range(joints)]
        nodes += [
            Node(f"M{half}{i}", "muscle", "hid", "muscle", CLIP) for half in halves for i in range(joints)
        ]
        nodes += [Node(f"torque{i}", "torque", "out", "", "identity") for i in range(joints)]
        at = {node.name: number for number, node in enumerate(nodes)}
        size = len(nodes)
        sign = np.zeros((size, size), dtype=np.int64)
        tie = np.full((size, size), GIVEN)
        for half, other in (halves, halves[::-1]):
            for i in range(joints):
                source, kind = (f"O{half}", OSC) if i == 0 else (f"{half}{i - 1}", PROP)
                for pre, post, weight, parameter in (
                    (source, f"B{half}{i}", 1, kind),
                    (f"B{half}{i}", f"M{half}{i}", 1, IPSI),
                    (f"B{half}{i}", f"M{other}{i}", -1, CONTRA),
                    (f"M{half}{i}", f"torque{i}", 1 if half == "d" else -1, GIVEN),
                ):
                    sign[at[pre], at[post]] = weight
                    tie[at[pre], at[post]] = parameter
        if self.sharing == "edge":
            tuned = tie != GIVEN
            tie[tuned] = np.arange(int(tuned.sum()))
        return Circuit(
            tuple(nodes),
            np.abs(sign).astype(np.float64),
            sign,
            "NCAP swimmer, Bhattasali, Zador, Engel 2022",
            counted_ties(tie),
            ports="nodes",
            bias="none",
            units="weights",
        )
