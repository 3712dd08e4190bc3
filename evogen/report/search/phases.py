"""Where the time went: who worked when, and how much of the clock nobody worked.

A run knows of each cohort the seconds of work, its worker and the moment of its commit. Cohorts are committed
in order, so one that came early has waited: its work is drawn as late as its commit and its worker's next
cohort allow. Pauses between two sessions are left out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from evogen.budget import BEGUN, Ending
from evogen.report.facts import Facts
from evogen.report.figures import Frame, axes, band, drawing, figure, legend, line
from evogen.report.markup import Child, Element, absent, cell, element, number, numeric, table
from evogen.runs.records import Logged, Timing

BINS, LANES, BARS, LISTED = 160, 24, 1000, 20


_WORK = ("develop", "learn", "score")
_WORK_COLOURS = {"develop": "green", "learn": "blue", "score": "orange", "other work": "grey"}
_DRIVER = ("breed", "tell", "store")
_NAMES = {
    "develop": "developing genomes",
    "learn": "inner loops",
    "score": "scoring born agents",
    "other work": "other work",
    "breed": "breeding",
    "tell": "telling the strategy",
    "store": "storing",
}


class Work(NamedTuple):
    """A worker's work on a cohort, in seconds of the clock of the sessions."""

    worker: str
    cohort: int
    begin: float
    end: float


def phases(facts: Facts) -> Element:
    """Return the section on time."""
    title = element("h2", "Where the time went")
    timings = _finite(facts.timings)
    if not timings:
        return element("section", title, absent("No cohort has been told yet."))
    sessions = sessions_of(facts.events, timings)
    length = sum(end - begin for begin, end in sessions) or 1e-9
    done = works(timings, sessions)
    drawn = [_lanes(done, length), _busy(done, length)]
    beside = element("div", _parts(facts), _workers(done, length), class_="pair")
    return element("section", title, element("div", *drawn, class_="pair"), beside)


def parts_of(events: Sequence[Logged]) -> dict[str, float]:
    """Return the seconds that sessions told of when they ended, by what they did; what is odd is left out."""
    found: dict[str, float] = {}
    for event in events:
        ended = event.kind in tuple(Ending) and isinstance(event.payload, Mapping)
        told = event.payload.get("seconds") if ended else None
        for what, seconds in told.items() if isinstance(told, Mapping) else ():
            if isinstance(seconds, int | float) and 0 <= seconds < math.inf:
                found[what] = found.get(what, 0.0) + float(seconds)
    if (work := found.pop("work", None)) is not None:
        known = math.fsum(found.get(name, 0.0) for name in _WORK)
        found["other work"] = max(work - known, 0.0)
    return found


def sessions_of(events: Sequence[Logged], timings: Sequence[Timing]) -> list[tuple[float, float]]:
    """Return begin and end of each time that a process was at work on the run, as Unix times.

    One that was killed ends with its last commit; without any event the commits say it.
    """
    moments = [(event.time, event.kind) for event in events if event.kind in (*BEGUN, *Ending)]
    commits = sorted(timing.committed for timing in timings)
    if not any(kind in BEGUN for _, kind in moments):
        first = min(timings, key=lambda timing: timing.committed)
        return [(first.committed - first.seconds, commits[-1])]
    found = []
    starts = [moment for moment, kind in moments if kind in BEGUN]
    ends = [*(moment for moment, kind in moments if kind not in BEGUN), *commits]
    for begin, after in zip(starts, [*starts[1:], math.inf], strict=True):
        found.append((begin, max((end for end in ends if begin <= end <= after), default=begin)))
    return found


def works(timings: Sequence[Timing], sessions: Sequence[tuple[float, float]]) -> list[Work]:
    """Return who worked on what when, each as late as possible; seconds count from the first session."""
    found = []
    after: dict[str, float] = {}
    for timing in sorted(timings, key=lambda timing: (timing.committed, timing.cohort), reverse=True):
        end = min(timing.committed, after.get(timing.worker, timing.committed))
        begin = end - timing.seconds
        after[timing.worker] = begin
        found.append(Work(timing.worker, timing.cohort, _clock(begin, sessions), _clock(end, sessions)))
    return sorted(found, key=lambda work: work.cohort)


