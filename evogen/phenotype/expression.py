"""Expression of a cohort of neuron genomes: what is drawn, given by the genome, and inherited.

Innate numbers are drawn by place (`evogen.draws`), from the key, the gene's innovation id, the array's local
name and the place in that array; scaled by the law of the wiring for a neuron with as many sources as it
really has. Synapses that the genome gives weights, and neurons that it gives biases, take those instead. What
is inherited comes before either. An inherited array of synapses spans both groups, and a number that is 0 in
it, exactly, was never expressed: such a synapse takes what it would without inheritance.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any, NamedTuple, cast

import numpy as np

from evogen.connectome import Dimensions, Parameter
from evogen.draws import Floats, Words, mixed, normal
from evogen.genome import Array
from evogen.grammar.plan import Projection
from evogen.phenotype.canvas import Canvas, symbols
from evogen.phenotype.development import INNATE
from evogen.phenotype.layout import belongs, owned
from evogen.phenotype.tables import Groups, Ints, Neurons, Sketch, Synapses, word


class Laws(NamedTuple):
    """Deviations of what is drawn, by symbol, one entry a law; and the law of each neuron, by its place."""

    deviations: Mapping[str, Floats]
    of: Ints


def laws_of(
    canvas: Canvas, sketches: Sequence[Sketch], start: int, neurons: Neurons, synapses: Synapses
) -> Laws:
    """Ask the wiring how a neuron with so many sources is born, once for each number of sources."""
    total = canvas.size * int(canvas.neurons[-1])
    sources = np.bincount(synapses.end, minlength=total)
    genes = np.array([item.body.genes for item in sketches])
    base = int(sources.max(initial=0)) + 1
    codes = genes[neurons.candidate - start] * base + sources[neurons.place]
    found, which = np.unique(codes, return_inverse=True)
    wiring, transmitters = canvas.development.wiring, canvas.layout.transmitters
    each = [
        _deviations(cast("Hashable", wiring), *divmod(code, base), transmitters) for code in found.tolist()
    ]
    of = np.zeros(total, dtype=np.int64)
    of[neurons.place] = which
    return Laws({symbol: np.array([law[symbol] for law in each]) for symbol in each[0]}, of)


@lru_cache(maxsize=65536)
def _deviations(wiring: Any, genes: int, sources: int, transmitters: int) -> Mapping[str, float]:
    one = wiring.parameters(Dimensions((max(sources, 1), 1), genes, transmitters), [(0, 1)])
    found = {name.split(".")[1]: spec.deviation for name, spec in one.items() if name.startswith("0.")}
    return found | {name.split(".")[1]: spec.deviation for name, spec in one.items() if name[:2] != "0."}


def express_neurons(
    canvas: Canvas,
    sketches: Sequence[Sketch],
    start: int,
    groups: Groups,
    neurons: Neurons,
    laws: Laws,
) -> None:
    """Fill in the parameters of neurons: drawn, given or inherited."""
    level = groups.level[neurons.group]
    related = canvas.development.wiring.initial == "lineage"
    for name, array in canvas.parameters.items():
        at, symbol = name.split(".")
        chosen = np.flatnonzero(level == int(at))
        group, candidate = neurons.group[chosen], neurons.candidate[chosen]
        row = groups.offset[group] + neurons.number[chosen]
        if symbol in INNATE:
            array[candidate, row] = INNATE[symbol]
            continue
        if owned(symbol):
            mine = np.array([belongs(symbol, item.neuron) for item in groups.every])[group]
            spec, number = canvas.padded[name], neurons.number[chosen][mine]
            array[candidate[mine], row[mine]] = _owned(spec, symbol, groups, group[mine], number)
            continue
        deviation = laws.deviations[symbol][laws.of[neurons.place[chosen]]]
        if deviation.any():
            words = _columns(array, sketches, symbol, candidate - start)
            stream = mixed(groups.stream[group], word(symbol)).reshape(-1, *[1] * words[0].ndim)
            number = neurons.number[chosen].reshape(stream.shape)
            if related:
                drawn = _related(mixed(stream, words), number, groups, group)
            else:
                drawn = normal(mixed(mixed(stream, words), number))  # ~ N(0, 1)
            array[candidate, row] = drawn * deviation.reshape(stream.shape)
        if symbol == "X":
            _without_padding(array, sketches, start)
        if symbol == "b":
            _given_biases(array, groups, group, candidate, row)
    for candidate_number, item in enumerate(sketches, start):
        for (name, at_group), inherited in item.neural.items():
            own = canvas.parameters[name][candidate_number][item.body.rows(at_group)]
            part = tuple(slice(size) for size in inherited.shape)
            own[part] = inherited[: len(own)]


def _owned(spec: Parameter, symbol: str, groups: Groups, group: Ints, number: Ints) -> Floats:
    """Draw what neurons of one kind train beside their weights, (neurons, ...)."""
    words = np.arange(math.prod(spec.shape[1:]), dtype=np.uint64).reshape(1, *spec.shape[1:])
    stream = mixed(groups.stream[group], word(symbol)).reshape(-1, *[1] * (words.ndim - 1))
    drawn = normal(mixed(mixed(stream, words), number.reshape(stream.shape)))  # ~ N(0, 1)
    return spec.mean + spec.deviation * drawn


def _columns(array: np.ndarray, sketches: Sequence[Sketch], symbol: str, candidate: Ints) -> Words:
    """Return words for a neuron's numbers, (neurons or 1, ...): those of X by rule gene, else in order."""
    rest = array.shape[2:]
    if symbol != "X":
        return np.arange(math.prod(rest), dtype=np.uint64).reshape(1, *rest)
    words = np.zeros((len(sketches), *rest), dtype=np.uint64)
    for row, item in enumerate(sketches):
        assert item.genome.rules is not None
        words[row, : item.body.genes] = item.genome.rules.genes
    return words[candidate]


