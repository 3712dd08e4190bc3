"""FER-2013's format: a CSV file with a face of 48 x 48 greys, its emotion and its fold in every line.

    emotion,pixels,Usage
    0,70 80 82 ... ,Training

emotion is 0 to 6 (angry, disgust, fear, happy, sad, surprise, neutral), pixels are numbers from 0 to 255
with blanks between them, row after row, Usage is Training, PublicTest or PrivateTest: to learn from, for
selection, for the report. Pictures of any square size are taken, and other numbers of classes from 0 up.

Source: Goodfellow et al. 2013, https://arxiv.org/abs/1307.0414; the set is not passed on with evogen.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from evogen.errors import SpecError
from evogen.tasks.pictures.album import Album, bounded, damaged, scaled

COLUMNS = ("emotion", "pixels", "usage")
EMOTIONS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
USAGES: Mapping[str, int] = {"training": 0, "publictest": 1, "privatetest": 2}
MOST_CLASSES = 1000
LONGEST_LINE = 2**20  # characters; 512 x 512 pixels


def read(content: bytes, title: str, size: int) -> Album:
    """Return the faces of a file in size x size pixels, in its order.

    Raises:
        SpecError: another format; the text says in which line.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise damaged(title, f"wanted UTF-8 text, found {error}") from error
    before = csv.field_size_limit(LONGEST_LINE)
    try:
        return _read(text, title, size)
    except csv.Error as error:
        raise damaged(title, str(error)) from error
    finally:
        csv.field_size_limit(before)


def _read(text: str, title: str, size: int) -> Album:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    header = [name.strip().lower() for name in next(reader, [])]
    if sorted(header) != sorted(COLUMNS):
        found = ",".join(header)[:80] or "nothing"
        raise damaged(title, f"wanted the columns emotion,pixels,Usage in its first line, found {found}")
    at = [header.index(name) for name in COLUMNS]
    grey, labels, folds, side = [], [], [], 0
    for row in reader:
        if not row:
            continue
        where = f"line {reader.line_num}"
        if len(row) != len(COLUMNS):
            raise damaged(title, f"{where}: wanted {len(COLUMNS)} cells, found {len(row)}")
        emotion, pixels, usage = (row[place].strip() for place in at)
        picture = _pixels(pixels, where, title, side)
        side = len(picture)
        labels.append(_emotion(emotion, where, title))
        if usage.lower() not in USAGES:
            wanted = "Training, PublicTest or PrivateTest"
            raise damaged(title, f"{where}: wanted the usage {wanted}, found '{usage[:40]}'")
        folds.append(USAGES[usage.lower()])
        grey.append(scaled(picture[None] / np.float32(255), size)[0])
        bounded(len(grey), size, title)
    if not grey:
        raise damaged(title, "wanted at least one face below the column names, found none")
    names = EMOTIONS if max(labels) < len(EMOTIONS) else tuple(map(str, range(max(labels) + 1)))
    return _closed(Album(title, np.stack(grey), np.array(labels), names, np.array(folds)))


def _pixels(text: str, where: str, title: str, side: int) -> NDArray[np.float32]:
    """Return a picture, (side, side) in 0..255; of the side of those before it, 0 for the first."""
    try:
        values = np.array([int(word) for word in text.split()], dtype=np.float32)
    except (ValueError, OverflowError) as error:
        raise damaged(title, f"{where}: wanted pixels as whole numbers, found {error}") from error
    own = math.isqrt(len(values))
    if not len(values) or own**2 != len(values):
        raise damaged(title, f"{where}: wanted a square of pixels (48 x 48 = 2304), found {len(values)}")
    if side and own != side:
        raise damaged(title, f"{where}: wanted {side**2} pixels as in the first face, found {len(values)}")
    if values.min() < 0 or values.max() > 255:
        off = values.min() if values.min() < 0 else values.max()
        raise damaged(title, f"{where}: wanted pixels from 0 to 255, found {off:g}")
    return values.reshape(own, own)


def _emotion(text: str, where: str, title: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > 9 or int(text) >= MOST_CLASSES:
        raise damaged(title, f"{where}: wanted an emotion from 0 to 6, found '{text[:40]}'")
    return int(text)


def _closed(album: Album) -> Album:
    """Return the album without classes that no face has."""
    present = np.unique(album.labels)
    if len(present) < 2:
        raise SpecError(f"{album.title}: wanted two emotions at least, found {len(present)}")
    labels = np.searchsorted(present, album.labels)
    return album._replace(labels=labels, classes=tuple(album.classes[label] for label in present))
