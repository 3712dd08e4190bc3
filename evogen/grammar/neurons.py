"""From placed sentences to a Plan: one sentence a neuron group, put into one of five structures.

A structure says which groups are in reach of which, and which outputs they feed. These five are our own
reading of "with and without modularity, one layer and several" (MGE, arXiv 2208.02787), not the paper's:

    flat              one hidden layer; every group feeds every output
    layered           sources: inputs and the groups one layer below; groups that none reads feed every output
    modules           a module per output, one hidden layer: a group feeds its module's output alone
    coupled           the same, but `couple:to` lets a group feed the outputs of other modules too
    layered-modules   layers within each module; nothing passes between modules
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from evogen.errors import DevelopmentError
from evogen.grammar.activations import MIX, mixed
from evogen.grammar.cells import NO_NUMBERS, Cell, Record, Way, record_of
from evogen.grammar.modules import CONNECTIVITY
from evogen.grammar.plan import INPUT, OUTPUT, Group, Plan, Projection


class Structure(NamedTuple):
    """How groups lie together; see the module's text."""

    modular: bool
    layered: bool = False
    coupled: bool = False


STRUCTURES: Mapping[str, Structure] = {
    "flat": Structure(modular=False),
    "layered": Structure(modular=False, layered=True),
    "modules": Structure(modular=True),
    "coupled": Structure(modular=True, coupled=True),
    "layered-modules": Structure(modular=True, layered=True),
}


def plan(
    cells: Sequence[Cell],
    interface: int,
    *,
    structure: Structure,
    layers: int,
    inputs: int,
    outputs: int,
    weighted: bool,
) -> Plan:
    """Return what the sentences of a genome ask for.

    Args:
        cells: at least one, in the order of the genes; lower layers come first in the plan.
        interface: innovation id of the gene of the input and output neurons.
        structure: of STRUCTURES.
        layers: hidden layers, if the structure has several; empty ones count too.
        inputs: neurons of the first group.
        outputs: neurons of the last group, which are the modules of a modular structure.
        weighted: whether the numbers of weights and biases count, or those are innate.

    Raises:
        DevelopmentError: there is no cell, one lies outside the structure, or a sentence is no group.
    """
    if not cells:
        raise DevelopmentError("the genome has no neuron group; at least one was wanted")
    depth = layers if structure.layered else 1
    cells = sorted(cells, key=lambda cell: cell.layer) if structure.layered else cells
    last = 1 + len(cells)
    groups = [Group(interface, INPUT, inputs)]
    projections: list[Projection] = []
    reading: list[Record] = []
    places: dict[tuple[int, int], list[int]] = {}
    levels = [0]
    unread = set(range(1, last))
    for at, cell in enumerate(cells, 1):
        module = cell.module if structure.modular else 0
        layer = cell.layer if structure.layered else 0
        if not (0 <= module < outputs and 0 <= layer < depth):
            raise DevelopmentError(
                f"gene {cell.gene} lies in module {module}, layer {layer} (from 0) of {outputs} x {depth}"
            )
        below = places.get((module, layer - 1), [])
        record = record_of(cell)
        groups.append(_group(cell, module, record, weighted=weighted))
        reading.append(record)
        levels.append(layer + 1)
        ways = _ways_in(at, cell, record, groups, below, weighted=weighted)
        projections += ways
        if below:
            unread.difference_update(way.pre for way in ways if way.pre != at)
        places.setdefault((module, layer), []).append(at)
    groups.append(Group(interface, OUTPUT, outputs))
    for at in sorted(unread):
        way = _way_out(at, last, groups[at], reading[at - 1], structure, outputs, weighted=weighted)
        projections.append(way)
    return Plan(
        tuple(groups),
        tuple(projections),
        levels=(*levels, depth + 1),
        modules=outputs if structure.modular and not structure.coupled else 0,
        links={cell.gene: cell.link for cell in cells if cell.link},
        learning={
            cell.gene: record.learning
            for cell, record in zip(cells, reading, strict=True)
            if record.learning is not None
        },
    )


