"""Run: the folder that remembers a search, and the records read from it.

The log is the checkpoint: telling is deterministic, so a strategy's state follows from the committed
evaluations, and a snapshot only shortens the replay. One process writes; any number read meanwhile.
The files are those of `evogen.runs.store`.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Self

from evogen.cohort import Cohort, Evaluation, Individual, Outcome, Ref
from evogen.errors import RunError
from evogen.evaluators import Result
from evogen.genome import Array, Genome
from evogen.runs import readback, records, selectors, standing, store
from evogen.runs.records import Ended, Kin, Logged, Row, Snapshot, Timing, ended
from evogen.runs.standing import Standing
from evogen.strategies import Told
from evogen.strategies.goals import Goals

if TYPE_CHECKING:
    import pandas

_CACHED_CANDIDATES = 128
_GOALS = Goals()


class Run:
    """A run folder, open for reading, or for reading and writing; close it, or use it in a `with`."""

    def __init__(
        self, path: Path, database: sqlite3.Connection, lock: IO[str] | None, *, lost: Sequence[str] = ()
    ) -> None:
        self.path = path
        self.lost = tuple(lost)  # sentences on what is missing of a salvaged run
        self._database = database
        self._lock = lock
        self._cached = lru_cache(maxsize=_CACHED_CANDIDATES)(self._read)
        self._standing: Standing | None = None

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
        with store.new_folder(path) as draft:
            store.create_database(draft / "run.db")
            for name, content in (kept | {"environment.json": described.encode()}).items():
                store.write_durably(draft / name, content)
            with cls(draft, store.open_database(draft, write=True), None) as made:
                made.log("created", **{name: _hash(content) for name, content in kept.items()})
                if goals != _GOALS:
                    made.log("goals", **goals._asdict())
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
        found = self.select("SELECT payload FROM event WHERE kind = 'created'")
        with readback.sound("what the run was made from"):
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
            given = f"cohort {cohort.index} was given, with the result of cohort {result.cohort}"
            raise RunError(f"{self.path} wants cohort {self.told} next; {given}")
        pairs = zip(cohort.individuals, result.evaluations, strict=True)
        encoded = [records.encode(Ref(cohort.index, row), *pair) for row, pair in enumerate(pairs)]
        arrays = {name: array for item in encoded for name, array in item.arrays.items()}
        new = arrays.keys() - self._places(arrays)
        stands = self.standing().after(ended(cohort, result.evaluations, self.goals))
        with store.explained(self.path):
            if new:
                store.write_arrays(self.path, cohort.index, {name: arrays[name] for name in new})
            with store.transaction(self._database) as database:
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
                standing.write(database, stands)
        self._standing = stands

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
        ((last, count),) = self.select("SELECT max(number), count(*) FROM cohort")
        if count != (0 if last is None else last + 1):
            raise RunError(f"{self.path}/run.db is damaged, it has {count} cohorts and the last is {last}")
        return int(count)

    def text(self, name: str) -> str:
        """Return one of the run's text files, such as experiment.yaml or environment.json."""
        with store.explained(self.path):
            return (self.path / name).read_text("utf-8")

    def events(self) -> tuple[Logged, ...]:
        """Return what happened to the run, oldest first."""
        found = self.select("SELECT number, time, kind, payload FROM event ORDER BY number")
        return tuple(readback.logged(values) for values in found)

    def snapshot(self) -> Snapshot | None:
        """Return the snapshot stored last."""
        found = self.select("SELECT told, state FROM snapshot")
        with store.explained(self.path), readback.sound("the snapshot"):
            return Snapshot(found[0][0], json.loads(found[0][1])) if found else None

    def results(self, cohort: int, goals: Goals) -> tuple[Told, ...]:
        """Return what a strategy is told of a committed cohort, in row order."""
        return tuple(ended.told for ended in self._told(cohort, goals))

    def rows(self, *, begin: int = 0, end: int | None = None) -> Iterator[Row]:
        """Iterate over the candidates of these cohorts in order, one cohort in memory, without arrays."""
        for cohort in range(begin, self.told if end is None else end):
            for values in self.select(f"{records.SELECT} WHERE cohort = ? ORDER BY row", cohort):
                yield readback.row(values)

    def row(self, ref: Ref) -> Row:
        """Return a candidate without its arrays.

        Raises:
            RunError: no such candidate.
        """
        (values,) = self.select(f"{records.SELECT} WHERE cohort = ? AND row = ?", *self.existing(ref))
        return readback.row(values)

    def kin(self, refs: Iterable[Ref]) -> dict[Ref, Kin]:
        """Return these candidates as relatives, each by its place; those that are not there are left out."""
        found = self.select(records.SELECT_KIN, json.dumps(list(refs)))
        goals = self.goals
        return {Ref(*values[:2]): readback.kin(values, goals) for values in found}

    def widths(self) -> dict[int, int]:
        """Return the number of candidates by cohort, in order."""
        return dict(self.select("SELECT cohort, count(*) FROM candidate GROUP BY cohort ORDER BY cohort"))

    def written(self, ref: Ref) -> Mapping[str, Any]:
        """Return the JSON value of a candidate's genome as it was born (see `Genome.json`), without arrays.

        Raises:
            RunError: no such candidate, or the value was altered.
        """
        (values,) = self.select(f"{records.SELECT_WHOLE} WHERE cohort = ? AND row = ?", *self.existing(ref))
        return readback.genome(values)

    def arrays(self, names: Iterable[str]) -> Mapping[str, Array]:
        """Return arrays by the SHA-256 of their content.

        Raises:
            RunError: one is missing or altered.
        """
        places = self._places(wanted := set(names))
        if lost := wanted - places.keys():
            raise RunError(f"{self.path} is damaged, it lacks array {min(lost)[:12]}…")
        return store.read_arrays(self.path, places)

    def born(self) -> Iterator[tuple[Row, Mapping[str, Any]]]:
        """Iterate as `rows` does, each with the JSON value of its genome (see `Genome.json`)."""
        for cohort in range(self.told):
            for values in self.select(f"{records.SELECT_WHOLE} WHERE cohort = ? ORDER BY row", cohort):
                yield readback.row(values), readback.genome(values)

    def timings(self) -> tuple[Timing, ...]:
        """Return where and when each cohort was evaluated."""
        found = self.select("SELECT number, seconds, worker, committed FROM cohort ORDER BY number")
        return tuple(readback.timing(values) for values in found)

    def outcomes(self) -> dict[Outcome, int]:
        """Return the number of candidates that ended in each way, zeros included."""
        return dict(self.standing().outcomes)

    def repairs(self) -> tuple[int, int] | None:
        """Return the repairs of all plans together and how many plans had one; None without constraints."""
        found = self.standing().repairs
        return (int(found.total), found.plans) if found.counted else None

    @property
    def goals(self) -> Goals:
        """What the search is for."""
        found = self.select("SELECT payload FROM event WHERE kind = 'goals'")
        return readback.goals(found[0][0]) if found else _GOALS

    def totals(self) -> tuple[int, int]:
        """Return the number of candidates, and the steps that their inner loops took together."""
        found = self.standing()
        return found.candidates, found.steps

    def best(self) -> Ref | None:
        """Return the place of the best candidate; None while nothing ended OK."""
        leader = self.leader()
        return None if leader is None else leader.ref

    def leader(self) -> Told | None:
        """Return the best candidate as its strategy was told of it, the first of equals (`standing.rank`)."""
        return self.standing().leader

    def standing(self) -> Standing:
        """Return what all committed cohorts amount to."""
        goals = self.goals
        found = self._standing or self._stored()
        for cohort in range(found.told, self.told):
            found = found.after(self._told(cohort, goals))
        self._standing = found
        return found

    def fingerprint(self) -> str:
        """Return the SHA-256 over every candidate's genome, outcome, fitness, scores, steps, tuned arrays."""
        return records.digest(self.rows())

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

    def frame(self, of: str = "candidates") -> pandas.DataFrame:
        """Return the `candidates`, `cohorts` or `events` as a pandas table; see `evogen.runs.display`.

        Raises:
            SpecError: no such table, or pandas is not installed.
        """
        from evogen.runs.display import table

        return table(self, of)

    def _repr_html_(self) -> str:
        """Return what a notebook shows."""
        from evogen.runs.display import run_card

        return run_card(self)

    def resolve(self, selector: str) -> Ref:
        """Return the place that `best`, `COHORT:ROW` or the first digits of a genome's id name.

        Raises:
            RunError: it names no candidate, or candidates with different genomes.
        """
        return selectors.resolve(self, selector)

    def existing(self, ref: Ref) -> Ref:
        """Return the place, if a candidate is there.

        Raises:
            RunError: none is.
        """
        if not self.select("SELECT 1 FROM candidate WHERE cohort = ? AND row = ?", *ref):
            raise RunError(f"{self.path} has no candidate {ref}; it has {self.told} cohorts, counted from 0")
        return ref

    def _stored(self) -> Standing:
        """Return the standing that a writer stored; that before any cohort where none did."""
        with store.explained(self.path):
            found = standing.read(self._database)
        if found is None or found.standing.told > self.told:
            return Standing()
        if found.leader is None:
            return found.standing
        leader = self.kin([found.leader]).get(found.leader)
        return Standing() if leader is None else found.standing._replace(leader=leader.told)

    def _told(self, cohort: int, goals: Goals) -> list[Ended]:
        found = self.select(f"{records.SELECT_TOLD} WHERE cohort = ? ORDER BY row", cohort)
        return [readback.told(values, goals) for values in found]

    def _read(self, ref: Ref) -> tuple[Individual, Evaluation]:
        (values,) = self.select(f"{records.SELECT_WHOLE} WHERE cohort = ? AND row = ?", *self.existing(ref))
        return readback.decode(values, self.arrays(readback.array_ids(values)))

    def array_cohorts(self) -> tuple[int, ...]:
        """Return the cohorts that have a file of arrays."""
        found = self.select("SELECT DISTINCT cohort FROM array ORDER BY cohort")
        return tuple(int(cohort) for (cohort,) in found)

    def _places(self, names: Iterable[str]) -> dict[str, int]:
        """Return the cohort whose file holds it, for each of these arrays that is stored."""
        listed = json.dumps(list(names))
        return dict(
            self.select("SELECT id, cohort FROM array WHERE id IN (SELECT value FROM json_each(?))", listed)
        )

    def select(self, statement: str, *values: object) -> list[Any]:
        """Return the rows that an SQL query finds.

        Raises:
            RunError: the database cannot be read.
        """
        with store.explained(self.path):
            return self._database.execute(statement, values).fetchall()


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
