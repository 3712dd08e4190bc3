"""The files of a cell: TASK-ARM.json with settings and scores, TASK-ARM.safetensors with trained arrays.

No pickle. The JSON is written last and holds a hash of itself and one of the arrays' file, so a cell is
either there and whole, or refused. A cell is taken as done only if its settings and the versions of what
computed it are those wanted now.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load as unpack
from safetensors.numpy import save as pack

from evogen.errors import GenomeError, RunError
from evogen.genome import Genome
from evogen.genome import load as read_genome
from evogen.studies.cell import Cell, Result, fingerprint

SCHEMA = 1
PACKAGES = ("evogen", "torch", "numpy", "scipy", "gymnasium")


def versions() -> dict[str, str]:
    """Return the versions of what computes a cell."""
    return {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}}


def write(folder: Path, cell: Cell, result: Result) -> None:
    """Keep a finished cell."""
    folder.mkdir(parents=True, exist_ok=True)
    arrays: dict[str, np.ndarray] = {}
    for genome in result.genomes:
        arrays |= {} if genome is None else dict(genome.arrays)
    packed = pack(arrays)
    body: dict[str, Any] = {
        "schema": SCHEMA,
        "settings": cell.settings(),
        "versions": versions(),
        "arrays": hashlib.sha256(packed).hexdigest(),
        "genomes": [None if genome is None else json.loads(genome.json) for genome in result.genomes],
        "scores": {name: listed(each) for name, each in result.scores.items()},
        "average": listed(result.average),
        "sweep": {name: listed(each) for name, each in result.sweep.items()},
        "curve": listed(result.curve),
        "steps": listed(result.steps),
        "seconds": {"training": round(result.training, 3), "scoring": round(result.scoring, 3)},
    }
    _put(folder / f"{cell.name}.safetensors", packed)
    keep(folder / f"{cell.name}.json", body)


def read(folder: Path, cell: Cell) -> Result | None:
    """Return a cell that is there, None if it is not.

    Raises:
        RunError: a file is damaged, or the cell was made with other settings or versions.
    """
    path = folder / f"{cell.name}.json"
    body = kept(path, {"schema": SCHEMA, "settings": cell.settings(), "versions": versions()})
    if body is None:
        return None
    packed_path = path.with_suffix(".safetensors")
    try:
        packed = packed_path.read_bytes()
    except OSError as error:
        raise _damaged(path, f"{type(error).__name__}: {error}") from error
    if hashlib.sha256(packed).hexdigest() != body["arrays"]:
        raise _damaged(packed_path, "its content does not match the hash in the .json beside it")
    try:
        arrays = unpack(packed)
        genomes = tuple(_genome(item, arrays) for item in body["genomes"])
    except (SafetensorError, GenomeError) as error:
        raise _damaged(packed_path, str(error)) from error
    return Result(
        {name: _array(each) for name, each in body["scores"].items()},
        _array(body["average"]),
        {name: _array(each) for name, each in body["sweep"].items()},
        _array(body["curve"]),
        np.asarray(body["steps"], dtype=np.int64),
        body["seconds"]["training"],
        body["seconds"]["scoring"],
        genomes,
    )


def keep(path: Path, body: Mapping[str, Any]) -> None:
    """Write a JSON value with a hash of itself, whole or not at all."""
    text = json.dumps({**body, "hash": fingerprint(body)}, allow_nan=False, separators=(",", ":"))
    _put(path, text.encode())


def kept(path: Path, wanted: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return what `keep` wrote, without the hash; None if it is not there.

    Args:
        path: the file.
        wanted: what must be in it, by name.

    Raises:
        RunError: the file is damaged, or something else is in it than what is wanted.
    """
    if not path.is_file():
        return None
    try:
        body: dict[str, Any] = json.loads(path.read_bytes())
        stated = body.pop("hash")
    except (OSError, ValueError, KeyError, AttributeError) as error:
        raise _damaged(path, f"{type(error).__name__}: {error}") from error
    if fingerprint(body) != stated:
        raise _damaged(path, "its content does not match its hash")
    other = list(_differences({name: body.get(name) for name in wanted}, wanted))
    if other:
        raise RunError(
            f"{path} was made otherwise: {'; '.join(other[:3])}; "
            "name another folder by --out, or delete the file to make the cell again"
        )
    return body


def listed(array: np.ndarray) -> Any:
    """Return nested lists of an array's numbers; None for what is not finite."""
    if array.ndim:
        return [listed(part) for part in array]
    return array.item() if np.isfinite(array) else None


def _array(lists: Any) -> np.ndarray:
    return np.array(lists, dtype=np.float64)  # None becomes NaN


def _genome(item: Any, arrays: Mapping[str, np.ndarray]) -> Genome | None:
    return None if item is None else read_genome(json.dumps(item), arrays)


def _put(path: Path, content: bytes) -> None:
    partial = path.with_name(path.name + ".part")
    partial.write_bytes(content)
    os.replace(partial, path)


def _damaged(path: Path, what: str) -> RunError:
    return RunError(f"{path} is damaged: {what}; delete it, and the study makes the cell again")


def _differences(found: Any, wanted: Any, where: str = "") -> list[str]:
    """Say where two JSON values differ, by dotted path."""
    if isinstance(found, dict) and isinstance(wanted, dict):
        names = sorted(found.keys() | wanted.keys())
        return [
            line
            for name in names
            for line in _differences(found.get(name), wanted.get(name), f"{where}.{name}".lstrip("."))
        ]
    return [] if found == wanted else [f"{where} {found!r}, now {wanted!r}"]
