"""Variation of the architecture chromosome: whole genes, or one codon; never a cut inside a gene."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from evogen.genome import Gene, Genome
from evogen.grammar import CODONS, derive, grow
from evogen.keys import Key
from evogen.space import ArchitectureSpace
from evogen.variation.links import settled
from evogen.variation.rules import realign

TRIES = 16


def add(genome: Genome, key: Key, *, space: ArchitectureSpace, ids: Iterator[int]) -> Genome:
    """Insert a gene grown by the grammar at any place; full genomes stay."""
    genes = genome.architecture
    if len(genes) >= space.max_modules:
        return genome
    rng = key.generator()
    at = int(rng.integers(len(genes) + 1))
    return _replaced(genome, at, at, Gene(next(ids), grow(space.grammar, space.start, rng)))


def delete(genome: Genome, key: Key, *, space: ArchitectureSpace) -> Genome:
    """Drop one gene; a genome at the lower bound stays."""
    genes = genome.architecture
    if len(genes) <= space.min_modules:
        return genome
    at = int(key.generator().integers(len(genes)))
    return _replaced(genome, at, at + 1)


def duplicate(genome: Genome, key: Key, *, space: ArchitectureSpace, ids: Iterator[int]) -> Genome:
    """Insert a copy right behind one gene: same codons and expression, a new identity; full genomes stay."""
    genes = genome.architecture
    if not 0 < len(genes) < space.max_modules:
        return genome
    at = int(key.generator().integers(len(genes)))
    return _replaced(genome, at + 1, at + 1, replace(genes[at], innovation=next(ids)))


def redraw(genome: Genome, key: Key, *, space: ArchitectureSpace) -> Genome:
    """Give one codon another value such that its gene is derived to another module.

    Only codons that are read are drawn, and the first one that is missing where the list is too short. The
    gene keeps its identity and its expression; where the module changes size, development trims or fills it.
    After TRIES silent draws the genome stays.
    """
    genes = genome.architecture
    trees = [derive(space.grammar, space.start, gene.codons) for gene in genes]
    read = [derive(space.grammar, space.start, (*gene.codons, 0)).used for gene in genes]
    places = [(i, j) for i, used in enumerate(read) for j in range(used)]
    rng = key.generator()
    for _ in range(TRIES if places else 0):
        i, j = places[int(rng.integers(len(places)))]
        old = genes[i].codons
        codons = (*old[:j], int(rng.integers(CODONS)), *old[j + 1 :])
        if derive(space.grammar, space.start, codons) != trees[i]:
            return _replaced(genome, i, i + 1, replace(genes[i], codons=codons))
    return genome


def cross(mother: Genome, father: Genome, key: Key) -> Genome:
    """Return the mother with the father's version of about half of the genes that both have.

    Genes pair by innovation id, the interface gene too. The father's expression is realigned to the mother's
    rule genes, and his links are settled among the genes of the child.
    """
    his = {gene.innovation: gene for gene in father.genes()}
    after, before = _rule_genes(mother), _rule_genes(father)

    def choose(gene: Gene) -> tuple[Gene, Genome]:
        if gene.innovation not in his or key.child(gene.innovation).generator().random() < 0.5:
            return gene, mother
        return realign(his[gene.innovation], before, after, key.child("realign")), father

    (interface, _), *chosen = (choose(gene) for gene in mother.genes())
    return replace(mother, interface=interface, architecture=settled(chosen))


def _rule_genes(genome: Genome) -> Sequence[int]:
    return () if genome.rules is None else genome.rules.genes


def _replaced(genome: Genome, start: int, stop: int, *genes: Gene) -> Genome:
    old = genome.architecture
    return replace(genome, architecture=(*old[:start], *genes, *old[stop:]))
