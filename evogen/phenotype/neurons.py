"""Development of genomes whose genes are neuron groups: whole cohorts, no Python for a neuron or a synapse.

A search of such genomes develops thousands of them a second, each of many small genes. So everything that
their groups and projections say is gathered into tables over the whole cohort (`tables`), from which numbers
are drawn and looked up (`expression`) and arrays are filled (`canvas`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain

import numpy as np

from evogen.errors import DevelopmentError
from evogen.genome import Array, Genome
from evogen.grammar.plan import Projection
from evogen.phenotype.canvas import Canvas, symbols
from evogen.phenotype.development import Development, Tissue
from evogen.phenotype.expression import express_neurons, express_synapses, laws_of
from evogen.phenotype.layout import Body, Layout, local
from evogen.phenotype.tables import (
    Groups,
    Neurons,
    Sketch,
    Synapses,
    ends_of,
    groups_of,
    neurons_of,
    streams_of,
    synapses_of,
)
from evogen.registry import find

ROOM = 2**21
"""Synapses, about, that are looked at together; a candidate with more is looked at alone."""


def grow(genome: Genome, body: Body) -> Sketch:
    """Look for what a candidate inherits.

    Raises:
        DevelopmentError: an inherited array does not fit.
    """
    groups, links = body.plan.groups, body.plan.projections
    room = sum([groups[link.pre].size * groups[link.post].size for link in links])
    if not any(gene.expression for gene in genome.genes()):
        return Sketch(genome, body, room, {}, {})
    own = {gene.innovation: gene.expression for gene in genome.genes()}
    own |= {link: own[owner] for link, owner in body.plan.links.items() if not own[link]}
    neural: dict[tuple[str, int], Array] = {}
    for name, spec in body.padded.items():
        at, symbol = name.split(".")
        if ">" in at:
            continue
        rest = tuple(part.stop for part in body.cut(name, spec.shape)[1:])
        for number, group in enumerate(groups):
            array = own[group.gene].get(f"{group.name}.{symbol}") if body.level[number] == int(at) else None
            if array is not None:
                _fitting(array, (group.size, *rest), 1, f"gene {group.gene}: inherited {group.name}.{symbol}")
                neural[name, number] = array
    synaptic: dict[tuple[str, int], Array] = {}
    for symbol in symbols(body.padded):
        for number, link in enumerate(links):
            if expression := own[link.gene]:
                name = local(body.plan, link, symbol)
                if (array := expression.get(name)) is not None:
                    shape = groups[link.pre].size, groups[link.post].size
                    _fitting(array, shape, 2, f"gene {link.gene}: inherited {name}")
                    synaptic[symbol, number] = array
    return Sketch(genome, body, room, neural, synaptic)


def _fitting(array: Array, shape: tuple[int, ...], free: int, what: str) -> None:
    """Neurons may come and go, the first `free` axes; the others are given."""
    if array.ndim != len(shape) or array.shape[free:] != shape[free:]:
        raise DevelopmentError(f"{what} has shape {array.shape}, {shape} wanted")


def _stops(every: Sequence[Sketch]) -> Iterator[int]:
    total = 0
    for number, item in enumerate(every):
        if total and total + item.synapses > ROOM:
            yield number
            total = 0
        total += item.synapses
    yield len(every)


def together(development: Development, layout: Layout, every: Sequence[Sketch]) -> Tissue:
    """Fill the arrays of a cohort, ROOM synapses at a time."""
    canvas = Canvas(development, layout, len(every))
    start = 0
    for stop in _stops(every):
        _fill(canvas, every[start:stop], start)
        start = stop
    return canvas.tissue()


def _fill(canvas: Canvas, sketches: Sequence[Sketch], start: int) -> None:
    """Fill the rows from `start` on."""
    root = np.array([canvas.development.key.child("place").integer()], dtype=np.uint64)
    groups = groups_of(canvas, sketches, start, root)
    neurons = neurons_of(canvas, groups)
    links = [link for item in sketches for link in item.body.plan.projections]
    ends = ends_of(sketches, groups)
    streams = streams_of(root, groups, links, ends, sketches)
    synapses = synapses_of(canvas, groups, links, ends, streams)
    canvas.mask.reshape(-1)[synapses.place] = True
    laws = laws_of(canvas, sketches, start, neurons, synapses)
    express_neurons(canvas, sketches, start, groups, neurons, laws)
    express_synapses(canvas, sketches, links, streams, synapses, laws)
    _characterise(canvas, groups, neurons)
    _plasticity(canvas, sketches, links, synapses)


def _characterise(canvas: Canvas, groups: Groups, neurons: Neurons) -> None:
    """Fill in activation functions, neuron kinds and their numbers."""
    said = [item.activation for item in groups.every]
    every = sorted({*said, *chain.from_iterable(item.activations for item in groups.every)})
    code = {name: number for number, name in enumerate(every)}
    own = np.array([code[name] for name in said])[neurons.group]
    starts = np.cumsum(groups.size) - groups.size
    for at, item in zip(starts.tolist(), groups.every, strict=True):
        if item.activations:
            own[at : at + item.size] = [code[name] for name in item.activations]
    for name, number in code.items():
        canvas.functions.add(name)
        canvas.rows(f"act.{name}").reshape(-1)[neurons.place[own == number]] = 1.0
    spoken = [item.neuron for item in groups.every]
    types = sorted(set(spoken))
    which = np.array([types.index(name) for name in spoken])[neurons.group]
    for number, kind in enumerate(types):
        canvas.rows(kind).reshape(-1)[neurons.place[which == number]] = 1.0
    for at, item in zip(starts.tolist(), groups.every, strict=True):
        if item.settings:
            defaults = find("neuron", item.neuron)()
            for setting, value in item.settings.items():
                array = canvas.rows(f"{item.neuron}.{setting}", float(getattr(defaults, setting)))
                array.reshape(-1)[neurons.place[at : at + item.size]] = value


def _plasticity(
    canvas: Canvas, sketches: Sequence[Sketch], links: Sequence[Projection], synapses: Synapses
) -> None:
    """Fill in which synapses follow which rule, and its coefficients."""
    for name in sorted({link.rule for link in links} - {"none"}):
        default = canvas.development.rules[name]
        used = default.coefficients
        values = np.zeros((len(links), len(used)))
        number = -1
        for sketch in sketches:
            genes = sketch.genome.plasticity
            born = [
                float(genes.get(f"rule.{name}.{coefficient}", getattr(default, coefficient)))
                for coefficient in used
            ]
            for link in sketch.body.plan.projections:
                number += 1
                if link.rule == name:
                    values[number] = [
                        link.coefficients.get(coefficient, value)
                        for coefficient, value in zip(used, born, strict=True)
                    ]
        plastic = np.array([link.rule == name for link in links])[synapses.link]
        place = synapses.place[plastic]
        canvas.synapses(name).reshape(-1)[place] = 1.0
        for column, coefficient in enumerate(used):
            array = canvas.synapses(f"{name}.{coefficient}").reshape(-1)
            array[place] = values[synapses.link[plastic], column]
