"""Replay: a stored candidate lives again, alone, and is compared with what the run holds, bit for bit."""

from __future__ import annotations

from evogen.cohort import Cohort, Ref
from evogen.evaluation import evaluate
from evogen.experiment.launch import device_of, experiment_of, problem
from evogen.keys import Key
from evogen.runs import Run
from evogen.runs.records import differences


def replay(run: Run, ref: Ref, *, device: str | None = None) -> tuple[str, ...]:
    """Evaluate a candidate again, in this process, and say what differs of what a fingerprint covers.

    One that left a race early leaves it at the same rung.
    Equal bits are promised on the same kind of processor with the same library versions; a TIMEOUT depends
    on the clock, and a candidate that killed its worker would kill this process as well.

    Args:
        run: open.
        ref: of the candidate.
        device: where torch computes; the run's own by default.

    Returns:
        A sentence for each difference; none if every stored bit came again.

    Raises:
        RunError: no such candidate, or a file that the run was made from is altered.
    """
    run.refuse_altered_files()
    individual, stored = run.candidate(ref)
    posed = problem(experiment_of(run), device or device_of(run))
    race = posed.racing
    left = None if race is None else {0: int(stored.metrics.get("rung", race.rungs))}
    (again,) = evaluate(posed, Cohort(ref.cohort, (individual,)), left)
    return tuple(differences(stored, again))


def sample(run: Run, count: int) -> tuple[Ref, ...]:
    """Return the places of some candidates, drawn without replacement by the run's own seed, in order."""
    places = [row.ref for row in run.rows()]
    random = Key(experiment_of(run).seed).child("replay").generator()
    chosen = random.choice(len(places), min(count, len(places)), replace=False)
    return tuple(sorted(places[place] for place in chosen))
