"""A child from one or two parents: crossover, then every mutation with its own probability."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

from evogen.errors import SpecError
from evogen.genome import Genome
from evogen.keys import Key
from evogen.registry import setting
from evogen.space import ArchitectureSpace, SearchSpace
from evogen.variation import architecture, neurons, plasticity, rules, sentences

ATTEMPTS = 64


@dataclass(frozen=True)
class Rates:
    """How often each mutation happens to a child, and how far it goes."""

    mutate_rules: float = setting(
        0.5, low=0, high=1, doc="probability of noise on the rules, and of mask flips"
    )
    resize_rules: float = setting(
        0.05, low=0, high=1, doc="probability of each of duplication, deletion of a rule gene"
    )
    mutate_codon: float = setting(0.3, low=0, high=1, doc="probability of one redrawn codon")
    resize_architecture: float = setting(
        0.05, low=0, high=1, doc="probability of each of addition, duplication, deletion of a gene"
    )
    nudge_codon: float = setting(0.3, low=0, high=1, doc="of neurons: probability of a step of one number")
    link_gene: float = setting(0.0, low=0, high=1, doc="of neurons: probability of a link to a gene")
    exchange_gene: float = setting(
        0.3, low=0, high=1, doc="of neurons: probability of a whole gene of the father, from the same place"
    )
    mutate_expression: float = setting(
        0.5, low=0, high=1, doc="of neurons with evolved weights: probability of noise on a gene's expression"
    )
    mutate_plasticity: float = setting(0.5, low=0, high=1, doc="probability of noise on the plasticity genes")
    codon_sigma: float = setting(0.1, low=0, doc="step of a number, as a fraction of its range")
    expression_sigma: float = setting(0.2, low=0, doc="step on expression, in spreads of its array")
    rules_sigma: float = setting(0.5, low=0, doc="step on the rules, in initial standard deviations")
    plasticity_sigma: float = setting(
        0.15, low=0, doc="step on a plasticity gene, as a fraction of its range"
    )
    plasticity_law: plasticity.Law = setting(  # noqa: RUF009
        "gaussian", doc="of crossover and mutation of plasticity genes: gaussian, polynomial, iso-line"
    )
    plasticity_eta: float = setting(
        20.0, low=0, doc="distribution index of the law polynomial: larger ones keep children near parents"
    )


def rate(name: str, default: Any = None) -> Any:
    """Declare a strategy's setting that is the rate of this name, with its bounds, text and own default.

    Args:
        name: of a field of Rates.
        default: the strategy's; None for that of Rates.
    """
    item = Rates.__dataclass_fields__[name]
    return dataclasses.field(default=item.default if default is None else default, metadata=item.metadata)


def rates(strategy: Any) -> Rates:
    """Return the rates among the settings of a strategy that declares all of them."""
    return Rates(**{name: getattr(strategy, name) for name in Rates.__dataclass_fields__})


class Operator(NamedTuple):
    """One kind of mutation; `apply` returns an equal genome where the bounds forbid a change."""

    name: str
    rate: float
    apply: Callable[[Genome, Key], Genome]


def breed(
    mother: Genome, father: Genome | None, *, space: SearchSpace, key: Key, ids: Iterator[int], rates: Rates
) -> tuple[Genome, str]:
    """Return a child that equals neither parent, and the names of the operators that changed it.

    Args:
        mother: the fitter parent: the child has her genes, in her order.
        father: gives his versions of the genes that both have; None for mutation only.
        space: bounds; a chromosome with `evolve` False is left alone.
        key: this child's own.
        ids: identities for new genes.
        rates: probabilities and step sizes.

    Raises:
        SpecError: nothing in the search space can vary.
    """
    operators = _operators(space, father, ids, rates)
    child = mother if father is None else _cross(mother, father, space, key.child("crossover"), rates)
    names = [] if child == mother else ["crossover"]
    for operator in operators:
        if key.child(operator.name, "happens").generator().random() < operator.rate:
            changed = operator.apply(child, key.child(operator.name))
            names += [] if changed == child else [operator.name]
            child = changed
    if child in (mother, father):
        return _forced(child, operators, (mother, father), key.child("forced"))
    return child, "+".join(names)


def _cross(mother: Genome, father: Genome, space: SearchSpace, key: Key, rates: Rates) -> Genome:
    child = mother
    if space.rules is not None and space.rules.evolve:
        child = rules.cross(child, father, key.child("rules"))
    if space.architecture.evolve:
        cross = sentences.splice if space.architecture.mapping == "flat" else architecture.cross
        child = cross(child, father, key.child("architecture"))
    within, own = space.plasticity, key.child("plasticity")
    match rates.plasticity_law:
        case "gaussian":
            return plasticity.cross(child, father, own, space=within)
        case "polynomial":
            return plasticity.cross_binary(child, father, own, space=within, eta=rates.plasticity_eta)
        case "iso-line":
            return plasticity.cross_iso_line(child, father, own, space=within)


def _forced(
    child: Genome, operators: tuple[Operator, ...], parents: tuple[Genome | None, ...], key: Key
) -> tuple[Genome, str]:
    total = sum(operator.rate for operator in operators)
    for attempt in range(ATTEMPTS if total > 0 else 0):
        at = (
            key.child("which", attempt)
            .generator()
            .choice(len(operators), p=[operator.rate / total for operator in operators])
        )
        changed = operators[at].apply(child, key.child("mutation", attempt))
        if changed not in parents:
            return changed, operators[at].name
    raise SpecError(
        f"no mutation can change a genome of this search space ({ATTEMPTS} tries): let a chromosome evolve, "
        "widen a plasticity gene, or raise a mutation rate of the strategy"
    )


def _operators(
    space: SearchSpace, father: Genome | None, ids: Iterator[int], rates: Rates
) -> tuple[Operator, ...]:
    found: list[Operator] = []
    if space.rules is not None and space.rules.evolve:
        found += [
            Operator("rules.gaussian", rates.mutate_rules, partial(rules.perturb, sigma=rates.rules_sigma)),
            Operator("rules.flip", rates.mutate_rules, rules.flip),
            Operator(
                "rules.duplicate", rates.resize_rules, partial(rules.duplicate, space=space.rules, ids=ids)
            ),
            Operator("rules.delete", rates.resize_rules, partial(rules.delete, space=space.rules)),
        ]
    if space.architecture.evolve:
        found += _ARCHITECTURE[space.architecture.type](space.architecture, father, ids, rates)
    if space.plasticity and rates.plasticity_law == "polynomial":
        change = partial(plasticity.mutate_polynomial, space=space.plasticity, eta=rates.plasticity_eta)
        found.append(Operator("plasticity.polynomial", rates.mutate_plasticity, change))
    elif space.plasticity:
        change = partial(plasticity.perturb, space=space.plasticity, sigma=rates.plasticity_sigma)
        found.append(Operator("plasticity.gaussian", rates.mutate_plasticity, change))
    return tuple(found)


def _of_modules(
    space: ArchitectureSpace,
    father: Genome | None,  # noqa: ARG001
    ids: Iterator[int],
    rates: Rates,
) -> list[Operator]:
    often = rates.resize_architecture
    return [
        Operator("architecture.add", often, partial(architecture.add, space=space, ids=ids)),
        Operator("architecture.duplicate", often, partial(architecture.duplicate, space=space, ids=ids)),
        Operator("architecture.delete", often, partial(architecture.delete, space=space)),
        Operator("architecture.redraw", rates.mutate_codon, partial(architecture.redraw, space=space)),
    ]


def _of_neurons(
    space: ArchitectureSpace, father: Genome | None, ids: Iterator[int], rates: Rates
) -> list[Operator]:
    often, sigma = rates.resize_architecture, rates.codon_sigma
    found = [
        Operator("architecture.add", often, partial(neurons.add, space=space, ids=ids)),
        Operator("architecture.copy", often, partial(neurons.copy, space=space, ids=ids)),
        Operator("architecture.link", rates.link_gene, partial(neurons.link, space=space, ids=ids)),
        Operator("architecture.delete", often, partial(neurons.delete, space=space)),
        Operator("architecture.redraw", rates.mutate_codon, partial(neurons.redraw, space=space)),
        Operator("architecture.nudge", rates.nudge_codon, partial(neurons.nudge, space=space, sigma=sigma)),
    ]
    if father is not None:
        swap = partial(neurons.exchange, father=father)
        found.append(Operator("architecture.exchange", rates.exchange_gene, swap))
    return found + _of_expression(space, rates)


def _of_nets(
    space: ArchitectureSpace,
    father: Genome | None,  # noqa: ARG001
    ids: Iterator[int],  # noqa: ARG001
    rates: Rates,
) -> list[Operator]:
    own, sigma = (neurons if space.mapping == "flat" else sentences), rates.codon_sigma
    return [
        Operator("architecture.redraw", rates.mutate_codon, partial(own.redraw, space=space)),
        Operator("architecture.nudge", rates.nudge_codon, partial(own.nudge, space=space, sigma=sigma)),
        *_of_expression(space, rates),
    ]


def _of_expression(space: ArchitectureSpace, rates: Rates) -> list[Operator]:
    if space.weights == "trained":
        return []
    change = partial(neurons.express, sigma=rates.expression_sigma)
    return [Operator("architecture.express", rates.mutate_expression, change)]


_ARCHITECTURE = {
    "": _of_modules,
    "module": _of_modules,
    "circuit": _of_modules,
    "neurons": _of_neurons,
    "net": _of_nets,
}
