"""The expected weights between levels as heat maps, one a pair of levels."""

from __future__ import annotations

import numpy as np

from evogen.analysis.portrait import Link, Neuron, Portrait
from evogen.report.figures import drawing, figure
from evogen.report.markup import Child, Element, absent, element, number
from evogen.report.matrices import Block, Matrix, Scale, bar, image, signed

MAPS = 6  # pairs of levels
PARTS = 12  # of a level that are told apart in a map
_PIXELS = 480  # of the longer side of the largest map


def maps(portrait: Portrait) -> Element:
    """Return the expected weights of each pair of levels: a row sends, a column receives."""
    links = sorted(portrait.links, key=lambda link: -int(link.mask.sum()))
    shown = sorted(links[:MAPS], key=lambda link: (link.post, link.pre))
    if not shown:
        return absent("No pair of neurons may connect.")
    scale = signed(*(link.mean[link.mask] for link in shown))
    longest = max(size for link in shown for size in link.mean.shape)
    step = min(12.0, _PIXELS / longest)
    maps = [_map(portrait, link, scale, step) for link in shown]
    more = f" {len(links) - MAPS} further pairs of levels have fewer." if len(links) > MAPS else ""
    note = f"A row is a sending neuron, a column a receiving one; grey: may not connect.{more}"
    flow = element("div", *maps, class_="flow")
    return figure("Weights between all neurons", flow, bar(scale, "expected weight"), note=note)


def part_of(portrait: Portrait, neuron: Neuron) -> int:
    """Return what lies together within a level: a class module, or a layer of a gene that is a module."""
    plan = portrait.plan
    if plan.levels:
        return plan.groups[neuron.group].module
    return neuron.group


def owner(portrait: Portrait, neuron: Neuron) -> str:
    """Return the name of the module that a hidden neuron is of."""
    plan, group = portrait.plan, portrait.plan.groups[neuron.group]
    genes = list(dict.fromkeys(group.gene for group in plan.groups[1:-1]))
    return f"module {(group.module if plan.levels else genes.index(group.gene)) + 1}"


def _map(portrait: Portrait, link: Link, scale: Scale, step: float) -> Element:
    W = np.where(link.mask, link.mean, np.nan)
    left, top = 26.0, 34.0
    width, height = W.shape[1] * step, W.shape[0] * step
    ends = [_level(portrait, at) for at in (link.pre, link.post)]
    across = f"translate(14 {top + height / 2:.0f}) rotate(-90)"
    drawn: list[Child] = [
        image(Block("W", _pooled(W), scale), left, top, width, height, behind="closed"),
        element("text", f"to {ends[1]}", x=left + width / 2, y=12, class_="small name middle"),
        element("text", f"from {ends[0]}", x=0, y=0, class_="small name middle", transform=across),
    ]
    for start, end, name in _spans(portrait, link.post):
        x = left + start * step
        drawn.append(
            element("path", d=f"M{x:.1f} {top - 5}V{top + height:.1f}", class_="grid") if start else None
        )
        if 6.2 * len(name) < (end - start) * step:
            drawn.append(element("text", name, x=left + (start + end) / 2 * step, y=28, class_="tiny middle"))
    for start, _, _ in _spans(portrait, link.pre):
        y = top + start * step
        drawn.append(
            element("path", d=f"M{left - 5} {y:.1f}H{left + width:.1f}", class_="grid") if start else None
        )
    label = f"Weights from {ends[0]} to {ends[1]}: {int(link.mask.sum()):,} synapses, {_spread(link)}"
    room = max(left + width, left + width / 2 + 3.3 * len(f"to {ends[1]}"))
    return drawing(room + 6, max(top + height, 7.0 * len(f"from {ends[0]}")) + 4, label, *drawn)


def _spans(portrait: Portrait, level: int) -> list[tuple[int, int, str]]:
    """Return begin, end and name of the parts that lie beside one another in a level."""
    parts = [part_of(portrait, neuron) for neuron in portrait.levels[level]]
    starts = [at for at, part in enumerate(parts) if at == 0 or part != parts[at - 1]]
    if not 1 < len(starts) <= PARTS:
        return []
    ends = [*starts[1:], len(parts)]
    return [(a, b, owner(portrait, portrait.levels[level][a])) for a, b in zip(starts, ends, strict=True)]


def _level(portrait: Portrait, level: int) -> str:
    size = len(portrait.levels[level])
    names = {0: "input", len(portrait.levels) - 1: "output"}
    return f"{names.get(level, f'level {level}')} ({size})"


def _spread(link: Link) -> str:
    known = link.mean[link.mask & np.isfinite(link.mean)]
    if not known.size:
        return "none of them finite"
    return f"from {number(float(known.min()), digits=3)} to {number(float(known.max()), digits=3)}"


def _pooled(W: Matrix) -> Matrix:
    """Return means over squares, so that no side has more than _PIXELS numbers; NaN where all are."""
    by = -(-max(W.shape) // _PIXELS)
    if by == 1:
        return W
    known = np.isfinite(W)
    total, count = (
        np.add.reduceat(np.add.reduceat(part, range(0, W.shape[0], by), 0), range(0, W.shape[1], by), 1)
        for part in (np.where(known, W, 0.0), known.astype(float))
    )
    return np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)
