"""A plan as a drawing: groups as boxes from the input on the left to the output on the right.

Every module has a lane of its own. A box grows with the square root of its size; a link is dashed where the
connectivity is sparse and orange where the synapses change in life.
"""

from __future__ import annotations

from evogen.grammar.plan import Group, Plan, Projection
from evogen.report.figures import drawing
from evogen.report.markup import Element, element, number, table

_WIDTH, _GAP, _LANE, _EDGE = 76, 66, 104, 4


def drawn(plan: Plan) -> Element:
    """Return the drawing."""
    genes = list(dict.fromkeys(group.gene for group in plan.groups[1:-1]))
    depth = depths(plan)
    middle = len(genes) * _LANE / 2
    rows = [(genes.index(group.gene) + 0.5) * _LANE for group in plan.groups[1:-1]]
    centre = [middle, *rows, middle]
    left = [_EDGE + at * (_WIDTH + _GAP) for at in depth]
    width, height = left[-1] + _WIDTH + _EDGE, max(len(genes), 1) * _LANE
    most = max(group.size for group in plan.groups)
    parts = [_lane(number, gene, plan, left) for number, gene in enumerate(genes)]
    recurrent = [link.post for link in plan.projections if link.pre == link.post]
    parts += [_loop(left[at] + _WIDTH / 2, centre[at]) for at in recurrent]
    for link in plan.projections:
        if link.pre == link.post:
            continue
        side = _side(genes.index(link.gene), len(genes))
        start = centre[link.pre] + (side if link.pre == 0 else 0)
        end = centre[link.post] + (side if link.post == len(depth) - 1 else 0)
        parts += _link(link, left[link.pre] + _WIDTH, start, left[link.post], end)
    for group, x, y in zip(plan.groups, left, centre, strict=True):
        parts.append(_box(group, x, y, most))
    return drawing(width, height, described(plan), *parts, kind="wide")


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
        for link in plan.projections
    )
    return table(("gene", "from", "to", "density", "plasticity"), rows)


def _density(link: Projection) -> str:
    numbers = "".join(f" {name} {number(value, digits=3)}" for name, value in link.settings.items())
    free = " free" * link.free
    return f"{link.prior}{numbers}{free}" if link.prior else f"{number(link.density)}{free}"


def described(plan: Plan) -> str:
    """Say the architecture in one sentence."""
    genes = list(dict.fromkeys(group.gene for group in plan.groups[1:-1]))
    chains = [", ".join(_group(group) for group in plan.groups[1:-1] if group.gene == gene) for gene in genes]
    modules = "; ".join(f"module {at + 1}: {chain}" for at, chain in enumerate(chains))
    return f"{plan.groups[0].size} inputs; {modules}; {plan.groups[-1].size} outputs"


def depths(plan: Plan) -> list[int]:
    """Return the column of each group: its longest path from the input."""
    found = [0] * len(plan.groups)
    for link in sorted(plan.projections, key=lambda link: link.post):
        if link.pre != link.post:
            found[link.post] = max(found[link.post], found[link.pre] + 1)
    return found


def _side(lane: int, lanes: int) -> float:
    return (lane - (lanes - 1) / 2) * 9


def _group(group: Group) -> str:
    kind = "" if group.neuron == "rate" else f" {group.neuron}"
    numbers = "".join(f" {name} {number(value, digits=3)}" for name, value in group.settings.items())
    return f"{group.name}: {group.size} {group.activation}{kind}{numbers}"


def _lane(at: int, gene: int, plan: Plan, left: list[int]) -> Element:
    columns = [x for x, group in zip(left, plan.groups, strict=True) if group.gene == gene]
    x, y, width = min(columns) - 10, at * _LANE + 4, max(columns) - min(columns) + _WIDTH + 20
    return element(
        "g",
        element("rect", x=x, y=y, width=width, height=_LANE - 8, rx=8, class_="lane"),
        element("text", f"module {at + 1}", x=x + 8, y=y + 14, class_="small"),
    )


def _box(group: Group, x: float, y: float, most: int) -> Element:
    height = 38 + 26 * (group.size / most) ** 0.5
    second = {"in": "inputs", "out": "outputs"}.get(group.name, group.activation)
    texts = [
        element("text", str(group.size), x=x + _WIDTH / 2, y=y + 1, class_="size middle"),
        element("text", second, x=x + _WIDTH / 2, y=y + 15, class_="middle"),
    ]
    if group.neuron != "rate":
        numbers = "".join(f" {name} {number(value, digits=2)}" for name, value in group.settings.items())
        texts.append(
            element("text", group.neuron + numbers, x=x + _WIDTH / 2, y=y + 27, class_="small middle")
        )
        height = max(height, 62)
    rim = element("rect", x=x, y=y - height / 2 + 2, width=_WIDTH, height=height, rx=6, class_="box")
    return element("g", rim, *texts)


def _loop(x: float, y: float) -> Element:
    """Return the arrow from a box back to itself, above it."""
    top = y - 44
    path = f"M{x + 18} {y - 24:.1f}C{x + 26} {top:.1f} {x - 26} {top:.1f} {x - 18} {y - 24:.1f}"
    return element("path", d=path, class_="link")


def _link(link: Projection, x1: float, y1: float, x2: float, y2: float) -> list[Element]:
    bend, tip = x2 - _GAP, x2 - 3
    kind = (
        "link"
        + (" plastic" if link.rule != "none" else "")
        + (" sparse" if link.density < 1 or link.prior else "")
    )
    path = f"M{x1} {y1:.1f}H{bend}C{bend + 40} {y1:.1f} {bend + 32} {y2:.1f} {tip} {y2:.1f}"
    parts = [
        element("path", d=path, class_=kind),
        element(
            "path", d=f"M{tip - 5} {y2 - 4:.1f}L{x2} {y2:.1f}L{tip - 5} {y2 + 4:.1f}Z", class_=f"{kind} tip"
        ),
    ]
    words = [f"{link.density:.0%}"] * (link.density < 1) + [link.prior] * bool(link.prior)
    words += ["free"] * link.free + [link.rule] * (link.rule != "none")
    if words:
        x, y = (x2 - 33, y2) if link.pre == 0 else (x1 + 33, y1)
        y += 15 if link.pre == 0 and y2 > y1 else -6
        accent = " accent" * (link.rule != "none")
        parts.append(element("text", " ".join(words), x=x, y=y, class_=f"small middle halo{accent}"))
    return parts
