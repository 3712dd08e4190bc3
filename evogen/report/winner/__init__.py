"""The sections on the winner: is it real, what was it born with, and what does it do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from evogen.experiment.checks import parameters
from evogen.report.facts import Facts, Winner
from evogen.report.figures import figure, legend
from evogen.report.markup import Child, Element, absent, element, number
from evogen.report.winner import architecture, synapses
from evogen.report.winner.answers import confusion
from evogen.report.winner.episode import recorded
from evogen.report.winner.genetics import expression, rules
from evogen.report.winner.optimism import values as optimism
from evogen.report.winner.optimism import verdict
from evogen.report.winner.plasticity import settings
from evogen.report.winner.weights import distributions
from evogen.runs.records import Row

__all__ = ["portrait", "values", "verdict"]


def portrait(facts: Facts) -> Element:
    """Return what the winner is: origin, architecture, rules, expression, weights, plasticity, life."""
    title = element("h2", "The winner")
    winner = facts.winner
    if winner is None:
        return element("section", title, absent("There is none: no candidate has a fitness yet."))
    parts: list[Child] = [title, _origin(winner.row)]
    if facts.portrait is not None:
        parts += [element("p", note, class_="warning") for note in facts.portrait.notes]
    parts += [element("h3", "Architecture"), *_architecture(facts, winner)]
    if winner.genome is not None:
        parts += [element("h3", "Genetic rules, after its life"), *rules(winner.genome)]
    if facts.portrait is None:
        lost = (
            "It could not be developed, so expression, born weights and life are left out; the notes say why."
        )
        parts += [element("h3", "Born agents"), absent(lost)]
    else:
        parts += [element("h3", "Expression, after its life"), *expression(facts.portrait)]
        parts += [element("h3", "Weights at birth"), *distributions(facts.portrait)]
    if winner.genome is not None:
        found = settings(winner.genome.plasticity, facts.experiment, winner.plan)
        parts += [element("h3", "Plasticity and inner loop"), *found]
    parts += _life(facts)
    return element("section", *parts)


def values(facts: Facts) -> dict[str, Any] | None:
    """Return the numbers of these sections for report.json; None without a winner."""
    if facts.winner is None:
        return None
    found: dict[str, Any] = {"candidate": str(facts.winner.row.ref), "verdict": optimism(facts)}
    shown = facts.portrait
    if shown is None:
        return found
    found["neurons"] = shown.neurons
    found["links"] = [
        {
            "pre": link.pre,
            "post": link.post,
            "pairs": int(link.mask.sum()),
            "mean": float(link.mean[link.mask].mean()),
        }
        for link in shown.links
    ]
    if shown.episode is not None:
        own = shown.episode
        found["episode"] = {
            "world": own.world,
            "return": own.total,
            "steps": len(own.rewards),
            "end": own.end,
        }
    if shown.confusion is not None:
        found["confusion"] = {
            "counts": shown.confusion.counts[0].tolist(),
            "scores": list(shown.confusion.scores),
        }
    return found


def _origin(row: Row) -> Element:
    of = f" of {' and '.join(str(parent) for parent in row.parents)}" if row.parents else ""
    facts: list[tuple[str, Child]] = [
        ("candidate", element("span", str(row.ref), data_ref=str(row.ref))),
        ("fitness", number(row.fitness)),
        ("made by", row.operator.replace("+", " + ") + of),
        ("genome", element("code", row.genome[:16])),
    ]
    facts += [(name.replace("_", " "), number(value)) for name, value in row.metrics.items()]
    pairs = (element("div", element("dt", name), element("dd", value)) for name, value in facts)
    return element("dl", *pairs, class_="facts")


def _architecture(facts: Facts, winner: Winner) -> Iterator[Element]:
    plan = winner.plan
    if plan is None:
        yield absent("The architecture cannot be shown; the notes at the top say why.")
        return
    keys = [("ink", "full, static")]
    if any(architecture.sparse(link) for link in plan.projections):
        keys.append(("ink dashed", "sparse (share of pairs)"))
    if any(link.rule != "none" for link in plan.projections):
        keys.append(("orange", "plastic in life (rule)"))
    image = element("div", architecture.drawn(plan), class_="scroll", tabindex=0)
    size = sum(group.size for group in plan.groups)
    note = f"{size} neurons, {number(parameters(plan))} weights and biases expected at birth"
    yield figure("Neuron groups and the links between them", image, legend(*keys), note=note)
    few = f" (the first {architecture.LISTED})" if len(plan.projections) > architecture.LISTED else ""
    yield element("details", element("summary", f"The links as a table{few}"), architecture.listed(plan))
    if facts.portrait is not None:
        yield from synapses.weights(facts.portrait)


def _life(facts: Facts) -> Iterator[Element]:
    shown = facts.portrait
    if shown is None:
        return
    if shown.episode is not None:
        yield element("h3", "An episode of its life")
        yield from recorded(shown.episode)
    elif shown.confusion is not None:
        yield element("h3", "What it takes the test examples for")
        yield from confusion(shown.confusion)
    else:
        yield element("h3", "Its life")
        yield absent("Neither an episode nor classes to show: the task tells scores only, or it failed here.")
