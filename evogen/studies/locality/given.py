"""The last cohorts of a run as an evolved population, and random genomes of its search space beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from evogen.cohort import Ref
from evogen.errors import SpecError
from evogen.experiment import experiment_of, open
from evogen.genome import Genome
from evogen.keys import Key
from evogen.space import ArchitectureSpace
from evogen.studies.locality.codes import Code, Flat, Genes, Lists, Structured
from evogen.variation.sample import sample

GENOMES = 100  # of a run's last cohorts, at most

Coded = tuple[Code, Lists]


@dataclass(frozen=True)
class Given:
    """What a run ended with.

    Attributes:
        path: the run's.
        mapping: name of its code.
        start, type: what a gene is derived from.
        cohorts: first and last cohort that the genomes are of.
        evolved: genomes of the last cohorts.
        random: as many new genomes of the same search space.
    """

    path: str
    mapping: str
    start: str
    type: str
    cohorts: tuple[int, int]
    evolved: tuple[Coded, ...]
    random: tuple[Coded, ...]


def given(path: Path, key: Key) -> Given:
    """Return the genomes of a run's last cohorts, and random ones.

    Raises:
        RunError: there is no such run.
        SpecError: its architecture does not evolve, or it has no candidate yet.
    """
    with open(path) as made:
        space = experiment_of(made).space
        within = space.architecture
        if not within.evolve:
            raise SpecError(f"{path}: wanted a run whose architecture evolves")
        refs: list[Ref] = []
        for cohort in range(made.told - 1, -1, -1):
            refs = [row.ref for row in made.rows(begin=cohort, end=cohort + 1)] + refs
            if len(refs) >= GENOMES:
                break
        if not refs:
            raise SpecError(f"{path}: wanted a run with candidates; it has none yet")
        refs = refs[-GENOMES:]
        evolved = [made.born_genome(ref) for ref in refs]
        drawn = [sample(space, key.child("random"), Ref(0, row)) for row in range(len(refs))]
        return Given(
            str(made.path),
            within.mapping,
            within.start,
            within.type,
            (refs[0].cohort, refs[-1].cohort),
            tuple(coded(within, genome) for genome in evolved),
            tuple(coded(within, genome) for genome in drawn),
        )


def coded(space: ArchitectureSpace, genome: Genome) -> Coded:
    """Return a genome's code and its codon lists."""
    genes = genome.architecture
    lists = tuple(gene.codons for gene in genes)
    if space.mapping == "genes":
        contexts = [space.context(gene.module, gene.layer, genes) for gene in genes]
        own = {gene.innovation: i for i, gene in enumerate(genes)}
        owners: Sequence[int] = [own.get(gene.link, i) for i, gene in enumerate(genes)]
        return Genes(space.grammar, space.start, contexts, tuple(owners)), lists
    whole = Flat if space.mapping == "flat" else Structured
    return whole(space.grammar, space.start, space.context(0, 0, genes)), lists
