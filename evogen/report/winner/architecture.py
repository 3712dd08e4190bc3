"""A plan as a drawing: neuron groups as boxes from the input on the left to the output on the right.

A gene that is a module has a lane of its own, and each of its layers a box. Where genes are neuron groups, a
lane is a class module, or the whole network where a structure has none, and a box is one of its levels. A box
grows with the square root of its size; a link is dashed where the connectivity is sparse and orange where
synapses change in life. A link that passes other boxes of its lane runs below them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from evogen.grammar.plan import Group, Plan, Projection
from evogen.report.figures import drawing
from evogen.report.markup import Element, element, number, table

_NARROW, _GAP, _LANE, _EDGE, _BELOW = 84, 66, 104, 4, 43
LISTED = 300  # links in the table
_LETTER = 5.7  # pixels of one of a box's small letters


class Box(NamedTuple):
    """Groups that are drawn as one.

    Attributes:
        groups: indices into the plan's groups.
        column: from the input's, 0.
        lane: from above, 0; None for input and output, which belong to all.
        size: neurons.
        lines: what stands below the size.
    """

    groups: tuple[int, ...]
    column: int
    lane: int | None
    size: int
    lines: tuple[str, ...]


class Wire(NamedTuple):
    """All projections between two boxes: their indices, what is written there, and whether any is so."""

    pre: int
    post: int
    words: str
    sparse: bool
    plastic: bool


def drawn(plan: Plan) -> Element:
    """Return the drawing."""
    found, names = boxes(plan), lanes(plan)
    count = max(len(names), 1)
    wide = max(_NARROW, 12 + max(_LETTER * len(line) for box in found for line in box.lines))
    left = [_EDGE + box.column * (wide + _GAP) for box in found]
    centre = [(count / 2 if box.lane is None else box.lane + 0.5) * _LANE for box in found]
    width, height = max(left) + wide + _EDGE, count * _LANE
    parts = [_lane(at, name, found, left, wide) for at, name in enumerate(names)]
    for wire in wires(plan, found):
        if wire.pre == wire.post:
            parts.append(_loop(left[wire.pre] + wide * 0.7, centre[wire.pre], wire))
            continue
        lane = found[wire.post].lane if found[wire.pre].lane is None else found[wire.pre].lane
        side = _side(lane or 0, count)
        start = centre[wire.pre] + (side if found[wire.pre].lane is None else 0)
        end = centre[wire.post] + (side if found[wire.post].lane is None else 0)
        between = range(found[wire.pre].column + 1, found[wire.post].column)
        skips = any(box.lane == lane and box.column in between for box in found)
        ends = (left[wire.pre] + wide, start), (left[wire.post], end)
        parts += _around(wire, *ends, ((lane or 0) + 0.5) * _LANE + _BELOW) if skips else _link(wire, *ends)
    most = max(box.size for box in found)
    parts += [_box(box, x, y, wide, most) for box, x, y in zip(found, left, centre, strict=True)]
    return drawing(width, height, described(plan), *parts, kind="wide")


def boxes(plan: Plan) -> list[Box]:
    """Return what is drawn as boxes, the input first and the output last."""
    last = len(plan.groups) - 1
    column = list(plan.levels) or depths(plan)
    lane_of = _lanes(plan)
    together: dict[object, list[int]] = {}
    for at in range(1, last):
        same = (lane_of[at], column[at]) if plan.levels else at
        together.setdefault(same, []).append(at)
    hidden = sorted(together.values(), key=lambda groups: (column[groups[0]], groups[0]))
    ends = [
        Box((at,), column[at], None, plan.groups[at].size, (name,))
        for at, name in ((0, "inputs"), (last, "outputs"))
    ]
    inner = [
        Box(
            tuple(groups),
            column[groups[0]],
            lane_of[groups[0]],
            sum(plan.groups[at].size for at in groups),
            _lines([plan.groups[at] for at in groups]),
        )
        for groups in hidden
    ]
    return [ends[0], *inner, ends[1]]


def lanes(plan: Plan) -> list[str]:
    """Return the names of the lanes from above."""
    if plan.levels and not modular(plan):
        return [""]
    return [f"module {at + 1}" for at in range(max(_lanes(plan).values(), default=-1) + 1)]


def modular(plan: Plan) -> bool:
    """Return whether genes that are neuron groups lie in class modules."""
    return plan.modules > 0 or any(group.module for group in plan.groups)


def wires(plan: Plan, found: Sequence[Box]) -> list[Wire]:
    """Return the links between boxes."""
    box_of = {group: at for at, box in enumerate(found) for group in box.groups}
    together: dict[tuple[int, int], list[Projection]] = {}
    for link in plan.projections:
        together.setdefault((box_of[link.pre], box_of[link.post]), []).append(link)
    return [
        Wire(pre, post, _words(links), any(map(sparse, links)), any(link.rule != "none" for link in links))
        for (pre, post), links in together.items()
    ]


def listed(plan: Plan) -> Element:
    """Return the links as a table, which says the same as the drawing."""
    rows = (
        (
            str(link.gene),
            _group(plan.groups[link.pre]),
            _group(plan.groups[link.post]),
            _density(link),
            " ".join([link.rule, *(f"{name} {number(value)}" for name, value in link.coefficients.items())]),
        )
        for link in plan.projections[:LISTED]
    )
    return table(("gene", "from", "to", "density", "plasticity"), rows)


def described(plan: Plan) -> str:
    """Say the architecture in one sentence."""
    ends = f"{plan.groups[0].size} inputs", f"{plan.groups[-1].size} outputs"
    if plan.levels:
        count = len(plan.groups) - 2
        within = f" in {len(lanes(plan))} modules" if modular(plan) else ""
        return f"{ends[0]}; {count} neuron groups{within} on {max(plan.levels) - 1} levels; {ends[1]}"
    genes = list(dict.fromkeys(group.gene for group in plan.groups[1:-1]))
    chains = [", ".join(_group(group) for group in plan.groups[1:-1] if group.gene == gene) for gene in genes]
    names = [f"module {at + 1}" for at in range(len(chains))]
    names = names if plan.anatomy is None else [plan.anatomy.words]
    modules = "; ".join(f"{name}: {chain}" for name, chain in zip(names, chains, strict=True))
    return f"{ends[0]}; {modules}; {ends[1]}"


def depths(plan: Plan) -> list[int]:
    """Return the column of each group: its longest path from the input."""
    found = [0] * len(plan.groups)
    for link in sorted(plan.projections, key=lambda link: link.post):
        if link.pre != link.post:
            found[link.post] = max(found[link.post], found[link.pre] + 1)
    return found


def sparse(link: Projection) -> bool:
    """Return whether only a part of the pairs may connect."""
    return link.density < 1 or bool(link.prior)


def _lanes(plan: Plan) -> dict[int, int]:
    """Return the lane of each hidden group."""
    inner = range(1, len(plan.groups) - 1)
    if plan.levels:
        return {at: plan.groups[at].module for at in inner}
    genes = list(dict.fromkeys(plan.groups[at].gene for at in inner))
    return {at: genes.index(plan.groups[at].gene) for at in inner}


def _lines(groups: Sequence[Group]) -> tuple[str, ...]:
    spoken: Counter[str] = Counter()
    for group in groups:
        for activation in group.activations or (group.activation,) * group.size:
            spoken[activation if group.neuron == "rate" or activation != "identity" else group.neuron] += 1
    if len(groups) == 1 and len(spoken) == 1:
        (group,) = groups
        numbers = "".join(f" {name} {number(value, digits=2)}" for name, value in group.settings.items())
        if group.neuron == "rate":
            return (group.activation,)
        first = (group.activation,) if group.activation != "identity" else ()
        return (*first, group.neuron + numbers)
    if len(spoken) <= 2:
        return tuple(f"{count} {name}" if len(spoken) > 1 else name for name, count in spoken.most_common())
    (name, count), *others = spoken.most_common()
    return (f"{count} {name}", f"{len(others)} others")


def _words(links: Sequence[Projection]) -> str:
    first = links[0]
    if len(links) > 1:
        return " ".join(sorted({link.rule for link in links} - {"none"}))
    words = [f"{first.density:.0%}"] * (first.density < 1) + [first.prior] * bool(first.prior)
    return " ".join([*words, *["free"] * first.free, *[first.rule] * (first.rule != "none")])


def _density(link: Projection) -> str:
    numbers = "".join(f" {name} {number(value, digits=3)}" for name, value in link.settings.items())
    free = " free" * link.free
    return f"{link.prior}{numbers}{free}" if link.prior else f"{number(link.density)}{free}"


def _group(group: Group) -> str:
    kind = "" if group.neuron == "rate" else f" {group.neuron}"
    numbers = "".join(f" {name} {number(value, digits=3)}" for name, value in group.settings.items())
    return f"{group.name}: {group.size} {group.activation}{kind}{numbers}"


def _side(lane: int, count: int) -> float:
    return (lane - (count - 1) / 2) * min(9.0, 40 / count)


def _lane(at: int, name: str, found: Sequence[Box], left: Sequence[float], wide: float) -> Element:
    columns = [x for x, box in zip(left, found, strict=True) if box.lane == at]
    if not columns:
        return element("g")
    x, y, width = min(columns) - 10, at * _LANE + 4, max(columns) - min(columns) + wide + 20
    return element(
        "g",
        element("rect", x=x, y=y, width=width, height=_LANE - 8, rx=8, class_="lane"),
        element("text", name, x=x + 8, y=y + 14, class_="small") if name else None,
    )


def _box(box: Box, x: float, y: float, wide: float, most: int) -> Element:
    height = max(38 + 26 * (box.size / most) ** 0.5, 36.0 + 13 * len(box.lines))
    texts = [element("text", str(box.size), x=x + wide / 2, y=y + 1, class_="size middle")]
    for at, text in enumerate(box.lines):
        kind = "middle" if at == 0 else "small middle"
        texts.append(element("text", text, x=x + wide / 2, y=y + 15 + 12 * at, class_=kind))
    rim = element("rect", x=x, y=y - height / 2 + 2, width=wide, height=height, rx=6, class_="box")
    return element("g", rim, *texts)


def _loop(x: float, y: float, wire: Wire) -> Element:
    """Return the arrow from a box back to itself, above it."""
    top = y - 50
    path = f"M{x + 12:.1f} {y - 22:.1f}C{x + 20:.1f} {top} {x - 20:.1f} {top} {x - 12:.1f} {y - 22:.1f}"
    return element("path", d=path, class_="link" + " plastic" * wire.plastic)


def _link(wire: Wire, start: tuple[float, float], end: tuple[float, float]) -> list[Element]:
    (x1, y1), (x2, y2) = start, end
    bend, tip, first = x2 - _GAP, x2 - 3, wire.pre == 0
    path = f"M{x1} {y1:.1f}H{bend}C{bend + 40} {y1:.1f} {bend + 32} {y2:.1f} {tip} {y2:.1f}"
    x, y = (x2 - 33, y2) if first else (x1 + 33, y1)
    below = y2 > y1 if first else y2 < y1  # the side that the line leaves free
    return _line(wire, path, end, (x, y + (15 if below else -6)))


def _around(wire: Wire, start: tuple[float, float], end: tuple[float, float], below: float) -> list[Element]:
    """Return a link that runs below the boxes between its ends."""
    (x1, y1), (x2, y2) = start, end
    near, far, tip = x1 + _GAP - 14, x2 - _GAP + 14, x2 - 3
    path = (
        f"M{x1} {y1:.1f}C{x1 + 32} {y1:.1f} {near - 32} {below:.1f} {near} {below:.1f}H{far}"
        f"C{far + 32} {below:.1f} {tip - 32} {y2:.1f} {tip} {y2:.1f}"
    )
    return _line(wire, path, end, ((near + far) / 2, below - 4))


def _line(wire: Wire, path: str, end: tuple[float, float], words: tuple[float, float]) -> list[Element]:
    kind, (x, y) = "link" + " plastic" * wire.plastic + " sparse" * wire.sparse, end
    head = f"M{x - 8} {y - 4:.1f}L{x} {y:.1f}L{x - 8} {y + 4:.1f}Z"
    parts = [element("path", d=path, class_=kind), element("path", d=head, class_=f"{kind} tip")]
    if wire.words:
        accent = " accent" * wire.plastic
        text = element("text", wire.words, x=words[0], y=words[1], class_=f"small middle halo{accent}")
        parts.append(text)
    return parts
