"""Random networks by each initialiser, and by random codons: are they valid, and how large are they?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np

from evogen.errors import DevelopmentError
from evogen.genome import Gene, Genome
from evogen.grammar import CODONS
from evogen.grammar.architecture import plan_of
from evogen.grammar.initialisers import INITIALISERS
from evogen.grammar.mappers import structured
from evogen.keys import Key
from evogen.space import ArchitectureSpace
from evogen.studies.locality.codes import Lists
from evogen.studies.locality.nets import CLASSIC, CODES, CONTEXT, INPUTS, MODULES
from evogen.studies.locality.rows import Sizes

CODONS_OF_A_LIST = 200


Mapping = Literal["flat", "structured"]


def sizes(key: Key, genomes: int) -> Iterator[Sizes]:
    """Yield a row for each initialiser, and for random codon lists of each code of a whole network."""
    for name, draw in INITIALISERS.items():
        rng = key.child(name).generator()
        lists: list[Lists] = [(draw(CLASSIC, "net", rng, context=CONTEXT),) for _ in range(genomes)]
        yield _row(name, "flat", lists)
    limits: dict[Mapping, list[int]] = {
        "flat": [CODONS],
        "structured": [slot.limit for slot in structured.slots(CLASSIC, "net", CONTEXT)],
    }
    for mapping, each in limits.items():
        rng = key.child("codons", mapping).generator()
        drawn = [
            tuple(tuple(rng.integers(limit, size=CODONS_OF_A_LIST).tolist()) for limit in each)
            for _ in range(genomes)
        ]
        yield _row(f"random codons, {mapping}", mapping, drawn)


def _row(law: str, mapping: Mapping, genomes: list[Lists]) -> Sizes:
    code = CODES[mapping]
    groups = [len(code.cells(lists)) for lists in genomes]
    read = [code.read(lists) for lists in genomes]
    valid = sum(_valid(mapping, lists) for lists in genomes)
    return Sizes(law, len(genomes), valid, _quantiles(groups), _quantiles(read))


def _valid(mapping: Mapping, lists: Lists) -> bool:
    """Tell whether a network can be planned from a genome."""
    space = ArchitectureSpace(CLASSIC, "net", mapping=mapping, inputs=INPUTS, outputs=MODULES)
    genome = Genome(None, Gene(1, ()), tuple(Gene(2 + i, codons) for i, codons in enumerate(lists)))
    try:
        plan_of(space, genome, INPUTS, MODULES)
    except DevelopmentError:
        return False
    return True


def _quantiles(values: list[int]) -> tuple[float, float, float]:
    least, median, most = np.quantile(values, [0, 0.5, 1])
    return float(least), float(median), float(most)