def _without_padding(X: np.ndarray, sketches: Sequence[Sketch], start: int) -> None:
    for row, item in enumerate(sketches, start):
        X[row, :, item.body.genes :] = 0.0


def _related(streams: Words, number: Ints, groups: Groups, group: Ints) -> Floats:
    """Return profiles of neurons that descend from one cell, see `evogen.genetics.lineage`.

    All columns of a group are shifted by the same offset.
    """
    size = groups.size[group]
    rounds = np.array([(each - 1).bit_length() for each in groups.size.tolist()])[group]
    shift = mixed(groups.stream, word("lineage"))[group] % size.astype(np.uint64)
    shape = number.shape
    cell = (number.reshape(-1) - shift.astype(np.int64)) % size
    total = np.zeros(np.broadcast_shapes(streams.shape, shape))
    for depth in range(int(rounds.max()) + 1):
        born = cell >> np.maximum(rounds - depth, 0)  # the ancestor that was born in this round
        step = normal(mixed(mixed(streams, depth), born.reshape(shape)))  # ~ N(0, 1)
        total += np.where((depth <= rounds).reshape(shape), step, 0.0)
    return np.asarray(total / np.sqrt(rounds + 1.0).reshape(shape))


def _given_biases(b: np.ndarray, groups: Groups, group: Ints, candidate: Ints, row: Ints) -> None:
    said = [item.bias for item in groups.every]
    if any(bias is not None for bias in said):
        each = np.array([np.nan if bias is None else bias for bias in said])[group]
        given = ~np.isnan(each)
        b[candidate[given], row[given]] = each[given]


def express_synapses(
    canvas: Canvas,
    sketches: Sequence[Sketch],
    links: Sequence[Projection],
    streams: Words,
    synapses: Synapses,
    laws: Laws,
) -> None:
    """Fill in the parameters of synapses: drawn, given or inherited."""
    link = synapses.link
    first = np.cumsum([0, *(len(item.body.plan.projections) for item in sketches)]).tolist()
    for symbol in symbols(canvas.padded):
        law = laws.of[synapses.end]
        words = mixed(mixed(mixed(streams, word(symbol))[link], synapses.pre), synapses.post)
        if owned(symbol):
            spec = next(spec for name, spec in canvas.padded.items() if name.endswith(f".{symbol}"))
            values = spec.mean + normal(words) * spec.deviation  # ~ N(mean, deviation^2)
        else:
            values = normal(words) * laws.deviations[symbol][law]  # ~ N(0, deviation^2)
        if symbol == "W":
            _given_weights(values, links, synapses)
        heritage = [
            (at + number, array)
            for at, item in zip(first, sketches, strict=False)
            for (kind, number), array in item.synaptic.items()
            if kind == symbol
        ]
        if heritage:
            _inherited(values, heritage, len(links), synapses)
        canvas.pair[symbol].reshape(-1)[synapses.place] = values


def _given_weights(values: Floats, links: Sequence[Projection], synapses: Synapses) -> None:
    """Put what the genome says over the innate weights; a projection gives none, or all and is not sparse."""
    sizes = np.array([len(item.weights) for item in links])
    if not sizes.any():
        return
    given = np.array(list(chain.from_iterable(item.weights for item in links if item.weights)))
    chosen = sizes[synapses.link] > 0
    assert np.array_equal(np.bincount(synapses.link[chosen], minlength=len(sizes)), sizes)
    values[chosen] = given


def _inherited(values: Floats, heritage: Iterable[tuple[int, Array]], links: int, synapses: Synapses) -> None:
    """Put what was inherited and ever expressed over all else, as far as the groups still reach."""
    heights, widths, starts = (np.zeros(links, dtype=np.int64) for _ in range(3))
    start, whole = 0, []
    for number, array in heritage:
        heights[number], widths[number] = array.shape
        starts[number] = start
        start += array.size
        whole.append(array.reshape(-1))
    link = synapses.link
    within = (synapses.pre < heights[link]) & (synapses.post < widths[link])
    place = (starts[link] + synapses.pre * widths[link] + synapses.post)[within]
    found = np.concatenate(whole)[place]
    at = np.flatnonzero(within)[found != 0]
    values[at] = found[found != 0]