def _group(cell: Cell, module: int, record: Record, *, weighted: bool) -> Group:
    sections = record.sections
    numbers = sections["group"].numbers
    size = numbers.get("size", 1)
    if size != int(size) or size < 1:
        raise DevelopmentError(f"gene {cell.gene}: size {size} is no whole number above 0")
    neuron, bias = sections["neuron"], numbers.get("bias") if weighted else None
    act, settings = sections["act"], neuron.numbers
    try:
        each = mixed(act.numbers, int(size)) if act.name == MIX else ()
    except DevelopmentError as error:
        raise DevelopmentError(f"gene {cell.gene}: {error}") from None
    return Group(cell.gene, cell.name, int(size), act.name, neuron.name, settings, module, bias, each)


def _ways_in(
    at: int, cell: Cell, record: Record, groups: Sequence[Group], below: Sequence[int], *, weighted: bool
) -> list[Projection]:
    gene, plastic = cell.gene, record.sections["plastic"]
    rule, coefficients = plastic.name, plastic.numbers
    loop = []
    if record.sections["group"].name == "recurrent":
        loop.append(Projection(at, at, gene, 1.0, rule, coefficients))
    if not record.terms:
        return [*_dense(at, gene, record, below), *loop]
    rows, others, weighted = _sources(record.terms, groups[0].size, below, weighted=weighted)
    size = groups[at].size
    found = []
    weights: tuple[float, ...] = ()
    if rows or not others:  # a group that hears nothing keeps its place behind the input
        order = sorted(rows)
        if weighted:
            weights = tuple([rows[row] for row in order for _ in range(size)])
        found.append(Projection(0, at, gene, 1.0, rule, coefficients, tuple(order), None, weights))
    for pre in sorted(others):
        weights = (others[pre],) * (groups[pre].size * size) if weighted else ()
        found.append(Projection(pre, at, gene, 1.0, rule, coefficients, None, None, weights))
    return [*found, *loop]


def _dense(at: int, gene: int, record: Record, below: Sequence[int]) -> list[Projection]:
    """Return a way in from every group in reach."""
    conn, plastic, reach = (record.sections[kind] for kind in ("conn", "plastic", "from"))
    density = conn.numbers.get("density", 1.0) if conn.name in CONNECTIVITY else 1.0
    if not 0 < density <= 1:
        raise DevelopmentError(f"gene {gene}: density {density} is not in (0, 1]")
    prior, numbers = ("", NO_NUMBERS) if conn.name in CONNECTIVITY else (conn.name, conn.numbers)
    pres = [*([] if reach.name == "below" and below else [0]), *([] if reach.name == "inputs" else below)]
    return [
        Projection(pre, at, gene, density, plastic.name, plastic.numbers, prior=prior, settings=numbers)
        for pre in pres
    ]


def _sources(
    terms: Sequence[Way], inputs: int, below: Sequence[int], *, weighted: bool
) -> tuple[dict[int, float], dict[int, float], bool]:
    """Return the summed weights of the inputs and of the groups that terms name, and whether those count."""
    rows: dict[int, float] = {}
    others: dict[int, float] = {}
    for pick, weight in terms:
        index = pick.index
        if weight is None:
            weighted, weight = False, 0.0
        if pick.context != "below":
            if index < inputs:
                rows[index] = rows.get(index, 0.0) + weight
                continue
            index -= inputs
        if index >= 0:
            others[below[index]] = others.get(below[index], 0.0) + weight
    return rows, others, weighted


def _way_out(
    at: int, last: int, group: Group, record: Record, structure: Structure, outputs: int, *, weighted: bool
) -> Projection:
    weight = record.sections["readout"].numbers.get("weight") if weighted else None
    columns: tuple[int, ...] | None = None
    each: tuple[float, ...] = ()
    if structure.coupled and record.couples:
        taken = {group.module: weight}
        for pick, own in record.couples:
            if pick.index >= 0:
                taken.setdefault(pick.index, weight if own is None else own)
        columns = tuple(sorted(taken))
        each = tuple(taken[column] or 0.0 for column in columns)
    elif structure.modular:
        columns, each = (group.module,), (weight or 0.0,)
    else:
        each = (weight or 0.0,) * outputs
    plastic = record.sections["readout plastic"]
    weights = each * group.size if weight is not None else ()
    return Projection(at, last, group.gene, 1.0, plastic.name, plastic.numbers, None, columns, weights)
