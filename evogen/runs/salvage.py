"""Salvage: what can still be read of a damaged run.db, as a run of its own in a temporary database.

Every table is read row by row, over damaged pages to the next one that can be read, and every row is checked
as a reader checks it. What is lost is said; the times of lost cohorts are empty, so that cohorts keep their
numbers. The folder is not touched, and what is salvaged is for reading: nothing of it goes back.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from evogen.errors import RunError
from evogen.runs import readback, records, store
from evogen.runs.run import Run

_GAP = 20_000  # row numbers that are tried one by one behind a damaged page
_NAMED = 3
_COLUMNS = {
    "cohort": "number, seconds, worker, committed",
    "candidate": records.COLUMNS,
    "event": "number, time, kind, payload",
    "snapshot": "told, state",
}


def _event(values: Sequence[Any]) -> None:
    if readback.logged(values).kind == "goals":
        readback.goals(values[3])


_CHECKS: dict[str, Callable[[Sequence[Any]], Any]] = {
    "cohort": readback.timing,
    "candidate": lambda values: (readback.row(values), readback.genome(values)),
    "event": _event,
    "snapshot": lambda values: values,
}


def open_readable(path: Path) -> Run:
    """Open a run for reading; where that cannot be done because it is damaged, what can be read of it.

    Raises:
        RunError: no such folder, no run, or nothing can be read of it.
    """
    try:
        return Run.open(path)
    except RunError:
        if not (path / "run.db").is_file():
            raise
        return salvage(path)


def salvage(path: Path) -> Run:
    """Return what can be read of the run in this folder, open; `Run.lost` says what cannot.

    Raises:
        RunError: nothing can be.
    """
    lost = []
    with closing(store.open_damaged(path)) as source:
        target = sqlite3.connect("", isolation_level=None)  # a temporary file, deleted when it is closed
        store.lay_out(target)
        if (what := store.damage(source)) is not None:
            lost.append(f"run.db is damaged ({what}); below is what can still be read of it.")
        for table in _COLUMNS:
            lost += _copy(source, target, table)
        _copy_places(source, target)
    lost += _number(target)
    return Run(path, target, None, lost=tuple(lost))


def _copy(source: sqlite3.Connection, target: sqlite3.Connection, table: str) -> Iterator[str]:
    marks = ", ".join("?" * len(_COLUMNS[table].split(",")))
    bad = []
    gaps = 0
    for values in _rows(source, table):
        if values is None:
            gaps += 1
            continue
        try:
            _CHECKS[table](values)
            target.execute(f"INSERT INTO {table} VALUES ({marks})", values)  # noqa: S608
        except (RunError, sqlite3.IntegrityError) as error:
            bad.append(str(error).partition(";")[0])
    if bad:
        more = f" and {len(bad) - _NAMED} more" if len(bad) > _NAMED else ""
        yield f"Left out, because it is no {table} that evogen stores: {', '.join(bad[:_NAMED])}{more}."
    if gaps:
        yield f"In {gaps} places of its table '{table}' nothing can be read."


def _rows(source: sqlite3.Connection, table: str) -> Iterator[Sequence[Any] | None]:
    """Iterate over the rows of a table; None for each stretch that cannot be read.

    Row numbers only rise: a damaged tree may lead back to rows that were read, round and round.
    """
    select = f"SELECT rowid, {_COLUMNS[table]} FROM {table}"  # noqa: S608
    at: int | None = -1
    while at is not None:
        try:
            for number, *values in source.execute(f"{select} WHERE rowid > ? ORDER BY rowid", (at,)):
                if number <= at:
                    break
                at = number
                yield values
            else:
                return
        except sqlite3.DatabaseError:
            pass
        yield None
        found = _next(source, select, at)
        at = None
        if found is not None:
            at, *values = found
            yield values


def _next(source: sqlite3.Connection, select: str, at: int) -> Sequence[Any] | None:
    """Return the number and values of the next row that can be looked up; None if none is near."""
    for number in range(at + 1, at + _GAP):
        try:
            found = source.execute(f"{select} WHERE rowid = ?", (number,)).fetchone()
        except sqlite3.DatabaseError:
            continue
        if found is not None and found[0] == number:
            return found  # type: ignore[no-any-return]
    return None


def _copy_places(source: sqlite3.Connection, target: sqlite3.Connection) -> None:
    """Copy where arrays are as far as it goes; who lacks one says so when it is asked for it."""
    last = ""
    try:
        for name, cohort in source.execute("SELECT id, cohort FROM array ORDER BY id"):
            if not str(name) > last:
                return  # a damaged tree that leads round and round
            last = str(name)
            target.execute("INSERT OR IGNORE INTO array VALUES (?, ?)", (name, cohort))
    except sqlite3.DatabaseError:
        return


def _number(target: sqlite3.Connection) -> Iterator[str]:
    """Give every cohort up to the last one a number, and say which ones have lost their times.

    A cohort has a candidate, so that a number beyond the count of all rows is none.
    """
    target.execute("CREATE TEMP TABLE most AS SELECT count(*) AS n FROM candidate")
    target.execute("UPDATE most SET n = n + (SELECT count(*) FROM cohort)")
    beyond = [
        target.execute(f"DELETE FROM {table} WHERE {column} >= (SELECT n FROM most)").rowcount  # noqa: S608
        for table, column in (("cohort", "number"), ("candidate", "cohort"))
    ]
    if any(beyond):
        yield f"{sum(beyond)} rows of cohorts that cannot be are left out."
    ((last,),) = target.execute(
        "SELECT max(n) FROM (SELECT max(number) AS n FROM cohort UNION ALL SELECT max(cohort) FROM candidate)"
    )
    known = {number for (number,) in target.execute("SELECT number FROM cohort")}
    lost = [number for number in range(0 if last is None else last + 1) if number not in known]
    target.executemany("INSERT INTO cohort VALUES (?, 0.0, 'unknown', 0.0)", [(number,) for number in lost])
    if lost:
        yield f"The times of {len(lost)} cohorts are lost."
