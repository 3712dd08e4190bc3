"""Every shipped grammar gives valid networks, and decoding is the same in every process."""

import os
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from evogen.genome import Gene, Genome
from evogen.grammar import CODONS, derive, load
from evogen.grammar.architecture import check, plan_of
from evogen.grammar.initialisers import INITIALISERS
from evogen.grammar.mappers import structured
from evogen.space import ArchitectureSpace

SHIPPED = Path(__file__).parents[2] / "grammars"
INPUTS, OUTPUTS, GENES = 7, 3, 6
STRUCTURES = {
    "module": ["flat"],
    "neurons": ["flat", "layered", "modules", "coupled", "layered-modules"],
    "net": ["flat", "modules", "coupled"],
}


def starts():
    """Return every start of every shipped grammar that is one of an architecture's."""
    found = []
    for path in sorted(SHIPPED.glob("*.bnf")):
        grammar = load(path)
        found += [(path.name, start) for start in grammar.starts if grammar.rule(start).type in STRUCTURES]
    return found


def spaces(name, start):
    grammar = load(SHIPPED / name)
    check(grammar, start)
    make = partial(ArchitectureSpace, grammar, start, inputs=INPUTS, outputs=OUTPUTS, max_modules=GENES)
    kind = grammar.rule(start).type
    mappings = ["flat", "structured"] if kind == "net" else ["genes"]
    return [make(structure=each, mapping=mapping) for each in STRUCTURES[kind] for mapping in mappings]


def placed(space, rng, count):
    """Return genes without codons in every module of the structure, and in any of its layers."""
    return [
        Gene(10 + i, (), module=i % space.places, layer=int(rng.integers(space.depth))) for i in range(count)
    ]


def genome(space, rng):
    """Return a random genome: of random codons, or of one of the initialisers."""
    law = [None, *INITIALISERS][int(rng.integers(1 + len(INITIALISERS)))]

    def codons(context):
        if law is None:
            return tuple(rng.integers(CODONS, size=int(rng.integers(80))).tolist())
        return INITIALISERS[law](space.grammar, space.start, rng, context=context)

    here = space.context(0, 0, ())
    if space.mapping == "flat":
        lists = [codons(here)]
    elif space.mapping == "structured":
        tree = derive(space.grammar, space.start, codons(here), here)
        lists = structured.encode(space.grammar, tree, here)
    else:
        genes = placed(space, rng, int(rng.integers(max(1, space.places), GENES + 1)))
        made = [codons(space.context(gene.module, gene.layer, genes)) for gene in genes]
        both = zip(genes, made, strict=True)
        placed_genes = [Gene(g.innovation, own, module=g.module, layer=g.layer) for g, own in both]
        return Genome(None, Gene(1, ()), tuple(placed_genes))
    return Genome(None, Gene(1, ()), tuple(Gene(10 + i, own) for i, own in enumerate(lists)))


def untouched(found):
    """Tell whether a genome still holds what its JSON said when it was made."""
    return replace(found).json == found.json


def valid(name, start, count):
    """Plan random genomes of one start; an invalid one raises."""
    each = spaces(name, start)
    for seed in range(count):
        space = each[seed % len(each)]
        rng = np.random.default_rng(seed)
        found = genome(space, rng)
        made = plan_of(space, found, INPUTS, OUTPUTS)
        assert (made.groups[0].size, made.groups[-1].size) == (INPUTS, OUTPUTS)
        assert all(group.size >= 1 for group in made.groups)
        assert untouched(found)


@pytest.mark.parametrize(("name", "start"), starts())
def test_random_genomes_of_shipped_grammars_are_valid(name, start):
    valid(name, start, 200)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted({name for name, _ in starts()}))
def test_ten_thousand_random_genomes_of_each_shipped_grammar_are_valid(name):
    own = [start for grammar, start in starts() if grammar == name]
    for start in own:
        valid(name, start, -(-10_000 // len(own)))


DECODE = """
import hashlib, sys
sys.path.insert(0, {folder!r})
import numpy as np
from test_decoding import INPUTS, OUTPUTS, genome, plan_of, spaces, starts, untouched

digest = hashlib.sha256()
for name, start in starts():
    for space in spaces(name, start):
        for seed in range(3):
            found = genome(space, np.random.default_rng(seed))
            digest.update(found.json.encode())
            digest.update(repr(plan_of(space, found, INPUTS, OUTPUTS)).encode())
            assert untouched(found)
print(digest.hexdigest())
"""


def digests(processes):
    """Decode the same genomes in fresh processes, each with a hash seed of its own."""
    script = DECODE.format(folder=str(Path(__file__).parent))
    found = set()
    for seed in range(processes):
        environment = {**os.environ, "PYTHONHASHSEED": str(seed), "OMP_NUM_THREADS": "1"}
        done = subprocess.run(
            [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        found.add(done.stdout)
    return found


def test_decoding_is_the_same_in_fresh_processes():
    assert len(digests(3)) == 1


@pytest.mark.slow
def test_decoding_is_the_same_in_a_hundred_fresh_processes():
    assert len(digests(100)) == 1
