"""Classification of images: the user's folder of pictures, or a file in the format of FER-2013.

Pictures are turned grey and scaled to size x size pixels (means over areas); each pixel is standardised by
the training fold's mean and deviation. Learning sees `train`, selection `validation`, and only the report
`test`; copies of a picture are never in two folds. See `evogen.tasks.pictures`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from evogen.errors import SpecError, near
from evogen.keys import Key
from evogen.phenotype import Network
from evogen.registry import File, file, register, setting
from evogen.tasks import Fold, TaskKind
from evogen.tasks.digits import SCORED_ON
from evogen.tasks.pictures import fer, packed
from evogen.tasks.pictures.album import Album, scaled
from evogen.tasks.pictures.split import Rows, split
from evogen.tasks.play import answers, hits

DIGITS = "digits"
LARGEST = packed.LARGEST  # bytes; FER-2013 has 3 * 10^8


@register("task", "images")
@dataclass(frozen=True)
class Images:
    """Say which class a picture belongs to."""

    source: str | File = file(  # noqa: RUF009 (a field)
        default=DIGITS,
        names=(DIGITS,),
        pack=packed.pack,
        largest=LARGEST,
        doc="a folder with a folder of images for each class, a .zip of one, a .csv as FER-2013; or digits",
    )
    size: int = setting(16, low=2, high=256, doc="pixels a side to which pictures are scaled")
    split_seed: int = setting(0, low=0, high=2**31 - 1, doc="seed of the split into folds")
    validation: float = setting(
        0.2, low=0.1, high=0.3, doc="share that selection scores on, unless the source says which"
    )
    test: float = setting(
        0.2, low=0.1, high=0.3, doc="share that only the report scores on, unless the source says which"
    )

    kind = TaskKind.CLASSIFICATION

    def __post_init__(self) -> None:
        if isinstance(self.source, str) and self.source != DIGITS:
            object.__setattr__(self, "source", _attached(self.source))
        _folds(self)

    @property
    def title(self) -> str:
        """The file's name, or the set's."""
        return self.source.name if isinstance(self.source, File) else self.source

    @property
    def reported(self) -> str:
        """The fold that the search never saw."""
        return f"the test fold of the pictures {self.title} in {self.size} x {self.size} greys"

    @property
    def inputs(self) -> int:
        """Pixels."""
        return self.size**2

    @property
    def outputs(self) -> int:
        """Number of classes."""
        return len(_album(self.source, self.size).classes)

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, in the order of the outputs."""
        return _album(self.source, self.size).classes

    def examples(self, fold: str) -> tuple[Tensor, Tensor]:
        """Return (M, inputs) float32 features and (M,) int64 labels, shared: do not write into them."""
        return _folds(self)[fold]

    @torch.no_grad()
    def score(self, agents: Network, keys: Sequence[Key], fold: Fold) -> Tensor:
        """Return (P,) accuracies of each agent's first answer; every picture meets a new network state."""
        assert len(keys) == agents.rows
        features, labels = self.examples(SCORED_ON[fold])
        return self.rate(answers(agents, features), labels.to(agents.device))

    def rate(self, output: Tensor, labels: Tensor) -> Tensor:
        """Return (P,) accuracies of (P, M, classes) outputs."""
        return hits(output, labels).mean(-1)


def _attached(written: str) -> File:
    path = Path(written)
    try:
        if path.is_dir():
            return File(f"{path.resolve().name}.zip", packed.pack(path))
        return File(path.name, path.read_bytes())
    except OSError as error:
        what = f"wanted a folder of images, a .zip of one, or a .csv file, found '{written}'"
        raise SpecError(f"{what} ({error.strerror})" + near(written, [DIGITS])) from error


@lru_cache(maxsize=4)
def _album(source: str | File, size: int) -> Album:
    if not isinstance(source, File):
        return _digits(size)
    suffix = Path(source.name).suffix.lower()
    readers = {".zip": packed.read, ".csv": fer.read}
    if suffix not in readers:
        raise SpecError(f"wanted a folder of images, a .zip of one, or a .csv file, found '{source.name}'")
    return readers[suffix](source.content, source.name, size)


def _digits(size: int) -> Album:
    # Imported here because the registry imports every task, and scikit-learn takes a second.
    from sklearn.datasets import load_digits

    bunch = load_digits()
    grey = scaled((bunch.images / 16).astype(np.float32), size)
    return Album(DIGITS, grey, bunch.target.astype(np.int64), tuple(map(str, bunch.target_names)))


@lru_cache(maxsize=16)
def _folds(task: Images) -> Mapping[str, tuple[Tensor, Tensor]]:
    from sklearn.preprocessing import StandardScaler

    album = _album(task.source, task.size)
    rows = cut(task)
    flat = album.grey.reshape(len(album.grey), -1).astype(np.float64)
    scaler = StandardScaler().fit(flat[rows["train"]])
    if not (scaler.var_ > 0).any():
        raise SpecError(f"{album.title}: wanted pixels that vary in the training fold, found none")
    return {
        name: (
            torch.from_numpy(scaler.transform(flat[members]).astype(np.float32)),
            torch.from_numpy(album.labels[members]),
        )
        for name, members in rows.items()
    }


def cut(task: Images) -> Rows:
    """Return which pictures, in the order of the source, each fold has."""
    album = _album(task.source, task.size)
    key = Key(task.split_seed).child("images")
    return split(album, validation=task.validation, test=task.test, key=key)
