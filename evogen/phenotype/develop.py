"""Development: genomes -> phenotypes, one per layout. Pure: nothing is written into a genome."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch

from evogen.connectome import Dimensions, Parameter, Wiring
from evogen.connectome.birth import Birth
from evogen.errors import DevelopmentError
from evogen.genetics.lineage import offset, rounds, tree
from evogen.genome import Genome
from evogen.grammar.plan import Plan
from evogen.keys import Key
from evogen.phenotype.layout import Body, Layout, Place, arrange
from evogen.phenotype.network import Traits
from evogen.phenotype.phenotype import ALIGN, Phenotype, Slot
from evogen.registry import evolvable_fields, find, known

INNATE = {"m": 0.0, "s": 1.0}  # centre and spread of observations before any was made
BLOCK = 256  # innate synapses are drawn in blocks of so many neurons


@dataclass(frozen=True)
class Development:
    """What turns a genome and its plan into a body, the same for every candidate of a search.

    Attributes:
        wiring: how parameters become weights.
        rules: plasticity rules by name; their values stand where neither grammar nor genome gives one.
        key: root of the draws of expression that no genome carries; by innovation id, so they are inherited.
        dtype, device: of every tensor.
        birth: the law by which agents are born.
        normalised: whether input neurons standardise what they observe, with `0.m` and `0.s`, which are
            inherited like expression.
    """

    wiring: Wiring
    rules: Mapping[str, object]
    key: Key
    dtype: torch.dtype = torch.float32
    device: str = "cpu"
    birth: Birth = field(default_factory=Birth)
    normalised: bool = False


@dataclass(frozen=True)
class Embryo:
    """One candidate before stacking: padded arrays by name, without P."""

    layout: Layout
    body: Body
    parameters: Mapping[str, np.ndarray]
    paces: Mapping[str, float]
    constants: Mapping[str, np.ndarray]
    masks: tuple[np.ndarray, ...]
    functions: tuple[tuple[str, ...], ...]
    activation: Mapping[str, np.ndarray]
    neuron: Mapping[str, np.ndarray]
    rule: Mapping[str, np.ndarray]


def embryo(development: Development, genome: Genome, plan: Plan) -> Embryo:
    """Lay one candidate out.

    Raises:
        DevelopmentError: the genome contradicts itself or the wiring, or an inherited array does not fit.
    """
    wiring, rules = development.wiring, genome.rules
    _sound(genome, wiring)
    genes, transmitters = (len(rules.genes), len(rules.c)) if rules is not None and wiring.genetic else (0, 0)
    kinds = known("neuron")
    stateful = {name: kind.stateful for name, kind in kinds.items()}
    spiking = {name for name, kind in kinds.items() if kind.spiking}
    _without_activation(plan, spiking)
    layout, body = arrange(plan, genes, transmitters, stateful, spiking)
    sizes = tuple(level.size for level in layout.levels)
    padded = dict(wiring.parameters(Dimensions(sizes, layout.genes, transmitters), layout.pairs))
    if development.normalised:
        padded |= {f"0.{symbol}": Parameter((sizes[0],), 0.0) for symbol in INNATE}
    body = dataclasses.replace(body, places=tuple(_places(body, padded)))
    parameters = {name: np.zeros(spec.shape) for name, spec in padded.items()}
    for place in body.places:
        parameters[place.name][place.index] = _expressed(development, genome, body, place)
    constants: dict[str, np.ndarray] = {"neurons": np.asarray(float(sum(body.sizes)))}
    if rules is not None and wiring.genetic:
        table = parameters if wiring.tune_rules else constants
        table["O"], table["c"] = _pad(rules.O, layout.genes), np.asarray(rules.c, dtype=np.float64)
        constants |= {"temperature": np.asarray(rules.temperature), "genes": np.asarray(float(genes))}
        if rules.mask is not None:
            constants["rule_mask"] = _pad(rules.mask, layout.genes)
    masks, rule = _synapses(development, genome, layout, body)
    functions, activation = _activations(layout, body)
    neuron = _neurons(layout, body)
    paces = {name: spec.pace for name, spec in padded.items()} | dict(wiring.paces)
    return Embryo(layout, body, parameters, paces, constants, masks, functions, activation, neuron, rule)


def develop(development: Development, embryos: Sequence[Embryo]) -> Phenotype:
    """Stack embryos of one layout along P."""
    first = embryos[0]

    def stack(tables: Sequence[Mapping[str, np.ndarray]], absent: float = 0.0) -> dict[str, torch.Tensor]:
        shapes = {name: array.shape for table in tables for name, array in table.items()}
        return {
            name: tensor(np.stack([table.get(name, np.full(shape, absent)) for table in tables]))
            for name, shape in shapes.items()
        }

    def tensor(array: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(np.ascontiguousarray(array)).to(development.device, development.dtype)

    slots, start = [], 0
    for name, array in sorted(first.parameters.items()):
        slots.append(Slot(name, start, array.shape, array.size, first.paces.get(name, 1.0)))
        start += -(-array.size // ALIGN) * ALIGN
    flat = np.zeros((len(embryos), start))
    for row, item in enumerate(embryos):
        for slot in slots:
            flat[row, slot.start : slot.start + slot.size] = item.parameters[slot.name].ravel()
    masks = tuple(tensor(np.stack(parts)) for parts in zip(*(item.masks for item in embryos), strict=True))
    return Phenotype(
        first.layout,
        development.wiring,
        development.birth,
        tuple(item.body for item in embryos),
        tuple(slots),
        tensor(flat),
        stack([item.constants for item in embryos], absent=1.0),  # no rule mask allows every pair
        masks,
        Traits(
            _united([item.functions for item in embryos]),
            {name: mask.bool() for name, mask in stack([item.activation for item in embryos]).items()},
            stack([item.neuron for item in embryos]),
            stack([item.rule for item in embryos]),
        ),
    )


def _sound(genome: Genome, wiring: Wiring) -> None:
    rules, ids = genome.rules, [gene.innovation for gene in genome.genes()]
    if len(set(ids)) < len(ids):
        raise DevelopmentError(f"two genes share an innovation id: {sorted(ids)}")
    if rules is None:
        if wiring.genetic:
            raise DevelopmentError("the wiring needs genetic rules, the genome has none")
        return
    g, n = len(rules.genes), len(rules.c)
    wanted = {"O": (g, g), "c": (n, 2 * n), "mask": (g, g)}
    for name, array in (("O", rules.O), ("c", rules.c), ("mask", rules.mask)):
        if array is not None and array.shape != wanted[name]:
            raise DevelopmentError(f"rules.{name} has shape {array.shape}, {wanted[name]} wanted")


def _without_activation(plan: Plan, spiking: Collection[str]) -> None:
    for group in plan.groups:
        if group.neuron in spiking and group.activation != "identity":
            raise DevelopmentError(
                f"gene {group.gene}: {group.name} has act:{group.activation}, but {group.neuron} neurons "
                "speak in spikes, not through an activation function; leave act out of this layer"
            )


def _places(body: Body, padded: Mapping[str, Parameter]) -> list[Place]:
    found = []
    for name in padded:
        place, symbol = name.split(".")
        whole = body.cut(name, padded[name].shape)
        if ">" in place:
            pre, post = (int(part) for part in place.split(">"))
            for link in body.plan.projections:
                if (body.level[link.pre], body.level[link.post]) == (pre, post):
                    local = f"{body.plan.groups[link.pre].name}>{body.plan.groups[link.post].name}.{symbol}"
                    found.append(Place(name, local, link.gene, (body.rows(link.pre), body.rows(link.post))))
            continue
        for number, group in enumerate(body.plan.groups):
            if body.level[number] == int(place):
                found.append(
                    Place(name, f"{group.name}.{symbol}", group.gene, (body.rows(number), *whole[1:]))
                )
    return found


def _expressed(development: Development, genome: Genome, body: Body, place: Place) -> np.ndarray:
    """Return the inherited array of a place, filled up from its innate draw where sizes differ."""
    shape = tuple(part.stop - (part.start or 0) for part in place.index)
    drawn = _innate(development, genome, body, place, shape)
    gene = next(item for item in genome.genes() if item.innovation == place.gene)
    inherited = gene.expression.get(place.local)
    if inherited is None:
        return drawn
    fixed = slice(1, None) if ">" not in place.name else slice(2, None)  # only neurons may come and go
    if inherited.ndim != drawn.ndim or inherited.shape[fixed] != shape[fixed]:
        raise DevelopmentError(
            f"gene {place.gene}: inherited {place.local} has shape {inherited.shape}, {shape} wanted"
        )
    overlap = tuple(slice(min(a, b)) for a, b in zip(inherited.shape, shape, strict=True))
    drawn[overlap] = inherited[overlap]
    return drawn


def _innate(
    development: Development, genome: Genome, body: Body, place: Place, shape: tuple[int, ...]
) -> np.ndarray:
    """Draw what no gene carries, each gene's part as if it were alone in its network.

    Streams are named by innovation id; those of X by rule gene too, so that a new rule gene redraws no other
    column, and those of synapses are drawn for the padded levels, so that a wider layer keeps what it had.
    """
    where, symbol = place.name.split(".")
    if symbol in INNATE:
        return np.full(shape, INNATE[symbol])
    rules, groups = genome.rules, body.plan.groups
    genes, transmitters = (len(rules.genes), len(rules.c)) if rules is not None else (0, 0)
    fan_in = sum(groups[link.pre].size for link in body.plan.projections if _owns(body, link.post, place))
    sizes = shape if ">" in where else (fan_in, shape[0])
    alone = development.wiring.parameters(Dimensions(sizes, genes, transmitters), [(0, 1)])
    name = f"0>1.{symbol}" if ">" in where else f"1.{symbol}" if f"1.{symbol}" in alone else f"0.{symbol}"
    deviation = alone[name].deviation
    stream = development.key.child("expression", place.gene, place.local)
    if symbol == "X":
        assert rules is not None
        columns = [_column(development, place, shape[0], stream.child(gene)) for gene in rules.genes]
        return np.stack(columns, axis=1) * deviation  # ~ N(0, 2 / g), one stream a gene
    if development.wiring.initial == "lineage":
        columns = [
            _column(development, place, shape[0], stream.child(at)) for at in range(math.prod(shape[1:]))
        ]
        return np.stack(columns, axis=1).reshape(shape) * deviation
    whole = tuple(-(-size // BLOCK) * BLOCK for size in shape) if ">" in where else shape
    drawn = stream.generator().standard_normal(whole)[tuple(slice(size) for size in shape)]
    return np.asarray(drawn * deviation)


def _column(development: Development, place: Place, neurons: int, stream: Key) -> np.ndarray:
    """Draw one number a neuron, ~ N(0, 1); alike among relatives if the wiring says so.

    The neurons of a group descend from one cell. All its columns share the tree, shifted by the same offset.
    """
    if development.wiring.initial == "normal":
        return stream.generator().standard_normal(neurons)
    group = development.key.child("lineage", place.gene, place.local.partition(".")[0])
    related = tree(neurons, 1, stream)[:, 0] / math.sqrt(rounds(neurons) + 1)
    return np.roll(related, offset(neurons, group))


def _owns(body: Body, group: int, place: Place) -> bool:
    item = body.plan.groups[group]
    return item.gene == place.gene and place.local.startswith(f"{item.name}.")


def _synapses(
    development: Development, genome: Genome, layout: Layout, body: Body
) -> tuple[tuple[np.ndarray, ...], dict[str, np.ndarray]]:
    masks, rule = [], {}
    for number, link in enumerate(layout.links):
        shape = (layout.levels[link.pre].size, layout.levels[link.post].size)
        mask = np.zeros(shape)
        for name in link.rules:
            rule[f"{number}.{name}"] = np.zeros((1, *shape))
            for item in evolvable_fields(find("rule", name)):
                rule[f"{number}.{name}.{item.name}"] = np.zeros((1, *shape))
        for projection in body.plan.projections:
            if (body.level[projection.pre], body.level[projection.post]) != (link.pre, link.post):
                continue
            index = (body.rows(projection.pre), body.rows(projection.post))
            groups = body.plan.groups[projection.pre], body.plan.groups[projection.post]
            stream = development.key.child("mask", projection.gene, groups[0].name, groups[1].name)
            whole = tuple(-(-group.size // BLOCK) * BLOCK for group in groups)
            chance = stream.generator().random(whole)[: groups[0].size, : groups[1].size]
            mask[index] = chance < projection.density  # ~ Bernoulli(density)
            if projection.rule == "none":
                continue
            name = f"{number}.{projection.rule}"
            rule[name][(slice(None), *index)] = mask[index]
            for item in evolvable_fields(find("rule", projection.rule)):
                value = projection.coefficients.get(item.name)
                if value is None:
                    default = getattr(development.rules[projection.rule], item.name)
                    value = float(genome.plasticity.get(f"rule.{projection.rule}.{item.name}", default))
                rule[f"{name}.{item.name}"][(slice(None), *index)] = value
        masks.append(mask)
    return tuple(masks), rule


def _activations(layout: Layout, body: Body) -> tuple[tuple[tuple[str, ...], ...], dict[str, np.ndarray]]:
    functions: list[set[str]] = [set() for _ in layout.levels]
    masks: dict[str, np.ndarray] = {}
    for number, group in enumerate(body.plan.groups):
        at = body.level[number]
        functions[at].add(group.activation)
        mask = masks.setdefault(f"{at}.{group.activation}", np.zeros((1, layout.levels[at].size)))
        mask[:, body.rows(number)] = 1.0
    return tuple(tuple(sorted(names)) for names in functions), masks


def _neurons(layout: Layout, body: Body) -> dict[str, np.ndarray]:
    found: dict[str, np.ndarray] = {}
    for at, level in enumerate(layout.levels):
        for name in (*level.neurons, *level.spiking):
            default = find("neuron", name)()
            found[f"{at}.{name}"] = np.zeros((1, level.size))
            for item in dataclasses.fields(default):
                value = float(getattr(default, item.name))
                found[f"{at}.{name}.{item.name}"] = np.full((1, level.size), value)
    for number, group in enumerate(body.plan.groups):
        name, rows = f"{body.level[number]}.{group.neuron}", (slice(None), body.rows(number))
        found[name][rows] = 1.0
        for setting, value in group.settings.items():
            found[f"{name}.{setting}"][rows] = value
    return found


def _united(each: Sequence[tuple[tuple[str, ...], ...]]) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(sorted(set().union(*level))) for level in zip(*each, strict=True))


def _pad(array: np.ndarray, genes: int) -> np.ndarray:
    padded = np.zeros((genes, genes))
    padded[: array.shape[0], : array.shape[1]] = array
    return padded
