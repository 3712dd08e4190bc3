"""What the command line says of a candidate, of a run, and of the parts that an experiment can name."""

from __future__ import annotations

import dataclasses
import inspect
import json
import statistics
from collections.abc import Iterator, Mapping
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from evogen import ranking
from evogen.cohort import Outcome, Ref
from evogen.condition import aims, scored
from evogen.errors import DevelopmentError
from evogen.experiment import Check, Experiment
from evogen.genome import Genome
from evogen.grammar.architecture import plan_of
from evogen.plasticity.locality import sentence
from evogen.registry import known, name_of, plural
from evogen.runs import Run
from evogen.runs.records import Row
from evogen.tasks.baselines import Baseline
from evogen.terminal import number

_WIDER = 4  # times as many rows for a front as for a list of the best


def candidate(run: Run, ref: Ref, experiment: Experiment) -> dict[str, Any]:
    """Return everything about one candidate as a JSON value; the hash of a large array stands for it."""
    individual, evaluation = run.candidate(ref)
    goals = run.goals
    told = run.results(ref.cohort, goals)[ref.row]
    return {
        "run": str(run.path),
        "candidate": str(ref),
        "id": individual.genome.id,
        "operator": individual.operator,
        "parents": [str(parent) for parent in individual.parents],
        "outcome": evaluation.outcome.value,
        "fitness": evaluation.fitness,
        "objectives": ranking.objectives(goals, told),
        "violation": told.violation if told.fitness is not None else None,
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
    if found["objectives"].keys() != {"fitness"} or found["violation"]:
        yield f"objectives  {aims(found['objectives'], found['violation'])}"
    yield f"inner loop  {found['steps']} steps"
    yield f"origin      {' of '.join([found['operator'], *filter(None, [' and '.join(found['parents'])])])}"
    if rules is not None:
        g, n = len(rules["genes"]), rules["c"]["shape"][0]
        yield f"rules       {g} genes, {n} transmitters, temperature {number(rules['temperature'])}"
    for gene in genome["architecture"]:
        yield f"{_gene(gene)}: {_module(found['plan'], gene['innovation'])}"
    if found["plan"] is not None and (circuit := found["plan"]["circuit"]) is not None:
        facts = (f"{name} {number(value)}" for name, value in circuit["statistics"].items())
        yield f"circuit     {circuit['provenance']}: {', '.join(facts)}"
    yield from (f"plasticity  {name} = {number(value)}" for name, value in genome["plasticity"].items())
    if found["message"]:
        yield found["message"].rstrip()


def leaders(run: Run, count: int) -> Table:
    """Return a table of the best candidates; with several objectives, of those that none dominates.

    Best by the first objective comes first, the first told of equals first.
    """
    goals = run.goals
    several = len(goals.objectives) > 1
    found = ranking.front(run) if several else ranking.leaders(run, count)
    shown = found[: _WIDER * count] if several else found
    title = f"{len(shown)} of {len(found)} that none dominates" if several else "best candidates"
    table = Table(title=title, box=box.SIMPLE_HEAD)
    aims = list(goals.objectives)
    bounded = ["violation"] if goals.constraints else []
    rest = [name for name in ("fitness", "sd", "steps") if name not in aims]
    for heading in ("candidate", *aims, *bounded, *rest):
        table.add_column(heading, no_wrap=True)
    table.add_column("operator", overflow="fold")
    table.add_column("parents", no_wrap=True)
    for told in shown:
        row = run.row(told.ref)
        cells = _cells(row) | {name: number(value) for name, value in ranking.objectives(goals, told).items()}
        cells["violation"] = number(told.violation)
        table.add_row(*(Text(cells[str(column.header)]) for column in table.columns))
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
        if kind == "rule":
            yield f"    local: {sentence(cls())}"
        for field in dataclasses.fields(cls):
            yield f"    {_field(field)}"


def _plan(genome: Genome, experiment: Experiment) -> dict[str, Any] | None:
    task = experiment.task
    try:
        found = plan_of(experiment.space.architecture, genome, task.inputs, task.outputs)
    except DevelopmentError:
        return None
    groups = [group._asdict() | {"settings": dict(group.settings)} for group in found.groups]
    links = [
        link._replace(pattern=None)._asdict()
        | {"coefficients": dict(link.coefficients), "settings": dict(link.settings)}
        for link in found.projections
    ]
    learning = {gene: vars(how) for gene, how in found.learning.items()}
    circuit = None
    if (anatomy := found.anatomy) is not None:
        circuit = anatomy._asdict() | {"words": anatomy.words, "statistics": dict(anatomy.statistics)}
    return {"groups": groups, "projections": links, "learning": learning, "circuit": circuit}


def _gene(gene: Mapping[str, Any]) -> str:
    """Name a gene, its place where that is not the first one, and the gene that it links to."""
    places = [f"{name} {gene[name]}" for name in ("module", "layer") if name in gene]
    places += [f"link to {gene['link']}"] if "link" in gene else []
    said = f" ({', '.join(places)})" if places else ""
    return f"module      {gene['innovation']}{said}"


def _module(found: dict[str, Any] | None, innovation: int) -> str:
    if found is None:
        return "no module"
    groups = found["groups"]
    layers = [group for group in groups if group["gene"] == innovation]
    links = [link for link in found["projections"] if link["gene"] == innovation]
    recurrent = {link["post"] for link in links if link["pre"] == link["post"]}
    words = [*([f"{found['circuit']['words']}:"] if found["circuit"] else []), "in"]
    for link in links:
        if link["pre"] != link["post"]:
            loop = " recurrent" * (link["post"] in recurrent)
            words.append(f"{_link(link)} {_level(groups[link['post']])}{loop}")
    words += _learns(found["learning"].get(innovation))
    return " ".join(words if layers else ["empty"])


def _learns(how: dict[str, Any] | None) -> list[str]:
    if how is None:
        return []
    momentum = "" if how["momentum"] is None else f" by descent with momentum {number(how['momentum'])}"
    return [f"(learns at {number(how['rate'])} of the rate{momentum})" if how["rate"] else "(frozen)"]


def _level(group: dict[str, Any]) -> str:
    if group["name"] == "out":
        return "out"
    settings = "".join(f" {name}={number(value)}" for name, value in group["settings"].items())
    return f"{group['size']} {group['activation']} {group['neuron']}{settings}"


def _link(link: dict[str, Any]) -> str:
    words = [] if link["density"] == 1.0 else [f"density {number(link['density'])}"]
    numbers = "".join(f" {name}={number(value)}" for name, value in link["settings"].items())
    words += [f"{link['prior']}{numbers}"] if link["prior"] else []
    words += ["free"] * link["free"] + [link["rule"]] * (link["rule"] != "none")
    return f"-({', '.join(words)})->" if words else "->"


def _cells(row: Row) -> dict[str, str]:
    spread = statistics.stdev(row.scores) if len(row.scores) > 1 else 0.0
    return {
        "candidate": str(row.ref),
        "fitness": number(row.fitness),
        "sd": f"{spread:.2g}",
        "steps": str(row.steps),
        "operator": ", ".join(name.rpartition(".")[2] for name in row.operator.split("+")),
        "parents": " ".join(str(parent) for parent in row.parents),
    }


def _field(field: dataclasses.Field[Any]) -> str:
    low, high = field.metadata.get("low"), field.metadata.get("high")
    kind, value = field.metadata.get("part"), field.default
    shown = json.dumps(name_of(kind, value) if kind else value, default=str)
    default = "" if value is dataclasses.MISSING else f" = {shown}"
    bounds = "" if low is high is None else f" in [{_end(low, '-inf')}, {_end(high, 'inf')}]"
    gene = " (evolvable)" if field.metadata.get("evolvable") or "choices" in field.metadata else ""
    return f"{field.name}{default}{bounds}{gene}: {field.metadata.get('doc', '')}"


def _end(bound: float | None, none: str) -> str:
    return none if bound is None else f"{bound:g}"
