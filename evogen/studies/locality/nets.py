"""The networks of the study: equal ones in three codes.

The grammar is that of grammars/mge_classic.bnf: a neuron is an activation and a sum of terms, a term a source
and a weight.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from evogen.grammar import CODONS, derive, grow, parse
from evogen.grammar.initialisers.replay import codon
from evogen.grammar.mappers import structured
from evogen.studies.locality.codes import Code, Flat, Genes, Lists, Structured

GRAMMAR = """\
<neuron> @type(neurons) ::= group:neurons <act> <sum> readout:sum [weight,float,1,-3,3]
<act>    ::= act:tanh | act:relu | act:sigmoid | act:identity
<sum>    ::= <term> | <term> <sum>
<term>   ::= term:from <source> [weight,float,1,-3,3]
<source> @dynamic(sources) ::= ...
<net> @type(net) ::= <cell> | <cell> <net>
<cell>   ::= at:cell <module> <neuron>
<module> @dynamic(modules) ::= ...
"""
INPUTS = 16
MODULES = 1  # one of one: its codon decides nothing, and is never redrawn
CLASSIC = parse(GRAMMAR, "mge_classic.bnf")
CONTEXT: Mapping[str, int] = MappingProxyType({"sources": INPUTS, "modules": MODULES})
CODES: Mapping[str, Code] = MappingProxyType(
    {
        "genes": Genes(CLASSIC, "neuron", (CONTEXT,)),
        "structured": Structured(CLASSIC, "net", CONTEXT),
        "flat": Flat(CLASSIC, "net", CONTEXT),
    }
)


def neuron(rng: np.random.Generator) -> tuple[int, ...]:
    """Return the codons of a random neuron."""
    return grow(CLASSIC, "neuron", rng, context=CONTEXT)


def network(size: int, rng: np.random.Generator) -> Mapping[str, Lists]:
    """Return one random network of `size` neurons in each code.

    In each list as many random codons as are read follow behind: what is read on into when a mutation opens
    a symbol.
    """
    genes = tuple(neuron(rng) for _ in range(size))
    last = size - 1
    one = tuple(
        each
        for i, own in enumerate(genes)
        for each in (codon(int(i < last), 2, rng), int(rng.integers(CODONS)), *own)
    )
    lists = structured.encode(CLASSIC, derive(CLASSIC, "net", one, CONTEXT), CONTEXT)
    limits = [slot.limit for slot in structured.slots(CLASSIC, "net", CONTEXT)]
    return {
        "genes": tuple(own + _more(len(own), CODONS, rng) for own in genes),
        "structured": tuple(
            own + _more(len(own), limit, rng) for own, limit in zip(lists, limits, strict=True)
        ),
        "flat": (one + _more(len(one), CODONS, rng),),
    }


def _more(count: int, limit: int, rng: np.random.Generator) -> tuple[int, ...]:
    return tuple(rng.integers(limit, size=count).tolist())
