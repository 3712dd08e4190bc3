"""What the command line says of a candidate, of a run, and of the parts that an experiment can name."""

from __future__ import annotations

import dataclasses
import inspect
import json
import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from rich.table import Table
from rich.text import Text

from evogen.cohort import Outcome, Ref
from evogen.errors import DevelopmentError
from evogen.experiment import Check, Experiment
from evogen.genome import Genome
from evogen.grammar.modules import plan
from evogen.progress import number
from evogen.records import Row
from evogen.registry import known, plural
from evogen.runs import Run
from evogen.tasks.baselines import Baseline


def candidate(run: Run, ref: Ref, experiment: Experiment) -> dict[str, Any]:
    """Return everything about one candidate as a JSON value; the hash of a large array stands for it."""
    individual, evaluation = run.candidate(ref)
    return {
        "run": str(run.path),
        "candidate": str(ref),
        "id": individual.genome.id,
        "operator": individual.operator,
        "parents": [str(parent) for parent in individual.parents],
        "outcome": evaluation.outcome.value,
        "fitness": evaluation.fitness,
        "scores": list(evaluation.scores),
        "metrics": dict(evaluation.metrics),
        "curve": list(evaluation.curve),
        "steps": evaluation.steps,
        "message": evaluation.message,
        "plan": _plan(individual.genome, experiment),
        "genome": json.loads(individual.genome.json),
    }


def candidate_lines(found: dict[str, Any]) -> Iterator[str]:
    """Say in lines what `candidate` returned."""
    genome, rules = found["genome"], found["genome"]["rules"]
    yield f"candidate   {found['candidate']} of {found['run']}, genome {found['id'][:12]}"
    yield f"outcome     {found['outcome']}: {Outcome(found['outcome']).sentence}"
    yield f"fitness     {scored(found['fitness'], found['scores'])}"
    yield from (f"            {name} {number(value)}" for name, value in found["metrics"].items())
    yield f"inner loop  {found['steps']} steps"
    yield f"origin      {' of '.join([found['operator'], *filter(None, [' and '.join(found['parents'])])])}"
    if rules is not None:
        g, n = len(rules["genes"]), rules["c"]["shape"][0]
        yield f"rules       {g} genes, {n} transmitters, temperature {number(rules['temperature'])}"
    for gene in genome["architecture"]:
        yield f"module      {gene['innovation']}: {_module(found['plan'], gene['innovation'])}"
    yield from (f"plasticity  {name} = {number(value)}" for name, value in genome["plasticity"].items())
    if found["message"]:
        yield found["message"].rstrip()


def scored(fitness: float | None, scores: Sequence[float]) -> str:
    """Return `mean ± standard deviation` over the born agents."""
    if fitness is None:
        return "none"
    spread = statistics.stdev(scores) if len(scores) > 1 else 0.0
    return f"{number(fitness)} ± {spread:.2g} (sd over {len(scores)} born agents)"


def run_lines(run: Run) -> Iterator[str]:
    """Say how far a run is and how it goes."""
    planned = [event.payload["cohorts"] for event in run.events() if "cohorts" in event.payload]
    outcomes, timings = run.outcomes(), run.timings()
    ago = f", the last one {_ago(timings[-1].committed)}" if timings else ""
    yield f"run       {run.path}"
    yield f"cohorts   {run.told}/{planned[-1] if planned else '?'} committed{ago}"
    if (best := run.best()) is not None:
        evaluation = run.candidate(best)[1]
        yield f"best      {scored(evaluation.fitness, evaluation.scores)}, candidate {best}"
    yield f"outcomes  {'  '.join(f'{outcome} {count}' for outcome, count in outcomes.items())}"
    if not planned or run.told < planned[-1]:
        yield f"unfinished: unless a process is at work on it, go on with 'evogen resume {run.path}'"


