"""Several runs beside one another: what they are, where they differ, their courses and their winners."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain, takewhile

import numpy as np

from evogen.cohort import Outcome
from evogen.registry import name_of
from evogen.report.differing import differences
from evogen.report.facts import Facts
from evogen.report.figures import Frame, axes, drawing, extent, figure, legend, line, marks, switch
from evogen.report.markup import Child, Element, absent, cell, element, number, table
from evogen.report.search import course
from evogen.runs.records import Row

COLOURS = ("blue", "orange", "green", "purple", "red", "yellow", "ink", "grey", "blue thin", "orange thin")
HIGHLIGHTED = 3
_SEEDED = re.compile(r"^(seed|name):.*\n", re.MULTILINE)  # what may differ between the runs of an arm
_HEAD = (
    *("run", "task", "strategy", "seed", "candidates", "steps", "ok", "best"),
    *("fresh mean", "fresh sd", "work (s)"),
)
_EXPLAINED = (
    "Best: the winner's fitness in the search, which luck had a part in. Fresh: scores of its agents born "
    "anew, on what the search never saw. Steps: of all inner loops together. Work: of all workers together."
)
_SIZES = ("neurons", "synapses", "parameters", "depth", "modules", "genes", "rules")


def side_by_side(found: Sequence[Facts]) -> Element | None:
    """Return what stands above several runs; None for one alone."""
    if len(found) < 2:
        return None
    warnings = [element("p", text, class_="warning") for text in differences(found)]
    drawn = _courses(found)
    parts = [
        element("h1", f"{len(found)} runs side by side"),
        *warnings,
        element("h2", "What they are"),
        table(_HEAD, [_cells(at, facts) for at, facts in enumerate(found, 1)], class_="sortable"),
        element("p", _EXPLAINED, class_="note"),
        element("h2", "How they went"),
        drawn,
        element("h2", "Their winners"),
        *_winners(found),
    ]
    return element("section", *parts, id="runs", class_="beside")


_TOLD: tuple[tuple[str, Callable[[int, Facts], Element]], ...] = (
    ("candidate", lambda at, facts: _place(at, facts)),
    ("fitness in the search", lambda _, facts: _number(_row(facts).fitness)),
    ("fresh score", lambda _, facts: _number(_fresh(facts))),
    ("optimism gap", lambda _, facts: _number(_gap(facts))),
    ("steps of its inner loop", lambda _, facts: _number(_row(facts).steps)),
)


def _cells(at: int, facts: Facts) -> list[Child]:
    experiment, fresh = facts.experiment, facts.assessment
    best = None if facts.winner is None else facts.winner.row.fitness
    steps, work = sum(row.steps for row in facts.rows), sum(timing.seconds for timing in facts.timings)
    ok = facts.outcomes[Outcome.OK] / max(len(facts.rows), 1)
    whole = facts.planned is not None and len(facts.timings) >= facts.planned
    return [
        element("a", facts.name, href=f"#run-{at}"),
        "–" if experiment is None else name_of("task", experiment.task),
        "–" if experiment is None else name_of("strategy", experiment.strategy),
        "–" if experiment is None else str(experiment.seed),
        _number(len(facts.rows), "" if whole else " (unfinished)"),
        _number(steps),
        cell(f"{ok:.0%}", order=ok, kind="number"),
        _number(best),
        _number(None if fresh is None else fresh.mean),
        _number(None if fresh is None or len(fresh.scores) < 2 else float(np.std(fresh.scores, ddof=1))),
        _number(work),
    ]


def _courses(found: Sequence[Facts]) -> Element:
    kinds = _kinds(found)
    over = [_charts(found, kinds, 0)]
    if all(len(course.courses(facts)) > 1 for facts in found):
        over.append(_charts(found, kinds, 1))
        return switch("over the steps of all inner loops instead of candidates", *over)
    return over[0]


def _kinds(found: Sequence[Facts]) -> list[str]:
    """Return each run's line: its arm's colour, or its own; where there are too many, only for the best."""
    arms = arms_of(found)
    if len(found) > len(arms) > 1 and len(arms) <= len(COLOURS):
        colours = dict(zip(arms, COLOURS, strict=False))
        return [colours[name] for at in range(len(found)) for name, members in arms.items() if at in members]
    if len(found) <= len(COLOURS):
        return list(COLOURS[: len(found)])
    best = sorted(range(len(found)), key=lambda at: -_best(found[at]))[:HIGHLIGHTED]
    return [COLOURS[best.index(at)] if at in best else "grey faint" for at in range(len(found))]


def arms_of(found: Sequence[Facts]) -> dict[str, list[int]]:
    """Return the runs that differ in nothing but their seed, by what their names have in common."""
    groups: dict[str, list[int]] = {}
    for at, facts in enumerate(found):
        text = f"unknown {at}" if facts.experiment is None else _SEEDED.sub("", facts.experiment.yaml)
        groups.setdefault(text, []).append(at)
    arms: dict[str, list[int]] = {}
    for members in groups.values():
        names = [found[at].name for at in members]
        same = takewhile(lambda letters: len({*letters}) == 1, zip(*names, strict=False))
        common = "".join(letters[0] for letters in same).rstrip("-_. 0123456789")
        name = (common if len(members) > 1 else "") or names[0]
        arms[name if name not in arms else f"{name} ({names[0]})"] = members
    return arms


def _best(facts: Facts) -> float:
    fitness = None if facts.winner is None else facts.winner.row.fitness
    return -math.inf if fitness is None else fitness


def _charts(found: Sequence[Facts], kinds: Sequence[str], axis: int) -> Element:
    drawn = [_fitness(found, kinds, axis)]
    parts = dict.fromkeys(
        part for facts in found if facts.diversity is not None for part in facts.diversity.distances
    )
    drawn += [_diversity(found, kinds, axis, part) for part in parts]
    return element("div", *drawn, class_="pair")


def _fitness(found: Sequence[Facts], kinds: Sequence[str], axis: int) -> Element:
    courses = [course.courses(facts)[axis] for facts in found]
    best = [course.best_so_far(facts) for facts in found]
    ends = max(each.end for each in courses)
    label = "candidates, in the order they were told" if axis == 0 else "steps of all inner loops together"
    frame = Frame(
        (0.0, ends), extent(chain.from_iterable(level for _, level in best)), label, "best fitness so far"
    )
    drawn: list[Child] = []
    for at in _behind(kinds):
        places, levels = best[at]
        if places.size:
            xs = courses[at].ends[places]
            last = float(courses[at].ends[-1])
            shown = line(frame, [*np.repeat(xs, 2)[1:], last], np.repeat(levels, 2), kinds[at])
            refs = [found[at].rows[place].ref for place in places]
            dots = marks(frame, xs, levels, refs, kinds[at]) if "faint" not in kinds[at] else None
            drawn.append(element("g", shown, dots, data_run=at + 1))
    told = "; ".join(
        f"{facts.name} {number(float(level[-1])) if level.size else 'none'}"
        for facts, (_, level) in zip(found, best, strict=True)
    )
    image = drawing(
        frame.width,
        frame.height,
        f"Best fitness so far over {label}, in the end: {told}.",
        axes(frame),
        *drawn,
    )
    return figure("Best so far", image, _legend(found, kinds), kind="chart")


def _diversity(found: Sequence[Facts], kinds: Sequence[str], axis: int, part: str) -> Element:
    courses = [course.courses(facts)[axis] for facts in found]
    label = "candidates, in the order they were told" if axis == 0 else "steps of all inner loops together"
    frame = Frame(
        (0.0, max(each.end for each in courses)), (0.0, 1.05), label, "mean distance within a cohort"
    )
    drawn, told = [], []
    for at in _behind(kinds):
        measured = found[at].diversity
        if measured is not None and part in measured.distances:
            xs = courses[at].edges[np.array(measured.cohorts) + 1]
            known = [value for value in measured.distances[part] if math.isfinite(value)]
            drawn += [line(frame, xs, measured.distances[part], kinds[at])] if known else []
            told.append(f"{found[at].name} {number(known[-1], digits=2) if known else 'unknown'}")
    name = course.PARTS[part][1]
    text = f"Diversity of {name} over {label}, in the end: {'; '.join(told)}."
    image = drawing(frame.width, frame.height, text, axes(frame), *drawn)
    return figure(f"Diversity: {name}", image, _legend(found, kinds), kind="chart")


def _behind(kinds: Sequence[str]) -> list[int]:
    """Return the runs in the order of drawing: faint ones behind the others."""
    return sorted(range(len(kinds)), key=lambda at: "faint" not in kinds[at])


def _legend(found: Sequence[Facts], kinds: Sequence[str]) -> Element:
    arms = arms_of(found)
    if len(set(kinds)) == len(arms) < len(found):
        named = {kinds[members[0]]: (name, len(members)) for name, members in arms.items()}
        keys = [
            (kind, f"{name} ({count} runs)" if count > 1 else name) for kind, (name, count) in named.items()
        ]
        return legend(*keys)
    keys = [(kind, facts.name) for facts, kind in zip(found, kinds, strict=True) if "faint" not in kind]
    faint = sum("faint" in kind for kind in kinds)
    return legend(*keys, *[("grey", f"{faint} other runs")] * bool(faint))


def _winners(found: Sequence[Facts]) -> Iterator[Element]:
    """Return a table with a column for each winner."""
    known = [(at, facts) for at, facts in enumerate(found, 1) if facts.winner is not None]
    lines: list[list[Child]] = [_line(name, [of(at, facts) for at, facts in known]) for name, of in _TOLD]
    sizes = [name for name in _SIZES if any(name in _metrics(facts) for _, facts in known)]
    lines += [_line(name, [_number(_metrics(facts).get(name)) for _, facts in known]) for name in sizes]
    genes = sorted({name for _, facts in known for name in _plasticity(facts)})
    lines += [_line(name, [_value(_plasticity(facts).get(name)) for _, facts in known]) for name in genes]
    lines.append(_line("made by", [_row(facts).operator.replace("+", " + ") for _, facts in known]))
    if not known:
        yield absent("No run has a winner yet.")
        return
    yield table(("", *(facts.name for _, facts in known)), lines)
    note = (
        "Synapses and parameters are those expected at birth; a name with a dot is a plasticity gene. "
        "'evogen compare' says, with intervals, whether one arm of a study is better than another."
    )
    yield element("p", note, class_="note")


def _line(name: str, cells: Sequence[Child]) -> list[Child]:
    return [element("th", name, scope="row"), *cells]


def _place(at: int, facts: Facts) -> Element:
    ref = str(_row(facts).ref)
    return element("td", element("span", ref, data_ref=ref), data_run=at, class_="number")


def _gap(facts: Facts) -> float | None:
    claimed, fresh = _row(facts).fitness, facts.assessment
    return None if fresh is None or claimed is None else claimed - fresh.mean


def _fresh(facts: Facts) -> float | None:
    return None if facts.assessment is None else facts.assessment.mean


def _row(facts: Facts) -> Row:
    assert facts.winner is not None
    return facts.winner.row


def _metrics(facts: Facts) -> Mapping[str, float]:
    return {} if facts.winner is None else facts.winner.row.metrics


def _plasticity(facts: Facts) -> Mapping[str, object]:
    genome = None if facts.winner is None else facts.winner.genome
    return {} if genome is None else genome.plasticity


def _value(value: object) -> Element:
    return _number(value) if isinstance(value, int | float) else cell("–" if value is None else str(value))


def _number(value: float | None, more: str = "") -> Element:
    return cell(f"{number(value)}{more}", order=value, kind="number")
