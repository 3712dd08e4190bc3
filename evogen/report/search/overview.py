"""The sections on the search as a whole: heading, progress, leaders, outcomes, environment, reproduction."""

from __future__ import annotations

import json
import shlex
import statistics
from collections.abc import Iterator
from typing import Any

from evogen.cohort import Outcome
from evogen.experiment.changes import LOGGED
from evogen.registry import name_of
from evogen.report import charts
from evogen.report.facts import Facts
from evogen.report.figures import extent
from evogen.report.markup import Child, Element, absent, cell, element, number, numeric, table
from evogen.report.markup import row as selectable
from evogen.report.search.course import Course, diversity, fitness, over
from evogen.report.search.heredity import heredity
from evogen.runs.records import Row
from evogen.strategies.goals import Goals

_SCORES = "scores of its born agents"
_HEAD = ("rank", "candidate", "fitness", "sd", _SCORES, "steps", "operator", "parents", "genome")


def heading(facts: Facts) -> Element:
    """Return the run's name, what was searched, its numbers, and what could not be read."""
    tiles = element(
        "dl", *(element("div", element("dt", k), element("dd", v)) for k, v in _tiles(facts)), class_="tiles"
    )
    notes = [element("p", note, class_="warning") for note in (*_unfinished(facts), *facts.missing)]
    return element(
        "header", element("h1", facts.name), element("p", _subject(facts), class_="lead"), *notes, tiles
    )


def progress(facts: Facts) -> Element:
    """Return the section on how the search went."""

    def drawn(course: Course) -> Element:
        pair = fitness(facts, course), diversity(facts, course)
        return element("div", *pair, class_="pair")

    return element(
        "section",
        element("h2", "How the search went"),
        over(facts, drawn),
        element("div", charts.curves(facts), heredity(facts), class_="pair"),
    )


def leaders(facts: Facts) -> Element:
    """Return the table of the best candidates, first told of equals first."""
    shown = facts.leaders
    title = element("h2", f"The best {len(shown)} candidates" if shown else "The best candidates")
    if not shown:
        return element("section", title, absent("No candidate has a fitness yet."))
    span = extent([score for row in shown for score in row.scores], margin=0.02)
    body = [_leader(rank, row, span) for rank, row in enumerate(shown, 1)]
    note = f"A dot is a born agent, all on one axis from {number(span[0])} to {number(span[1])}."
    return element("section", title, table(_HEAD, body, class_="sortable"), element("p", note, class_="note"))


def outcomes(facts: Facts) -> Element:
    """Return how the candidates ended, and the first message of every kind of failure."""
    total = max(sum(facts.outcomes.values()), 1)
    first: dict[Outcome, Row] = {}
    for row in facts.rows:
        first.setdefault(row.outcome, row)
    first.pop(Outcome.OK, None)
    rows = (
        (
            outcome.value,
            cell(number(count), kind="number"),
            f"{count / total:.1%}",
            outcome.sentence,
            _mention(first.get(outcome)),
        )
        for outcome, count in facts.outcomes.items()
    )
    parts = [
        element("h2", "How the candidates ended"),
        table(("outcome", "candidates", "share", "the candidate …", "the first"), rows),
    ]
    mended = [row.metrics["repairs"] for row in facts.rows if "repairs" in row.metrics]
    if mended:
        text = (
            f"{number(sum(mended))} repairs kept the constraints, in {sum(n > 0 for n in mended)} candidates."
        )
        parts.append(element("p", text, class_="note"))
    for outcome, row in first.items():
        last = (row.message.strip().splitlines() or ["no message"])[-1]
        said = f"{outcome.value}: what the first of {facts.outcomes[outcome]} said ({row.ref}): {last[:120]}"
        parts.append(
            element("details", element("summary", said), element("pre", row.message or "no message"))
        )
    if not first:
        parts.append(element("p", "No candidate failed.", class_="note"))
    return element("section", *parts)


def environment(facts: Facts) -> Element:
    """Return where the run was made."""
    found = dict(facts.environment)
    versions = found.pop("versions", {})
    rows = [(key, "–" if value is None else str(value)) for key, value in found.items()]
    if isinstance(versions, dict):
        listed = (f"{name} {value}" for name, value in versions.items() if value is not None)
        rows.append(("versions", ", ".join(listed)))
    body = table(("what", "value"), rows) if rows else absent("No environment was stored.")
    return element("section", element("h2", "Where it was made"), body)