def leaders(run: Run, count: int) -> Table:
    """Return a table of the best candidates, best first, the first told of equals first."""
    found = [row for row in run.rows() if row.fitness is not None]
    found.sort(key=lambda row: -(row.fitness or 0.0))  # stable: places break ties
    table = Table(title="best candidates")
    for heading in ("candidate", "fitness", "sd", "steps", "operator", "parents", "genome"):
        table.add_column(heading, overflow="fold")
    for row in found[:count]:
        table.add_row(*(Text(cell) for cell in _cells(row)))
    return table


def check_lines(checked: Check, beside: Mapping[str, Baseline], experiment: Experiment) -> Iterator[str]:
    """Say how ordinary models did, then how the winner did, each on what the search never used."""
    for name, row in beside.items():
        yield f"beside it {name}: {number(row.test)} with {row.parameters} weights and biases"
    yield f"winner {checked.ref} on {experiment.task.reported}:"
    spread = f"sd over {len(checked.scores)} born agents"
    yield f"mean {number(checked.mean)} ± {number(float(f'{checked.spread:.2g}'))} ({spread})"


def part_lines(kind: str) -> Iterator[str]:
    """List the registered parts of a kind with their settings."""
    yield f"{plural(kind)}:"
    for name, cls in known(kind).items():
        yield f"  {name}: {(inspect.getdoc(cls) or '').splitlines()[0]}"
        for field in dataclasses.fields(cls):
            yield f"    {_field(field)}"


def _plan(genome: Genome, experiment: Experiment) -> dict[str, Any] | None:
    space, task = experiment.space.architecture, experiment.task
    try:
        found = plan(genome, space.grammar, start=space.start, inputs=task.inputs, outputs=task.outputs)
    except DevelopmentError:
        return None
    groups = [vars(group) | {"settings": dict(group.settings)} for group in found.groups]
    links = [vars(link) | {"coefficients": dict(link.coefficients)} for link in found.projections]
    return {"groups": groups, "projections": links}


def _module(found: dict[str, Any] | None, innovation: int) -> str:
    if found is None:
        return "no module"
    groups = found["groups"]
    layers = [group for group in groups if group["gene"] == innovation]
    links = [link for link in found["projections"] if link["gene"] == innovation]
    return " ".join(
        ["in", *(f"{_link(link)} {_level(groups[link['post']])}" for link in links)] if layers else ["empty"]
    )


def _level(group: dict[str, Any]) -> str:
    if group["name"] == "out":
        return "out"
    settings = "".join(f" {name}={number(value)}" for name, value in group["settings"].items())
    return f"{group['size']} {group['activation']} {group['neuron']}{settings}"


def _link(link: dict[str, Any]) -> str:
    words = [] if link["density"] == 1.0 else [f"density {number(link['density'])}"]
    words += [] if link["rule"] == "none" else [link["rule"]]
    return f"-({', '.join(words)})->" if words else "->"


def _cells(row: Row) -> tuple[str, ...]:
    spread = statistics.stdev(row.scores) if len(row.scores) > 1 else 0.0
    parents = " ".join(str(parent) for parent in row.parents)
    return (
        str(row.ref),
        number(row.fitness),
        f"{spread:.2g}",
        str(row.steps),
        row.operator,
        parents,
        row.genome[:8],
    )


def _field(field: dataclasses.Field[Any]) -> str:
    low, high = field.metadata.get("low"), field.metadata.get("high")
    default = "" if field.default is dataclasses.MISSING else f" = {json.dumps(field.default, default=str)}"
    bounds = "" if low is high is None else f" in [{_end(low, '-inf')}, {_end(high, 'inf')}]"
    gene = " (evolvable)" if field.metadata.get("evolvable") else ""
    return f"{field.name}{default}{bounds}{gene}: {field.metadata.get('doc', '')}"


def _end(bound: float | None, none: str) -> str:
    return none if bound is None else f"{bound:g}"


def _ago(moment: float) -> str:
    return f"{timedelta(seconds=round(time.time() - moment))} ago"
