"""Where a search has parts: its islands, and the rungs of its races."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from evogen.report.facts import Facts
from evogen.report.figures import Frame, axes, drawing, extent, figure, legend, line, marks, rug
from evogen.report.markup import Child, Element, cell, element, number, numeric, table
from evogen.report.search.course import keeps
from evogen.runs.records import Row
from evogen.strategies.islands import Islands

COLOURS = ("blue", "orange", "green", "purple", "red", "yellow")


def islands(facts: Facts) -> Element | None:
    """Return the section on the islands; None for a search without."""
    strategy = None if facts.experiment is None else facts.experiment.strategy
    if not isinstance(strategy, Islands):
        return None
    title = element("h2", "Islands")
    homes = [
        [row for row in facts.rows if row.ref.cohort % strategy.count == at] for at in range(strategy.count)
    ]
    if not any(row.fitness is not None for row in facts.rows):
        return element("section", title, element("p", "No candidate has a fitness yet.", class_="empty"))
    return element(
        "section", title, element("div", _bests(facts, strategy, homes), _homes(homes), class_="pair")
    )


def rungs(facts: Facts) -> Element | None:
    """Return the section on the races; None for a search without."""
    racing = None if facts.experiment is None else facts.experiment.racing
    if racing is None:
        return None
    left = {
        rung: [row for row in facts.rows if row.metrics.get("rung") == rung]
        for rung in range(1, racing.rungs + 1)
    }
    title = element("h2", "Races")
    raced = sum(map(len, left.values()))
    if not raced:
        return element("section", title, element("p", "No candidate has raced yet.", class_="empty"))
    begun = [sum(len(left[later]) for later in left if later >= rung) for rung in left]
    return element("section", title, element("div", _field(begun), _rungs(facts, left, begun), class_="pair"))


def _bests(facts: Facts, strategy: Islands, homes: Sequence[Sequence[Row]]) -> Element:
    place = {row.ref: at + 1.0 for at, row in enumerate(facts.rows)}
    scores = [row.fitness for row in facts.rows if row.fitness is not None]
    frame = Frame(
        (0.0, len(facts.rows) + 1.0),
        extent(scores),
        "candidates, in the order they were told",
        "best fitness so far",
    )
    drawn, ends, keys = [], [], []
    for at, home in enumerate(homes):
        best: list[tuple[float, Row]] = []
        for row in home:
            if (
                row.fitness is not None
                and keeps(facts, row)
                and (not best or row.fitness > (best[-1][1].fitness or 0.0))
            ):
                best.append((place[row.ref], row))
        if not best:
            continue
        xs = [*np.repeat([x for x, _ in best], 2)[1:], float(len(facts.rows))]
        levels = [row.fitness or 0.0 for _, row in best]
        colour = COLOURS[at % len(COLOURS)] + (" thin" if at >= len(COLOURS) else "")
        drawn.append(line(frame, xs, np.repeat(levels, 2), colour))
        drawn.append(marks(frame, [x for x, _ in best], levels, [row.ref for _, row in best], colour))
        ends.append(f"island {at + 1} {number(levels[-1])}")
        keys.append((colour, f"island {at + 1}"))
    cohorts = facts.cohorts
    sent = [
        place[rows[-1].ref]
        for rows in cohorts
        if rows and strategy.migrants and (rows[0].ref.cohort // strategy.count + 1) % strategy.every == 0
    ]
    drawn += [rug(frame, sent, "grey")] if sent else []
    keys += [("grey", f"migration: {strategy.migrants} to the next island")] if sent else []
    label = f"Best fitness so far on {strategy.count} islands, in the end: {'; '.join(ends)}."
    return figure(
        "The best on every island",
        drawing(frame.width, frame.height, label, axes(frame), *drawn),
        legend(*keys),
        kind="chart",
    )


def _homes(homes: Sequence[Sequence[Row]]) -> Element:
    body: list[list[Child]] = []
    for at, home in enumerate(homes, 1):
        scored = [row for row in home if row.fitness is not None]
        best = max(scored, key=lambda row: row.fitness or 0.0, default=None)
        half = float(np.median([row.fitness or 0.0 for row in scored])) if scored else None
        body.append(
            [
                cell(str(at), order=at, kind="number"),
                numeric(len(home)),
                numeric(None if best is None else best.fitness),
                numeric(half),
                "–" if best is None else element("span", str(best.ref), data_ref=str(best.ref)),
            ]
        )
    return table(("island", "candidates", "best", "median", "best one"), body, class_="sortable")


def _field(begun: Sequence[int]) -> Element:
    frame = Frame((0.5, len(begun) + 0.5), (0.0, 1.05), "rung", "share of the candidates that began it")
    shares = [count / begun[0] for count in begun]
    bars = []
    for at, share in enumerate(shares, 1):
        right, left = frame.across(at + 0.32), frame.across(at - 0.32)
        path = f"M{left:.1f} {frame.up(share):.1f}H{right:.1f}V{frame.up(0.0):.1f}H{left:.1f}Z"
        bars.append(element("path", d=path, class_="cell blue"))
    counts = [
        element("text", number(count), x=frame.across(at), y=frame.up(share) - 5, class_="middle")
        for at, (count, share) in enumerate(zip(begun, shares, strict=True), 1)
    ]
    told = ", ".join(f"rung {at} {number(count)}" for at, count in enumerate(begun, 1))
    image = drawing(
        frame.width, frame.height, f"Candidates that began each rung: {told}.", axes(frame), *bars, *counts
    )
    return figure("How many were left", image, note="number: candidates of the whole search", kind="chart")


def _rungs(facts: Facts, left: dict[int, list[Row]], begun: Sequence[int]) -> Element:
    body: list[list[Child]] = []
    for (rung, rows), count in zip(left.items(), begun, strict=True):
        scores = [row.fitness for row in rows if row.fitness is not None]
        low, half, high = np.quantile(scores, (0.25, 0.5, 0.75)).tolist() if scores else (None,) * 3
        spent = sum(row.steps for row in rows)
        body.append(
            [
                cell(str(rung), order=rung, kind="number"),
                numeric(count),
                numeric(len(rows)),
                numeric(half),
                f"{number(low)} to {number(high)}",
                numeric(spent),
            ]
        )
    most = max((row.steps for row in facts.rows), default=0)
    raced = sum(len(rows) for rows in left.values())
    spent = sum(row.steps for rows in left.values() for row in rows)
    note = (
        f"Whoever leaves is scored with what it has learnt so far. All together took {number(spent)} steps, "
        f"{spent / (most * raced):.0%} of what {number(raced)} whole inner loops take."
        if most
        else ""
    )
    head = ("rung", "began", "left here", "median fitness", "quartiles", "steps")
    return element("div", table(head, body), element("p", note, class_="note"))
