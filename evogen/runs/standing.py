"""Standing: what the first cohorts of a run amount to, so that a reader need not read them all again.

A writer stores it with every commit, in the same transaction. A reader takes it from there and reads only the
cohorts that it does not cover: all of them in a run of before it was stored.
"""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from evogen.cohort import Outcome, Ref
from evogen.runs.records import Ended
from evogen.strategies import Told

_TABLE = "CREATE TABLE IF NOT EXISTS standing (told INTEGER PRIMARY KEY, value TEXT NOT NULL)"


class Repairs(NamedTuple):
    """Repairs of all plans together, how many plans had one, and how many say how many they had."""

    total: float = 0.0
    plans: int = 0
    counted: int = 0

    def after(self, metrics: Mapping[str, float]) -> Repairs:
        """Return them with those of one more candidate."""
        found = metrics.get("repairs")
        if found is None or not math.isfinite(found):
            return self
        return Repairs(self.total + found, self.plans + (found > 0), self.counted + 1)


class Standing(NamedTuple):
    """What the first `told` cohorts of a run amount to.

    Attributes:
        told: how many cohorts.
        leader: the best of their candidates, the first of equals; None where nothing ended OK.
        outcomes: candidates by how they ended.
        steps: that their inner loops took together.
        repairs: that kept the constraints.
    """

    told: int = 0
    leader: Told | None = None
    outcomes: Mapping[Outcome, int] = dict.fromkeys(Outcome, 0)
    steps: int = 0
    repairs: Repairs = Repairs()

    @property
    def candidates(self) -> int:
        """How many candidates those cohorts have."""
        return sum(self.outcomes.values())

    def after(self, results: Iterable[Ended]) -> Standing:
        """Return it with one more cohort, in row order."""
        leader, outcomes, steps, repairs = self.leader, dict(self.outcomes), self.steps, self.repairs
        for told, outcome, taken, metrics in results:
            if told.fitness is not None and (leader is None or rank(told) > rank(leader)):
                leader = told
            outcomes[outcome] += 1
            steps += taken
            repairs = repairs.after(metrics)
        return Standing(self.told + 1, leader, outcomes, steps, repairs)


class Stored(NamedTuple):
    """A standing as it is stored, with the place of its leader."""

    standing: Standing
    leader: Ref | None


def rank(told: Told) -> tuple[float, ...]:
    """Return what the best candidate has most of.

    Who keeps the constraints comes before who breaks them, then the first objective decides, and the next
    ones between those that are equal in it: so that no other candidate dominates the best.
    """
    return (*told.merit, *(-math.inf if value is None else value for value in told.others))


def write(database: sqlite3.Connection, standing: Standing) -> None:
    """Put it in the place of the last one, inside the caller's transaction."""
    value = {
        "leader": None if standing.leader is None else list(standing.leader.ref),
        "outcomes": {outcome.value: count for outcome, count in standing.outcomes.items()},
        "steps": standing.steps,
        "repairs": list(standing.repairs),
    }
    database.execute(_TABLE)  # a run of before it was stored has none
    database.execute("DELETE FROM standing")
    database.execute("INSERT INTO standing VALUES (?, ?)", (standing.told, json.dumps(value)))


def read(database: sqlite3.Connection) -> Stored | None:
    """Return what a writer stored; None where none did, or where it is not what a writer stores."""
    if not database.execute("SELECT 1 FROM sqlite_master WHERE name = 'standing'").fetchone():
        return None
    found = database.execute("SELECT told, value FROM standing").fetchone()
    try:
        return None if found is None else _stored(*found)
    except (TypeError, ValueError, KeyError, AttributeError, OverflowError, RecursionError):
        return None


def _stored(told: int, text: str) -> Stored:
    value: dict[str, Any] = json.loads(text)
    outcomes = {outcome: int(value["outcomes"][outcome.value]) for outcome in Outcome}
    total, plans, counted = value["repairs"]
    repairs = Repairs(float(total), int(plans), int(counted))
    leader = None if value["leader"] is None else Ref(*map(int, value["leader"]))
    return Stored(Standing(int(told), None, outcomes, int(value["steps"]), repairs), leader)
