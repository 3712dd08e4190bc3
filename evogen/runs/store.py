"""The files of a run folder, and every way in which they can fail.

    run.db                           SQLite in WAL mode, synchronous=FULL, written by one process at a time
    arrays/cohort-00000.safetensors  the arrays that first appear in cohort 0, by the SHA-256 of their content
    lock                             held by the writer for as long as it lives

A cohort's arrays are written, synced and renamed before the transaction that commits the cohort, so whatever
the database refers to is on the disk. Nothing here is a pickle, and reading runs no code.
"""

from __future__ import annotations

import errno
import fcntl
import os
import platform
import secrets
import shutil
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from evogen.errors import RunError
from evogen.genome import Array, array_id

SCHEMA = 1
_APPLICATION = int.from_bytes(b"evog", "big")
_BUSY_SECONDS = 30.0
_TRIES = 3
_BETWEEN_TRIES = 0.05  # seconds
_TABLES = """
CREATE TABLE cohort (
    number INTEGER PRIMARY KEY, seconds REAL NOT NULL, worker TEXT NOT NULL, committed REAL NOT NULL
);
CREATE TABLE candidate (
    cohort INTEGER NOT NULL, row INTEGER NOT NULL, genome TEXT NOT NULL, parents TEXT NOT NULL,
    operator TEXT NOT NULL, outcome TEXT NOT NULL, fitness REAL, scores TEXT NOT NULL, metrics TEXT NOT NULL,
    curve TEXT NOT NULL, steps INTEGER NOT NULL, message TEXT NOT NULL, tuned TEXT NOT NULL,
    body TEXT NOT NULL, PRIMARY KEY (cohort, row), CHECK ((outcome = 'ok') = (fitness IS NOT NULL))
);
CREATE INDEX candidate_fitness ON candidate (fitness);
CREATE INDEX candidate_genome ON candidate (genome);
CREATE TABLE array (id TEXT PRIMARY KEY, cohort INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE snapshot (told INTEGER PRIMARY KEY, state TEXT NOT NULL);
CREATE TABLE event (
    number INTEGER PRIMARY KEY, time REAL NOT NULL, kind TEXT NOT NULL, payload TEXT NOT NULL
);
"""


@contextmanager
def explained(folder: Path) -> Iterator[None]:
    """Turn what SQLite and the file system raise into a RunError that says where and what to do."""
    try:
        yield
    except sqlite3.ProgrammingError:
        raise
    except sqlite3.DatabaseError as error:
        raise RunError(_database_advice(folder / "run.db", error)) from error
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise RunError(_full(folder, error)) from error
        raise RunError(f"cannot use {folder}: {error}; check the path and its permissions") from error


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """Give a draft of a run folder, which takes its place when the block ends, whole or not at all.

    Raises:
        RunError: the folder exists and is not empty, or cannot be written.
    """
    with explained(path):
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            raise RunError(f"{path} exists and is not empty; resume it, or give another folder")
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.parent / f".{path.name}.{secrets.token_hex(4)}"
        try:
            (draft / "arrays").mkdir(parents=True)
            yield draft
            draft.rename(path)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
        sync_folder(path.parent)


