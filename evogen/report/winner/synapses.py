"""Single neurons and the expected weights between them: as a drawing where they are few, else as a map."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from evogen.analysis.portrait import Link, Neuron, Portrait
from evogen.report.figures import drawing, figure, legend
from evogen.report.markup import Child, Element, element, number, numeric, table
from evogen.report.winner.architecture import modular
from evogen.report.winner.maps import maps, owner, part_of

FEW = 60  # neurons that are drawn one by one
STRONGEST = 400  # synapses that are drawn
LISTED = 20
_BINS = 6
_NOTE = "expected weight over born agents, after the winner's life"


class Synapse(NamedTuple):
    """One pair of neurons by level and place there; its expected weight."""

    pre: tuple[int, int]
    post: tuple[int, int]
    weight: float


def weights(portrait: Portrait) -> Iterator[Element]:
    """Return the drawing or the map, and the strongest synapses as a table."""
    count = sum(int(np.count_nonzero(_present(link))) for link in portrait.links)
    found = synapses(portrait, STRONGEST)
    if portrait.neurons <= FEW:
        yield _figure(portrait, found, count - len(found))
    else:
        yield maps(portrait)
    rows = [_row(portrait, synapse) for synapse in found[:LISTED]]
    summary = f"The strongest {len(rows)} of {count:,} synapses"
    yield element("details", element("summary", summary), table(("from", "to", "expected weight"), rows))


def synapses(portrait: Portrait, most: int) -> list[Synapse]:
    """Return the strongest synapses with a weight, the strongest first, at most so many."""
    found = []
    for link in portrait.links:
        rows, columns = np.nonzero(_present(link))
        for at in np.argsort(-np.abs(link.mean[rows, columns]), kind="stable")[:most]:
            i, j = int(rows[at]), int(columns[at])
            found.append(Synapse((link.pre, i), (link.post, j), float(link.mean[i, j])))
    return sorted(found, key=lambda synapse: -abs(synapse.weight))[:most]


def _present(link: Link) -> npt.NDArray[np.bool_]:
    return np.asarray(link.mask & np.isfinite(link.mean) & (link.mean != 0))


def _row(portrait: Portrait, synapse: Synapse) -> list[Child]:
    ends = (portrait.levels[level][place].name for level, place in (synapse.pre, synapse.post))
    return [*ends, numeric(synapse.weight)]


def _figure(portrait: Portrait, shown: list[Synapse], lost: int) -> Element:
    left_out = f" The weakest {lost:,} synapses are left out." if lost else ""
    top = abs(shown[0].weight) if shown else 1.0
    keys = [("orange", "positive"), ("blue", "negative")]
    plastic = _plastic(portrait)
    if plastic:
        keys.append(("ink dashed", "changes in life"))
    scroll = element("div", _network(portrait, shown, top, plastic), class_="scroll", tabindex=0)
    note = f"Thickness: {_NOTE}; the thickest is {number(top, digits=3)}.{left_out}"
    return figure("Neurons and their synapses", scroll, legend(*keys), note=note)


def _network(portrait: Portrait, shown: list[Synapse], top: float, plastic: set[tuple[int, int]]) -> Element:
    places, (width, height) = _places(portrait)
    strokes: dict[tuple[str, int], list[str]] = {}
    for pre, post, weight in reversed(shown):  # the strongest on top
        changes = (_neuron(portrait, pre).group, _neuron(portrait, post).group) in plastic
        kind = ("orange" if weight > 0 else "blue") + " plastic" * changes
        size = min(_BINS - 1, int(abs(weight) / top * _BINS))
        strokes.setdefault((kind, size), []).append(
            _path(places[pre], places[post], recurrent=pre[0] == post[0])
        )
    lines = [
        element(
            "path", d="".join(paths), class_=f"synapse {kind}", stroke_width=0.5 + 3.5 * size / (_BINS - 1)
        )
        for (kind, size), paths in sorted(strokes.items(), key=lambda item: item[0][1])
    ]
    signs = [sum(synapse.weight > 0 for synapse in shown), sum(synapse.weight < 0 for synapse in shown)]
    label = (
        f"{portrait.neurons} neurons on {len(portrait.levels)} levels; of the {len(shown)} synapses drawn, "
        f"{signs[0]} are positive and {signs[1]} negative."
    )
    if shown:
        ends = [_neuron(portrait, at).name for at in (shown[0].pre, shown[0].post)]
        label += f" The strongest goes from {ends[0]} to {ends[1]}."
    dots = [element("circle", cx=x, cy=y, r=4.5, class_="neuron") for x, y in places.values()]
    return drawing(
        width, height, label, *_backs(portrait, places), *lines, *dots, *_names(portrait, places), kind="wide"
    )


def _neuron(portrait: Portrait, at: tuple[int, int]) -> Neuron:
    return portrait.levels[at[0]][at[1]]


def _places(portrait: Portrait) -> tuple[dict[tuple[int, int], tuple[float, float]], tuple[float, float]]:
    """Return the place of each neuron, and width and height: a level is a column, groups lie apart in it."""
    groups = portrait.plan.groups
    across = max(120.0, min(330.0, 860 / max(len(portrait.levels) - 1, 1)))
    step = max(14.0, min(26.0, 560 / max(map(len, portrait.levels))))
    columns = []
    for level in portrait.levels:
        order = sorted(range(len(level)), key=lambda at: (groups[level[at].group].module, at))
        y, column, before = 0.0, {}, None
        for at in order:
            part = part_of(portrait, level[at])
            y += step + (14 if before is not None and part != before else 0)
            column[at], before = y, part
        columns.append(column)
    tall = max(max(column.values()) for column in columns) + step
    found = {
        (level, at): (64 + level * across, y + (tall - step - max(column.values())) / 2 + 6)
        for level, column in enumerate(columns)
        for at, y in column.items()
    }
    return dict(sorted(found.items())), (64 + across * (len(columns) - 1) + 64, tall + 14)


def _backed(portrait: Portrait) -> bool:
    """Return whether there are modules to be drawn."""
    return not portrait.plan.levels or modular(portrait.plan)


def _backs(portrait: Portrait, places: dict[tuple[int, int], tuple[float, float]]) -> list[Element]:
    """Return a background with a name behind what lies together."""
    if not _backed(portrait):
        return []
    together: dict[tuple[int, int], list[tuple[float, float]]] = {}
    names = {}
    for (level, at), place in places.items():
        if 0 < level < len(portrait.levels) - 1:
            neuron = portrait.levels[level][at]
            part = (level, part_of(portrait, neuron))
            together.setdefault(part, []).append(place)
            names[part] = owner(portrait, neuron) + _shared(portrait, part)
    found = []
    for part, own in together.items():
        x, low, high = own[0][0], min(y for _, y in own), max(y for _, y in own)
        found.append(
            element(
                "rect",
                x=x - 16,
                y=low - 11,
                width=32.0 if _shared(portrait, part) else 62.0,
                height=high - low + 22,
                rx=6,
                class_="lane",
            )
        )
        found.append(element("text", names[part], x=x - 14, y=low - 13, class_="tiny"))
    return found


def _names(portrait: Portrait, places: dict[tuple[int, int], tuple[float, float]]) -> list[Element]:
    found, last = [], len(portrait.levels) - 1
    for (level, at), (x, y) in places.items():
        neuron = portrait.levels[level][at]
        if level == 0:
            found.append(element("text", neuron.name, x=x - 9, y=y + 4, class_="small end"))
        elif level == last:
            found.append(element("text", neuron.name, x=x + 9, y=y + 4, class_="small"))
        elif not (_backed(portrait) and _shared(portrait, (level, part_of(portrait, neuron)))):
            spoken = _spoken(portrait, neuron)
            found.append(element("text", spoken, x=x + 8, y=y + 3.5, class_="tiny halo"))
    return found


def _spoken(portrait: Portrait, neuron: Neuron) -> str:
    """Return the name of a neuron's activation function, or of its kind where it speaks in spikes."""
    group = portrait.plan.groups[neuron.group]
    spoken = group.activations[neuron.place] if group.activations else group.activation
    return group.neuron if group.neuron != "rate" and spoken == "identity" else spoken


