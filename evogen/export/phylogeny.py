"""A run's phylogeny in the ALife data standard, as CSV.

    id                running number of the candidate in the order of cohorts and rows, from 0
    ancestor_list     ids of its parents, as in "[3,5]"; "[none]" for a founder
    origin_time       the cohort that it was born in
    destruction_time  one more than the last cohort in which it was born or had a child; inf if that is the
                      last cohort of the run: what the log can prove, for strategies do not say whom they drop

Further columns: candidate (COHORT:ROW), genome, operator, outcome, fitness. An id is the same in the file of
a whole run and in that of a candidate's ancestors. The file of a run is not a tree: a child may have several
parents ("sexual" in the terms of the standard's tools).

Source: https://alife-data-standards.github.io/alife-data-standards/phylogeny.html
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple

from evogen.analysis.lineage import parents
from evogen.cohort import Ref
from evogen.errors import RunError
from evogen.runs import Run, store
from evogen.runs.records import Kin

COLUMNS = (
    "id",
    "ancestor_list",
    "origin_time",
    "destruction_time",
    "candidate",
    "genome",
    "operator",
    "outcome",
    "fitness",
)


class Written(NamedTuple):
    """How many candidates a file holds, and how many times one of their parents is missing from it.

    Only a damaged run lacks any: a parent that is not there, or one that is not older than its child.
    """

    candidates: int
    missing: int


def write_phylogeny(run: Run, kin: Iterable[Kin], path: Path) -> Written:
    """Write these candidates; parents that are not among them are left out.

    Args:
        run: that they belong to.
        kin: all of a run, or a candidate with its ancestors.
        path: of the new file; one that is there is replaced.

    Raises:
        RunError: the run cannot be read, or the file cannot be written.
    """
    if path.suffix.lower() != ".csv" or path.is_dir() or not path.parent.is_dir():
        raise RunError(f"--export {path}: wanted the name of a .csv file, in a folder that is there")
    found = sorted(kin, key=lambda one: one.ref)
    number = _numbers(run, found)
    last = _last(run, number)
    rows = [_row(one, number, last[one.ref] + 1, run.told) for one in found]
    with store.explained(path.parent), path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(rows)
    missing = sum(len(one.parents) - len(_parents(one, number)) for one in found)
    return Written(len(found), missing)


def _numbers(run: Run, kin: Sequence[Kin]) -> dict[Ref, int]:
    """Return the id of each candidate."""
    sizes = dict(run.select("SELECT cohort, max(row) + 1 FROM candidate GROUP BY cohort ORDER BY cohort"))
    first = dict(zip(sizes, accumulate(sizes.values(), initial=0), strict=False))
    return {one.ref: first[one.ref.cohort] + one.ref.row for one in kin}


def _last(run: Run, refs: Iterable[Ref]) -> dict[Ref, int]:
    """Return the last cohort in which each candidate was born or had a child."""
    names = {f"{cohort},{row}": Ref(cohort, row) for cohort, row in refs}
    last = {ref: ref.cohort for ref in names.values()}
    for child, named in parents(run):
        for name in named[2:-2].split("],["):
            if (parent := names.get(name)) is not None:
                last[parent] = max(last[parent], child.cohort)
    return last


def _parents(one: Kin, number: Mapping[Ref, int]) -> list[int]:
    """Return the ids of the parents that are in the file; only a damaged run names a younger one."""
    return [number[parent] for parent in one.parents if parent in number and parent < one.ref]


def _row(one: Kin, number: Mapping[Ref, int], end: int, told: int) -> tuple[object, ...]:
    listed = ",".join(map(str, _parents(one, number)))
    return (
        number[one.ref],
        f"[{listed or 'none'}]",
        one.ref.cohort,
        "inf" if end >= told else end,
        one.ref,
        one.genome,
        one.operator,
        one.outcome.value,
        "" if one.fitness is None else repr(one.fitness),
    )