@contextmanager
def transaction(database: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """Commit all that the block does, or nothing."""
    database.execute("BEGIN IMMEDIATE")
    try:
        yield database
        database.execute("COMMIT")
    finally:
        if database.in_transaction:
            database.execute("ROLLBACK")


def create_database(path: Path) -> None:
    """Create an empty run.db."""
    database = sqlite3.connect(path, isolation_level=None)
    try:
        database.execute("PRAGMA journal_mode = WAL")
        lay_out(database)
    finally:
        database.close()


def lay_out(database: sqlite3.Connection) -> None:
    """Make the tables of a run."""
    database.execute(f"PRAGMA application_id = {_APPLICATION}")
    database.execute(f"PRAGMA user_version = {SCHEMA}")
    database.executescript(_TABLES)


def open_database(folder: Path, *, write: bool) -> sqlite3.Connection:
    """Open the run.db of a folder; statements commit one by one unless BEGIN is said.

    A writer checks the whole of it. A reader meets damage where it reads it, so that what is whole stays
    readable, and a long run opens at once.

    Raises:
        RunError: no such folder, no run.db in it, damaged, or of another schema version.
    """
    path = folder / "run.db"
    if not folder.is_dir():
        wrong = f"{folder} is a file" if folder.is_file() else f"there is no folder {folder}"
        raise RunError(f"{wrong}; give the folder of a run, such as runs/NAME")
    if not path.is_file():
        raise RunError(f"{folder} is not a run, it has no run.db; give a folder that 'evogen run' made")
    with explained(folder):
        database = _connected(folder, "rw" if write else "ro")
        try:
            _check(path, database)
            if write and (found := damage(database)) is not None:
                raise RunError(f"{path} is damaged ({found}); {_RESTORE}")
            if write:
                database.execute("PRAGMA journal_mode = WAL")  # a copy comes without
            database.execute("PRAGMA synchronous = FULL")
        except BaseException:
            database.close()
            raise
    return database


def open_damaged(folder: Path) -> sqlite3.Connection:
    """Open the run.db of a folder for reading as far as it goes, also where it is shorter than it should be.

    Raises:
        RunError: it is no database.
    """
    with explained(folder):
        database = _connected(folder, "ro")
        try:
            database.execute("PRAGMA writable_schema = ON")  # takes a file that was cut as it is
            database.text_factory = _lenient
            database.execute("SELECT 1 FROM sqlite_master").fetchone()
        except BaseException:
            database.close()
            raise
    return database


def _lenient(text: bytes) -> str:
    return text.decode(errors="replace")


def _connected(folder: Path, mode: str) -> sqlite3.Connection:
    still = mode == "ro" and not os.access(folder, os.W_OK) and not (folder / "run.db-wal").exists()
    how = f"{mode}&immutable=1" if still else mode  # WAL wants to write even to read
    uri = f"{(folder / 'run.db').resolve().as_uri()}?mode={how}"
    return sqlite3.connect(uri, uri=True, timeout=_BUSY_SECONDS, isolation_level=None)


def copy_database(folder: Path, target: Path) -> None:
    """Copy the run.db of a folder as it is at one instant, also while another process writes to it.

    Raises:
        RunError: it cannot be read.
    """
    with (
        closing(open_database(folder, write=False)) as source,
        closing(sqlite3.connect(target)) as copy,
        explained(folder),
    ):
        source.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE")  # one file, which readers put nothing beside


def writer(folder: Path) -> str | None:
    """Return who holds the writer's lock, as `process PID on HOST`; None if nobody does or none can say."""
    try:
        with (folder / "lock").open() as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return file.read() or "another process"
    except OSError:  # no lock yet, or none to be had on this file system
        return None
    return None


def lock(folder: Path) -> IO[str]:
    """Take the writer's lock of a run; closing the file, or the process's death, gives it back.

    Raises:
        RunError: another writer, in this process or another, holds it.
    """
    with explained(folder):
        file = (folder / "lock").open("a+")
        try:
            _take(file)
        except BlockingIOError as error:
            file.seek(0)
            holder = file.read() or "another process"
            file.close()
            raise RunError(
                f"{folder} is locked, {holder} is writing to it; wait until it ends, or stop it and try again"
            ) from error
        file.truncate(0)
        file.write(f"process {os.getpid()} on {platform.node()}")
        file.flush()
    return file


def _take(file: IO[str]) -> None:
    """Take the lock, in a few tries: `writer` holds it for an instant to see whether it is free."""
    for _ in range(_TRIES):
        try:
            return fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_BETWEEN_TRIES)
    return fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def write_durably(path: Path, data: bytes) -> None:
    """Write a file such that after any crash it is whole or as it was before."""
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make renames inside a folder durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_arrays(folder: Path, cohort: int, arrays: Mapping[str, Array]) -> None:
    """Write the arrays that first appear in this cohort; what a killed write left is overwritten."""
    ordered = {name: np.asarray(arrays[name], order="C") for name in sorted(arrays)}
    (folder / "arrays").mkdir(exist_ok=True)
    write_durably(array_file(folder, cohort), save(ordered))


def read_arrays(folder: Path, places: Mapping[str, int]) -> dict[str, Array]:
    """Read arrays and check each against its hash.

    Args:
        folder: of the run.
        places: array id to the cohort whose file holds it.

    Raises:
        RunError: a file is missing or altered.
    """
    arrays: dict[str, Array] = {}
    for cohort in sorted(set(places.values())):
        path = array_file(folder, cohort)
        try:
            with safe_open(path, framework="numpy") as file:
                arrays |= {name: file.get_tensor(name) for name in places if places[name] == cohort}
        except (OSError, SafetensorError) as error:
            raise RunError(f"{path} is missing or damaged ({error}); {_RESTORE}") from error
    for name, array in arrays.items():
        if array_id(array) != name:
            raise RunError(
                f"array {name[:12]}… in {array_file(folder, places[name])} was altered; {_RESTORE}"
            )
    return arrays


_RESTORE = "restore the folder from a copy, or start a new run"


def array_file(folder: Path, cohort: int) -> Path:
    """Return the file of the arrays that first appear in a cohort."""
    return folder / "arrays" / f"cohort-{cohort:05d}.safetensors"


def _check(path: Path, database: sqlite3.Connection) -> None:
    if _pragma(database, "application_id") != _APPLICATION:
        raise RunError(f"{path} is damaged, it is no database of evogen; {_RESTORE}")
    if (found := _pragma(database, "user_version")) != SCHEMA:
        raise RunError(
            f"{path} has schema version {found}, this evogen reads version {SCHEMA}; "
            "open it with the evogen that wrote it (see its environment.json)"
        )
    tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if missing := {"cohort", "candidate", "array", "snapshot", "event"} - tables:
        raise RunError(f"{path} is damaged, it lacks the tables {', '.join(sorted(missing))}; {_RESTORE}")


def damage(database: sqlite3.Connection) -> str | None:
    """Return the first damage of a database, all of which is read; None for none."""
    try:
        report = str(_pragma(database, "quick_check(1)"))
    except sqlite3.DatabaseError as error:
        return str(error)
    return None if report == "ok" else " ".join(report.split())


def _pragma(database: sqlite3.Connection, name: str) -> int | str:
    (value,) = database.execute(f"PRAGMA {name}").fetchone()
    return value  # type: ignore[no-any-return]


def _database_advice(path: Path, error: sqlite3.DatabaseError) -> str:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return f"{path} is damaged ({error}); {_RESTORE}"
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return f"{path} is locked by another process ({error}); wait until it ends, or stop it and try again"
    if code == sqlite3.SQLITE_FULL:
        return _full(path, error)
    return f"cannot use {path}: {error}; check its permissions and the free space of its disk"


def _full(path: Path, error: Exception) -> str:
    return f"no space left for {path} ({error}); committed cohorts are safe: free some space, then resume"
