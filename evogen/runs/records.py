"""What a run stores, as rows of run.db and back.

Numbers keep their bits: fitness is a REAL (in which SQLite makes -0.0 a 0.0), lists are JSON with shortest
round-trip floats (NaN allowed, as a diverged candidate's scores may hold it). Tuned arrays stand in the row
as the SHA-256 of their content.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from evogen.cohort import Cohort, Evaluation, Individual, Outcome, Ref
from evogen.genome import Array, Gene, Genome, array_id, frozen
from evogen.strategies import State, Told
from evogen.strategies.goals import Goals, measured_in

_LIGHT = (
    "cohort, row, genome, parents, operator, outcome, fitness, scores, metrics, curve, steps, message, tuned"
)
_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"))
COLUMNS = f"{_LIGHT}, body"
INSERT = f"INSERT INTO candidate ({COLUMNS}) VALUES ({', '.join('?' * 14)})"  # noqa: S608
SELECT = f"SELECT {_LIGHT} FROM candidate"  # noqa: S608
SELECT_WHOLE = f"SELECT {_LIGHT}, body FROM candidate"  # noqa: S608
SELECT_TOLD = "SELECT cohort, row, outcome, fitness, steps, metrics FROM candidate"
_KIN = "cohort, row, genome, parents, operator, outcome, fitness, steps, metrics, committed"
SELECT_KIN = f"""
SELECT {_KIN} FROM json_each(?) AS wanted JOIN candidate
    ON candidate.cohort = json_extract(wanted.value, '$[0]')
    AND candidate.row = json_extract(wanted.value, '$[1]')
LEFT JOIN cohort ON cohort.number = candidate.cohort
"""  # noqa: S608
SELECT_RELATIVES = f"SELECT {_KIN} FROM candidate LEFT JOIN cohort ON number = cohort"  # noqa: S608


FITNESS = Goals()


class Row(NamedTuple):
    """One candidate without its arrays.

    Attributes:
        ref: its place.
        genome: its genome's id.
        parents, operator: see Individual.
        outcome, fitness, scores, metrics, curve, steps, message: see Evaluation.
        tuned: `genes`: innovation id (as text) to name to array id; `rules`: name to array id.
    """

    ref: Ref
    genome: str
    parents: tuple[Ref, ...]
    operator: str
    outcome: Outcome
    fitness: float | None
    scores: tuple[float, ...]
    metrics: Mapping[str, float]
    curve: tuple[float, ...]
    steps: int
    message: str
    tuned: Mapping[str, Any]


class Kin(NamedTuple):
    """One candidate as a relative of others.

    Attributes:
        ref, genome, parents, operator, outcome, fitness: see Row.
        told: what its strategy was told of it; without metrics where only the fitness counts.
        committed: Unix time at which its cohort was; None where that is lost.
    """

    ref: Ref
    genome: str
    parents: tuple[Ref, ...]
    operator: str
    outcome: Outcome
    fitness: float | None
    told: Told
    committed: float | None


class Ended(NamedTuple):
    """How one candidate ended: what its strategy was told of it, its outcome, steps and metrics."""

    told: Told
    outcome: Outcome
    steps: int
    metrics: Mapping[str, float]


class Snapshot(NamedTuple):
    """A strategy's state after `told` cohorts; a JSON value."""

    told: int
    state: State


class Timing(NamedTuple):
    """Where a cohort was evaluated, the seconds of work, and the Unix time of its commit."""

    cohort: int
    seconds: float
    worker: str
    committed: float


class Logged(NamedTuple):
    """Something that happened to the run (started, resumed, worker lost), at a Unix time."""

    time: float
    kind: str
    payload: Mapping[str, Any]


class Encoded(NamedTuple):
    """A candidate as the values of INSERT, and the arrays that they refer to."""

    values: tuple[Any, ...]
    arrays: Mapping[str, Array]


def encode(ref: Ref, individual: Individual, evaluation: Evaluation) -> Encoded:
    """Return the stored form of a candidate.

    Raises:
        ValueError: a fitness that is not finite; such a candidate has to end DIVERGED.
    """
    genome = individual.genome
    fitness = None if evaluation.fitness is None else float(evaluation.fitness)
    if fitness is not None and not math.isfinite(fitness):
        raise ValueError(f"candidate {ref} ended {evaluation.outcome} with fitness {fitness}")
    arrays = dict(genome.arrays)

    def put(named: Mapping[str, Array]) -> dict[str, str]:
        ids = {name: array_id(array) for name, array in named.items()}
        arrays.update({ids[name]: array for name, array in named.items()})
        return ids

    genes = {str(innovation): put(named) for innovation, named in evaluation.tuned.items()}
    tuned = {"genes": genes, "rules": put(evaluation.tuned_rules)}
    values = (
        *ref,
        genome.id,
        _dump(individual.parents),
        individual.operator,
        evaluation.outcome.value,
        fitness,
        _dump([float(score) for score in evaluation.scores]),
        _dump({name: float(value) for name, value in evaluation.metrics.items()}),
        _dump([float(value) for value in evaluation.curve]),
        int(evaluation.steps),
        evaluation.message,
        _dump(tuned),
        genome.json,
    )
    return Encoded(values, arrays)


