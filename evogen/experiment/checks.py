"""What the report says beside the search: the winner on what the search never saw, and ordinary models."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from evogen.cohort import Ref
from evogen.evaluation import assess
from evogen.experiment.launch import device_of, problem
from evogen.experiment.spec import Experiment
from evogen.grammar.architecture import plan_of
from evogen.grammar.plan import Plan
from evogen.keys import Key
from evogen.measures import weights
from evogen.runs import Run
from evogen.tasks import ClassificationTask, TaskKind
from evogen.tasks.baselines import Baseline, baselines


@dataclass(frozen=True)
class Check:
    """Scores of freshly born agents of one candidate on episodes or examples that the search never used."""

    ref: Ref
    scores: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Mean over the agents."""
        return statistics.fmean(self.scores)

    @property
    def spread(self) -> float:
        """Standard deviation over the agents; NaN where one of them has no finite score."""
        known = [score for score in self.scores if math.isfinite(score)]
        return statistics.stdev(self.scores) if len(known) == len(self.scores) else math.nan


def check(run: Run, experiment: Experiment, *, agents: int = 10, device: str | None = None) -> Check:
    """Score the best candidate of a run as its life tuned it, and log this as `assessment`.

    What was logged for this candidate before is returned as it is.

    Args:
        run: open for writing.
        experiment: the run's.
        agents: born for it, at least two.
        device: where torch computes; the run's own by default.

    Raises:
        RunError: no candidate has a fitness.
    """
    ref = run.resolve("best")
    for event in run.events():
        known = event.payload if event.kind == "assessment" else {}
        if known.get("ref") == str(ref) and len(known["scores"]) == agents:
            return Check(ref, tuple(known["scores"]))
    scores = assess(problem(experiment, device or device_of(run)), run.tuned_genome(ref), agents=agents)
    title, fitness = experiment.task.reported, run.candidate(ref)[1].fitness
    run.log("assessment", ref=str(ref), title=title, scores=scores, search_fitness=fitness, episodes=None)
    return Check(ref, scores)


def compare(run: Run, experiment: Experiment) -> Mapping[str, Baseline]:
    """Fit ordinary models, one of the best candidate's size, and log them as `baselines`, once.

    Nothing is fitted unless the task is one of classification.

    Raises:
        RunError: no candidate has a fitness.
    """
    task = experiment.task
    if task.kind is not TaskKind.CLASSIFICATION:
        return {}
    ref = run.resolve("best")
    for event in run.events():
        if event.kind == "baselines" and event.payload.get("ref") == str(ref):
            rows = (dict(row) for row in event.payload["rows"])
            return {row.pop("name"): Baseline(**row) for row in rows}
    genome = run.born_genome(ref)
    derived = plan_of(experiment.space.architecture, genome, task.inputs, task.outputs)
    hidden = max(1, round((parameters(derived) - task.outputs) / (task.inputs + task.outputs + 1)))
    seed = Key(experiment.seed).child("report", "baselines").integer() % 2**32
    found = baselines(cast("ClassificationTask", task), hidden, seed=seed)
    run.log("baselines", ref=str(ref), rows=[{"name": name, **row._asdict()} for name, row in found.items()])
    return found


def parameters(derived: Plan) -> int:
    """Return the expected number of weights of a plan, and of biases beyond the input."""
    return round(weights(derived))
