"""Album: grey pictures with their classes, all of one size."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from evogen.errors import SpecError

MOST_PIXELS = 10**8
"""Of all pictures together, once they are scaled."""


class Album(NamedTuple):
    """Pictures in the order of their file.

    Attributes:
        title: what errors call it.
        grey: (M, size, size) float32 in [0, 1].
        labels: (M,) int64 numbers of classes.
        classes: their names.
        folds: (M,) int64, 0 train, 1 validation, 2 test, where the source says so; else None.
    """

    title: str
    grey: NDArray[np.float32]
    labels: NDArray[np.int64]
    classes: tuple[str, ...]
    folds: NDArray[np.int64] | None = None


def scaled(grey: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    """Return (M, height, width) pictures as (M, size, size): means over the area that each pixel covers."""
    if grey.shape[1:] == (size, size):
        return grey
    pictures = torch.from_numpy(grey).unsqueeze(1)
    found: NDArray[np.float32] = torch.nn.functional.adaptive_avg_pool2d(pictures, size)[:, 0].numpy()
    return found


def bounded(count: int, size: int, title: str) -> None:
    """Refuse more pixels than fit in memory."""
    if count * size**2 > MOST_PIXELS:
        raise SpecError(
            f"{title}: wanted at most {MOST_PIXELS} pixels in all, found {count} pictures of "
            f"{size} x {size}: write a smaller size, or take fewer pictures"
        )


def damaged(title: str, what: str) -> SpecError:
    """Return the error of a source that cannot be read."""
    return SpecError(f"cannot read the pictures {title}: {what}")
