"""The table of the study as text, within 80 columns."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from evogen.analysis.statistics import Interval
from evogen.studies.locality.nets import CODES
from evogen.studies.locality.rows import Contrast, Found, Row
from evogen.studies.table import p_value

_MEASURES = {
    "local": "Share of effective mutations that change exactly one neuron group",
    "changed": "Neuron groups that an effective mutation changes, on average",
    "silent": "Share of mutations that change nothing (redundancy of what is read)",
}
_SHOWN = {"local": "share local", "changed": "groups changed"}


def lines(found: Found) -> Iterator[str]:
    """Yield the table."""
    yield from _random([row for row in found.rows if row.population == "random"])
    yield from _kinds(found)
    yield from _evolved(found)
    yield from _contrasts(found.contrasts, found.settings["seeds"])
    yield from _sizes(found)
    yield from _legend(found)


def verdict(rows: Sequence[Row]) -> Iterator[str]:
    """Yield, for each code, how many of all mutations changed more than one neuron group."""
    yield "Single-codon mutations that changed more than one neuron group:"
    for code in dict.fromkeys(row.code for row in rows):
        own = [row for row in rows if row.code == code]
        several, total = sum(row.several for row in own), sum(row.mutations for row in own)
        yield f"{code:12}{several:>7,} of {total:,}"


def _random(rows: Sequence[Row]) -> Iterator[str]:
    for measure, title in _MEASURES.items():
        yield f"{title}:"
        yield f"{'random networks':17}" + "".join(f"{code:>21}" for code in CODES)
        for size in dict.fromkeys(row.size for row in rows):
            own = {row.code: row for row in rows if row.size == size}
            cells = "".join(f"{_bracketed(getattr(own[code], measure)):>21}" for code in CODES)
            yield f"{f'of {size} neurons':17}{cells}"
        if measure == "local":
            each = [row.modulo for row in rows if row.code == "structured"]
            yield "structured, through a mod: " + ", ".join(f"{modulo:.3f}" for modulo in each)
        yield ""


def _kinds(found: Found) -> Iterator[str]:
    size = found.settings["size_of_kinds"]
    yield f"By class of the redrawn codon, random networks of {size} neurons"
    yield "(of the effective ones: share local, groups changed; silent share of all):"
    yield f"{'':11}" + "".join(f"{code:>23}" for code in CODES)
    yield f"{'':11}" + f"{'local groups silent':>23}" * len(CODES)
    shown = [each for each in found.kinds if each.population == "random"]
    by = {(each.code, each.kind): each for each in shown}
    for kind in dict.fromkeys(each.kind for each in shown):
        cells = ""
        for code in CODES:
            own = by.get((code, kind))
            numbers = [math.nan] * 3 if own is None else [own.local, own.changed, own.silent]
            cells += "    " + "".join(
                f"{_plain(x, d):>{w}}" for x, d, w in zip(numbers, (2, 1, 2), (5, 7, 7), strict=True)
            )
        yield f"{kind:11}{cells}"
    yield ""


def _evolved(found: Found) -> Iterator[str]:
    yield f"Evolved networks: {found.settings['evolved']}"
    yield f"{'':12}{'fitness':>16}{'neurons':>9}{'never read':>12}{'different genomes':>19}"
    for each in found.selections:
        fitness = "-" if each.first is None else f"{each.first:.2f} -> {each.last:.2f}"
        different = f"{each.genomes:.0f} of {each.population}"
        yield f"{each.code:12}{fitness:>16}{each.groups:>9.1f}{_percent(each.unread):>12}{different:>19}"
    yield ""
    yield f"{'':23}{'share local':>20}{'groups changed':>20}{'silent':>17}"
    for row in found.rows:
        if row.population != "random":
            name = f"{row.code}, {row.population}"
            shown = f"{_bracketed(row.local):>20}{_bracketed(row.changed):>20}{row.silent.mean:>17.3f}"
            yield f"{name:23}{shown}"
    yield ""


def _contrasts(found: Sequence[Contrast], seeds: int) -> Iterator[str]:
    yield "Differences in pairs of seeds: sign-flip test, Holm over each measure's"
    yield f"(with {seeds} seeds no single test can fall below p = {2 / 2**seeds:.2g})"
    yield f"{'':32}{'neurons':>8}{'mean [95 % interval]':>24}{'p':>8}"
    for measure, title in _SHOWN.items():
        yield f"{title}:"
        for each in found:
            if each.measure == measure:
                name = f"{each.first} - {each.second}"
                size = "" if each.size == 0 else str(each.size)
                null = "" if each.p < 0.05 else "  ns"
                yield f"  {name:30}{size:>8}{_bracketed(each.difference):>24}{p_value(each.p):>8}{null}"
    yield ""


def _sizes(found: Found) -> Iterator[str]:
    yield "Validity and size of random networks (least, median, most):"
    yield f"{'':27}{'valid':>15}{'neurons':>18}{'codons read':>20}"
    for each in found.sizes:
        groups, codons = (" ".join(f"{x:g}" for x in three) for three in (each.groups, each.codons))
        yield f"{each.law:27}{f'{each.valid:,}/{each.genomes:,}':>15}{groups:>18}{codons:>20}"
    yield ""


def _legend(found: Found) -> Iterator[str]:
    populations = {row.population for row in found.rows}
    yield "genes       a codon list per neuron: the mapping that evogen uses"
    yield "structured  a list per non-terminal, of indices without a mod (SGE)"
    yield "flat        one list, codons modulo the number of alternatives (GE)"
    if "matched" in populations:
        yield "matched     random networks of the same sizes as the evolved ones"
    if "new" in populations:
        yield "new         random genomes of the run's search space; intervals are over genomes"
    yield "ns          no difference shown: p of 0.05 or more"
    yield ""
    yield f"Random networks: grammar mge_classic.bnf, {found.settings['inputs']} inputs. The codes hold equal"
    yield "networks, with as many random codons behind those that are read. A mutation"
    yield "gives one codon that is read any other value; groups are compared by their"
    yield "index. A structured codon has no two values for one outcome, so its structural"
    yield "mutations are never silent, and weigh more among the effective ones: the line"
    yield "'through a mod' weighs them as the mod weighs those of the other codes."
    yield "Intervals: 95 % bootstrap over seeds, each one an independent population."


def _bracketed(value: Interval) -> str:
    if math.isnan(value.mean):
        return "-"
    digits = 3 if abs(value.mean) < 1.0005 and abs(value.high) < 1.0005 else 2
    return f"{value.mean:.{digits}f} [{value.low:.{digits}f},{value.high:.{digits}f}]"


def _plain(value: float, digits: int) -> str:
    return "-" if math.isnan(value) else f"{value:.{digits}f}"


def _percent(value: float) -> str:
    return f"{100 * value:.0f} %"
