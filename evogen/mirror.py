"""A copy of a run elsewhere, brought up to date while the search goes on, and fetched back.

    mirror.json   {"told": k, "digest": d}: the arrays of the first k cohorts, whose SHA-256 is d, are here
    the rest      a run folder: `evogen resume` goes on with it where it lies, if it is a local one

Each upload takes run.db through SQLite's backup, which is one consistent state, and brings first the arrays
that it refers to, then run.db, each under another name until it is whole. So a mirror can be opened at any
instant. Where it lies is fsspec's business: a folder, `s3://BUCKET/NAME` (with s3fs installed), and more.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import fsspec
from fsspec.utils import get_protocol

from evogen.errors import RunError, SpecError
from evogen.runs import Run, records, store
from evogen.sinks import fed

EVERY = 10
_MARKER = "mirror.json"


class _There(NamedTuple):
    """Cohorts whose arrays a mirror holds, and the SHA-256 over them and what the run was made from."""

    told: int
    digest: Any

    def after(self, run: Run, told: int) -> _There:
        digest = self.digest.copy()
        for row in run.rows(begin=self.told, end=told):
            digest.update(records.fingerprint(row).encode())
        return _There(told, digest)


class Mirror:
    """One mirror and what this process knows of it.

    Args:
        url: a folder's path or fsspec URL; it holds nothing, or a mirror of the same run.

    Raises:
        SpecError: no such kind of store, or what it needs is not installed.
    """

    def __init__(self, url: str) -> None:
        self.name = re.sub(r"//[^/@]*@", "//", url)  # without a password
        self._files, self._root = _store(url, self.name)
        self._there: _There | None = None

    def push(self, folder: Path) -> int:
        """Bring the mirror up to what is committed and return the number of its cohorts.

        Raises:
            RunError: it holds something else than an earlier state of this run.
            Exception: whatever the store raises.
        """
        with TemporaryDirectory() as scratch:
            copy = Path(scratch) / "run.db"
            store.copy_database(folder, copy)
            with Run(folder, sqlite3.connect(copy), None) as run:
                if self._there is None:
                    self._there = self._meet(run)
                marked = self._marked(run)
                if marked is None or marked["digest"] != self._there.digest.hexdigest():
                    raise self._elsewhere(run)
                if self._files.exists(self._at("lock")):
                    raise self._elsewhere(run)
                then = self._there.after(run, run.told)
                new = [cohort for cohort in run.array_cohorts() if cohort >= self._there.told]
            for cohort in new:
                file = store.array_file(folder, cohort)
                self._put(file, f"arrays/{file.name}")
            self._put(copy, "run.db")
        self._mark(then)
        self._there = then
        return then.told

    def _meet(self, run: Run) -> _There:
        """Compare what the mirror holds with the run; begin it if it is empty."""
        made_from = run.made_from()
        there = _There(0, hashlib.sha256(json.dumps(made_from, sort_keys=True).encode()))
        before = self._marked(run)
        if before is not None:
            if before["told"] > run.told:
                raise self._elsewhere(run)
            there = there.after(run, before["told"])
            if there.digest.hexdigest() != before["digest"]:
                raise self._elsewhere(run)
        else:
            self._mark(there)
        for name in [*made_from, "environment.json"]:
            self._put(run.path / name, name)
        return there

    def _marked(self, run: Run) -> Any:
        """Return what the marker says, None in an empty place."""
        marker = self._at(_MARKER)
        self._files.invalidate_cache()
        if self._files.exists(marker):
            return json.loads(self._files.cat_file(marker))
        if self._files.exists(self._root) and self._files.ls(self._root, detail=False):
            raise RunError(f"{self.name} is not empty and no mirror of {run.path}; name another --mirror")
        return None

    def _elsewhere(self, run: Run) -> RunError:
        return RunError(
            f"{self.name} is the mirror of another run than {run.path}, or somebody went on with it there; "
            "name another --mirror"
        )

    def _mark(self, there: _There) -> None:
        content = json.dumps({"told": there.told, "digest": there.digest.hexdigest()})
        self._files.pipe_file(self._at(_MARKER), content.encode())

    def _put(self, file: Path, name: str) -> None:
        final = PurePosixPath(self._at(name))
        draft = str(final.with_name(f".{final.name}.tmp"))
        self._files.put_file(str(file), draft)
        self._files.mv(draft, str(final))

    def _at(self, name: str) -> str:
        return f"{self._root}/{name}"


@contextmanager
def mirrored(
    run: Run, mirror: Mirror | None, *, every: int = EVERY, notice: Callable[[str], None]
) -> Iterator[Callable[[], None]]:
    """Keep a mirror of a run while the block runs; call what it yields after each commit.

    Uploads run beside the search, one at a time: at the start, whenever `every` cohorts were committed since
    the last one began, and at the end. One that fails is logged and noticed, and the next is as any other.

    Raises:
        RunError: at the start, if the mirror holds something else than an earlier state of this run.
    """
    if mirror is None:
        yield lambda: None
        return

    def met(upload: Future[int]) -> None:
        if isinstance(error := upload.exception(), RunError):
            raise error

    ended = partial(_said, run, mirror, notice)
    with fed(run, mirror.push, every=every, begun=met, ended=ended) as turn:
        yield turn


def _said(run: Run, mirror: Mirror, notice: Callable[[str], None], upload: Future[int]) -> None:
    """Log how an upload ended; drivers have errors of every kind, and none of them may end the search."""
    if (error := upload.exception()) is None:
        run.log("mirrored", url=mirror.name, told=upload.result())
        return
    what = f"{type(error).__name__}: {error}"
    run.log("mirror failed", url=mirror.name, what=what)
    notice(f"the mirror {mirror.name} is not up to date ({what}); it is tried again")


def fetch(url: str, folder: Path) -> int:
    """Copy a mirror into a new run folder, whole or not at all, and return the number of its cohorts.

    Raises:
        SpecError: no such kind of store.
        RunError: there is no whole run, the folder is not empty, or the store cannot be read.
    """
    name = re.sub(r"//[^/@]*@", "//", url)
    files, root = _store(url, name)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise RunError(f"{folder} exists and is not empty; give another folder")
    with ThreadPoolExecutor(1) as pool:
        got = pool.submit(_fetch, files, root, folder)
        error = got.exception()
    if isinstance(error, RunError) or error is None:
        return got.result()
    if isinstance(error, FileNotFoundError):
        raise RunError(f"{name} holds no whole run: there is no {error}") from error
    raise RunError(f"cannot fetch {name}: {type(error).__name__}: {error}") from error


def _fetch(files: Any, root: str, folder: Path) -> int:
    """Copy run.db first: what it refers to is there already, also while the mirror is being written to."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = folder.parent / f".{folder.name}.{secrets.token_hex(4)}"
    try:
        (draft / "arrays").mkdir(parents=True)
        files.get_file(f"{root}/run.db", str(draft / "run.db"))
        with Run.open(draft) as run:
            told, cohorts, names = run.told, run.array_cohorts(), [*run.made_from(), "environment.json"]
        for cohort in cohorts:
            file = store.array_file(draft, cohort)
            files.get_file(f"{root}/arrays/{file.name}", str(file))
        for name in names:
            if name != Path(name).name or name.startswith("."):
                raise RunError(f"{root} is no mirror that evogen made: it names a file '{name}'")
            files.get_file(f"{root}/{name}", str(draft / name))
        with Run.open(draft, write=True):  # compares the files with their hashes
            pass
        draft.rename(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return told


def _store(url: str, name: str) -> tuple[Any, str]:
    """Return the file system of a URL and the path in it."""
    options = {"auto_mkdir": True} if get_protocol(url) == "file" else {}
    try:
        files, root = fsspec.url_to_fs(url, **options)
    except (ImportError, ValueError) as error:
        raise SpecError(f"cannot use {name} as a mirror: {error}") from error
    return files, str(root).rstrip("/")