def busy(done: Sequence[Work], edges: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the mean number of workers at work between each two edges."""
    begins, ends = (np.array([getattr(work, name) for work in done]) for name in ("begin", "end"))
    # seconds of work before each edge, as a piecewise linear function of the edge
    before = np.array([np.clip(edge - begins, 0, ends - begins).sum() for edge in edges])
    return np.asarray(np.diff(before) / np.diff(edges))


def values(facts: Facts) -> dict[str, object]:
    """Return the sums as a JSON value, in seconds."""
    timings = _finite(facts.timings)
    if not timings:
        return {"clock": 0.0, "work": 0.0, "workers": {}, "parts": {}}
    sessions = sessions_of(facts.events, timings)
    workers: dict[str, float] = {}
    for timing in timings:
        workers[timing.worker] = workers.get(timing.worker, 0.0) + timing.seconds
    clock = sum(end - begin for begin, end in sessions)
    work = {"work": sum(workers.values()), "workers": workers, "parts": parts_of(facts.events)}
    return {"clock": clock, "sessions": len(sessions), **work}


def _finite(timings: Sequence[Timing]) -> list[Timing]:
    """Leave out what somebody altered to be no time."""
    return [one for one in timings if math.isfinite(one.committed) and 0 <= one.seconds < math.inf]


def _clock(moment: float, sessions: Sequence[tuple[float, float]]) -> float:
    """Return the seconds that sessions had taken at a moment."""
    return sum(min(max(moment - begin, 0.0), end - begin) for begin, end in sessions)


def _lanes(done: Sequence[Work], length: float) -> Element:
    names = list(dict.fromkeys(work.worker for work in done))
    shown = names[:LANES]
    scale, unit = _unit(length)
    lanes = len(shown)
    frame = Frame(
        (0.0, length / scale),
        (0.0, lanes),
        f"clock of the sessions ({unit})",
        "worker",
        height=130 + 20 * lanes,
    )
    drawn = []
    for kind, works_ in _coloured(done, length).items():
        path = ""
        for work in works_:
            if work.worker in shown:
                low = lanes - 1 - shown.index(work.worker)
                left, right = frame.across(work.begin / scale), frame.across(work.end / scale)
                top, bottom = frame.up(low + 0.85), frame.up(low + 0.15)
                path += f"M{left:.1f} {top:.1f}H{max(right, left + 0.4):.1f}V{bottom:.1f}H{left:.1f}Z"
        drawn.append(element("path", d=path, class_=f"cell {kind}") if path else None)
    total = sum(work.end - work.begin for work in done)
    told = (
        f"{len(done)} cohorts on {len(names)} workers in {number(length / scale, digits=3)} {unit}; "
        f"{total / (length * len(names)):.0%} of the workers' time was work."
    )
    note = "Each as late as its commit allows." + (
        "" if len(shown) == len(names) else f" {len(shown)} of {len(names)} workers."
    )
    keys = [("area full blue", "a cohort"), ("area full orange", "the next one")]
    keys = keys if len(done) <= BARS else [("area full blue", "at work")]
    names_ = [
        element("text", str(at + 1), x=frame.across(0.0) - 7, y=frame.up(lanes - at - 0.5) + 4, class_="end")
        for at in range(lanes)
    ]
    image = drawing(frame.width, frame.height, told, axes(frame, rows=()), *names_, *drawn)
    return figure("Who worked when", image, legend(*keys), note=note, kind="chart")


def _coloured(done: Sequence[Work], length: float) -> dict[str, list[Work]]:
    """Return works by colour: cohorts in turn; where there are many, joined up to gaps that are seen."""
    if len(done) <= BARS:
        pair = enumerate(("blue", "orange"))
        return {kind: [work for work in done if work.cohort % 2 == at] for at, kind in pair}
    joined: dict[str, list[Work]] = {}
    for work in sorted(done, key=lambda work: work.begin):
        own = joined.setdefault(work.worker, [])
        if own and work.begin - own[-1].end < length / 500:
            own[-1] = own[-1]._replace(end=max(work.end, own[-1].end))
        else:
            own.append(work)
    return {"blue": [work for own in joined.values() for work in own]}


def _busy(done: Sequence[Work], length: float) -> Element:
    count = len({work.worker for work in done})
    scale, unit = _unit(length)
    edges = np.linspace(0.0, length, BINS + 1)
    level = busy(done, edges)
    frame = Frame(
        (0.0, length / scale), (0.0, count * 1.05), f"clock of the sessions ({unit})", "workers at work"
    )
    xs, ys = np.repeat(edges / scale, 2)[1:-1], np.repeat(level, 2)
    drawn = (band(frame, xs, np.zeros(len(xs)), ys, "blue"), line(frame, xs, ys, "blue"))
    full = line(frame, frame.x, [count, count], "ink thin")
    told = f"Workers at work over the clock: {number(float(level.mean()), digits=3)} of {count} on average."
    image = drawing(frame.width, frame.height, told, axes(frame), *drawn, full)
    keys = legend(
        ("blue", f"at work, mean of {number(length / BINS, digits=2)} s"),
        ("ink thin", f"all that were ever seen ({count})"),
    )
    return figure("How many worked", image, keys, kind="chart")


def _parts(facts: Facts) -> Element:
    """Draw what the work was as one bar, and list what the driver did."""
    found = parts_of(facts.events)
    work = {name: found[name] for name in (*_WORK, "other work") if found.get(name)}
    if not work:
        return absent("What the work was is told when a session ends; none of this run has told it.")
    total, left = sum(work.values()), 4.0
    bars: list[Child] = []
    for name, seconds in work.items():
        width = 462 * seconds / total
        bars.append(
            element(
                "rect", x=left, y=4, width=max(width, 0.5), height=34, class_=f"cell {_WORK_COLOURS[name]}"
            )
        )
        left += width
    shares = {name: f"{seconds / total:.1%}" for name, seconds in work.items()}
    told = ", ".join(f"{_NAMES[name]} {share}" for name, share in shares.items())
    image = drawing(470, 42, f"What {number(total, digits=3)} seconds of work were: {told}.", *bars)
    keys = [(f"area full {_WORK_COLOURS[name]}", f"{_NAMES[name]} {share}") for name, share in shares.items()]
    driver = [f"{_NAMES[name]} {number(found[name], digits=3)} s" for name in _DRIVER if name in found]
    note = f"The driver's own time: {', '.join(driver)}." if driver else ""
    return figure("What the work was", image, legend(*keys), note=note, kind="chart")


def _workers(done: Sequence[Work], length: float) -> Element:
    names = list(dict.fromkeys(work.worker for work in done))
    body: list[list[Child]] = []
    for at, name in enumerate(names[:LISTED], 1):
        own = [work.end - work.begin for work in done if work.worker == name]
        body.append(
            [
                cell(str(at), order=at, kind="number"),
                name,
                numeric(len(own)),
                numeric(sum(own)),
                cell(f"{sum(own) / length:.0%}", order=sum(own) / length, kind="number"),
            ]
        )
    listed = table(("worker", "name", "cohorts", "work (s)", "of the clock"), body, class_="sortable")
    if len(names) <= LISTED:
        return listed
    return element(
        "div", listed, element("p", f"{len(names) - LISTED} more workers are left out.", class_="note")
    )


def _unit(seconds: float) -> tuple[float, str]:
    if seconds < 180:
        return 1.0, "seconds"
    return (60.0, "minutes") if seconds < 3 * 3600 else (3600.0, "hours")
