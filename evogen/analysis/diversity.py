"""Diversity: how far apart the genomes of a cohort are, chromosome by chromosome.

The distance of two genomes is one number in [0, 1] for each part, 0 for equal content. Parts are compared
gene by gene, by the identities that homologous genes share:

    rules         mean of |P - P'| over the gene pairs that at least one of the two has, and of |s - s'| over
                  the conductances; a pair that only one has counts 1. P = sigmoid(O / temperature), 0 where a
                  mask forbids the pair, s = sigmoid(c): probabilities, as far out a step in O changes nothing
    architecture  mean over the innovation ids of both: share of the codons that differ, those behind the end
                  of the shorter list and a change of place included; 1 for a gene that only one has
    plasticity    mean over the names of both: difference of their places in the range of the search, which is
                  logarithmic where the gene is; 1 for a name that only one has
    expression    share of the inherited arrays, by innovation id and name, that have other content, as their
                  hashes tell; left out where no genome holds any, near 1 under Lamarckian inheritance

The diversity of a cohort is the mean over all pairs of its candidates, so 0 for a clone. Parts have scales of
their own: the course of each over a search means something, one beside another does not.
Cost is bounded: `COHORTS` evenly spread cohorts, `CANDIDATES` drawn from each.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from operator import ne
from typing import Any

import numpy as np
import numpy.typing as npt

from evogen.cohort import Ref
from evogen.errors import RunError
from evogen.genome import Array
from evogen.keys import Key
from evogen.runs import Run
from evogen.space import Distribution

_UNREADABLE = (LookupError, TypeError, ValueError, AttributeError)  # of a genome that someone altered
PARTS = ("rules", "architecture", "plasticity", "expression")
COHORTS, CANDIDATES = 100, 32

Body = Mapping[str, Any]
_Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Diversity:
    """Mean pairwise distance within cohorts.

    Attributes:
        cohorts: which ones, ascending.
        distances: part to its mean distance in each of them, NaN where it is unknown; a part that no genome
            has is left out.
        missing: sentences on what could not be read.
    """

    cohorts: tuple[int, ...]
    distances: Mapping[str, tuple[float, ...]]
    missing: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Ready:
    """A genome made ready to be compared; a part that it lacks is empty or None."""

    rules: tuple[tuple[int, ...], _Numbers, _Numbers] | None  # genes, P (g, g), conductances (2n,)
    architecture: Mapping[int, tuple[tuple[int, ...], tuple[int, ...]]]  # innovation to codons, place
    plasticity: Mapping[str, float | str]
    expression: Mapping[tuple[int, str], str]


def diversity(run: Run, ranges: Mapping[str, Distribution], *, key: Key) -> Diversity:
    """Measure a run.

    Args:
        run: open; only what is sampled is read.
        ranges: of the plasticity genes; one that is not named is compared as equal or not.
        key: draws the candidates of large cohorts.

    Raises:
        RunError: the cohorts cannot be counted.
    """
    widths = run.widths()
    missing: list[str] = []
    found = {}
    for cohort in _even(list(widths)):
        rows = _drawn(widths[cohort], key.child("diversity", cohort))
        try:
            bodies = [run.written(Ref(cohort, row)) for row in rows]
            found[cohort] = spread(bodies, _arrays(run, bodies, cohort, missing), ranges)
        except (RunError, *_UNREADABLE) as error:
            missing.append(f"the diversity of cohort {cohort} is unknown: {type(error).__name__}: {error}")
    named = [part for part in PARTS if any(part in one for one in found.values())]
    distances = {part: tuple(one.get(part, math.nan) for one in found.values()) for part in named}
    return Diversity(tuple(found), distances, tuple(missing))


def spread(
    bodies: Sequence[Body], arrays: Mapping[str, Array], ranges: Mapping[str, Distribution]
) -> dict[str, float]:
    """Return the mean distance over all pairs of genomes, by part; NaN without a pair or without its arrays.

    Args:
        bodies: JSON values of genomes, see `Genome.json`.
        arrays: those of the rules that do not stand in the JSON, by hash.
        ranges: of the plasticity genes.
    """
    ready = [_ready(body, arrays, ranges) for body in bodies]
    pairs = list(combinations(ready, 2))
    has = {
        "rules": any(body["rules"] is not None for body in bodies),
        "architecture": any(one.architecture for one in ready),
        "plasticity": any(one.plasticity for one in ready),
        "expression": any(one.expression for one in ready),
    }
    apart = {
        "rules": (_rules(a, b) for a, b in pairs),
        "architecture": (_architecture(a, b) for a, b in pairs),
        "plasticity": (_plasticity(a, b) for a, b in pairs),
        "expression": (_expression(a, b) for a, b in pairs),
    }
    return {part: _mean(list(apart[part])) for part in PARTS if has[part]}


def _rules(a: _Ready, b: _Ready) -> float:
    if a.rules is None or b.rules is None:
        return math.nan
    (genes, P, s), (others, Q, t) = a.rules, b.rules
    alone = 0  # gene pairs that only one of them has
    if genes != others:
        shared = [gene for gene in genes if gene in others]
        here, there = [genes.index(gene) for gene in shared], [others.index(gene) for gene in shared]
        alone = P.size + Q.size - 2 * len(shared) ** 2
        P, Q = P[np.ix_(here, here)], Q[np.ix_(there, there)]
    n = min(len(s), len(t))
    unlike = float(np.abs(P - Q).sum() + np.abs(s[:n] - t[:n]).sum())
    return (unlike + alone + abs(len(s) - len(t))) / (P.size + alone + max(len(s), len(t)))


def _architecture(a: _Ready, b: _Ready) -> float:
    ids = a.architecture.keys() | b.architecture.keys()
    if not ids or a.architecture == b.architecture:
        return 0.0
    return math.fsum(_gene(a.architecture.get(one), b.architecture.get(one)) for one in ids) / len(ids)


def _gene(a: tuple[tuple[int, ...], ...] | None, b: tuple[tuple[int, ...], ...] | None) -> float:
    if a is None or b is None:
        return 1.0
    if a == b:
        return 0.0
    (codons, place), (others, there) = a, b
    moved = place != there
    longest = max(len(codons), len(others))
    unlike = sum(map(ne, codons, others)) + abs(len(codons) - len(others))
    return float((unlike + moved) / (longest + moved))


def _plasticity(a: _Ready, b: _Ready) -> float:
    names = a.plasticity.keys() | b.plasticity.keys()
    if not names:
        return 0.0
    return math.fsum(_value(a.plasticity.get(name), b.plasticity.get(name)) for name in names) / len(names)


def _value(a: float | str | None, b: float | str | None) -> float:
    if isinstance(a, float) and isinstance(b, float):
        return abs(a - b)
    return 0.0 if a == b else 1.0


def _expression(a: _Ready, b: _Ready) -> float:
    names = a.expression.keys() | b.expression.keys()
    unlike = sum(a.expression.get(name) != b.expression.get(name) for name in names)
    return unlike / len(names) if names else 0.0


def _ready(body: Body, arrays: Mapping[str, Array], ranges: Mapping[str, Distribution]) -> _Ready:
    own = {gene["innovation"]: tuple(gene["codons"]) for gene in body["architecture"]}
    architecture = {}
    for gene in body["architecture"]:
        link = gene.get("link", 0)
        codons = own[gene["innovation"]] or own.get(link, ())  # a link without codons has those that it names
        architecture[gene["innovation"]] = codons, (gene.get("module", 0), gene.get("layer", 0), link)
    expression = {
        (gene["innovation"], name): stored.get("array") or json.dumps(stored["values"])
        for gene in (body["interface"], *body["architecture"])
        for name, stored in gene["expression"].items()
    }
    plasticity = {
        name: ranges[name].unit(value) if name in ranges else json.dumps(value)
        for name, value in body["plasticity"].items()
    }
    return _Ready(_probabilities(body["rules"], arrays), architecture, plasticity, expression)


def _probabilities(
    rules: Body | None, arrays: Mapping[str, Array]
) -> tuple[tuple[int, ...], _Numbers, _Numbers] | None:
    if rules is None:
        return None
    found = [_array(rules[name], arrays) for name in ("O", "c", "mask")]
    O, c, mask = found
    if O is None or c is None or (mask is None and rules["mask"] is not None):
        return None
    genes, n = tuple(rules["genes"]), len(c)
    if O.shape != (len(genes),) * 2 or c.shape != (n, 2 * n) or (mask is not None and mask.shape != O.shape):
        raise ValueError(f"rules of {len(genes)} genes with O of shape {O.shape} and c of shape {c.shape}")
    P = _sigmoid(O / rules["temperature"])
    own = np.arange(n)[:, None], 2 * np.arange(n)[:, None] + np.arange(2)  # receptors of each transmitter
    return genes, P if mask is None else P * (mask != 0), _sigmoid(c)[own].ravel()


def _array(stored: Body | None, arrays: Mapping[str, Array]) -> _Numbers | None:
    if stored is None:
        return None
    if "values" in stored:
        return np.reshape(np.array(stored["values"], dtype=np.float64), stored["shape"])
    found = arrays.get(stored["array"])
    return None if found is None else found.astype(np.float64)


def _sigmoid(values: _Numbers) -> _Numbers:
    return 0.5 + 0.5 * np.tanh(0.5 * values)


def _arrays(run: Run, bodies: Sequence[Body], cohort: int, missing: list[str]) -> Mapping[str, Array]:
    wanted = {name for body in bodies for name in _named(body["rules"])}
    try:
        return run.arrays(wanted) if wanted else {}
    except RunError as error:
        missing.append(f"the diversity of the rules of cohort {cohort} is unknown: {error}")
        return {}


def _named(rules: Body | None) -> Iterator[str]:
    for name in ("O", "c", "mask"):
        if rules is not None and rules[name] is not None and "array" in rules[name]:
            yield rules[name]["array"]


def _even(cohorts: Sequence[int]) -> list[int]:
    places = np.linspace(0, len(cohorts) - 1, min(COHORTS, len(cohorts)))
    return [cohorts[at] for at in np.unique(places.astype(int))]


def _drawn(width: int, key: Key) -> list[int]:
    if width <= CANDIDATES:
        return list(range(width))
    return sorted(key.generator().choice(width, CANDIDATES, replace=False).tolist())


def _mean(values: Sequence[float]) -> float:
    known = [value for value in values if math.isfinite(value)]
    return math.fsum(known) / len(known) if known else math.nan
