"""Mappers: three ways from a genome's codon lists to the sentences of a network.

    genes        a sentence per gene, each from its own codons
    flat         one sentence of the whole network from one list (Grammatical Evolution)
    structured   one sentence of the whole network from a list per non-terminal (Structured GE)

`decode` of each is pure and total: it never changes the lists, and every lists of codons have a tree.
`encode` goes back, so that one initialiser serves all three: `decode(encode(tree)) == tree`.
"""

from evogen.grammar.mappers import flat, genes, structured

__all__ = ["flat", "genes", "structured"]
