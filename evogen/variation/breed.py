"""A child from one or two parents: crossover, then every mutation with its own probability."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from evogen.errors import SpecError
from evogen.genome import Genome
from evogen.keys import Key
from evogen.space import SearchSpace
from evogen.variation import architecture, plasticity, rules

ATTEMPTS = 64


@dataclass(frozen=True)
class Rates:
    """How often each mutation happens to a child, and how far it goes.

    Attributes:
        mutate_rules: probability of Gaussian noise on O and c, and of mask flips where there is a mask.
        resize_rules: probability of each of duplication and deletion of a rule gene.
        mutate_codon: probability that one codon of one module gene is redrawn.
        resize_architecture: probability of each of addition, duplication and deletion of a module gene.
        mutate_plasticity: probability of Gaussian noise on the plasticity genes.
        rules_sigma: step on O and c, in units of their initial standard deviations.
        plasticity_sigma: step on a plasticity gene, as a fraction of its range.
    """

    mutate_rules: float = 0.5
    resize_rules: float = 0.05
    mutate_codon: float = 0.3
    resize_architecture: float = 0.05
    mutate_plasticity: float = 0.5
    rules_sigma: float = 0.5
    plasticity_sigma: float = 0.15


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
    operators = _operators(space, ids, rates)
    child = mother if father is None else _cross(mother, father, space, key.child("crossover"))
    names = [] if child == mother else ["crossover"]
    for operator in operators:
        if key.child(operator.name, "happens").generator().random() < operator.rate:
            changed = operator.apply(child, key.child(operator.name))
            names += [] if changed == child else [operator.name]
            child = changed
    if child in (mother, father):
        return _forced(child, operators, (mother, father), key.child("forced"))
    return child, "+".join(names)


def _cross(mother: Genome, father: Genome, space: SearchSpace, key: Key) -> Genome:
    child = mother
    if space.rules is not None and space.rules.evolve:
        child = rules.cross(child, father, key.child("rules"))
    if space.architecture.evolve:
        child = architecture.cross(child, father, key.child("architecture"))
    return plasticity.cross(child, father, key.child("plasticity"), space=space.plasticity)


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


def _operators(space: SearchSpace, ids: Iterator[int], rates: Rates) -> tuple[Operator, ...]:
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
        within, often = space.architecture, rates.resize_architecture
        found += [
            Operator("architecture.add", often, partial(architecture.add, space=within, ids=ids)),
            Operator("architecture.duplicate", often, partial(architecture.duplicate, space=within, ids=ids)),
            Operator("architecture.delete", often, partial(architecture.delete, space=within)),
            Operator("architecture.redraw", rates.mutate_codon, partial(architecture.redraw, space=within)),
        ]
    if space.plasticity:
        change = partial(plasticity.perturb, space=space.plasticity, sigma=rates.plasticity_sigma)
        found.append(Operator("plasticity.gaussian", rates.mutate_plasticity, change))
    return tuple(found)
