"""Links between genes: a link has no codons and no expression of its own, but those of the gene it names.

A mutation of a gene therefore changes all its links. Where the gene that it names is gone, a link becomes a
gene with what it had; further links to that gene then name this one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from evogen.genome import Gene, Genome
from evogen.grammar.architecture import owner


def settled(chosen: Sequence[tuple[Gene, Genome]]) -> tuple[Gene, ...]:
    """Return genes of which each link names a gene among them that is no link.

    Args:
        chosen: the genes of a new genome, each with the genome that it comes from.
    """
    if not any(gene.link for gene, _ in chosen):
        return tuple(gene for gene, _ in chosen)
    owners = {gene.innovation for gene, _ in chosen if not gene.link}
    links = {gene.innovation: gene.link for gene, _ in chosen if gene.link}
    heirs: dict[tuple[str, int], int] = {}
    found = []
    for gene, genome in chosen:
        target = _end(gene.link, links, owners) if gene.link else 0
        if gene.link and target not in owners:
            target = heirs.setdefault((genome.id, gene.link), gene.innovation)
        if gene.link and target == gene.innovation:
            found.append(whole(gene, genome))
            owners.add(gene.innovation)
        else:
            found.append(gene if target == gene.link else replace(gene, link=target))
    return tuple(found)


def whole(gene: Gene, genome: Genome) -> Gene:
    """Return the gene; for a link one in its place that has the codons and the expression itself."""
    if not gene.link:
        return gene
    own = owner(genome, gene)
    return replace(gene, codons=own.codons, expression=own.expression, link=0)


def _end(link: int, links: Mapping[int, int], owners: Collection[int]) -> int:
    met: set[int] = set()
    while link not in owners and link in links and link not in met:
        met.add(link)
        link = links[link]
    return link
