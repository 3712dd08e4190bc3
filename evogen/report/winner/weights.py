"""The weights that agents are born with: what the wiring's closed forms predict, and what was drawn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

from evogen.analysis.portrait import Link, Portrait
from evogen.report.figures import Frame, axes, dots, drawing, extent, figure, legend, line
from evogen.report.markup import Child, Element, absent, cell, element, number, numeric, table

SHOWN = 4  # pairs of levels that have a histogram
POINTS = 1500  # of a scatter
BINS = 48
TERMS = 20_000  # synapses that the predicted density is a mean of
Array = npt.NDArray[np.float64]


class Drawn(NamedTuple):
    """The synapses of a pair of levels that may be: S means, S standard deviations, and (A, S) weights."""

    mean: Array
    deviation: Array
    sampled: Array


def distributions(portrait: Portrait) -> Iterator[Element]:
    """Return histograms, predictions against samples, and both as numbers."""
    links = sorted(portrait.links, key=lambda link: -int(link.mask.sum()))
    found = [(link, drawn(link)) for link in links]
    found = [
        (link, one) for link, one in found if np.isfinite(one.sampled).all() and np.isfinite(one.mean).all()
    ]
    if not found:
        yield absent("No weight of the winner is finite, so there is nothing to draw.")
        return
    varied = [(link, one) for link, one in found if one.deviation.any()]
    shown = found[:SHOWN]
    yield element("p", _told(portrait, bool(varied), len(found) - len(shown)), class_="note")
    histograms = [_histogram(portrait, link, one, bool(varied)) for link, one in shown]
    yield element(
        "div", *histograms, *(_against([one for _, one in varied]) if varied else ()), class_="pair"
    )
    rows = (_row(portrait, link, one) for link, one in found)
    head = ("from", "to", "pairs", "mean predicted", "drawn", "sd predicted", "drawn", "no synapse")
    yield element("details", element("summary", "These weights as numbers"), table(head, rows))


def drawn(link: Link) -> Drawn:
    """Return the pairs of neurons that may connect."""
    variance = np.zeros_like(link.mean) if link.variance is None else link.variance
    return Drawn(
        link.mean[link.mask], np.sqrt(np.maximum(variance[link.mask], 0)), link.sampled[:, link.mask]
    )


def predicted(one: Drawn, edges: Array) -> Array:
    """Return the density in each bin, the mean of one normal law a synapse."""
    keep = slice(None, None, -(-len(one.mean) // TERMS))
    mean, deviation = one.mean[keep, None], one.deviation[keep, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        below = np.where(deviation > 0, ndtr((edges - mean) / deviation), edges >= mean)
    return np.asarray(np.diff(below.mean(0)) / np.diff(edges))


def _told(portrait: Portrait, varied: bool, left_out: int) -> str:
    law = portrait.birth
    if not varied:
        told = "Weights are free in this wiring: all agents are born with the same ones."
    else:
        told = (
            f"{law.agents} agents born of the winner: degree {number(law.degree)}, {law.counts} counts, "
            f"conductance {law.conductance}. Predicted: a normal law a synapse, by the wiring's closed forms."
        )
    return told + (f" {left_out} further pairs of levels are in the table only." if left_out > 0 else "")


def _histogram(portrait: Portrait, link: Link, one: Drawn, varied: bool) -> Element:
    low, high = extent(np.quantile(one.sampled, (0.002, 0.998)).tolist())
    edges = np.linspace(low, high, BINS + 1)
    counts, _ = np.histogram(one.sampled, edges)
    share = counts / (one.sampled.size * np.diff(edges))
    law = predicted(one, edges)
    both = np.concatenate([share, law])
    top = 1.05 * min(float(both.max()), 8 * float(np.quantile(both, 0.95))) or 1.0
    frame = Frame((low, high), (0.0, top), "weight", "density", height=240)
    ends = f"{_level(portrait, link.pre)} to {_level(portrait, link.post)}"
    label = (
        f"Weights from {ends}: {one.sampled.size:,} drawn, mean {_short(one.sampled.mean())}, "
        f"predicted {_short(one.mean.mean())}; {_zeros(one):.0%} are 0."
    )
    base = frame.up(0.0)
    bars = "".join(
        f"M{frame.at(a, 0.0)}V{frame.up(min(y, top)):.1f}H{frame.across(b):.1f}V{base:.1f}Z"
        for a, b, y in zip(edges, edges[1:], share, strict=False)
        if y > 0
    )
    parts: list[Child] = [axes(frame), element("path", d=bars, class_="bars blue")]
    keys = [("blue area", "drawn")]
    if varied:
        parts.append(
            line(frame, np.repeat(edges, 2)[1:-1], np.repeat(np.minimum(law, top), 2), "orange fine")
        )
        keys.append(("orange", "predicted"))
    above = int((share > top).sum())
    note = f"{_zeros(one):.0%} of the pairs got no synapse (weight 0)." + " A bar is cut at the top." * (
        above > 0
    )
    return figure(f"From {ends}", drawing(470, 240, label, *parts), legend(*keys), note=note, kind="chart")


def _against(found: Sequence[Drawn]) -> tuple[Element, Element]:
    """Return sampled mean and sd of each synapse over its predicted ones."""
    mean = np.concatenate([one.mean for one in found])
    deviation = np.concatenate([one.deviation for one in found])
    sampled = np.concatenate([one.sampled for one in found], axis=1)
    agents = len(sampled)
    pairs = (
        ("mean", mean, sampled.mean(0), "Mean of each synapse"),
        ("sd", deviation, sampled.std(0, ddof=1), f"Spread of each synapse over {agents} agents"),
    )
    made = [_scatter(name, x, y, title) for name, x, y, title in pairs]
    return made[0], made[1]


def _scatter(name: str, x: Array, y: Array, title: str) -> Element:
    keep = slice(None, None, -(-len(x) // POINTS))
    both = extent([float(v) for part in (x, y) for v in (part.min(), part.max())])
    frame = Frame(both, both, f"predicted {name} of the weight", f"drawn {name}", height=320)
    slope = float((x * y).sum() / (x * x).sum()) if (x * x).sum() > 0 else float("nan")
    label = f"{title}: drawn over predicted, {len(x):,} synapses; drawn is {_short(slope)} times predicted."
    parts = (
        axes(frame),
        line(frame, both, both, "grey thin"),
        dots(frame, x[keep], y[keep], "blue fine"),
    )
    few = f" {len(x[keep]):,} of {len(x):,} synapses are drawn." if len(x[keep]) < len(x) else ""
    note = f"Dotted: equal. Least squares through 0: drawn = {_short(slope)} × predicted.{few}"
    return figure(title, drawing(470, 320, label, *parts), note=note, kind="chart")


def _row(portrait: Portrait, link: Link, one: Drawn) -> list[Child]:
    spread = one.sampled.std(0, ddof=1) if len(one.sampled) > 1 else np.zeros(1)
    numbers = (
        float(len(one.mean)),
        float(one.mean.mean()),
        float(one.sampled.mean()),
        float(np.sqrt(np.square(one.deviation).mean())),
        float(np.sqrt(np.square(spread).mean())),
    )
    ends = (_level(portrait, at) for at in (link.pre, link.post))
    shown = [numeric(value, digits=3) for value in numbers]
    return [*ends, *shown, cell(f"{_zeros(one):.1%}", order=_zeros(one), kind="number")]


def _short(value: float) -> str:
    return number(float(value), digits=3)


def _zeros(one: Drawn) -> float:
    return float((one.sampled == 0).mean())


def _level(portrait: Portrait, level: int) -> str:
    return {0: "the input", len(portrait.levels) - 1: "the output"}.get(level, f"level {level}")
