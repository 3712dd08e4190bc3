"""The rows of run.db read back: each value is checked, for a stored run may be damaged or not ours."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from evogen.cohort import Evaluation, Individual, Outcome, Ref
from evogen.errors import GenomeError, RunError
from evogen.genome import Array, load
from evogen.runs.records import FITNESS, Ended, Kin, Logged, Row, Timing
from evogen.strategies import Told
from evogen.strategies.goals import Goals, measured_in


def row(values: Sequence[Any]) -> Row:
    """Return the row of a SELECT or SELECT_WHOLE.

    Raises:
        RunError: a stored value is not what a writer stores.
    """
    cohort, place, genome, parents, operator, outcome, fitness, *rest = values[:13]
    scores, metrics, curve, steps, message, tuned = rest
    with sound(f"candidate {cohort}:{place}"):
        return Row(
            Ref(cohort, place),
            _text(genome),
            _places(parents),
            _text(operator),
            *_end(outcome, fitness),
            _numbers(json.loads(scores)),
            _measured(metrics),
            _numbers(json.loads(curve)),
            _count(steps),
            _text(message),
            _ids(tuned),
        )


def kin(values: Sequence[Any], goals: Goals) -> Kin:
    """Return the relative of a SELECT_KIN.

    Raises:
        RunError: a stored value is not what a writer stores.
    """
    cohort, place, genome, parents, operator, outcome, fitness, steps, metrics, committed = values
    ref = Ref(cohort, place)
    with sound(f"candidate {cohort}:{place}"):
        ended, scored = _end(outcome, fitness)
        if goals == FITNESS:
            result = Told(ref, scored)
        else:
            result = goals.told(ref, measured_in(scored, _measured(metrics), _count(steps)))
        return Kin(ref, _text(genome), _places(parents), _text(operator), ended, scored, result, committed)


def told(values: Sequence[Any], goals: Goals) -> Ended:
    """Return the end of the candidate of a SELECT_TOLD.

    Raises:
        RunError: a stored value is not what a writer stores.
    """
    cohort, place, outcome, fitness, steps, metrics = values
    with sound(f"candidate {cohort}:{place}"):
        ended, scored = _end(outcome, fitness)
        measures, taken = _measured(metrics), _count(steps)
        result = goals.told(Ref(cohort, place), measured_in(scored, measures, taken))
        return Ended(result, ended, taken, measures)


def timing(values: Sequence[Any]) -> Timing:
    """Return the times of a cohort from its number, seconds, worker and time.

    Raises:
        RunError: a stored value is not what a writer stores.
    """
    number, seconds, worker, committed = values
    with sound(f"cohort {number}"):
        took, when = _numbers([seconds, committed])
        return Timing(_count(number), took, _text(worker), when)


def logged(values: Sequence[Any]) -> Logged:
    """Return the event of its number, time, kind and payload.

    Raises:
        RunError: a stored value is not what a writer stores.
    """
    number, moment, kind, payload = values
    with sound(f"event {number}"):
        return Logged(float(moment), _text(kind), dict(json.loads(payload)))


def goals(text: str) -> Goals:
    """Return what a search is for.

    Raises:
        RunError: it is not what a writer stores.
    """
    with sound("what the search is for"):
        found = Goals(**json.loads(text))
        directions = set(found.objectives.values())
        bounds = [bound for each in found.constraints.values() for bound in each.items()]
        if not directions or not directions <= {"maximise", "minimise"}:
            raise ValueError(f"wanted objectives, found {found.objectives!r:.40}")
        if not all(kind in ("at_most", "at_least") and type(limit) in (int, float) for kind, limit in bounds):
            raise ValueError(f"wanted bounds, found {found.constraints!r:.40}")
        return found


def genome(values: Sequence[Any]) -> dict[str, Any]:
    """Return the JSON value of the genome in the row of a SELECT_WHOLE.

    Raises:
        RunError: it is no JSON object.
    """
    with sound(f"the genome of candidate {values[0]}:{values[1]}"):
        found = json.loads(values[13])
        if type(found) is not dict:
            raise TypeError(f"wanted an object, found {found!r:.40}")
        if type(found["plasticity"]) is not dict or type(found["architecture"]) is not list:
            raise TypeError("wanted plasticity by name and a list of modules")
        return found


def array_ids(values: Sequence[Any]) -> set[str]:
    """Return the ids of all arrays that the row of a SELECT_WHOLE refers to.

    Raises:
        RunError: a stored value is not what a writer stores.
    """
    found: set[str] = set()

    def note(item: dict[str, Any]) -> dict[str, Any]:
        if item.keys() == {"array", "shape"}:
            found.add(_text(item["array"]))
        return item

    with sound(f"candidate {values[0]}:{values[1]}"):
        json.loads(values[13], object_hook=note)
        tuned = _ids(values[12])
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


@contextmanager
def sound(what: str) -> Iterator[None]:
    """Turn what reading a stored value raises into a RunError that names it."""
    try:
        yield
    except (TypeError, ValueError, LookupError, AttributeError, OverflowError, RecursionError) as error:
        raise RunError(f"{what} of run.db is damaged ({error}); restore the folder from a copy") from error


def _text(value: Any) -> str:
    if type(value) is not str:
        raise TypeError(f"wanted a text, found {type(value).__name__}")
    return value


def _count(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError(f"wanted a count, found {value!r:.40}")
    return value


def _end(outcome: Any, fitness: Any) -> tuple[Outcome, float | None]:
    ended = Outcome(outcome)
    if (ended is Outcome.OK) != (type(fitness) is float and math.isfinite(fitness)):
        raise ValueError(f"outcome {ended} with fitness {fitness!r:.40}")
    return ended, fitness


def _places(text: Any) -> tuple[Ref, ...]:
    return tuple(Ref(_count(cohort), _count(row)) for cohort, row in json.loads(text))


def _numbers(values: Any) -> tuple[float, ...]:
    if type(values) is not list or not set(map(type, values)) <= {float, int}:
        raise TypeError(f"wanted numbers, found {values!r:.40}")
    return tuple(map(float, values))


def _measured(text: Any) -> dict[str, float]:
    found = json.loads(text)
    if type(found) is not dict:
        raise TypeError(f"wanted measures by name, found {found!r:.40}")
    return dict(zip(found, _numbers(list(found.values())), strict=True))


def _ids(text: Any) -> dict[str, Any]:
    """Return the ids of tuned arrays."""
    found = json.loads(text)
    if found.keys() != {"genes", "rules"}:
        raise ValueError("wanted the arrays of genes and rules")
    for gene, named in [*found["genes"].items(), ("0", found["rules"])]:
        if not all(type(identity) is str for identity in named.values()):
            raise TypeError(f"gene {int(gene)} has no array's id")
    return found  # type: ignore[no-any-return]


def _named(arrays: Mapping[str, Array], ids: Mapping[str, str]) -> dict[str, Array]:
    return {name: arrays[identity] for name, identity in ids.items()}