def _shared(portrait: Portrait, part: tuple[int, int]) -> str:
    """Return what all neurons of a part have in common, for its title."""
    level, own = part
    spoken = {
        _spoken(portrait, neuron) for neuron in portrait.levels[level] if part_of(portrait, neuron) == own
    }
    return f": {spoken.pop()}" if len(spoken) == 1 else ""


def _path(start: tuple[float, float], end: tuple[float, float], *, recurrent: bool) -> str:
    (x1, y1), (x2, y2) = start, end
    if recurrent and start == end:
        near, far = f"{x1 - 3:.1f}", f"{x1 - 22:.1f}"
        return f"M{near} {y1 - 4:.1f}C{far} {y1 - 16:.1f} {far} {y1 + 16:.1f} {near} {y1 + 4:.1f}"
    if recurrent:
        reach = x1 - 14 - 0.22 * abs(y2 - y1)
        return f"M{x1 - 4:.1f} {y1:.1f}C{reach:.1f} {y1:.1f} {reach:.1f} {y2:.1f} {x2 - 4:.1f} {y2:.1f}"
    half = (x2 - x1) * 0.4
    return f"M{x1 + 5:.1f} {y1:.1f}C{x1 + half:.1f} {y1:.1f} {x2 - half:.1f} {y2:.1f} {x2 - 5:.1f} {y2:.1f}"


def _plastic(portrait: Portrait) -> set[tuple[int, int]]:
    return {(link.pre, link.post) for link in portrait.plan.projections if link.rule != "none"}
