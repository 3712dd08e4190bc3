"""Who descends from whom in a run: ancestors, descendants, the main line and its jumps.

A candidate names its parents by their places. Its main line leads through the fitter parent of each candidate
to a founder, who has none. Ancestors are read cohort by cohort through the primary key, so that the cost is
that of the ancestors, not of the run.

A stored run can be damaged: a parent that is not there is left out, and no candidate is visited twice, so a
circle of parents ends like a founder.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice, pairwise
from typing import NamedTuple

from evogen.cohort import Ref
from evogen.errors import RunError
from evogen.runs import Run, readback
from evogen.runs.records import SELECT_RELATIVES, Kin
from evogen.runs.standing import rank


class Jump(NamedTuple):
    """What a child has more than its fitter parent, by the first objective, where higher is better."""

    child: Kin
    parent: Kin
    gain: float


def ancestors(run: Run, ref: Ref, limit: int | None = None) -> Iterator[Kin]:
    """Iterate over a candidate and its ancestors, the latest first, each once, at most `limit` of them.

    Raises:
        RunError: the database cannot be read.
    """
    return islice(_up(run, ref), limit)


def descendants(run: Run, ref: Ref, limit: int | None = None) -> Iterator[Kin]:
    """Iterate over a candidate's descendants, the earliest first, at most `limit` of them.

    All candidates of later cohorts are passed, each read for the names of its parents only.

    Raises:
        RunError: the database cannot be read.
    """
    return islice(_down(run, ref), limit)


def relatives(run: Run) -> Iterator[Kin]:
    """Iterate over all candidates of a run in order, one cohort in memory.

    Raises:
        RunError: the database cannot be read.
    """
    goals = run.goals
    for cohort in range(run.told):
        for values in run.select(f"{SELECT_RELATIVES} WHERE cohort = ? ORDER BY row", cohort):
            yield readback.kin(values, goals)


def parents(run: Run, *, begin: int = 0) -> Iterator[tuple[Ref, str]]:
    """Iterate over the candidates from this cohort on, each with its parents as JSON.

    Raises:
        RunError: what is stored there is no text.
    """
    for cohort in range(begin, run.told):
        for row, text in run.select(
            "SELECT row, parents FROM candidate WHERE cohort = ? ORDER BY row", cohort
        ):
            if type(text) is not str:
                raise RunError(
                    f"the parents of candidate {cohort}:{row} were altered; restore it from a copy"
                )
            yield Ref(cohort, row), text


def founders(kin: Iterable[Kin]) -> list[Kin]:
    """Return those that have no parents."""
    return [one for one in kin if not one.parents]


def main_line(run: Run, ref: Ref, limit: int | None = None) -> list[Kin]:
    """Return a candidate, its fitter parent, the fitter parent of that one, and so on, at most `limit`.

    Who keeps the constraints is fitter than who does not, and of equals the one that is named first is taken.

    Raises:
        RunError: the database cannot be read.
    """
    found: dict[Ref, Kin] = {}
    named: Sequence[Ref] = (ref,)
    while named and (limit is None or len(found) < limit):
        there = run.kin(named)
        known = [there[parent] for parent in named if parent in there and parent not in found]
        if not known:
            break
        fitter = max(known, key=lambda one: rank(one.told))  # the first of equals
        found[fitter.ref] = fitter
        named = fitter.parents
    return list(found.values())


def jumps(line: Sequence[Kin]) -> list[Jump]:
    """Return what each child of a main line gained, the candidate's own gain first."""
    return [
        Jump(child, parent, child.told.fitness - parent.told.fitness)
        for child, parent in pairwise(line)
        if child.told.fitness is not None and parent.told.fitness is not None
    ]


def operators(kin: Iterable[Kin]) -> Counter[str]:
    """Return how often each operator had a part in making these candidates."""
    return Counter(name for one in kin for name in one.operator.split("+") if name)


def _up(run: Run, ref: Ref) -> Iterator[Kin]:
    seen = {ref}
    waiting: dict[int, list[Ref]] = {ref.cohort: [ref]}
    while waiting:
        there = run.kin(waiting.pop(max(waiting)))
        for place in sorted(there, reverse=True):
            yield there[place]
            for parent in there[place].parents:
                if parent not in seen:
                    seen.add(parent)
                    waiting.setdefault(parent.cohort, []).append(parent)


def _down(run: Run, ref: Ref) -> Iterator[Kin]:
    names = {_name(ref)}
    cohort, found = ref.cohort, list[Ref]()
    for place, names_of in parents(run, begin=ref.cohort):
        if place.cohort > cohort and found:
            yield from _in_order(run, found)
            found = []
        cohort = place.cohort
        if not names.isdisjoint(names_of[2:-2].split("],[")) and place != ref:
            names.add(_name(place))
            found.append(place)
    yield from _in_order(run, found)


def _in_order(run: Run, refs: Sequence[Ref]) -> Iterator[Kin]:
    there = run.kin(refs)
    return (there[ref] for ref in refs if ref in there)


def _name(ref: Ref) -> str:
    """Return how a place stands in the parents of its children, see `records.encode`."""
    return f"{ref.cohort},{ref.row}"
