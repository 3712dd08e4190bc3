"""Files that an experiment names beside its grammar: read once, copied into every run, carried to workers.

A run keeps a file under its own name, by which messages and reports call it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from evogen.errors import SpecError, near
from evogen.registry import File
from evogen.schema import Where, show

_TAKEN = ("", ".bnf", ".db", ".html", ".json", ".yaml")  # suffixes of what a run folder has anyway


def attach(cls: type[Any], data: Mapping[str, Any], where: Where, folder: Path) -> dict[str, File]:
    """Read the files that the settings of a part name.

    Args:
        cls: the part's dataclass.
        data: what the experiment says of it.
        where: the place of `data`.
        folder: that relative paths begin in.

    Returns:
        File by the setting that names it; it has its own name, but where a run folder has files of that kind
        the setting's.

    Raises:
        SpecError: no such file, too large, or not readable.
    """
    fields = {item.name: about for item in dataclasses.fields(cls) if (about := item.metadata.get("file"))}
    return {
        name: _read(name, data[name], where / name, folder, about)
        for name, about in fields.items()
        if data.get(name, "") not in ("", *about["names"])
    }


def attached(parts: Iterable[Any]) -> dict[str, bytes]:
    """Return what the files of these parts hold, by name.

    Raises:
        SpecError: two files have one name.
    """
    values = (getattr(part, item.name) for part in parts for item in dataclasses.fields(part))
    found: dict[str, bytes] = {}
    for value in values:
        if isinstance(value, File) and found.setdefault(value.name, value.content) != value.content:
            raise SpecError(f"two different files are called {value.name}: give one another name")
    return found


def _read(name: str, written: object, where: Where, folder: Path, about: Mapping[str, Any]) -> File:
    if not isinstance(written, str):
        raise where.error(f"wanted a file's path from the folder of this file, found {show(written)}")
    path, names, largest = folder / written, about["names"], about["largest"]
    if path.is_dir() and about["pack"] is not None:
        return _small(File(f"{path.resolve().name}.zip", about["pack"](path)), path, where, largest)
    if not path.is_file():
        what = "is a folder, wanted a file in it" if path.is_dir() else "is not there"
        known = near(written, names) if names else ""
        raise where.error(f"{path} {what}: wanted a file's path from the folder of this file{known}")
    try:
        if (size := path.stat().st_size) > largest:
            raise where.error(f"{path} has {size} bytes, a run takes at most {largest}")
        kept = f"{name}{path.suffix}" if path.suffix.lower() in _TAKEN else path.name
        return File(kept, path.read_bytes())
    except OSError as error:
        raise where.error(f"cannot read {path}: {error.strerror}") from error


def _small(file: File, path: Path, where: Where, largest: int) -> File:
    if len(file.content) > largest:
        raise where.error(f"{path} has {len(file.content)} bytes, a run takes at most {largest}")
    return file
