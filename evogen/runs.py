"""Run: the folder that remembers a search, and the records read from it.

The log is the checkpoint: telling is deterministic, so a strategy's state follows from the committed
evaluations, and a snapshot only shortens the replay. One process writes; any number read meanwhile.
The files are those of `evogen.store`.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
import secrets
import shutil
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Self

from evogen import records, store
from evogen.cohort import Cohort, Evaluation, Individual, Outcome, Ref
from evogen.errors import RunError
from evogen.genome import Genome
from evogen.records import Logged, Row, Snapshot, Timing
from evogen.strategies import Told
from evogen.strategies.goals import Goals, measured_in

if TYPE_CHECKING:
    from evogen.evaluation import Result

_CACHED_CANDIDATES = 128
_GOALS = Goals()


class Run:
    """A run folder, open for reading, or for reading and writing; close it, or use it in a `with`."""

    def __init__(self, path: Path, database: sqlite3.Connection, lock: IO[str] | None) -> None:
        self.path = path
        self._database = database
        self._lock = lock
        self._cached = lru_cache(maxsize=_CACHED_CANDIDATES)(self._read)
        self._judged = 0  # cohorts that `_leader` is the best of
        self._leader: Told | None = None

    @classmethod
    def create(
        cls,
        path: Path,
        *,
        experiment: str,
        files: Mapping[str, bytes],
        environment: Mapping[str, Any],
        goals: Goals = _GOALS,
    ) -> Run:
        """Make a run folder, whole or not at all, and open it for writing.

        Args:
            path: of the new folder; its parents are made as well.
            experiment: the resolved experiment, stored as experiment.yaml.
            files: further files by name, such as grammar.bnf; writers refuse a run where one was altered.
            environment: a JSON value, stored as environment.json.
            goals: what the search is for, which says who is best.

        Raises:
            RunError: the folder exists and is not empty, or cannot be written.
        """
        described = json.dumps(environment, indent=2, sort_keys=True) + "\n"
        kept = {"experiment.yaml": experiment.encode(), **files}
        with store.explained(path):
            if path.exists() and (not path.is_dir() or any(path.iterdir())):
                raise RunError(f"{path} exists and is not empty; resume it, or give another folder")
            path.parent.mkdir(parents=True, exist_ok=True)
            draft = path.parent / f".{path.name}.{secrets.token_hex(4)}"
            try:
                (draft / "arrays").mkdir(parents=True)
                store.create_database(draft / "run.db")
                for name, content in (kept | {"environment.json": described.encode()}).items():
                    store.write_durably(draft / name, content)
                with cls(draft, store.open_database(draft, write=True), None) as made:
                    made.log("created", **{name: _hash(content) for name, content in kept.items()})
                    if goals != _GOALS:
                        made.log("goals", **goals._asdict())
                draft.rename(path)
            finally:
                shutil.rmtree(draft, ignore_errors=True)
            store.sync_folder(path.parent)
        return cls.open(path, write=True)

    @classmethod
    def open(cls, path: Path, *, write: bool = False) -> Run:
        """Open a run folder; with `write`, as its only writer.

        Raises:
            RunError: no such folder, no run, damaged, of another schema version, or locked by another writer.
        """
        database = store.open_database(path, write=write)
        try:
            run = cls(path, database, store.lock(path) if write else None)
        except BaseException:
            database.close()
            raise
        try:
            if write:
                run.refuse_altered_files()
        except BaseException:
            run.close()
            raise
        return run

    def made_from(self) -> dict[str, str]:
        """Return the SHA-256 of each file that the run was made from, by its name."""
        found = self._select("SELECT payload FROM event WHERE kind = 'created'")
        return {str(name): str(value) for (text,) in found for name, value in json.loads(text).items()}

    def refuse_altered_files(self) -> None:
        """Compare the files that the run was made from with their hashes; writers do so when they open it.

        Raises:
            RunError: one is missing or altered.
        """
        for name, wanted in self.made_from().items():
            with store.explained(self.path):
                found = _hash((self.path / name).read_bytes())
            if found != wanted:
                raise RunError(
                    f"{self.path / name} was altered since the run began: going on would mix searches; "
                    "put it back, or start a new run from it"
                )

    def close(self) -> None:
        """Close the files; a writer's lock is given back."""
        self._database.close()
        if self._lock is not None:
            self._lock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def commit(self, cohort: Cohort, result: Result, snapshot: Snapshot | None = None) -> None:
        """Store a cohort with its result, and a snapshot in the place of the last one; all or nothing.

        Raises:
            RunError: the cohort is not the next one, or the folder cannot be written.
        """
        if not cohort.index == result.cohort == self.told:
            raise RunError(
                f"{self.path} wants cohort {self.told} next; cohort {cohort.index} was given, "
                f"with the result of cohort {result.cohort}"
            )
        pairs = zip(cohort.individuals, result.evaluations, strict=True)
        encoded = [records.encode(Ref(cohort.index, row), *pair) for row, pair in enumerate(pairs)]
        arrays = {name: array for item in encoded for name, array in item.arrays.items()}
        new = arrays.keys() - self._places(arrays)
        with store.explained(self.path):
            if new:
                store.write_arrays(self.path, cohort.index, {name: arrays[name] for name in new})
            with self._transaction() as database:
                timing = Timing(cohort.index, result.seconds, result.worker, time.time())
                database.execute("INSERT INTO cohort VALUES (?, ?, ?, ?)", timing)
                database.executemany(records.INSERT, [item.values for item in encoded])
                database.executemany(
                    "INSERT INTO array VALUES (?, ?)", [(name, cohort.index) for name in new]
                )
                if snapshot is not None:
                    state = json.dumps(snapshot.state, allow_nan=False)
                    database.execute("DELETE FROM snapshot")
                    database.execute("INSERT INTO snapshot VALUES (?, ?)", (snapshot.told, state))

    def log(self, kind: str, **payload: Any) -> None:
        """Append an event; the payload is a JSON value and no part of the fingerprint."""
        with store.explained(self.path):
            self._database.execute(
                "INSERT INTO event (time, kind, payload) VALUES (?, ?, ?)",
                (time.time(), kind, json.dumps(payload)),
            )

    @property
    def told(self) -> int:
        """Number of committed cohorts."""
        ((last,),) = self._select("SELECT max(number) FROM cohort")
        return 0 if last is None else int(last) + 1

    def text(self, name: str) -> str:
        """Return one of the run's text files, such as experiment.yaml or environment.json."""
        with store.explained(self.path):
            return (self.path / name).read_text("utf-8")

    def events(self) -> tuple[Logged, ...]:
        """Return what happened to the run, oldest first."""
        found = self._select("SELECT time, kind, payload FROM event ORDER BY number")
        return tuple(Logged(moment, kind, json.loads(payload)) for moment, kind, payload in found)

    def snapshot(self) -> Snapshot | None:
        """Return the snapshot stored last."""
        found = self._select("SELECT told, state FROM snapshot")
        return Snapshot(found[0][0], json.loads(found[0][1])) if found else None

    def results(self, cohort: int, goals: Goals) -> tuple[Told, ...]:
        """Return what a strategy is told of a committed cohort, in row order."""
        found = self._select(
            "SELECT row, fitness, steps, metrics FROM candidate WHERE cohort = ? ORDER BY row", cohort
        )
        return tuple(
            goals.told(
                Ref(cohort, row),
                measured_in(fitness, json.loads(metrics), steps),
            )
            for row, fitness, steps, metrics in found
        )

    def rows(self, *, begin: int = 0, end: int | None = None) -> Iterator[Row]:
        """Iterate over the candidates of these cohorts in order, one cohort in memory, without arrays."""
        for cohort in range(begin, self.told if end is None else end):
            for values in self._select(f"{records.SELECT} WHERE cohort = ? ORDER BY row", cohort):
                yield records.row(values)

    def row(self, ref: Ref) -> Row:
        """Return a candidate without its arrays.

        Raises:
            RunError: no such candidate.
        """
        (values,) = self._select(f"{records.SELECT} WHERE cohort = ? AND row = ?", *self._existing(ref))
        return records.row(values)

    def born(self) -> Iterator[tuple[Row, Mapping[str, Any]]]:
        """Iterate as `rows` does, each with the JSON value of its genome (see `Genome.json`)."""
        for cohort in range(self.told):
            for values in self._select(f"{records.SELECT_WHOLE} WHERE cohort = ? ORDER BY row", cohort):
                yield records.row(values), records.genome(values)

    def timings(self) -> tuple[Timing, ...]:
        """Return where and when each cohort was evaluated."""
        found = self._select("SELECT number, seconds, worker, committed FROM cohort ORDER BY number")
        return tuple(Timing(*values) for values in found)

    def outcomes(self) -> dict[Outcome, int]:
        """Return the number of candidates that ended in each way, zeros included."""
        found = dict(self._select("SELECT outcome, count(*) FROM candidate GROUP BY outcome"))
        return {outcome: found.get(outcome, 0) for outcome in Outcome}

    def repairs(self) -> tuple[int, int] | None:
        """Return the repairs of all plans together and how many plans had one; None without constraints."""
        ((total, plans, counted),) = self._select(
            "SELECT sum(n), sum(n > 0), count(n) FROM"
            " (SELECT json_extract(metrics, '$.repairs') AS n FROM candidate)"
        )
        return (int(total), int(plans)) if counted else None

    @property
    def goals(self) -> Goals:
        """What the search is for."""
        found = self._select("SELECT payload FROM event WHERE kind = 'goals'")
        return Goals(**json.loads(found[0][0])) if found else _GOALS

    def totals(self) -> tuple[int, int]:
        """Return the number of candidates, and the steps that their inner loops took together."""
        ((candidates, steps),) = self._select("SELECT count(*), coalesce(sum(steps), 0) FROM candidate")
        return candidates, steps

    def best(self) -> Ref | None:
        """Return the place of the best candidate; None while nothing ended OK."""
        leader = self.leader()
        return None if leader is None else leader.ref

    def leader(self) -> Told | None:
        """Return the best candidate as its strategy was told of it, the first of equals.

        Who keeps the constraints comes before who breaks them, then the first objective decides, and the next
        ones between those that are equal in it: so that no other candidate dominates the best.
        """
        goals = self.goals
        for cohort in range(self._judged, self.told):
            for told in self.results(cohort, goals):
                if told.fitness is not None and (self._leader is None or _rank(told) > _rank(self._leader)):
                    self._leader = told
            self._judged = cohort + 1
        return self._leader

    def fingerprint(self) -> str:
        """Return the SHA-256 over every candidate's genome, outcome, fitness, scores, steps, tuned arrays."""
        digest = hashlib.sha256()
        for row in self.rows():
            digest.update(records.fingerprint(row).encode())
        return digest.hexdigest()

    def candidate(self, ref: Ref) -> tuple[Individual, Evaluation]:
        """Return a candidate with its arrays.

        Raises:
            RunError: no such candidate, or its arrays are missing or altered.
        """
        return self._cached(ref)

    def born_genome(self, ref: Ref) -> Genome:
        """Return a candidate's genome as it was born."""
        return self.candidate(ref)[0].genome

    def tuned_genome(self, ref: Ref) -> Genome:
        """Return a candidate's genome with what its life tuned written back; as born unless it ended OK."""
        individual, evaluation = self.candidate(ref)
        return records.tuned(individual.genome, evaluation)

    def heritable_genome(self, ref: Ref) -> Genome:
        """Return the tuned genome as children inherit it: without what links to a gene learnt themselves."""
        individual, evaluation = self.candidate(ref)
        return records.write_back(individual.genome, evaluation)

    def resolve(self, selector: str) -> Ref:
        """Return the place that `best`, `COHORT:ROW` or the first digits of a genome's id name.

        Raises:
            RunError: it names no candidate, or candidates with different genomes.
        """
        if selector == "best":
            if (best := self.best()) is None:
                raise RunError(f"no candidate of {self.path} has a fitness yet; name one by COHORT:ROW")
            return best
        if place := re.fullmatch(r"(\d+):(\d+)", selector):
            return self._existing(Ref(int(place[1]), int(place[2])))
        if re.fullmatch(r"[0-9a-f]{4,64}", selector):
            return self._with_id(selector)
        raise RunError(
            f"'{selector}' names no candidate of {self.path}; "
            "give 'best', COHORT:ROW, or 4 or more digits of a genome's id"
        )

    def _existing(self, ref: Ref) -> Ref:
        if not self._select("SELECT 1 FROM candidate WHERE cohort = ? AND row = ?", *ref):
            raise RunError(f"{self.path} has no candidate {ref}; it has {self.told} cohorts, counted from 0")
        return ref

    def _with_id(self, prefix: str) -> Ref:
        found = self._select(
            "SELECT cohort, row, genome FROM candidate WHERE genome GLOB ? ORDER BY cohort, row", f"{prefix}*"
        )
        if not found:
            raise RunError(f"no genome of {self.path} has an id that begins with {prefix}")
        if ids := {genome for _, _, genome in found[1:]} - {found[0][2]}:
            raise RunError(
                f"{prefix} begins the ids {found[0][2]} and {min(ids)} in {self.path}; give more digits"
            )
        return Ref(*found[0][:2])

    def _read(self, ref: Ref) -> tuple[Individual, Evaluation]:
        (values,) = self._select(f"{records.SELECT_WHOLE} WHERE cohort = ? AND row = ?", *self._existing(ref))
        wanted = records.array_ids(values)
        places = self._places(wanted)
        if lost := wanted - places.keys():
            raise RunError(f"{self.path} is damaged, candidate {ref} lacks array {min(lost)[:12]}…")
        return records.decode(values, store.read_arrays(self.path, places))

    def array_cohorts(self) -> tuple[int, ...]:
        """Return the cohorts that have a file of arrays."""
        return tuple(
            int(cohort) for (cohort,) in self._select("SELECT DISTINCT cohort FROM array ORDER BY cohort")
        )

    def _places(self, names: Iterable[str]) -> dict[str, int]:
        """Return the cohort whose file holds it, for each of these arrays that is stored."""
        listed = json.dumps(list(names))
        return dict(
            self._select("SELECT id, cohort FROM array WHERE id IN (SELECT value FROM json_each(?))", listed)
        )

    def _select(self, statement: str, *values: object) -> list[Any]:
        with store.explained(self.path):
            return self._database.execute(statement, values).fetchall()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield self._database
            self._database.execute("COMMIT")
        finally:
            if self._database.in_transaction:
                self._database.execute("ROLLBACK")


def locate(text: str) -> tuple[Path, str]:
    """Split `FOLDER@SELECTOR`.

    Raises:
        RunError: one of the two is missing.
    """
    folder, _, selector = text.rpartition("@")
    if not folder or not selector:
        raise RunError(f"'{text}' names no candidate; give FOLDER@best, FOLDER@COHORT:ROW or FOLDER@ID")
    return Path(folder), selector


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _rank(told: Told) -> tuple[Any, ...]:
    return (told.merit, *(-math.inf if value is None else value for value in told.others))
