"""What a difference means in the network: two plans, compared group by group and projection by projection."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from evogen.grammar.cells import NAME
from evogen.grammar.plan import Group, Plan, Projection

_MOST = 3
Way = tuple[str, str, int]


def meaning(before: Plan, after: Plan) -> tuple[str, ...]:
    """Say in phrases what became of a plan; none: nothing that a reader would call a change."""
    here, there = _groups(before), _groups(after)
    return (
        *_whole({name: here[name] for name in here if name not in there}, "lost"),
        *_whole({name: there[name] for name in there if name not in here}, "added"),
        *_shortened([_group(name, here[name], there[name]) for name in here if name in there]),
        *_ways(before, after),
    )


def _groups(plan: Plan) -> dict[str, Group]:
    interface = plan.groups[0].gene
    return {_name(group, interface): group for group in plan.groups}


def _name(group: Group, interface: int) -> str:
    if group.gene == interface:
        return group.name
    return (
        f"neuron {group.gene}"
        if group.name == NAME and group.size == 1
        else f"gene {group.gene} {group.name}"
    )


def _whole(groups: Mapping[str, Group], happened: str) -> Iterator[str]:
    if len(groups) > _MOST:
        yield f"{len(groups)} groups {happened} ({sum(group.size for group in groups.values())} neurons)"
    else:
        for name, group in groups.items():
            single = name.startswith("neuron ")
            yield f"{name} {happened}" + ("" if single else f" ({group.size} neurons)")


def _group(name: str, before: Group, after: Group) -> str:
    changes = []
    if before.size != after.size:
        changes.append(f"{before.size} → {after.size} neurons")
    if before.activation != after.activation:
        changes.append(f"{before.activation} → {after.activation}")
    elif before.activations != after.activations:
        changes.append("other functions of its neurons")
    if before.neuron != after.neuron:
        changes.append(f"{before.neuron} → {after.neuron}")
    changes += _numbers(before.settings, after.settings)
    if before.module != after.module:
        changes.append(f"module {before.module} → {after.module}")
    if before.bias != after.bias:
        changes.append(f"bias {_number(before.bias)} → {_number(after.bias)}")
    return f"{name}: {', '.join(changes)}" if changes else ""


def _numbers(before: Mapping[str, float], after: Mapping[str, float]) -> Iterator[str]:
    for name in sorted({*before, *after}):
        if before.get(name) != after.get(name):
            yield f"{name} {_number(before.get(name))} → {_number(after.get(name))}"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4g}"


def _ways(before: Plan, after: Plan) -> Iterator[str]:
    here, there = _projections(before), _projections(after)
    for happened, ways in (
        ("lost", [way for way in here if way not in there]),
        ("added", [way for way in there if way not in here]),
    ):
        if len(ways) == 1:
            yield f"{_of(ways[0])} {happened}"
        elif ways:
            yield f"{len(ways)} links {happened}"
    yield from _shortened([_way(way, here[way], there[way]) for way in here if way in there])


def _projections(plan: Plan) -> dict[Way, Projection]:
    interface, seen = plan.groups[0].gene, Counter[tuple[str, str]]()
    found = {}
    for link in plan.projections:
        ends = _name(plan.groups[link.pre], interface), _name(plan.groups[link.post], interface)
        found[*ends, seen[ends]] = link
        seen[ends] += 1
    return found


def _of(way: Way) -> str:
    return f"link {way[0]} → {way[1]}"


def _way(way: Way, before: Projection, after: Projection) -> str:
    changes = []
    if before.density != after.density:
        changes.append(f"density {before.density:.3g} → {after.density:.3g}")
    if before.rule != after.rule:
        changes.append(f"{before.rule} → {after.rule}")
    changes += _numbers(before.coefficients, after.coefficients)
    if (before.prior, before.settings) != (after.prior, after.settings):
        changes.append(f"prior {before.prior or '–'} → {after.prior or '–'}")
    if (before.rows, before.columns) != (after.rows, after.columns):
        changes.append("other neurons take part")
    if before.weights != after.weights:
        changes.append("other initial weights")
    if before.free != after.free:
        changes.append("wired freely" if after.free else "wired by rules")
    if before.gene != after.gene:
        changes.append(f"of gene {before.gene} → {after.gene}")
    return f"{_of(way)}: {', '.join(changes)}" if changes else ""


def _shortened(said: list[str]) -> list[str]:
    found = [text for text in said if text]
    return found if len(found) <= _MOST else [*found[:_MOST], f"{len(found) - _MOST} more like this"]
