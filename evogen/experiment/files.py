"""Files that an experiment names beside its grammar: read once, copied into every run, carried to workers."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from evogen.errors import near
from evogen.registry import File
from evogen.schema import Where, show

LARGEST = 2**26  # bytes of a file; every run keeps a copy, and every worker is sent one


def attach(cls: type[Any], data: Mapping[str, Any], where: Where, folder: Path) -> dict[str, File]:
    """Read the files that the settings of a part name.

    Args:
        cls: the part's dataclass.
        data: what the experiment says of it.
        where: the place of `data`.
        folder: that relative paths begin in.

    Returns:
        File by the setting that names it; its name is the setting's, with the suffix of the path.

    Raises:
        SpecError: no such file, too large, or not readable.
    """
    fields = {
        item.name: item.metadata["names"] for item in dataclasses.fields(cls) if item.metadata.get("file")
    }
    return {
        name: _read(name, data[name], where / name, folder, names)
        for name, names in fields.items()
        if data.get(name, "") not in ("", *names)
    }


def attached(parts: Iterable[Any]) -> dict[str, bytes]:
    """Return what the files of these parts hold, by name."""
    values = (getattr(part, item.name) for part in parts for item in dataclasses.fields(part))
    return {value.name: value.content for value in values if isinstance(value, File)}


def _read(name: str, written: object, where: Where, folder: Path, names: Sequence[str]) -> File:
    if not isinstance(written, str):
        raise where.error(f"wanted a file's path from the folder of this file, found {show(written)}")
    path = folder / written
    if not path.is_file():
        what = "is a folder, wanted a file in it" if path.is_dir() else "is not there"
        known = near(written, names) if names else ""
        raise where.error(f"{path} {what}: wanted a file's path from the folder of this file{known}")
    try:
        if (size := path.stat().st_size) > LARGEST:
            raise where.error(f"{path} has {size} bytes, a run takes at most {LARGEST}")
        return File(f"{name}{path.suffix}", path.read_bytes())
    except OSError as error:
        raise where.error(f"cannot read {path}: {error.strerror}") from error
