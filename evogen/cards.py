"""Cards: HTML fragments that a notebook shows of a genome, or of whatever has a title and facts.

Every text is escaped. A card has no background and draws in the colour of the text around it, orange for what
is positive and blue for what is negative, so that it reads in light and in dark notebooks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from evogen.genome import Array, Gene, Genome

LARGEST = 32  # genes that a heat map shows each on its own; of more, means of blocks
_PIXELS = 160
_CODONS, _GENES = 8, 12
_CELL = "text-align:left;padding:0 1em 0 0;border:0;background:none;vertical-align:top"


def card(title: str, facts: Iterable[tuple[str, str]], *drawings: str) -> str:
    """Return a card; `drawings` are fragments of HTML, the rest is text."""
    rows = "".join(
        f'<tr style="background:none"><th scope="row" style="{_CELL}">{escape(name)}</th>'
        f'<td style="{_CELL}">{escape(value)}</td></tr>'
        for name, value in facts
    )
    pictures = "".join(f'<div style="flex:none">{drawing}</div>' for drawing in drawings)
    return (
        f'<div class="evogen-card"><div><strong>{escape(title)}</strong></div>'
        '<div style="display:flex;flex-wrap:wrap;gap:1.5em;align-items:flex-start">'
        f'<table style="border:0;color:inherit"><tbody>{rows}</tbody></table>{pictures}</div></div>'
    )


def genome_card(genome: Genome) -> str:
    """Return what a genome holds: its three chromosomes, and a heat map of its rules."""
    rules, genes = genome.rules, genome.architecture
    facts = [("architecture", f"{len(genes)} genes")]
    facts += [(f"gene {gene.innovation}", _gene(gene)) for gene in genes[:_GENES]]
    if len(genes) > _GENES:
        facts.append(("", f"and {len(genes) - _GENES} more"))
    if rules is None:
        facts.insert(0, ("rules", "none"))
    else:
        kinds = f"{len(rules.genes)} genes, {len(rules.c)} transmitters, temperature {rules.temperature:g}"
        facts.insert(0, ("rules", kinds))
    facts += [("plasticity", f"{len(genome.plasticity)} genes")] if genome.plasticity else []
    facts += [(name, _value(value)) for name, value in genome.plasticity.items()]
    drawn = [] if rules is None else [heat_map(rules.O, "rule matrix O: pre gene down, post gene across")]
    return card(f"Genome {genome.id[:12]}", facts, *drawn)


def heat_map(matrix: Array, title: str) -> str:
    """Return an SVG of a matrix (rows, columns); opacity is the magnitude beside the largest."""
    shown = _reduced(np.asarray(matrix, dtype=np.float64))
    largest = float(np.max(np.abs(shown), initial=0.0)) or 1.0
    rows, columns = shown.shape
    size = _PIXELS / max(rows, columns, 1)
    cells = "".join(
        f'<rect x="{column * size:.1f}" y="{row * size:.1f}" width="{size:.1f}" height="{size:.1f}" '
        f'fill="{"#c2571a" if shown[row, column] > 0 else "#2b6cb0"}" '
        f'fill-opacity="{abs(shown[row, column]) / largest:.2f}"/>'
        for row in range(rows)
        for column in range(columns)
        if np.isfinite(shown[row, column])
    )
    width, height = columns * size, rows * size
    extent = f'width="{width:.1f}" height="{height:.1f}"'
    frame = f'<rect {extent} fill="none" stroke="currentColor" stroke-opacity=".4"/>'
    note = f"{escape(title)}; orange &gt; 0, blue &lt; 0, at most {largest:.3g}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.1f} {height:.1f}"><title>{note}</title>{cells}{frame}</svg>'
    )


def facts_of(pairs: Mapping[str, object]) -> Sequence[tuple[str, str]]:
    """Return names and values as texts, without those that are None."""
    return [(name, _value(value)) for name, value in pairs.items() if value is not None]


def _reduced(matrix: np.ndarray) -> np.ndarray:
    """Return block means where a matrix is larger than LARGEST."""
    for axis in (0, 1):
        if matrix.shape[axis] > LARGEST:
            parts = np.array_split(matrix, LARGEST, axis)
            matrix = np.concatenate([part.mean(axis, keepdims=True) for part in parts], axis)
    return matrix


def _gene(gene: Gene) -> str:
    codons = " ".join(map(str, gene.codons[:_CODONS])) + (" …" if len(gene.codons) > _CODONS else "")
    place = f", module {gene.module}, layer {gene.layer}" if gene.module or gene.layer else ""
    learnt = f", {len(gene.expression)} arrays of expression" if gene.expression else ""
    return f"codons {codons or 'none'}{place}{learnt}"


def _value(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
