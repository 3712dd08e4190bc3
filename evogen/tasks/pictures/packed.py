"""A folder of images as one file: a ZIP of `.../CLASS/PICTURE`, never unpacked to disk.

The name of the folder that a picture lies in is its class. Folders above it may be there, the same for all.
Files and folders whose name begins with a dot or `__` (`.DS_Store`, `__MACOSX`) are passed over; whatever
else is no image is an error. Images are decoded by Pillow, with its decoders for the formats below only, and
turned grey by its weights (0.299 R + 0.587 G + 0.114 B, ITU-R 601-2).
"""

from __future__ import annotations

import io
import lzma
import os
import struct
import warnings
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evogen.errors import SpecError
from evogen.tasks.pictures.album import Album, bounded, damaged, scaled

FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM")
SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm")
LARGEST_IMAGE = 2**24  # pixels
LARGEST_FILE = 2**26  # bytes of one image file
LARGEST = 2**29  # bytes of all of them
_FAULTS = (
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    IndexError,
    KeyError,
    OverflowError,
    MemoryError,
    struct.error,
)
_START = (1980, 1, 1, 0, 0, 0)  # the first moment that a ZIP can name


def pack(folder: Path) -> bytes:
    """Return the images of a folder as a ZIP; equal files give equal bytes.

    Raises:
        SpecError: it cannot be read, has a file that is no image, or more than LARGEST bytes.
    """
    stream, total = io.BytesIO(), 0
    try:
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
            for path in _files(folder):
                name = path.relative_to(folder).as_posix()
                if _passed_over(name):
                    continue
                _refuse_others(name, str(folder))
                if not path.is_file():  # nor a pipe, which would be waited for
                    raise damaged(str(folder), f"{name} is no file")
                if (size := path.stat().st_size) > LARGEST_FILE:
                    raise damaged(str(folder), f"{name} has {size} bytes, wanted at most {LARGEST_FILE}")
                if (total := total + size) > LARGEST:  # before they fill memory
                    raise damaged(str(folder), f"wanted at most {LARGEST} bytes of images, found more")
                archive.writestr(zipfile.ZipInfo(name, _START), path.read_bytes())
    except OSError as error:
        raise damaged(str(folder), f"{error.strerror or error}") from error
    return stream.getvalue()


def read(content: bytes, title: str, size: int) -> Album:
    """Return the pictures of a ZIP in size x size pixels, sorted by name.

    Raises:
        SpecError: no ZIP, no image, an image that cannot be read, or fewer than two classes.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = sorted(
                item.filename
                for item in archive.infolist()
                if not item.is_dir() and not _passed_over(item.filename)
            )
            classes = _classes(names, title)
            bounded(len(names), size, title)
            pictures = [_picture(archive, name, title, size) for name in names]
    except (*_FAULTS, zipfile.BadZipFile, zlib.error, lzma.LZMAError, RuntimeError) as error:
        raise damaged(title, f"wanted a ZIP of images, found {error}") from error
    known = sorted(set(classes))
    labels = np.array([known.index(name) for name in classes], dtype=np.int64)
    return Album(title, np.stack(pictures), labels, tuple(known))


def _files(folder: Path) -> list[Path]:
    """Return all files below a folder, sorted; links to folders are not followed."""

    def fail(error: OSError) -> None:
        raise error

    found = [Path(at) / name for at, _, names in os.walk(folder, onerror=fail) for name in names]
    return sorted(found)


def _passed_over(name: str) -> bool:
    return any(part.startswith((".", "__")) for part in PurePosixPath(name).parts)


def _refuse_others(name: str, title: str) -> None:
    if PurePosixPath(name).suffix.lower() not in SUFFIXES:
        raise damaged(title, f"wanted images ({', '.join(SUFFIXES)}), found {name}: take it out")


def _classes(names: Sequence[str], title: str) -> list[str]:
    """Return the class of each picture by its path."""
    if not names:
        raise damaged(title, "wanted images in a folder for each class, found none")
    parents = [PurePosixPath(name).parent for name in names]
    for name, parent in zip(names, parents, strict=True):
        _refuse_others(name, title)
        if parent.name == "":
            raise damaged(title, f"wanted every image in the folder of its class, found {name} in none")
        if parent.parent != parents[0].parent:
            what = f"folders of classes side by side, found {parents[0]}/ and {parent}/"
            raise damaged(title, f"wanted {what}: move the images of each class into one folder")
    found = [parent.name for parent in parents]
    if len(set(found)) < 2:
        raise damaged(title, f"wanted two classes at least, a folder each, found only '{found[0]}'")
    return found


def _picture(archive: zipfile.ZipFile, name: str, title: str, size: int) -> NDArray[np.float32]:
    """Return one picture, (size, size) in [0, 1]."""
    image = _pillow(title)
    with archive.open(name) as file:
        content = file.read(LARGEST_FILE + 1)  # not what the archive says of its size: that may be a lie
    if len(content) > LARGEST_FILE:
        raise damaged(title, f"{name} has more than {LARGEST_FILE} bytes")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of odd metadata, which is not used
            with image.open(io.BytesIO(content), formats=FORMATS) as opened:
                if (pixels := opened.width * opened.height) > LARGEST_IMAGE:
                    raise damaged(title, f"{name} has {pixels} pixels, wanted at most {LARGEST_IMAGE}")
                grey = _grey(opened)
    except image.UnidentifiedImageError as error:
        raise damaged(title, f"{name} is no image that can be read ({', '.join(FORMATS)})") from error
    except image.DecompressionBombError as error:
        raise damaged(title, f"{name}: {error}") from error
    except _FAULTS as error:
        raise damaged(title, f"{name}: {error}") from error
    found: NDArray[np.float32] = scaled(grey[None], size)[0]
    return found


def _grey(opened: Any) -> NDArray[np.float32]:
    """Return an image's greys in [0, 1]; transparency is not looked at."""
    if opened.mode.startswith("I"):  # 16 bits, which `convert` would cut off instead of scaling
        deep = np.asarray(opened, np.float32) / np.float32(65535)
        return deep.clip(0, 1)
    return np.asarray(opened.convert("L"), np.float32) / np.float32(255)


def _pillow(title: str) -> Any:
    try:
        from PIL import Image
    except ImportError:
        raise SpecError(f"reading {title} needs Pillow: pip install 'evogen[images]'") from None
    return Image
