"""From a genome to its Plan, whatever its genes say: a module, a neuron group, or together one sentence."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from evogen.errors import DevelopmentError
from evogen.genome import Gene, Genome
from evogen.grammar import cells, modules, neurons
from evogen.grammar.cells import NAME, Cell
from evogen.grammar.constraints import repaired
from evogen.grammar.derivation import Leaf
from evogen.grammar.mappers.structured import decode, slots
from evogen.grammar.model import Grammar
from evogen.grammar.plan import Plan
from evogen.grammar.sentence import sentence
from evogen.space import ArchitectureSpace, counts

_CHECKS: Mapping[str, Callable[[Grammar, str], None]] = {
    "module": modules.check,
    "neurons": cells.check,
    "net": cells.check,
}


CIRCUIT = "circuit"
_CIRCUITS = "evogen.connectome.circuits.plans"  # lies above, with the parts that it speaks of


def check(grammar: Grammar, start: str) -> None:
    """Make sure, before a search, that this start speaks of modules, of neurons, of a net or of a circuit.

    Raises:
        GrammarError: `start` is unknown or of another type, or can be derived to an unknown word.
    """
    kind = grammar.start(start).type or ""
    found = _circuits().check if kind == CIRCUIT else _CHECKS.get(kind, modules.check)
    found(grammar, start)


def _circuits() -> Any:
    return import_module(_CIRCUITS)


def plan_of(space: ArchitectureSpace, genome: Genome, inputs: int, outputs: int) -> Plan:
    """Return what a genome's architecture asks for, repaired to keep the constraints of the space.

    Args:
        space: how codons become sentences, and sentences a structure.
        genome: its architecture genes are derived in order; a link has the codons of the gene it links to.
        inputs: neurons of the first group.
        outputs: neurons of the last group.

    Raises:
        DevelopmentError: there is no gene, a sentence is not what the start's type promises, or a gene lies
            outside the structure.
    """
    with _uncollected():
        return repaired(_plan(space, genome, inputs, outputs), space.constraints)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Put off the search for cyclic garbage: plans have no cycles, and many neurons make it slow."""
    before = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if before:
            gc.enable()


def _plan(space: ArchitectureSpace, genome: Genome, inputs: int, outputs: int) -> Plan:
    if space.type == CIRCUIT:
        made: Plan = _circuits().plan(
            genome, space.grammar, start=space.start, inputs=inputs, outputs=outputs
        )
        return made
    if space.type not in cells.TYPES:
        return modules.plan(genome, space.grammar, start=space.start, inputs=inputs, outputs=outputs)
    spelled = _net if space.type == "net" else _cells
    return neurons.plan(
        spelled(space, genome, inputs, outputs),
        genome.interface.innovation,
        structure=space.shape,
        layers=space.layers,
        inputs=inputs,
        outputs=outputs,
        weighted=space.weights != "trained",
    )


def owner(genome: Genome, gene: Gene) -> Gene:
    """Return the gene whose codons and expression a gene has: itself unless it is a link.

    Raises:
        DevelopmentError: a link to a gene that is not there, or to another link.
    """
    if not gene.link:
        return gene
    for other in genome.architecture:
        if other.innovation == gene.link and not other.link:
            return other
    raise DevelopmentError(f"gene {gene.innovation} links to gene {gene.link}, which is not there")


def _cells(space: ArchitectureSpace, genome: Genome, inputs: int, outputs: int) -> list[Cell]:
    genes, shape, grammar, start = genome.architecture, space.shape, space.grammar, space.start
    found: Counter[tuple[int, int]] = Counter()
    if shape.layered:
        found.update((gene.module if shape.modular else 0, gene.layer) for gene in genes)
    made, context = list[Cell](), counts(inputs, 0, outputs)
    for gene in genes:
        if shape.layered:
            below = found[gene.module if shape.modular else 0, gene.layer - 1]
            context = counts(inputs, below, outputs)
        codons = owner(genome, gene).codons if gene.link else gene.codons
        leaves = sentence(grammar, start, codons, context)
        place = gene.module, gene.layer
        made.append(Cell(gene.innovation, *place, leaves, NAME, gene.link))
    return made


def _net(space: ArchitectureSpace, genome: Genome, inputs: int, outputs: int) -> list[Cell]:
    genes, context = genome.architecture, counts(inputs, 0, outputs)
    if not genes:
        raise DevelopmentError("the genome has no architecture gene; at least one was wanted")
    if space.mapping == "flat":
        leaves: Iterable[Leaf] = sentence(space.grammar, space.start, genes[0].codons, context)
    else:
        lists = [gene.codons for gene in genes]
        wanted = len(slots(space.grammar, space.start, context))
        if len(lists) != wanted:
            raise DevelopmentError(f"{wanted} genes were wanted, one for each list, found {len(lists)}")
        leaves = decode(space.grammar, space.start, lists, context).leaves()
    return cells.cut(genes[0].innovation, leaves)
