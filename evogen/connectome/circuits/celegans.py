"""The connectome of the worm C. elegans, as anatomists counted it, from the package `cect`.

Strengths are numbers of chemical synapses, [pre, post]; gap junctions are the electrical part. Neurons that
make GABA inhibit, all others excite: DD, VD, RME, RIS, AVL and DVB (White et al. 1986, McIntire et al. 1993;
that receptors decide, as of glutamate-gated chloride channels, is left out). `motor` is the circuit of
locomotion: command neurons, ventral cord and body wall muscles; it is entered at the command neurons and the
B neurons, which feel the bend of the body (Wen et al. 2012), and left at the muscles, by free weights or as
`evogen.connectome.circuits.swimming` says. `neurons` is the whole
nervous system of the body without the pharynx, from the sensory neurons to the motor neurons.

Sources: Cook et al. 2019 (adult hermaphrodite); White et al. 1986; Varshney et al. 2011; Witvliet et al. 2021
(1 at birth, 8 adult; heads only, without the ventral cord). Cells' types: WormAtlas, as in `cect`.
"""

from __future__ import annotations

import csv
import json
import re
from dataclasses import dataclass
from typing import Literal

import numpy as np

from evogen.connectome.circuits.circuit import Circuit, Node
from evogen.connectome.circuits.data import data_file
from evogen.connectome.circuits.swimming import embodied
from evogen.errors import DevelopmentError
from evogen.registry import register, setting

_FILES = {
    "cook-2019": "Cook2019HermReader",
    "white-1986": "White_whole",
    "varshney-2011": "VarshneyDataReader",
    **{f"witvliet-{at}": f"WitvlietDataReader{at}" for at in range(1, 9)},
}
_INHIBITORY = re.compile(r"(DD|VD)\d+|RME[DVLR]|RIS|AVL|DVB")
_COMMAND = re.compile(r"(AVA|AVB|AVD|AVE|PVC)[LR]")
_CORD = re.compile(r"(DA|DB|DD|VA|VB|VD|AS)\d+")
_FELT = re.compile(r"[DV]B\d+")
_BODY_MUSCLE = re.compile(r"M[DV][LR]\d+")
_SENSORY = ("Amphid", "Phasmid", "Cephalic", "Mechanosensory", "Touch", "O2")
_OTHERS = ("Pharyn", "Canal", "Layer", "Category", "Linker")


@register("circuit", "celegans")
@dataclass(frozen=True)
class Celegans:
    """The worm's wiring: its locomotion circuit, or all neurons of its body."""

    data: Literal[
        "cook-2019",
        "white-1986",
        "varshney-2011",
        "witvliet-1",
        "witvliet-2",
        "witvliet-3",
        "witvliet-4",
        "witvliet-5",
        "witvliet-6",
        "witvliet-7",
        "witvliet-8",
    ] = setting("cook-2019", doc="whose count of the synapses")
    part: Literal["motor", "neurons"] = setting("motor", doc="the circuit of locomotion, or all body neurons")
    gaps: Literal["kept", "left-out"] = setting("kept", doc="what becomes of gap junctions")
    entry: Literal["dense", "body"] = setting(
        "dense", doc="free weights from all inputs and to all outputs, or the place of each cell in a swimmer"
    )

    def circuit(self, inputs: int, outputs: int) -> Circuit:  # noqa: ARG002
        """Return the circuit; in a body, of `outputs` joints."""
        found = self._anatomy()
        return found if self.entry == "dense" else embodied(found, outputs)

    def _anatomy(self) -> Circuit:
        with data_file("cect", "cache", f"{_FILES[self.data]}.json").open(encoding="utf-8") as file:
            stored = json.load(file)
        types = _types()
        nodes = {name: self._node(name, types.get(name, "")) for name in stored["nodes"]}
        kept = [at for at, name in enumerate(stored["nodes"]) if nodes[name] is not None]
        places = np.ix_(kept, kept)
        chemical, electrical = (
            np.array(stored["connections"][name], dtype=np.float64)[places]
            for name in ("Generic_CS", "Generic_GJ")
        )
        made = tuple(node for at in kept if (node := nodes[stored["nodes"][at]]) is not None)
        if not {"in", "hid", "out"} <= {node.role for node in made}:
            raise DevelopmentError(
                f"{self.data} lacks cells of the part '{self.part}': wanted cook-2019, or neurons"
            )
        signs = np.array([-1 if _INHIBITORY.fullmatch(node.name) else 1 for node in made])
        return Circuit(
            made,
            chemical,
            np.repeat(signs[:, None], len(made), axis=1),
            f"C. elegans, {self.data}, {self.part}, from cect",
            electrical=np.maximum(electrical, electrical.T) if self.gaps == "kept" else None,
        )

    def __post_init__(self) -> None:
        if self.entry == "body" and self.part != "motor":
            raise ValueError(f"entry: body is for part: motor, whose cells have places; found {self.part}")

    def _node(self, name: str, kind: str) -> Node | None:
        return _of_motor(name, kind) if self.part == "motor" else _of_body(name, kind)


def _of_motor(name: str, kind: str) -> Node | None:
    if _COMMAND.fullmatch(name):
        return Node(name, "command", "in", kind)
    if _CORD.fullmatch(name):
        return Node(name, re.sub(r"\d+", "", name), "in" if _FELT.fullmatch(name) else "hid", kind)
    return Node(name, "muscle", "out", kind) if _BODY_MUSCLE.fullmatch(name) else None


def _of_body(name: str, kind: str) -> Node | None:
    if kind.startswith(_SENSORY):
        return Node(name, "sensory", "in", kind)
    if "motor" in kind and not kind.startswith(_OTHERS):
        return Node(name, "motor", "out", kind)
    inter = "interneuron" in kind or kind.startswith("Linker")
    return Node(name, "inter", "hid", kind) if inter and not kind.startswith("Pharyn") else None


def _types() -> dict[str, str]:
    with data_file("cect", "data", "all_cell_info.csv").open(encoding="utf-8", newline="") as file:
        return {row[0]: row[1] for row in csv.reader(file) if len(row) > 1}
