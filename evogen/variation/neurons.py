"""Variation of genes that are neuron groups: whole genes in their places, one codon, or inherited numbers.

A gene keeps its module and layer for life, and no operator cuts inside one. Where a codon says another number
for a weight or a bias, what was learnt of it moves by the same step, and what was learnt of a synapse that
goes is forgotten: expression always follows the sentence.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from evogen.errors import DevelopmentError
from evogen.genome import Array, Gene, Genome, frozen
from evogen.grammar import CODONS
from evogen.grammar.architecture import plan_of
from evogen.grammar.derivation import Reading, derive, expand
from evogen.grammar.model import Dynamic, Numeric, Rule
from evogen.grammar.plan import Plan
from evogen.grammar.sentence import sentence
from evogen.keys import Key
from evogen.phenotype.layout import local
from evogen.space import ArchitectureSpace
from evogen.variation.codons import TRIES, idle, reflected
from evogen.variation.links import settled, whole
from evogen.variation.rules import realign
from evogen.variation.sample import grow

_OBSERVED = ("m", "s")  # what an interface has seen, no parameter of a neuron


def add(genome: Genome, key: Key, *, space: ArchitectureSpace, ids: Iterator[int]) -> Genome:
    """Append a new gene in any module and layer; full genomes stay."""
    if len(genome.architecture) >= space.max_modules:
        return genome
    rng = key.generator()
    module, layer = int(rng.integers(space.places)), int(rng.integers(space.depth))
    codons = grow(space, module, layer, genome.architecture, rng)
    gene = Gene(next(ids), codons, module=module, layer=layer)
    return replace(genome, architecture=(*genome.architecture, gene))


def delete(genome: Genome, key: Key, *, space: ArchitectureSpace) -> Genome:
    """Drop a gene, never the last one of a module; a genome at the lower bound stays."""
    genes = genome.architecture
    inhabitants = Counter(gene.module for gene in genes)
    places = [i for i, gene in enumerate(genes) if inhabitants[gene.module] > 1]
    if len(genes) <= space.min_modules or not places:
        return genome
    gone = places[int(key.generator().integers(len(places)))]
    rest = [(gene, genome) for i, gene in enumerate(genes) if i != gone]
    return replace(genome, architecture=settled(rest))


def copy(genome: Genome, key: Key, *, space: ArchitectureSpace, ids: Iterator[int]) -> Genome:
    """Insert a copy right behind a gene, with codons and expression of its own; full genomes stay."""
    genes = genome.architecture
    if not 0 < len(genes) < space.max_modules:
        return genome
    at = int(key.generator().integers(len(genes)))
    made = replace(whole(genes[at], genome), innovation=next(ids))
    return replace(genome, architecture=(*genes[: at + 1], made, *genes[at + 1 :]))


def link(genome: Genome, key: Key, *, space: ArchitectureSpace, ids: Iterator[int]) -> Genome:
    """Append a link to a gene: in the same layer, of another module if there are several.

    Both are born with the same codons and expression; each learns for itself, and what the gene learns is
    inherited by both. Full genomes stay.
    """
    genes = genome.architecture
    if not 0 < len(genes) < space.max_modules:
        return genome
    rng = key.generator()
    to = genes[int(rng.integers(len(genes)))]
    module = to.module
    if space.places > 1:
        module = (module + 1 + int(rng.integers(space.places - 1))) % space.places
    made = Gene(next(ids), (), module=module, layer=to.layer, link=to.link or to.innovation)
    return replace(genome, architecture=(*genes, made))


def exchange(genome: Genome, key: Key, *, father: Genome) -> Genome:
    """Give one gene up for a gene of the father from the same module and layer, that the genome lacks."""
    genes = genome.architecture
    known = {gene.innovation for gene in genes}
    places: dict[tuple[int, int], list[int]] = {}
    for i, gene in enumerate(genes):
        places.setdefault((gene.module, gene.layer), []).append(i)
    his = [gene for gene in father.architecture if gene.innovation not in known]
    his = [gene for gene in his if (gene.module, gene.layer) in places]
    if not his:
        return genome
    rng = key.generator()
    taken = his[int(rng.integers(len(his)))]
    among = places[taken.module, taken.layer]
    at = among[int(rng.integers(len(among)))]
    before, after = (() if one.rules is None else one.rules.genes for one in (father, genome))
    taken = realign(whole(taken, father), before, after, key.child("realign"))
    rest = [(taken, father) if i == at else (gene, genome) for i, gene in enumerate(genes)]
    return replace(genome, architecture=settled(rest))


def redraw(genome: Genome, key: Key, *, space: ArchitectureSpace) -> Genome:
    """Give one codon of one gene another value such that the gene says something else that counts.

    Only codons that are read are drawn, and the first one that is missing where the list is too short. After
    TRIES silent draws the genome stays.
    """
    own = [i for i, gene in enumerate(genome.architecture) if not gene.link]
    rng = key.generator()
    for _ in range(TRIES if own else 0):
        at = own[int(rng.integers(len(own)))]
        gene, context = genome.architecture[at], _context(genome, at, space)
        used = derive(space.grammar, space.start, (*gene.codons, 0), context).used
        if used:
            j = int(rng.integers(used))
            codons = (*gene.codons[:j], int(rng.integers(CODONS)), *gene.codons[j + 1 :])
            if _says_other(gene.codons, codons, context, space):
                return _followed(genome, at, codons, space)
    return genome


def nudge(genome: Genome, key: Key, *, space: ArchitectureSpace, sigma: float) -> Genome:
    """Move one number of one gene a little, reflected at the bounds of its range.

    Args:
        genome: to change.
        key: of this mutation.
        space: how codons become numbers.
        sigma: standard deviation of the step, as a fraction of the range (of its logarithm where the number
            is declared `log`).
    """
    own = [i for i, gene in enumerate(genome.architecture) if not gene.link]
    rng = key.generator()
    for _ in range(TRIES if own else 0):
        at = own[int(rng.integers(len(own)))]
        gene, context = genome.architecture[at], _context(genome, at, space)
        numbers = _numbers(gene, context, space)
        if numbers:
            j = numbers[int(rng.integers(len(numbers)))]
            codon = reflected(gene.codons[j] + round(rng.normal(0, sigma * (CODONS - 1))))
            codons = (*gene.codons[:j], codon, *gene.codons[j + 1 :])
            if _says_other(gene.codons, codons, context, space):
                return _followed(genome, at, codons, space)
    return genome


def express(genome: Genome, key: Key, *, sigma: float) -> Genome:
    """Move all inherited numbers of one gene, or of the interface; genes without any are left alone.

    Args:
        genome: to change.
        key: of this mutation.
        sigma: standard deviation of the steps, in units of the spread of the array that a number is in.
            Numbers that are exactly 0 were never expressed, and stay so.
    """
    carrying = [gene for gene in genome.genes() if any(map(_tunable, gene.expression))]
    if not carrying:
        return genome
    rng = key.generator()
    chosen = carrying[int(rng.integers(len(carrying)))]

    def moved(name: str, array: Array) -> Array:
        spread = _spread(array) if _tunable(name) else 0.0
        step = rng.normal(0, 1, array.shape) * (sigma * spread)  # ~ N(0, (sigma spread)^2)
        return frozen(np.where(array == 0, 0, array + step))

    made = replace(chosen, expression={name: moved(name, array) for name, array in chosen.expression.items()})
    interface, *genes = (made if gene is chosen else gene for gene in genome.genes())
    return replace(genome, interface=interface, architecture=tuple(genes))


def _tunable(name: str) -> bool:
    return name.rpartition(".")[2] not in _OBSERVED


def _spread(array: Array) -> float:
    """Return the standard deviation of what is expressed; of a single number, its size."""
    numbers = array[array != 0].astype(np.float64)
    if not numbers.size:
        return 0.0
    return float(numbers.std()) or float(np.abs(numbers).mean())


def _context(genome: Genome, at: int, space: ArchitectureSpace) -> Mapping[str, int]:
    gene = genome.architecture[at]
    return space.context(gene.module, gene.layer, genome.architecture)


def _says_other(
    before: tuple[int, ...], after: tuple[int, ...], context: Mapping[str, int], space: ArchitectureSpace
) -> bool:
    was, says = (
        [leaf for leaf in sentence(space.grammar, space.start, codons, context) if not idle(leaf, space)]
        for codons in (before, after)
    )
    return was != says


def _numbers(gene: Gene, context: Mapping[str, int], space: ArchitectureSpace) -> list[int]:
    """Return the places of the codons that are read as numbers that count."""
    noting = _Noting(Reading(space.grammar, gene.codons), space)
    expand(space.grammar, space.start, noting, context)
    return noting.numbers


class _Noting:
    """Decides as another does, and notes where it read a number."""

    def __init__(self, reading: Reading, space: ArchitectureSpace) -> None:
        self._reading, self._space = reading, space
        self.numbers: list[int] = []

    @property
    def used(self) -> int:
        return self._reading.used

    def alternative(self, rule: Rule, depth: int, among: tuple[int, ...]) -> int:
        return self._reading.alternative(rule, depth, among)

    def value(self, numeric: Numeric) -> float:
        before = self.used
        value = self._reading.value(numeric)
        if not idle(numeric, self._space):
            self.numbers += range(before, self.used)
        return value

    def pick(self, dynamic: Dynamic, count: int) -> int:
        return self._reading.pick(dynamic, count)


def _followed(genome: Genome, at: int, codons: tuple[int, ...], space: ArchitectureSpace) -> Genome:
    """Return the genome with new codons of one gene, whose expression follows them."""
    gene = replace(genome.architecture[at], codons=codons)
    changed = _with(genome, at, gene)
    if space.weights == "trained" or not gene.expression:
        return changed
    try:
        was, says = (
            _said(plan_of(replace(space, constraints=()), one, space.inputs, space.outputs), gene.innovation)
            for one in (genome, changed)
        )
    except DevelopmentError:  # nothing to follow: the genome could not be developed before either
        return changed
    expression = {
        name: _moved(array, was.get(name), says.get(name)) for name, array in gene.expression.items()
    }
    return _with(genome, at, replace(gene, expression=expression))


def _with(genome: Genome, at: int, gene: Gene) -> Genome:
    genes = genome.architecture
    return replace(genome, architecture=(*genes[:at], gene, *genes[at + 1 :]))


_Said = dict[str, dict[tuple[int, ...], float]]


def _said(plan: Plan, gene: int) -> _Said:
    """Return what the plan says of a gene's own parameters, by the names of its expression: NaN is innate."""
    found: _Said = {}
    for group in plan.groups[1:-1]:
        if group.gene == gene:
            bias = np.nan if group.bias is None else group.bias
            found[f"{group.name}.b"] = dict.fromkeys(((i,) for i in range(group.size)), bias)
    for way in plan.projections:
        if way.gene != gene:
            continue
        pre, post = plan.groups[way.pre], plan.groups[way.post]
        rows = range(pre.size) if way.rows is None else way.rows
        columns = range(post.size) if way.columns is None else way.columns
        pairs = [(row, column) for row in rows for column in columns]
        weights = way.weights or (np.nan,) * len(pairs)
        found[local(plan, way, "W")] = dict(zip(pairs, weights, strict=True))
    return found


def _moved(
    array: Array, was: Mapping[tuple[int, ...], float] | None, says: Mapping[tuple[int, ...], float] | None
) -> Array:
    """Return the array after the steps of what is said, without the numbers of synapses that went.

    Both are None for arrays of which sentences never speak, and one of them for a source that came or went.
    """
    if was is None and says is None:
        return array
    after = array.astype(np.float64)
    synapses = array.ndim == 2
    for place in (was or {}).keys() | (says or {}).keys():
        if any(at >= size for at, size in zip(place, array.shape, strict=True)):
            continue
        before, now = (table.get(place) if table else None for table in (was, says))
        if before is None or now is None:
            after[place] = 0.0 if synapses else after[place]
        elif (after[place] != 0 or not synapses) and np.isfinite(now - before):
            after[place] += now - before
    return frozen(after)