def reproduction(facts: Facts) -> Element:
    """Return the command that makes this run again, its fingerprint and its whole experiment."""
    parts = [element("h2", "Make it again")]
    if facts.experiment is None:
        parts.append(absent("The experiment cannot be read, so no command reproduces this run."))
    else:
        device = facts.environment.get("device", "cpu")
        words = ["evogen", "run", str(facts.path / "experiment.yaml"), "--seed", str(facts.experiment.seed)]
        words += [] if device == "cpu" else ["--device", str(device)]
        for key, value in _changed(facts).items():  # experiment.yaml stays as it was
            words += ["--set", f"{key}={json.dumps(value)}"]
        again = f"{facts.path}-again"
        command = f"{shlex.join([*words, '-o', again])}\n{shlex.join(['evogen', 'fingerprint', again])}"
        parts.append(element("pre", command, class_="command"))
    done = len(facts.timings) == facts.planned
    which = "of the same run" if done else f"of the {len(facts.timings)} cohorts told so far"
    parts.append(element("p", f"Fingerprint {which}, on the same kind of device with the same versions:"))
    parts.append(element("p", element("code", facts.fingerprint)))
    if facts.experiment is not None:
        text = element("pre", facts.experiment.yaml)
        parts.append(
            element("details", element("summary", "The experiment, every default written out"), text)
        )
    return element("section", *parts)


def _changed(facts: Facts) -> dict[str, Any]:
    """Return the settings that were changed since the run began, as they are now."""
    return {
        str(event.payload["key"]): event.payload["to"]
        for event in facts.events
        if event.kind == LOGGED and {"key", "to"} <= event.payload.keys()
    }


def _subject(facts: Facts) -> str:
    experiment = facts.experiment
    if experiment is None:
        return "a search whose experiment cannot be read"
    words = [
        f"{kind} {name_of(kind, getattr(experiment, kind))}"
        for kind in ("task", "strategy", "learner", "wiring")
    ]
    name = [] if experiment.name == facts.name else [f"experiment {experiment.name}"]
    return " · ".join(
        [*name, *words, f"{experiment.inheritance.value} inheritance", f"seed {experiment.seed}"]
    )


def _tiles(facts: Facts) -> Iterator[tuple[str, str]]:
    best = None if facts.winner is None else facts.winner.row.fitness
    whose = "best" if facts.goals == Goals() else "the winner's"  # another one may have more
    yield f"{whose} fitness in the search", number(best)
    fresh = facts.assessment
    yield (
        "fresh score of the winner",
        "not yet" if fresh is None else number(fresh.mean),
    )
    yield "cohorts told", f"{len(facts.timings)} of {facts.planned or '?'}"
    yield "candidates that ended ok", f"{number(facts.outcomes[Outcome.OK])} of {number(len(facts.rows))}"
    yield f"inner loop, {charts.unit(facts)}", number(sum(row.steps for row in facts.rows))
    yield "work, all workers together", _duration(sum(timing.seconds for timing in facts.timings))


def _unfinished(facts: Facts) -> Iterator[str]:
    if facts.planned is None or len(facts.timings) < facts.planned:
        of = "" if facts.planned is None else f" of {facts.planned}"
        yield f"This search is unfinished: {len(facts.timings)}{of} cohorts are told, the rest is missing."
    if facts.rows and facts.winner is None:
        yield "No candidate ended ok, so there is no winner; the messages below say what went wrong."


def _leader(rank: int, row: Row, span: tuple[float, float]) -> Element:
    spread = statistics.stdev(row.scores) if len(row.scores) > 1 else 0.0
    cells = [
        cell(str(rank), order=rank, kind="number"),
        cell(str(row.ref), order=row.ref.cohort * 1e6 + row.ref.row),
        numeric(row.fitness),
        numeric(spread, digits=2),
        cell(charts.strip(row.scores, span)),
        numeric(row.steps),
        cell(row.operator.replace("+", " + ")),
        cell(" ".join(str(parent) for parent in row.parents) or "–"),
        cell(row.genome[:8], kind="code"),
    ]
    return selectable(row.ref, cells)


def _mention(row: Row | None) -> Child:
    return "–" if row is None else element("span", str(row.ref), data_ref=str(row.ref))


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.3g} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 120 else f"{minutes} min {rest} s"
