"""Worm tables from the optional extra `evogen[worm]`: CeNGEN expression and chemical synapses by class.

The distribution `wormneuroatlas` is GPL-3 or later, so evogen never imports it: its CSV data files are read
where pip put them. Cite the data: expression, Taylor et al. 2021 (Cell 184, 4329); synapses, White et al.
1986 or Witvliet et al. 2021.

It holds NO membrane contacts. nDGE needs them to tell "could have made a synapse and did not": give your own
contact table (e.g. Brittin et al. 2021), or take `every_pair` and know that beta then also holds what decides
which classes lie beside each other.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from importlib import metadata
from pathlib import Path

import numpy as np

from evogen.errors import SpecError, near
from evogen.genetics.ndge import Floats, Mask

# Classes that CeNGEN splits by position, and neurons it names otherwise than the connectomes do.
SPLIT = {
    **dict.fromkeys(("IL2DL", "IL2DR", "IL2VL", "IL2VR"), "IL2_DV"),
    **dict.fromkeys(("IL2L", "IL2R"), "IL2_LR"),
    **dict.fromkeys(("RMDDL", "RMDDR", "RMDVL", "RMDVR"), "RMD_DV"),
    **dict.fromkeys(("RMDL", "RMDR"), "RMD_LR"),
    **dict.fromkeys(("RMED", "RMEV"), "RME_DV"),
    **dict.fromkeys(("RMEL", "RMER"), "RME_LR"),
    **dict.fromkeys(("VC4", "VC5"), "VC_4_5"),
    **{"DB1": "DB01", "VB1": "VB01", "VB2": "VB02"},
}


class Threshold(Enum):
    """CeNGEN's filter of unsure expression, from the mildest to the strictest; the file's name."""

    LIBERAL = "cengen_021821_liberal_threshold1.csv"
    MEDIUM = "cengen_021821_medium_threshold2.csv"
    CONSERVATIVE = "cengen_021821_conservative_threshold3.csv"
    STRINGENT = "cengen_021821_stringent_threshold4.csv"


class Connectome(Enum):
    """A reconstruction of chemical synapses; the file's name."""

    WHITE_WHOLE = "aconnectome_white_1986_whole.csv"
    WITVLIET_7 = "aconnectome_witvliet_2020_7.csv"
    WITVLIET_8 = "aconnectome_witvliet_2020_8.csv"


@dataclass(frozen=True, eq=False)
class Atlas:
    """Expression and synapses of the worm's neuron classes.

    Attributes:
        classes: CeNGEN's classes; AWC is the mean of AWC_ON and AWC_OFF, which connectomes cannot tell apart.
        genes: gene names.
        expression: (classes, genes) transcripts per million.
        synapse: (classes, classes) [pre, post] chemical synapses counted.
    """

    classes: tuple[str, ...]
    genes: tuple[str, ...]
    expression: Floats
    synapse: Floats

    def choose(self, classes: Sequence[str], genes: Sequence[str]) -> Atlas:
        """Return these classes and genes only, in this order.

        Raises:
            SpecError: the atlas does not hold one of them.
        """
        rows = _places("class", classes, self.classes)
        columns = _places("gene", genes, self.genes)
        return Atlas(
            tuple(classes),
            tuple(genes),
            self.expression[np.ix_(rows, columns)],
            self.synapse[np.ix_(rows, rows)],
        )


def every_pair(classes: int) -> Mask:
    """Return a stand-in for missing contacts: every ordered pair of different classes is a candidate."""
    return ~np.eye(classes, dtype=np.bool_)


def read_atlas(
    *, threshold: Threshold = Threshold.MEDIUM, connectome: Connectome = Connectome.WHITE_WHOLE
) -> Atlas:
    """Read the worm's tables from the installed extra.

    Raises:
        SpecError: the extra is not installed, or its files are not those of wormneuroatlas 0.0.7.
    """
    classes, genes, expression = _expression(data_file(threshold.value))
    counts = np.zeros((len(classes), len(classes)))
    place = {name: index for index, name in enumerate(classes)}
    for pre, post, synapses in _chemical(data_file(connectome.value)):
        rows = [place.get(class_of(neuron, place)) for neuron in (pre, post)]
        # Muscles and glia are no neuron class.
        if rows[0] is not None and rows[1] is not None:
            counts[rows[0], rows[1]] += synapses
    return Atlas(classes, genes, expression, counts)


def data_file(name: str) -> Path:
    """Return the path of a data file of the extra, without importing it.

    Raises:
        SpecError: the extra is not installed or holds no such file.
    """
    try:
        path = Path(str(metadata.distribution("wormneuroatlas").locate_file(f"wormneuroatlas/data/{name}")))
    except metadata.PackageNotFoundError as error:
        raise SpecError(
            "the worm's tables come with an optional extra that is not installed: pip install 'evogen[worm]'"
        ) from error
    if not path.is_file():
        raise SpecError(f"{path}: wanted this file of wormneuroatlas 0.0.7, found none; install that version")
    return path


def class_of(neuron: str, classes: Sequence[str] | dict[str, int]) -> str:
    """Return CeNGEN's class of a neuron, '' where it has none: ADAL -> ADA, VD3 -> VD_DD, IL2DL -> IL2_DV."""
    if neuron in SPLIT:
        return SPLIT[neuron]
    if re.fullmatch(r"[VD]D\d+", neuron):
        return "VD_DD"
    stems = (
        neuron,
        re.sub(r"[LR]$", "", neuron),
        re.sub(r"[DV][LR]?$", "", neuron),
        re.sub(r"\d+$", "", neuron),
    )
    return next((stem for stem in stems if stem in classes), "")


def _expression(path: Path) -> tuple[tuple[str, ...], tuple[str, ...], Floats]:
    with path.open(newline="", encoding="utf-8") as file:
        lines = csv.reader(file)
        found = next(lines, [])[3:]
        rows = list(lines)
    try:
        tpm = np.array([row[3:] for row in rows], dtype=np.float64).T  # (classes, genes)
        on, off = found.index("AWC_ON"), found.index("AWC_OFF")
    except ValueError as error:
        raise SpecError(
            f"{path}: wanted CeNGEN's table of numbers with AWC_ON and AWC_OFF: {error}"
        ) from error
    tpm[off] = (tpm[on] + tpm[off]) / 2
    keep = [index for index in range(len(found)) if index != on]
    classes = tuple("AWC" if index == off else found[index] for index in keep)
    return classes, tuple(row[1] for row in rows), tpm[keep]


def _chemical(path: Path) -> Iterator[tuple[str, str, float]]:
    with path.open(newline="", encoding="utf-8") as file:
        lines = csv.DictReader(file, delimiter="\t")
        try:
            for row in lines:
                if row["type"] == "chemical":
                    yield row["pre"], row["post"], float(row["synapses"])
        except (KeyError, TypeError, ValueError) as error:
            raise SpecError(
                f"{path}:{lines.line_num}: wanted pre, post, type and a number of synapses: {error}"
            ) from error


def _places(kind: str, names: Sequence[str], known: Sequence[str]) -> list[int]:
    place = {name: index for index, name in enumerate(known)}
    for name in names:
        if name not in place:
            raise SpecError(f"the atlas holds no {kind} '{name}'{near(name, known)}")
    return [place[name] for name in names]
