"""The sections on the winner: is it real, and what was it born with."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence

from evogen.experiment.checks import parameters
from evogen.genome import Value
from evogen.records import Row
from evogen.report import architecture, charts
from evogen.report.facts import Assessment, Facts, Winner
from evogen.report.figures import drawing, figure, legend
from evogen.report.genetics import expression, rules
from evogen.report.markup import Child, Element, absent, cell, element, number, table
from evogen.space import Distribution, Log
from evogen.tasks import TaskKind

ANCESTORS = 10


def verdict(facts: Facts) -> Element:
    """Return the winner's fresh scores beside the search's own estimate, and the baselines."""
    parts: list[Child] = [element("h2", "Is the winner real?")]
    if facts.winner is None or facts.assessment is None:
        text = "Not assessed yet: only the scores of the search itself are known."
        parts.append(absent(text))
    else:
        parts += _assessed(facts.winner.row, facts.assessment, len(facts.rows))
    classified = facts.experiment is not None and facts.experiment.task.kind is TaskKind.CLASSIFICATION
    if facts.baselines or classified:
        parts += [element("h3", "Beside ordinary models"), *_baselines(facts)]
    return element("section", *parts)


def portrait(facts: Facts) -> Element:
    """Return what the winner is: origin, architecture, rules, expression, plasticity, ancestors."""
    title = element("h2", "The winner")
    winner = facts.winner
    if winner is None:
        return element("section", title, absent("There is none: no candidate has a fitness yet."))
    parts: list[Child] = [title, _origin(winner.row), element("h3", "Architecture"), *_architecture(winner)]
    if winner.genome is not None:
        what = "Expression" if winner.genome.rules is not None else "Weights"
        parts += [element("h3", "Genetic rules, after its life"), *rules(winner.genome)]
        parts += [element("h3", f"{what}, after its life"), *expression(winner.genome)]
        ranges = {} if facts.experiment is None else facts.experiment.space.plasticity
        parts += [element("h3", "Plasticity and inner loop"), *_plasticity(winner.genome.plasticity, ranges)]
    parts += [element("h3", "Ancestry"), *_ancestry(facts.rows, winner.row)]
    return element("section", *parts)


def _assessed(row: Row, fresh: Assessment, candidates: int) -> Iterator[Element]:
    behind = "" if fresh.episodes is None else f", {fresh.episodes} episodes each"
    told = f"Candidate {row.ref} on {fresh.title}: {len(fresh.scores)} agents born anew{behind}."
    yield element("p", told)
    groups = [("orange", "in the search", row.scores), ("blue", "fresh", fresh.scores)]
    groups = [group for group in groups if group[2]]
    image = charts.strips(groups, "score of an agent (mean over its episodes or examples)")
    rows = [_scores(name, scores) for _, name, scores in groups]
    shown = table(("scores", "mean", "sd over agents", "smallest", "largest", "agents"), rows)
    claimed = row.fitness or 0.0
    note = (
        f"Optimism gap: {number(claimed - fresh.mean, digits=3)}, the search's estimate of {number(claimed)} "
        f"minus the fresh mean. The best of {candidates} noisy estimates was kept, which favours a gap > 0."
    )
    key = "bar: mean; faint line: ± 1 sd; a dot is an agent"
    drawn = figure("Scores of born agents", image, note=key, kind="chart")
    yield element("div", drawn, element("div", shown, element("p", note)), class_="pair")


def _scores(name: str, scores: Sequence[float]) -> list[Child]:
    spread = statistics.stdev(scores) if len(scores) > 1 else 0.0
    found = (statistics.fmean(scores), spread, min(scores), max(scores))
    return [
        name,
        *(cell(number(value), kind="number") for value in found),
        cell(str(len(scores)), kind="number"),
    ]


def _baselines(facts: Facts) -> Iterator[Element]:
    if not facts.baselines:
        yield absent("Not assessed yet: no baseline was stored.")
        return
    rows: list[list[Child]] = []
    if facts.winner is not None:
        fresh = facts.assessment
        test = None if fresh is None else fresh.mean
        size = None if facts.winner.plan is None else parameters(facts.winner.plan)
        rows.append([element("th", "the winner", scope="row"), *_cells(facts.winner.row.fitness, test, size)])
    rows += [[name, *_cells(validation, test, size)] for name, validation, test, size in facts.baselines]
    yield table(("model", "validation", "test", "weights, biases"), rows, class_="sortable")
    note = "The winner was chosen on validation, the baselines were not: compare the test column."
    yield element("p", note, class_="note")


def _cells(validation: float | None, test: float | None, size: int | None) -> list[Child]:
    shown = [cell(number(value), order=value, kind="number") for value in (validation, test)]
    return [*shown, cell(number(size), order=size, kind="number")]


def _origin(row: Row) -> Element:
    of = f" of {' and '.join(str(parent) for parent in row.parents)}" if row.parents else ""
    facts: list[tuple[str, Child]] = [
        ("candidate", str(row.ref)),
        ("fitness", number(row.fitness)),
        ("made by", row.operator.replace("+", " + ") + of),
        ("genome", element("code", row.genome[:16])),
    ]
    facts += [(name.replace("_", " "), number(value)) for name, value in row.metrics.items()]
    pairs = (element("div", element("dt", name), element("dd", value)) for name, value in facts)
    return element("dl", *pairs, class_="facts")


def _architecture(winner: Winner) -> Iterator[Element]:
    if winner.plan is None:
        yield absent("The architecture cannot be shown; the notes at the top say why.")
        return
    keys = [("ink", "full, static")]
    if any(link.density < 1 or link.prior for link in winner.plan.projections):
        keys.append(("ink dashed", "sparse (share of pairs)"))
    if any(link.rule != "none" for link in winner.plan.projections):
        keys.append(("orange", "plastic in life (rule)"))
    image = element("div", architecture.drawn(winner.plan), class_="scroll", tabindex=0)
    yield figure("Neuron groups and the links between them", image, legend(*keys), note=_size(winner))
    summary = element("summary", "The links as a table")
    yield element("details", summary, architecture.listed(winner.plan))


def _size(winner: Winner) -> str:
    assert winner.plan is not None
    neurons = sum(group.size for group in winner.plan.groups)
    return f"{neurons} neurons, {number(parameters(winner.plan))} weights and biases expected at birth"


def _plasticity(values: Mapping[str, Value], ranges: Mapping[str, Distribution]) -> Iterator[Element]:
    if not values:
        yield absent("Nothing here varies in this search: all settings are constants of the experiment.")
        return
    rows = []
    for name, value in values.items():
        spread = ranges.get(name)
        track: Child = "no range is known" if spread is None else _track(name, value, spread)
        rows.append([cell(name, kind="code"), cell(_shown(value), kind="number"), track])
    yield table(("gene", "value", "its place in the range of the search"), rows)


def _shown(value: Value) -> str:
    return value if isinstance(value, str) else number(value)


def _track(name: str, value: Value, spread: Distribution) -> Element:
    low, high = _shown(spread.value(0.0)), _shown(spread.value(1.0))
    scale = "log" if isinstance(spread, Log) else ""
    return drawing(
        170,
        34,
        f"{name} is {_shown(value)}, in a range from {low} to {high} {scale}",
        element("path", d="M8 10H162", class_="rail"),
        element("circle", cx=8 + 154 * spread.unit(value), cy=10, r=6, class_="marker"),
        element("text", low, x=3, y=30, class_="small"),
        element("text", scale, x=85, y=30, class_="small middle"),
        element("text", high, x=167, y=30, class_="small end"),
    )


def _ancestry(rows: Sequence[Row], winner: Row) -> Iterator[Element]:
    known = {row.ref: row for row in rows}
    line = [winner]
    while len(line) <= ANCESTORS and (parents := [known[ref] for ref in line[-1].parents if ref in known]):
        line.append(max(parents, key=lambda row: (row.fitness is not None, row.fitness or 0.0)))
    if len(line) == 1:
        yield element(
            "p", f"No parents: made by '{winner.operator}' in cohort {winner.ref.cohort}.", class_="note"
        )
        return
    shown = [_ancestor(row) for row in line]
    yield table(("candidate", "fitness", "made by", "parents"), shown)
    older = "; older ones are left out" if line[-1].parents else ""
    yield element("p", f"Each line is the fitter parent of the one above{older}.", class_="note")


def _ancestor(row: Row) -> list[Child]:
    parents = " ".join(str(parent) for parent in row.parents) or "–"
    return [str(row.ref), cell(number(row.fitness), kind="number"), row.operator.replace("+", " + "), parents]