def ended(cohort: Cohort, evaluations: Sequence[Evaluation], goals: Goals) -> Iterator[Ended]:
    """Iterate over the ends of a cohort's candidates in row order."""
    for row, found in enumerate(evaluations):
        told = goals.told(Ref(cohort.index, row), measured_in(found.fitness, found.metrics, found.steps))
        yield Ended(told, found.outcome, found.steps, found.metrics)


def fingerprint(found: Row) -> str:
    """Return one line over what two equal runs agree in, to the last bit."""
    fitness = None if found.fitness is None else found.fitness.hex()
    scores = [score.hex() for score in found.scores]
    return _dump([found.ref, found.genome, found.outcome, fitness, scores, found.steps, found.tuned]) + "\n"


def digest(rows: Iterable[Row]) -> str:
    """Return the SHA-256 over all candidates of a run, in order."""
    found = hashlib.sha256()
    for one in rows:
        found.update(fingerprint(one).encode())
    return found.hexdigest()


def differences(stored: Evaluation, found: Evaluation) -> Iterator[str]:
    """Say what differs between two evaluations of one candidate, of what `fingerprint` covers."""
    fitness = [
        None if one.fitness is None else one.fitness + 0.0 for one in (stored, found)
    ]  # -0.0 is stored as 0.0
    for name, was, now in (
        ("outcome", stored.outcome, found.outcome),
        ("fitness", *fitness),
        ("scores", list(stored.scores), list(found.scores)),
        ("steps", stored.steps, found.steps),
    ):
        if _dump(was) != _dump(now):
            yield f"{name}: {was} stored, {now} now"
    pairs = [
        (f"gene {gene} ", stored.tuned.get(gene, {}), found.tuned.get(gene, {}))
        for gene in sorted({*stored.tuned, *found.tuned})
    ]
    for place, was_tuned, now_tuned in [*pairs, ("rules ", stored.tuned_rules, found.tuned_rules)]:
        for name in sorted({*was_tuned, *now_tuned}):
            if (what := _unlike(was_tuned.get(name), now_tuned.get(name))) is not None:
                yield f"tuned {place}{name}: {what}"


def _unlike(was: Array | None, now: Array | None) -> str | None:
    if was is None or now is None:
        return "not stored" if was is None else "not there now"
    if was.shape != now.shape:
        return f"shape {was.shape} stored, {now.shape} now"
    if array_id(was) == array_id(now):
        return None
    apart = np.abs(was.astype(np.float64) - now)
    return f"{int(np.sum(was != now))} of {was.size} numbers differ, by {np.max(apart):.2g} at most"


def write_back(genome: Genome, evaluation: Evaluation) -> Genome:
    """Return the genome with what its life tuned in the place of what it was born with, if it ended OK.

    That is what children inherit: a link goes on having the expression of the gene that it names, and what it
    learnt itself is lost.
    """
    lived = tuned(genome, evaluation)
    if not any(gene.link for gene in genome.architecture):
        return lived
    pairs = zip(lived.architecture, genome.architecture, strict=True)
    return replace(lived, architecture=tuple(born if born.link else gene for gene, born in pairs))


def tuned(genome: Genome, evaluation: Evaluation) -> Genome:
    """Return the genome of a network at the end of its life, if it ended OK: links with what they learnt."""
    if evaluation.outcome is not Outcome.OK:
        return genome

    def grown(gene: Gene) -> Gene:
        named = evaluation.tuned.get(gene.innovation)
        if named is None:
            return gene
        return replace(gene, expression={name: frozen(array) for name, array in named.items()})

    rules, found = genome.rules, evaluation.tuned_rules
    if rules is not None:
        rules = replace(rules, O=frozen(found.get("O", rules.O)), c=frozen(found.get("c", rules.c)))
    architecture = tuple(grown(gene) for gene in genome.architecture)
    return replace(genome, rules=rules, interface=grown(genome.interface), architecture=architecture)


def _dump(value: Any) -> str:
    return _ENCODER.encode(value)
