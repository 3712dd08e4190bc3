"""Expression by descent: profiles drawn down a tree of cell divisions, so that relatives are alike.

The zygote's profile is N(0, I). In every round each cell divides in two, and each daughter is her mother plus
N(0, I) of her own; rounds stop once there are at least as many cells as neurons. After d rounds a cell has
variance d + 1 per column, and two cells whose last common ancestor was born in round k correlate
(k + 1) / (d + 1): sisters d / (d + 1), unrelated halves 1 / (d + 1).

Source: Kerstjens et al. 2022 (lineage-tree expression), as used for SynaptoGen's control.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from evogen.errors import SpecError
from evogen.keys import Key

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class ProfileColumns:
    """Which columns of a profile are which parameter of a neuron: X | T | R | b, 1 + g + 3n in all."""

    X: slice
    T: slice
    R: slice
    b: slice

    @property
    def width(self) -> int:
        """Columns in all."""
        return int(self.b.stop)


def profile_columns(genes: int, transmitters: int) -> ProfileColumns:
    """Return the columns of expression (g), transmitters (n), receptors (2n) and bias (1)."""
    ends = np.cumsum([genes, transmitters, 2 * transmitters, 1]).tolist()
    return ProfileColumns(*(slice(start, end) for start, end in zip([0, *ends[:-1]], ends, strict=True)))


def rounds(neurons: int) -> int:
    """Return how many rounds of division give at least this many cells."""
    return (neurons - 1).bit_length()


def lineage(neurons: int, width: int, key: Key) -> Floats:
    """Draw (neurons, width) profiles; consecutive rows are close relatives.

    The tree's first `neurons` cells are shifted round by a random offset, so that no layer always begins at
    the same branch.

    Raises:
        SpecError: neurons or width is below 1.
    """
    return np.roll(tree(neurons, width, key), offset(neurons, key), axis=0)


def offset(neurons: int, key: Key) -> int:
    """Draw by how many rows a tree's cells are shifted round."""
    return int(key.child("offset").generator().integers(neurons))  # ~ U{0, ..., neurons - 1}


def tree(neurons: int, width: int, key: Key) -> Floats:
    """Draw (neurons, width) profiles of a tree's first cells; columns are independent of each other.

    Raises:
        SpecError: neurons or width is below 1.
    """
    if neurons < 1 or width < 1:
        raise SpecError(f"lineage: wanted at least 1 neuron and 1 column, found {neurons} and {width}")
    cells = key.child("zygote").generator().standard_normal((1, width))  # ~ N(0, 1)
    for depth in range(rounds(neurons)):
        steps = key.child("division", depth).generator().standard_normal((2 * len(cells), width))  # ~ N(0, 1)
        cells = np.repeat(cells, 2, axis=0) + steps
    return cells[:neurons]


def matched(profiles: npt.ArrayLike, mean: npt.ArrayLike, deviation: npt.ArrayLike) -> Floats:
    """Rescale each column to a given mean and standard deviation: the moment-matched control.

    An unscaled tree has variance d + 1, far outside a trained network's; a control should differ in what
    expression says, not in how large it is.

    Args:
        profiles: (rows, columns); a constant column can only be matched to a deviation of 0.
        mean: (columns,) or a number.
        deviation: (columns,) or a number, population standard deviation (divisor: rows), >= 0.

    Raises:
        SpecError: shapes disagree, a deviation is negative, or a constant column is to be spread.
    """
    rows = np.asarray(profiles, dtype=np.float64)
    if rows.ndim != 2 or not rows.size:
        raise SpecError(f"profiles: wanted shape (rows, columns), none 0, found {rows.shape}")
    targets = []
    for name, given in (("mean", mean), ("deviation", deviation)):
        target = np.asarray(given, dtype=np.float64)
        if target.shape not in ((), rows.shape[1:]):
            raise SpecError(f"{name}: wanted a number or shape {rows.shape[1:]}, found {target.shape}")
        targets.append(np.broadcast_to(target, rows.shape[1:]))
    centre, spread = targets
    if not np.isfinite([rows.sum(), centre.sum(), spread.sum()]).all() or (spread < 0).any():
        raise SpecError("matched: wanted finite numbers and deviations >= 0")
    own = rows.std(axis=0)
    still = own <= 1e-12 * np.abs(rows).max(axis=0)
    if (still & (spread > 0)).any():
        column = int(np.flatnonzero(still & (spread > 0))[0])
        raise SpecError(
            f"profiles: column {column} is constant; it cannot be given deviation {spread[column]}"
        )
    factor: Floats = np.where(still, 0.0, spread / np.where(still, 1.0, own))
    result: Floats = centre + (rows - rows.mean(axis=0)) * factor
    return result
