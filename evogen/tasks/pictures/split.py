"""Cutting an album into training, validation and test, so that no picture is in two of them.

Where the source says which fold a picture is for, that holds; otherwise each class is dealt by chance. Copies
of one picture, equal in every pixel, are kept together: dealt, they all go where the first goes; where the
source itself has put them into several folds, those outside the later one are left out (test before
validation before training).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from evogen.errors import SpecError
from evogen.keys import Key
from evogen.tasks.pictures.album import Album

FOLDS = ("train", "validation", "test")
Rows = Mapping[str, NDArray[np.intp]]


def split(album: Album, *, validation: float, test: float, key: Key) -> Rows:
    """Return the pictures of each fold.

    Args:
        album: all pictures.
        validation: share of them, where the source does not say.
        test: share of them.
        key: of the dealing.

    Raises:
        SpecError: a fold has no picture of some class.
    """
    copies = _copies(album)
    folds = _dealt(album, copies, validation, test, key) if album.folds is None else _given(album, copies)
    rows = {name: np.flatnonzero(folds == number) for number, name in enumerate(FOLDS)}
    for name, members in rows.items():
        counts = np.bincount(album.labels[members], minlength=len(album.classes))
        if (absent := np.flatnonzero(counts == 0)).size:
            raise SpecError(
                f"{album.title}: wanted pictures of every class in the {name} fold, found none of "
                f"'{album.classes[absent[0]]}': wanted three different pictures of each class at least"
            )
    return rows


def _copies(album: Album) -> NDArray[np.int64]:
    """Return for each picture the number of the first that equals it."""
    first: dict[bytes, int] = {}
    return np.array([first.setdefault(picture.tobytes(), at) for at, picture in enumerate(album.grey)])


def _dealt(
    album: Album, copies: NDArray[np.int64], validation: float, test: float, key: Key
) -> NDArray[np.int64]:
    folds = np.zeros(len(copies), np.int64)
    for label in range(len(album.classes)):
        own = np.flatnonzero((copies == np.arange(len(copies))) & (album.labels == label))
        order = key.child("deal", label).generator().permutation(own)
        held = max(1, round(test * len(own)))
        folds[order[:held]] = 2
        folds[order[held : held + max(1, round(validation * len(own)))]] = 1
    return folds[copies]


def _given(album: Album, copies: NDArray[np.int64]) -> NDArray[np.int64]:
    assert album.folds is not None
    latest = np.zeros(len(copies), np.int64)
    np.maximum.at(latest, copies, album.folds)
    return np.where(album.folds == latest[copies], album.folds, -1)
