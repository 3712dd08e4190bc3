"""Plans, genomes and phenotypes of neuron groups for tests, and a plain numpy network beside them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from torch_fakes import FUNCTIONS, INTERFACE, development, random_rules, synaptogen_weights

from evogen.connectome.birth import Birth
from evogen.connectome.direct import Direct
from evogen.genome import Gene, Genome
from evogen.grammar.plan import INPUT, OUTPUT, Group, Plan, Projection
from evogen.keys import Key
from evogen.phenotype import develop, embryo

STRUCTURES = ("flat", "layered", "modules", "coupled", "layered-modules")


@dataclass(frozen=True)
class Cell:
    """A neuron group and its ways in and out; `rows` and `columns` as in a Projection, () for no synapse."""

    gene: int
    size: int = 1
    rows: tuple[int, ...] | None = None
    below: tuple[int, ...] = ()
    columns: tuple[int, ...] | None = None
    level: int = 1
    module: int = 0
    activation: str = "tanh"
    activations: tuple[str, ...] = ()
    neuron: str = "rate"
    settings: dict[str, float] = field(default_factory=dict)
    bias: float | None = None
    density: float = 1.0
    rule: str = "none"
    coefficients: dict[str, float] = field(default_factory=dict)
    weights: dict[str, tuple[float, ...]] = field(default_factory=dict)


def plan_of(cells, *, inputs=4, outputs=3, depth=1, modules=0, links=None):
    """The plan of these cells, in the order of their levels; they name weights by `in`, `out` or a gene."""
    groups = [Group(INTERFACE, INPUT, inputs)]
    number = {cell.gene: at for at, cell in enumerate(cells, 1)}
    ways, last = [], 1 + len(cells)
    for cell in cells:
        own = number[cell.gene]
        group = Group(
            cell.gene, "n", cell.size, cell.activation, cell.neuron, cell.settings, cell.module, cell.bias,
            cell.activations,
        )  # fmt: skip
        groups.append(group)
        how = (cell.gene, cell.density, cell.rule, cell.coefficients)
        ways.append(Projection(0, own, *how, cell.rows, None, cell.weights.get("in", ())))
        ways += [
            Projection(number[pre], own, *how, None, None, cell.weights.get(str(pre), ()))
            for pre in cell.below
        ]
        if cell.columns != ():
            ways.append(
                Projection(own, last, cell.gene, columns=cell.columns, weights=cell.weights.get("out", ()))
            )
    groups.append(Group(INTERFACE, OUTPUT, outputs))
    levels = (0, *(cell.level for cell in cells), depth + 1)
    return Plan(tuple(groups), tuple(ways), levels=levels, modules=modules, links=links or {})


def genome_of(cells, *, rules=None, expression=None, links=None, plasticity=None):
    """A genome of these genes; `expression` maps innovation ids to arrays by name."""
    expression, links = expression or {}, links or {}
    genes = [
        Gene(
            cell.gene, (), expression.get(cell.gene, {}), cell.module, cell.level - 1, links.get(cell.gene, 0)
        )
        for cell in cells
    ]
    return Genome(rules, Gene(INTERFACE, (), expression.get(INTERFACE, {})), tuple(genes), plasticity or {})


def cells_of(structure, seed, *, count=12, inputs=4, outputs=3, size=3):
    """Random cells of a structure, and what else their plan needs to know."""
    rng = Key(seed).child("cells", structure).generator()
    layered, modular = structure.startswith("layered"), structure in STRUCTURES[2:]
    depth = 2 if layered else 1
    places = [(int(rng.integers(depth)), int(rng.integers(outputs)) * modular) for _ in range(count)]
    genes = (100 * (seed + 1) + rng.permutation(count)).tolist()
    cells, heard = [], set()
    for gene, (layer, module) in zip(genes, sorted(places), strict=True):
        near = [cell.gene for cell in cells if (cell.level, cell.module) == (layer, module)]
        below = tuple(pre for pre in near if rng.random() < 0.6)
        heard |= set(below)
        rows = tuple(row for row in range(inputs) if rng.random() < 0.7)
        activation = ("tanh", "selu", "sigmoid", "sin")[int(rng.integers(4))]
        cells.append(
            Cell(gene, int(rng.integers(1, size + 1)), rows, below, None, layer + 1, module, activation)
        )
    wired = []
    for cell in cells:
        columns = None
        if modular:
            others = {int(rng.integers(outputs))} if structure == "coupled" else set()
            columns = tuple(sorted({cell.module, *others}))
        if cell.gene in heard:
            columns = ()
        wired.append(Cell(**{**vars(cell), "columns": columns}))
    uncoupled = outputs if structure in ("modules", "layered-modules") else 0
    return wired, {"inputs": inputs, "outputs": outputs, "depth": depth, "modules": uncoupled}


def phenotype_of(*candidates, wiring=None, dtype=torch.float64, birth=None, seed=0):
    """Develop (genome, plan) pairs of one layout together."""
    how = development(wiring or Direct(), dtype=dtype, seed=seed)
    how = type(how)(how.wiring, how.rules, how.key, how.dtype, birth=birth or Birth())
    formed = [embryo(how, *candidate) for candidate in candidates]
    assert len({each.layout for each in formed}) == 1, "these candidates do not fit one phenotype"
    return develop(how, formed)


def candidate_of(structure, seed, *, genetic=False, **more):
    """A random genome of a structure, with rules of its own if asked, and its plan."""
    cells, how = cells_of(structure, seed, **more)
    rules = random_rules(4 + seed % 3, seed=seed) if genetic else None
    return genome_of(cells, rules=rules), plan_of(cells, **how)


def plain(phenotype, row, genome, observation):
    """Return the output of one candidate, group after group, from its expression by name."""
    body = phenotype.bodies[row]
    plan, own = body.plan, phenotype.expression(phenotype.flat, row)
    masks = dict(zip(phenotype.layout.pairs, phenotype.masks, strict=True))
    activity = [np.asarray(observation, dtype=np.float64)]

    def express(number, symbol):
        group = plan.groups[number]
        return own[group.gene][f"{group.name}.{symbol}"]

    for number, group in list(enumerate(plan.groups))[1:]:
        drive = np.float64(express(number, "b")).copy()
        for link in plan.projections:
            if link.post != number:
                continue
            mask = masks[body.level[link.pre], body.level[number]][row]
            mask = mask[body.rows(link.pre), body.rows(number)].double().numpy()
            if genome.rules is None:
                pre = plan.groups[link.pre]
                name = f"{pre.name}>{group.name}.W"
                name = name if pre.gene in (link.gene, INTERFACE) else f"{pre.gene}.{name}"
                W = np.float64(own[link.gene][name])
            else:
                ends = [
                    {symbol: express(end, symbol) for symbol in symbols}
                    for end, symbols in ((link.pre, "XT"), (number, "XR"))
                ]
                W = synaptogen_weights(*ends, genome.rules.O, genome.rules.c, genome.rules.temperature)
            drive += activity[link.pre] @ (W * mask)
        activity.append(FUNCTIONS[group.activation](drive))
    return activity[-1]
