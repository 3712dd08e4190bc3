"""Silenced: what a genome is without one of its parts. Pure; a part is cut out and all else stays as it is.

What silencing means, for each kind of part:

    gene        the protein is absent: column k of X is 0 in every neuron, so none of its synapses forms
    pair        proteins i and j do not bind: P_ij = 0, in this direction only (axon i, dendrite j)
    module      a gene of the architecture (a module, or a neuron group) is cut out of the circuit: no synapse
                leads to its neurons, from them or between them, and none can be made plastic. The gene stays,
                so no draw of another gene changes
    class       the same for all genes of a class module, where a structure has several
    plasticity  a number of a local rule is 0 in all synapses that follow it; where 0 is not within its range,
                the middle of the range
    rule        no synapse follows the rule: what is born stays for life
    everything  no synapse at all: what a network scores that cannot see

A gene's or a pair's synapses that do not form may still be made by plasticity where the architecture lets
them: those rules act on allowed pairs of neurons, whatever these express. Numbers of the learner act while a
life tunes the network; silencing them would need new lives, so they are not parts here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import numpy as np

from evogen.connectome import Wiring
from evogen.genome import Array, Gene, Genome, frozen
from evogen.grammar.plan import Plan, Projection
from evogen.registry import evolvable_fields, name_of

NEVER = -1e6
"""A rule logit whose probability is exactly 0."""


class Kind(StrEnum):
    """What is silenced, see above."""

    GENE = "gene"
    PAIR = "pair"
    MODULE = "module"
    CLASS = "class"
    TERM = "plasticity"
    RULE = "rule"
    EVERYTHING = "everything"


@dataclass(frozen=True)
class Variant:
    """A genome without one part.

    Attributes:
        kind, name: of the part.
        where: gene k, pair (i, j), module (innovation id) or class module; of the rest nothing.
        genome, plan: what it is without it.
        note: what a reader should know of how it was silenced.
    """

    kind: Kind
    name: str
    where: tuple[int, ...]
    genome: Genome
    plan: Plan
    note: str = ""


def written(genome: Genome, expression: Mapping[int, Mapping[str, Array]]) -> Genome:
    """Return a genome that carries all of its neurons' expression: by innovation id, then by name."""

    def full(gene: Gene) -> Gene:
        return replace(gene, expression=dict(expression.get(gene.innovation, {})))

    return replace(
        genome,
        interface=full(genome.interface),
        architecture=tuple(full(gene) for gene in genome.architecture),
    )


def parts(intact: Genome, plan: Plan, rules: Mapping[str, object]) -> Iterator[Variant]:
    """Yield everything silenced, then every gene, module, class module, rule and number of a rule.

    Args:
        intact: with all of its expression, see `written`.
        plan: its own.
        rules: the configured plasticity rules by name.
    """
    every = range(len(plan.groups))
    yield Variant(Kind.EVERYTHING, "all synapses", (), intact, _cut(plan, every))
    for k in range(len(intact.rules.genes) if intact.rules is not None and _expressed(intact) else 0):
        yield Variant(Kind.GENE, f"gene {k + 1}", (k,), _without_protein(intact, k), plan)
    for gene in intact.architecture:
        own = [at for at, group in enumerate(plan.groups) if group.gene == gene.innovation]
        name = f"{'neurons' if plan.levels else 'module'} {gene.innovation}"
        yield Variant(Kind.MODULE, name, (gene.innovation,), intact, _cut(plan, own))
    inner = plan.groups[1:-1]
    for number in sorted({group.module for group in inner}) if len({g.module for g in inner}) > 1 else ():
        own = [at for at, group in enumerate(plan.groups[:-1]) if at and group.module == number]
        yield Variant(Kind.CLASS, f"class module {number + 1}", (number,), intact, _cut(plan, own))
    for rule in sorted({link.rule for link in plan.projections} - {"none"}):
        yield from _plasticity(intact, plan, rule, rules[rule])


def pairs(intact: Genome, plan: Plan, wiring: Wiring) -> Iterator[Variant]:
    """Yield every pair of rule genes that may bind, silenced; row by row."""
    rules = intact.rules
    if rules is None or not _expressed(intact):
        return
    g, never = len(rules.genes), _never(wiring)
    allowed = np.ones((g, g), np.float32) if rules.mask is None else rules.mask
    for i, j in np.argwhere((allowed != 0) | _banded(wiring)).tolist():
        mask, O = allowed.copy(), rules.O.copy()
        mask[i, j], O[i, j] = 0.0, never
        changed = replace(rules, O=frozen(O), mask=frozen(mask))
        yield Variant(Kind.PAIR, f"pair {i + 1}>{j + 1}", (i, j), replace(intact, rules=changed), plan)


def _expressed(intact: Genome) -> bool:
    """Return whether neurons express rule genes; with free weights only, they do not."""
    return any(name.endswith(".X") for gene in intact.genes() for name in gene.expression)


def _genetic(wiring: Any) -> Any:
    return wiring.rules if name_of("wiring", wiring) == "mixed" else wiring


def _never(wiring: Wiring) -> float:
    """Return the O of proteins that do not bind: weights are linear in it where it is no logit."""
    return 0.0 if name_of("wiring", _genetic(wiring)) == "gcm" else NEVER


def _banded(wiring: Wiring) -> bool:
    """Return whether pairs outside the mask bind too."""
    own = _genetic(wiring)
    return name_of("wiring", own) == "gcm" or getattr(own, "mask", "forbid") == "band"


def _without_protein(intact: Genome, k: int) -> Genome:
    def silent(gene: Gene) -> Gene:
        expression = dict(gene.expression)
        for name, array in gene.expression.items():
            if name.endswith(".X"):
                changed = array.copy()
                changed[:, k] = 0.0
                expression[name] = frozen(changed)
        return replace(gene, expression=expression)

    architecture = tuple(silent(gene) for gene in intact.architecture)
    return replace(intact, interface=silent(intact.interface), architecture=architecture)


def _cut(plan: Plan, groups: Collection[int]) -> Plan:
    """Return the plan without a synapse that begins or ends in these groups; what is laid out stays."""

    def cut(link: Projection) -> Projection:
        if link.pre not in groups and link.post not in groups:
            return link
        return link._replace(density=0.0, prior="", weights=())

    return replace(plan, projections=tuple(cut(link) for link in plan.projections))


def _plasticity(intact: Genome, plan: Plan, rule: str, configured: Any) -> Iterator[Variant]:
    static = (
        link._replace(rule="none", coefficients={}) if link.rule == rule else link
        for link in plan.projections
    )
    yield Variant(Kind.RULE, f"rule {rule}", (), intact, replace(plan, projections=tuple(static)))
    for item in evolvable_fields(type(configured)):
        if item.name not in configured.coefficients:
            continue
        low, high = (float(item.metadata[end]) for end in ("low", "high"))
        value = 0.0 if low <= 0 <= high else (low + high) / 2
        own = intact.plasticity.get(f"rule.{rule}.{item.name}", getattr(configured, item.name))
        already = all(
            float(link.coefficients.get(item.name, own)) == value
            for link in plan.projections
            if link.rule == rule
        )
        changed = tuple(
            link._replace(coefficients={**link.coefficients, item.name: value}) if link.rule == rule else link
            for link in plan.projections
        )
        note = f"is {value:g} already" if already else "" if value == 0 else f"held at {value:g}"
        name = f"{rule}.{item.name}"
        yield Variant(Kind.TERM, name, (), intact, replace(plan, projections=changed), note)
