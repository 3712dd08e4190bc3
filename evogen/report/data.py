"""The candidates that a page's script knows: what it tells of them and which they are.

The page has a JSON block for each run, of at most 2,000 candidates: `name`; `refs` as COHORT:ROW; `parents`,
refs with spaces between; `columns` by the name that the reader sees, each a list of numbers, or `at`, places
in `texts`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from evogen.cohort import Outcome
from evogen.report.facts import Facts
from evogen.report.markup import Element, element
from evogen.runs.records import Row

MOST = 2000


def block(facts: Facts, shown: Iterable[Element]) -> Element:
    """Return the JSON block of a run with these sections."""
    return described(facts.name, chosen(facts, shown))


def described(name: str, rows: Sequence[Row]) -> Element:
    """Return the JSON block of these candidates of a run."""
    metrics = {metric for row in rows for metric in row.metrics}
    value = {
        "name": name,
        "refs": [str(row.ref) for row in rows],
        "parents": [" ".join(map(str, row.parents)) for row in rows],
        "columns": {
            "fitness": [_short(row.fitness) for row in rows],
            "sd over agents": [_short(spread(row.scores)) for row in rows],
            "outcome": _coded(row.outcome.value for row in rows),
            "steps": [row.steps for row in rows],
            "made by": _coded(row.operator.replace("+", " + ") for row in rows),
            "genome": _coded(row.genome[:12] for row in rows),
            **{
                metric.replace("_", " "): [_short(row.metrics.get(metric)) for row in rows]
                for metric in sorted(metrics)
            },
        },
    }
    return element("script", embedded(value), type="application/json", class_="candidates")


def embedded(value: Any) -> str:
    """Return JSON that may stand in a script element: plain ASCII, in which nothing ends that element."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")


def chosen(facts: Facts, shown: Iterable[Element]) -> Sequence[Row]:
    """Return the candidates of the block in their order: all, or those that are shown and an even sample.

    Args:
        facts: of the run.
        shown: the sections, whose marks and rows name candidates. What is named in small groups, as rows of
            tables and the few marks of a front are, goes before what stands in a large cloud.
    """
    if len(facts.rows) <= MOST:
        return facts.rows
    places = {str(row.ref): place for place, row in enumerate(facts.rows)}
    groups = [[places[ref] for ref in refs if ref in places] for refs in _named(shown)]
    groups += [_first_failures(facts), list(places.values())]
    kept: set[int] = set()
    for group in sorted(groups, key=len):
        kept.update(_even([place for place in group if place not in kept], MOST - len(kept)))
    return [facts.rows[place] for place in sorted(kept)]


def spread(scores: Sequence[float]) -> float | None:
    """Return the standard deviation over agents; None for fewer than two."""
    if len(scores) < 2:
        return None
    mean = math.fsum(scores) / len(scores)
    return math.sqrt(math.fsum((score - mean) ** 2 for score in scores) / (len(scores) - 1))


def _named(shown: Iterable[Element]) -> Iterator[list[str]]:
    for section in shown:
        for item in section.iter():
            if refs := item.get("data-ref") or item.get("data-refs"):
                yield refs.split()


def _first_failures(facts: Facts) -> list[int]:
    found: dict[Outcome, int] = {}
    for place, row in enumerate(facts.rows):
        if row.outcome is not Outcome.OK:
            found.setdefault(row.outcome, place)
    return list(found.values())


def _even(places: list[int], most: int) -> list[int]:
    if len(places) <= most:
        return places
    return [places[at * len(places) // most] for at in range(most)]


def _short(value: float | None) -> float | None:
    """Return six significant digits, which is more than a reader sees."""
    return None if value is None or not math.isfinite(value) else float(f"{value:.6g}")


def _coded(texts: Iterable[str]) -> dict[str, list[Any]]:
    places: dict[str, int] = {}
    at = [places.setdefault(text, len(places)) for text in texts]
    return {"texts": list(places), "at": at}
