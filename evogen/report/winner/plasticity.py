"""The winner's plasticity and inner loop: what evolved, on the range of the search, and what was fixed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import fields

from evogen.experiment import Experiment
from evogen.genome import Value
from evogen.grammar.plan import Plan
from evogen.registry import evolvable_fields
from evogen.report.figures import drawing
from evogen.report.markup import Child, Element, absent, cell, element, number, table
from evogen.space import Distribution, Log


def settings(
    values: Mapping[str, Value], experiment: Experiment | None, plan: Plan | None
) -> Iterator[Element]:
    """Return the evolved values on their ranges, then the numbers that grammar or experiment fixed."""
    ranges: Mapping[str, Distribution] = {} if experiment is None else experiment.space.plasticity
    if values:
        head = ("gene", "value", "its place in the range of the search")
        yield table(head, [_line(name, value, ranges.get(name)) for name, value in values.items()])
    else:
        yield absent("Nothing here varies in this search: all settings are constants of the experiment.")
    if rows := fixed(values, experiment, plan):
        yield element("h4", "Numbers that do not evolve here")
        yield table(("number", "value", "fixed by"), rows)


def fixed(values: Mapping[str, Value], experiment: Experiment | None, plan: Plan | None) -> list[list[Child]]:
    """Return a line for each coefficient of the plasticity rules in use that no gene of `values` says."""
    if plan is None:
        return []
    links = [link for link in plan.projections if link.rule != "none"]
    said = Counter(
        (link.rule, name, coefficient) for link in links for name, coefficient in link.coefficients.items()
    )
    found: list[list[Child]] = [
        _fixed(f"rule.{rule}.{name}", number(value), f"the grammar, in {count} of {len(links)} plastic links")
        for (rule, name, value), count in said.items()
    ]
    rules = {} if experiment is None else experiment.rules
    for rule in dict.fromkeys(link.rule for link in links):
        if rule not in rules:
            continue
        unused = {field.name for field in evolvable_fields(type(rules[rule]))} - {*rules[rule].coefficients}
        for field in fields(rules[rule]):
            if field.name in unused:
                continue
            name = f"rule.{rule}.{field.name}"
            everywhere = sum(count for (own, at, _), count in said.items() if (own, at) == (rule, field.name))
            if name not in values and everywhere < len(links):
                found.append(_fixed(name, _shown(getattr(rules[rule], field.name)), "the experiment"))
    return found


def _fixed(name: str, value: str, by: str) -> list[Child]:
    return [cell(name, kind="code"), cell(value, kind="number"), by]


def _line(name: str, value: Value, spread: Distribution | None) -> list[Child]:
    track: Child = "no range is known" if spread is None else _track(name, value, spread)
    return [cell(name, kind="code"), cell(_shown(value), kind="number"), track]


def _shown(value: object) -> str:
    return number(value) if isinstance(value, int | float) else str(value)


def _track(name: str, value: Value, spread: Distribution) -> Element:
    low, high = _shown(spread.value(0.0)), _shown(spread.value(1.0))
    scale = "log scale" if isinstance(spread, Log) else ""
    return drawing(
        270,
        34,
        f"{name} is {_shown(value)}, in a range from {low} to {high} {scale}",
        element("path", d="M8 10H262", class_="rail"),
        element("circle", cx=8 + 254 * spread.unit(value), cy=10, r=6, class_="marker"),
        element("text", low, x=3, y=30, class_="small"),
        element("text", scale, x=135, y=30, class_="small middle"),
        element("text", high, x=267, y=30, class_="small end"),
    )
