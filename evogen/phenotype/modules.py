"""Development of genomes whose genes are modules: one candidate at a time, a stream of draws per array."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import cast

import numpy as np

from evogen.connectome import TIED, Dimensions
from evogen.connectome.connectome import Connectome
from evogen.connectome.priors import drawn
from evogen.errors import DevelopmentError
from evogen.genetics.lineage import offset, rounds, tree
from evogen.genome import Genome
from evogen.grammar.plan import Group, Projection
from evogen.keys import Key
from evogen.phenotype.development import INNATE, Development, Tissue
from evogen.phenotype.layout import Body, Layout, Place, owned
from evogen.registry import find

BLOCK = 256  # innate synapses are drawn in blocks of so many neurons


def together(every: Sequence[Tissue]) -> Tissue:
    """Stack candidates along P."""
    return Tissue(
        _stacked([item.parameters for item in every]),
        [np.stack(parts) for parts in zip(*(item.masks for item in every), strict=True)],
        _united([item.functions for item in every]),
        _stacked([item.activation for item in every]),
        _stacked([item.neuron for item in every]),
        _stacked([item.rule for item in every]),
    )


def grow(development: Development, genome: Genome, layout: Layout, body: Body) -> Tissue:
    """Draw or inherit every array of one candidate, without the axis P.

    Raises:
        DevelopmentError: an inherited array does not fit.
    """
    parameters = {name: np.zeros(spec.shape) for name, spec in body.padded.items()}
    for place in body.places:
        parameters[place.name][place.index] = _expressed(development, genome, body, place)
    masks, rule = _synapses(development, genome, layout, body)
    functions, activation = _activations(layout, body)
    return Tissue(parameters, masks, functions, activation, _neurons(layout, body), rule)


def _expressed(development: Development, genome: Genome, body: Body, place: Place) -> np.ndarray:
    """Return the inherited array of a place, filled up from its innate draw where sizes differ."""
    shape = tuple(part.stop - (part.start or 0) for part in place.index)
    gene = next(item for item in genome.genes() if item.innovation == place.gene)
    inherited = gene.expression.get(place.local)
    if inherited is not None and inherited.shape == shape:
        return inherited
    drawn = _innate(development, genome, body, place, shape)
    if inherited is None or place.name == TIED:  # another number of parameters is another circuit
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
    if place.name == TIED:
        return _shared(development, body, place)
    where, symbol = place.name.split(".")
    if symbol in INNATE:
        return np.full(shape, INNATE[symbol])
    if owned(symbol):
        spec = body.padded[place.name]
        stream = development.key.child("expression", place.gene, place.local)
        drawn = stream.generator().standard_normal(shape)  # ~ N(0, 1)
        return np.asarray(spec.mean + spec.deviation * drawn)
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
    if development.wiring.initial == "lineage" and ">" not in where:
        columns = [
            _column(development, place, shape[0], stream.child(at)) for at in range(math.prod(shape[1:]))
        ]
        return np.stack(columns, axis=1).reshape(shape) * deviation
    whole = tuple(-(-size // BLOCK) * BLOCK for size in shape) if ">" in where else shape
    drawn = stream.generator().standard_normal(whole)[tuple(slice(size) for size in shape)]
    return np.asarray(drawn * deviation)


def _shared(development: Development, body: Body, place: Place) -> np.ndarray:
    """Draw the parameters of a circuit's edges by the law of the wiring that knows them."""
    wiring, anatomy = cast("Connectome", development.wiring), body.plan.anatomy
    assert anatomy is not None
    patterns = [link.pattern for link in body.plan.projections if link.pattern is not None]
    stream = development.key.child("expression", place.gene, place.local)
    return wiring.innate(anatomy, patterns, stream.generator())


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
            for coefficient in development.rules[name].coefficients:
                rule[f"{number}.{name}.{coefficient}"] = np.zeros((1, *shape))
        for projection in body.plan.projections:
            if (body.level[projection.pre], body.level[projection.post]) != (link.pre, link.post):
                continue
            index = (body.rows(projection.pre), body.rows(projection.post))
            groups = body.plan.groups[projection.pre], body.plan.groups[projection.post]
            stream = development.key.child("mask", projection.gene, groups[0].name, groups[1].name)
            mask[index] = _allowed(projection, groups, stream)
            if projection.rule == "none":
                continue
            name = f"{number}.{projection.rule}"
            rule[name][(slice(None), *index)] = mask[index]
            own = development.rules[projection.rule]
            for coefficient in own.coefficients:
                value = projection.coefficients.get(coefficient)
                if value is None:
                    default = getattr(own, coefficient)
                    value = float(genome.plasticity.get(f"rule.{projection.rule}.{coefficient}", default))
                rule[f"{name}.{coefficient}"][(slice(None), *index)] = value
        masks.append(mask)
    return tuple(masks), rule


def _allowed(projection: Projection, groups: tuple[Group, Group], stream: Key) -> np.ndarray:
    """Return which pairs may connect, drawn for the padded groups, so that a wider layer keeps its own."""
    pre, post = (group.size for group in groups)
    whole = tuple(-(-group.size // BLOCK) * BLOCK for group in groups)
    chance = stream.generator().random(whole)[:pre, :post]
    if projection.pattern is not None:
        return projection.pattern.edges
    if not projection.prior:
        return chance < projection.density  # ~ Bernoulli(density)
    order = stream.child("shuffled").generator().random(whole)[:pre, :post]
    return drawn(projection.prior, projection.settings, chance, order)


def _activations(layout: Layout, body: Body) -> tuple[tuple[tuple[str, ...], ...], dict[str, np.ndarray]]:
    functions: list[set[str]] = [set() for _ in layout.levels]
    masks: dict[str, np.ndarray] = {}
    for number, group in enumerate(body.plan.groups):
        at, own = body.level[number], np.asarray(group.activations or [group.activation] * group.size)
        for name in sorted(set(own.tolist())):
            functions[at].add(name)
            mask = masks.setdefault(f"{at}.{name}", np.zeros((1, layout.levels[at].size)))
            mask[:, body.rows(number)] += own == name
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


def _stacked(tables: Sequence[Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
    shapes = {name: array.shape for table in tables for name, array in table.items()}
    return {
        name: np.stack([table[name] if name in table else np.zeros(shape) for table in tables])
        for name, shape in shapes.items()
    }


def _united(each: Sequence[Sequence[tuple[str, ...]]]) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(sorted(set().union(*level))) for level in zip(*each, strict=True))
