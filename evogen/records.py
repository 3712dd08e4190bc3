"""What a run stores, as rows of run.db and back.

Numbers keep their bits: fitness is a REAL (in which SQLite makes -0.0 a 0.0), lists are JSON with shortest
round-trip floats (NaN allowed, as a diverged candidate's scores may hold it). Tuned arrays stand in the row
as the SHA-256 of their content.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from evogen.cohort import Evaluation, Individual, Outcome, Ref
from evogen.errors import GenomeError, RunError
from evogen.genome import Array, Gene, Genome, array_id, frozen, load
from evogen.strategies import State

_LIGHT = (
    "cohort, row, genome, parents, operator, outcome, fitness, scores, metrics, curve, steps, message, tuned"
)
_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"))
INSERT = f"INSERT INTO candidate ({_LIGHT}, body) VALUES ({', '.join('?' * 14)})"  # noqa: S608
SELECT = f"SELECT {_LIGHT} FROM candidate"  # noqa: S608
SELECT_WHOLE = f"SELECT {_LIGHT}, body FROM candidate"  # noqa: S608


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


def row(values: Sequence[Any]) -> Row:
    """Return the row of a SELECT or SELECT_WHOLE.

    Raises:
        RunError: a stored value is not what a writer stores.
    """
    cohort, place, genome, parents, operator, outcome, fitness, *rest = values[:13]
    scores, metrics, curve, steps, message, tuned = rest
    try:
        return Row(
            Ref(cohort, place),
            genome,
            tuple(Ref(*parent) for parent in json.loads(parents)),
            operator,
            Outcome(outcome),
            fitness,
            tuple(json.loads(scores)),
            json.loads(metrics),
            tuple(json.loads(curve)),
            steps,
            message,
            json.loads(tuned),
        )
    except (TypeError, ValueError) as error:
        what = f"candidate {cohort}:{place} of run.db is damaged ({error})"
        raise RunError(f"{what}; restore the folder from a copy") from error


def genome(values: Sequence[Any]) -> dict[str, Any]:
    """Return the JSON value of the genome in the row of a SELECT_WHOLE.

    Raises:
        RunError: it is no JSON object.
    """
    try:
        return dict(json.loads(values[13]))
    except (TypeError, ValueError) as error:
        what = f"the genome of candidate {values[0]}:{values[1]} was altered: {error}"
        raise RunError(f"{what}; restore the folder from a copy") from error


def array_ids(values: Sequence[Any]) -> set[str]:
    """Return the ids of all arrays that the row of a SELECT_WHOLE refers to."""
    found: set[str] = set()

    def note(item: dict[str, Any]) -> dict[str, Any]:
        if item.keys() == {"array", "shape"}:
            found.add(item["array"])
        return item

    json.loads(values[13], object_hook=note)
    tuned = json.loads(values[12])
    return found.union(tuned["rules"].values(), *(named.values() for named in tuned["genes"].values()))


def decode(values: Sequence[Any], arrays: Mapping[str, Array]) -> tuple[Individual, Evaluation]:
    """Return the candidate of the row of a SELECT_WHOLE.

    Raises:
        RunError: the genome in the row is not readable, or not the one that its id names.
    """
    found = row(values)
    try:
        genome = load(values[13], arrays)
    except GenomeError as error:
        raise RunError(f"the genome of candidate {found.ref} was altered: {error}") from error
    if genome.id != found.genome:
        raise RunError(f"the genome of candidate {found.ref} was altered: it does not match its id")
    evaluation = Evaluation(
        found.outcome,
        found.fitness,
        found.scores,
        found.metrics,
        found.curve,
        found.steps,
        {int(key): _named(arrays, ids) for key, ids in found.tuned["genes"].items()},
        _named(arrays, found.tuned["rules"]),
        found.message,
    )
    return Individual(genome, found.parents, found.operator), evaluation


def fingerprint(found: Row) -> str:
    """Return one line over what two equal runs agree in, to the last bit."""
    fitness = None if found.fitness is None else found.fitness.hex()
    scores = [score.hex() for score in found.scores]
    return _dump([found.ref, found.genome, found.outcome, fitness, scores, found.steps, found.tuned]) + "\n"


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


def _named(arrays: Mapping[str, Array], ids: Mapping[str, str]) -> dict[str, Array]:
    return {name: arrays[identity] for name, identity in ids.items()}


def _dump(value: Any) -> str:
    return _ENCODER.encode(value)
