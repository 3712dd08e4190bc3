"""What the study measured, as rows with intervals, paired differences and a record."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from evogen.analysis.plain import plain
from evogen.analysis.statistics import Interval, holm, interval, sign_flip
from evogen.keys import Key
from evogen.studies.locality.measure import Mutation, Shares, shares, through_mod


@dataclass(frozen=True)
class Sample:
    """The mutations of one code in one kind of population.

    Attributes:
        population: `random`, `evolved`, or `matched`: random networks of the evolved ones' sizes.
        code: its name.
        size: neuron groups of every network; 0 where they differ.
        seeds: the mutations of each independent population, or of each genome of a single one.
    """

    population: str
    code: str
    size: int
    seeds: Sequence[list[Mutation]]


@dataclass(frozen=True)
class Row:
    """What one sample amounts to; intervals are over its seeds.

    Attributes:
        population, code, size: see Sample.
        groups: of a network, on average.
        mutations: all of them.
        several: those that changed more than one neuron group.
        modulo: share local if all codons were drawn through a mod, see `through_mod`.
        local, changed, silent: see `evogen.studies.locality.measure.Shares`.
    """

    population: str
    code: str
    size: int
    groups: float
    mutations: int
    several: int
    modulo: float
    local: Interval
    changed: Interval
    silent: Interval


@dataclass(frozen=True)
class Kind:
    """The mutations of one class of codon, all seeds together."""

    population: str
    code: str
    kind: str
    mutations: int
    local: float
    changed: float
    silent: float


@dataclass(frozen=True)
class Contrast:
    """The difference of two samples in one measure, in pairs of seeds; p after Holm over the measure's."""

    measure: str
    first: str
    second: str
    size: int
    difference: Interval
    p: float


@dataclass(frozen=True)
class Selection:
    """How a code's selection went, on average over seeds.

    Attributes:
        code: its name.
        first, last: best fitness of the first and of the last generation; None of a run that was given.
        groups: neuron groups of a network at the end.
        unread: share of its codons that are never read.
        genomes: different ones among those of the end.
        population: genomes of the end.
    """

    code: str
    first: float | None
    last: float | None
    groups: float
    unread: float
    genomes: float
    population: int


@dataclass(frozen=True)
class Sizes:
    """Random networks of one law: how many were valid, and the quantiles of their sizes.

    Attributes:
        law: initialiser, or what was drawn at random.
        genomes, valid: drawn, and developed to a plan.
        groups: least, median and most neuron groups.
        codons: least, median and most codons that are read.
    """

    law: str
    genomes: int
    valid: int
    groups: tuple[float, float, float]
    codons: tuple[float, float, float]


@dataclass(frozen=True)
class Found:
    """All of a study."""

    rows: Sequence[Row]
    kinds: Sequence[Kind]
    contrasts: Sequence[Contrast]
    selections: Sequence[Selection]
    sizes: Sequence[Sizes]
    settings: Mapping[str, Any] = field(default_factory=dict)


def row(sample: Sample, key: Key) -> Row:
    """Return what a sample amounts to."""
    every = [each for seed in sample.seeds for each in seed]
    found = [shares(seed) for seed in sample.seeds]

    def over(measure: str) -> Interval:
        values = np.array([getattr(each, measure) for each in found])
        return interval(values, key.child(sample.population, sample.code, sample.size, measure))

    return Row(
        sample.population,
        sample.code,
        sample.size,
        float(np.mean([each.groups for each in every])) if every else math.nan,
        len(every),
        sum(each.changed > 1 for each in every),
        through_mod(every),
        *(over(measure) for measure in Shares._fields),
    )


def kinds(sample: Sample) -> Iterator[Kind]:
    """Yield a row for each class of codon of a sample, in the order of their number."""
    by: dict[str, list[Mutation]] = {}
    for seed in sample.seeds:
        for each in seed:
            by.setdefault(each.kind, []).append(each)
    for kind, found in sorted(by.items(), key=lambda item: (-len(item[1]), item[0])):
        yield Kind(sample.population, sample.code, kind, len(found), *shares(found))


def contrasts(pairs: Sequence[tuple[Sample, Sample]], key: Key) -> list[Contrast]:
    """Return the differences, first minus second, of pairs of samples with equal seeds."""
    found: list[Contrast] = []
    for measure in ("local", "changed"):
        raw = [_contrast(measure, one, other, key) for one, other in pairs]
        adjusted = holm([each.p for each in raw])
        found += [replace(each, p=p) for each, p in zip(raw, adjusted, strict=True)]
    return found


def _contrast(measure: str, one: Sample, other: Sample, key: Key) -> Contrast:
    pairs = zip(one.seeds, other.seeds, strict=True)
    values = np.array([getattr(shares(a), measure) - getattr(shares(b), measure) for a, b in pairs])
    names = [one.code, other.code]
    if one.population != other.population:
        names = [f"{one.code}: {one.population}", other.population]
    own = key.child(measure, *names, one.size)
    p = sign_flip(values, own.child("test")) if np.any(values) else 1.0
    return Contrast(measure, names[0], names[1], one.size, interval(values, own.child("interval")), p)


def record(title: str, found: Found, versions: Mapping[str, str], command: str) -> dict[str, Any]:
    """Return all of a study as a JSON value."""
    whole = {
        "study": title,
        "command": command,
        "versions": dict(versions),
        "settings": dict(found.settings),
        "rows": [_named(each) for each in found.rows],
        "contrasts": [_named(each) for each in found.contrasts],
        "kinds": [_named(each) for each in found.kinds],
        "selections": [_named(each) for each in found.selections],
        "sizes": [_named(each) for each in found.sizes],
        "sweep": [],
    }
    value: dict[str, Any] = plain(whole)
    return value


def _named(item: Any) -> dict[str, Any]:
    return {
        name: value._asdict() if isinstance(value, Interval) else value for name, value in vars(item).items()
    }
