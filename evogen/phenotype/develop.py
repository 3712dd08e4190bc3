"""Development: genomes -> phenotypes, one per layout. Pure: nothing is written into a genome."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from evogen.connectome import TIED, Wiring
from evogen.errors import DevelopmentError
from evogen.genome import Genome, Rules
from evogen.grammar.plan import Plan
from evogen.phenotype import modules, neurons, tuned
from evogen.phenotype.development import Development, Kinds, kinds
from evogen.phenotype.layout import Body, Layout, Slot, arrange, partly_free
from evogen.phenotype.phenotype import ALIGN, Phenotype
from evogen.phenotype.ties import tied
from evogen.phenotype.traits import Traits


@dataclass(frozen=True)
class Embryo:
    """One candidate, laid out but not yet stacked.

    Attributes:
        layout, body: where everything lies.
        rules: the genome's, if the wiring is genetic.
        parts: its tissue if its genes are modules, or a sketch of it if they are neuron groups.
    """

    layout: Layout
    body: Body
    rules: Rules | None
    parts: Any


def embryo(development: Development, genome: Genome, plan: Plan) -> Embryo:
    """Lay one candidate out.

    Raises:
        DevelopmentError: the genome contradicts itself or the wiring, or an inherited array does not fit.
    """
    wiring, found = development.wiring, kinds()
    _sound(genome, wiring)
    rules = genome.rules if wiring.genetic else None
    genes, transmitters = (len(rules.genes), len(rules.c)) if rules is not None else (0, 0)
    _as_its_kinds_can(plan, found)
    rule_names = [link.rule for link in plan.projections]
    grains = tuned.grains(development.rules, rule_names, genome.plasticity)
    layout, body = arrange(plan, genes, transmitters, found.stateful, found.spiking, grains)
    body = dataclasses.replace(body, padded=development.parameters(layout))
    grown = neurons.grow(genome, body) if plan.levels else modules.grow(development, genome, layout, body)
    return Embryo(layout, body, rules, grown)


def develop(development: Development, embryos: Sequence[Embryo]) -> Phenotype:
    """Stack embryos of one layout along P."""
    first, wiring = embryos[0], development.wiring

    def tensor(array: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(np.ascontiguousarray(array)).to(development.device, development.dtype)

    def tensors(arrays: Mapping[str, np.ndarray]) -> dict[str, torch.Tensor]:
        return {name: tensor(array) for name, array in arrays.items()}

    parts = [item.parts for item in embryos]
    placed = bool(first.body.plan.levels)
    tissue = neurons.together(development, first.layout, parts) if placed else modules.together(parts)
    constants, tuned = _constants(wiring, embryos)
    parameters = dict(sorted({**tissue.parameters, **tuned}.items()))
    paces = {name: spec.pace for name, spec in first.body.padded.items()} | dict(wiring.paces)
    slots, start = [], 0
    for name, array in parameters.items():
        size = array[0].size
        slots.append(Slot(name, start, array.shape[1:], size, paces.get(name, 1.0)))
        start += -(-size // ALIGN) * ALIGN
    flat = np.zeros((len(embryos), start))
    for slot in slots:
        flat[:, slot.start : slot.start + slot.size] = parameters[slot.name].reshape(len(embryos), -1)
    return Phenotype(
        first.layout,
        wiring,
        development.birth,
        tuple(item.body for item in embryos),
        tuple(slots),
        tensor(flat),
        tensors(constants),
        tuple(tensor(mask) for mask in tissue.masks),
        Traits(
            tuple(tissue.functions),
            {name: mask.bool() for name, mask in tensors(tissue.activation).items()},
            tensors(tissue.neuron),
            tensors(tissue.rule),
            development.rules,
        ),
    )


def _constants(
    wiring: Wiring, embryos: Sequence[Embryo]
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Return the constants of P candidates, and those of their rules that the inner loop tunes."""
    layout, bodies = embryos[0].layout, [item.body for item in embryos]
    found = {"neurons": np.array([float(sum(body.sizes)) for body in bodies])}
    if TIED in bodies[0].padded:
        found |= tied(layout, bodies)
    found |= tuned.firsts(layout, bodies)
    every = [item.rules for item in embryos if item.rules is not None]
    if not every:
        return found, {}
    free = {"O": np.stack([_pad(rules.O, layout.genes) for rules in every])}
    free["c"] = np.stack([rules.c for rules in every]).astype(np.float64)
    found["temperature"] = np.array([rules.temperature for rules in every])
    found["genes"] = np.array([float(len(rules.genes)) for rules in every])
    if any(rules.mask is not None for rules in every):  # no rule mask allows every pair
        everything = np.ones((layout.genes, layout.genes))
        masks = [everything if rules.mask is None else _pad(rules.mask, layout.genes) for rules in every]
        found["rule_mask"] = np.stack(masks)
    if layout.modules:
        found |= _members(layout, bodies)
    if partly_free(bodies[0].padded):
        found |= _freed(layout, bodies)
    return (found, free) if wiring.tune_rules else (found | free, {})


def _freed(layout: Layout, bodies: Sequence[Body]) -> dict[str, np.ndarray]:
    """Return `PRE>POST.free` (P, pre, post), 1 where a projection is wired freely."""
    widths = [level.size for level in layout.levels]
    found = {(pre, post): np.zeros((len(bodies), widths[pre], widths[post])) for pre, post in layout.pairs}
    for row, body in enumerate(bodies):
        for link in body.plan.projections:
            if link.free:
                pair = body.level[link.pre], body.level[link.post]
                found[pair][row, body.rows(link.pre), body.rows(link.post)] = 1.0
    return {f"{pre}>{post}.free": array for (pre, post), array in found.items()}


def _members(layout: Layout, bodies: Sequence[Body]) -> dict[str, np.ndarray]:
    """Return `LEVEL.module` (P, N, M), the module of each neuron beyond the input, and each module's neurons.

    `modules` (P, M): its own, the input's, and its one output.
    """
    count, depth = layout.modules, len(layout.levels) - 1
    found = {f"{at}.module": np.zeros((len(bodies), layout.levels[at].size, count)) for at in range(1, depth)}
    for row, body in enumerate(bodies):
        for number, group in enumerate(body.plan.groups[1:-1], 1):
            found[f"{body.level[number]}.module"][row, body.rows(number), group.module] = 1.0
    own = sum(array.sum(1) for array in found.values())
    inputs = np.array([float(body.sizes[0]) for body in bodies])
    found[f"{depth}.module"] = np.tile(np.eye(layout.levels[depth].size)[:, :count], (len(bodies), 1, 1))
    return {**found, "modules": own + inputs[:, None] + 1.0}


def _sound(genome: Genome, wiring: Wiring) -> None:
    rules, ids = genome.rules, [gene.innovation for gene in genome.genes()]
    if len(set(ids)) < len(ids):
        raise DevelopmentError(f"two genes share an innovation id: {sorted(ids)}")
    if rules is None:
        if wiring.genetic:
            raise DevelopmentError("the wiring needs genetic rules, the genome has none")
        return
    g, n = len(rules.genes), len(rules.c)
    wanted = {"O": (g, g), "c": (n, 2 * n), "mask": (g, g)}
    for name, array in (("O", rules.O), ("c", rules.c), ("mask", rules.mask)):
        if array is not None and array.shape != wanted[name]:
            raise DevelopmentError(f"rules.{name} has shape {array.shape}, {wanted[name]} wanted")


def _as_its_kinds_can(plan: Plan, found: Kinds) -> None:
    for link in plan.projections:
        post = plan.groups[link.post]
        if link.rule != "none" and post.neuron in found.synaptic:
            raise DevelopmentError(
                f"gene {post.gene}: {post.name} hears by plastic:{link.rule}, but {post.neuron} neurons "
                "change their synapses themselves; leave plastic out of their ways in"
            )
    for group in plan.groups:
        if group.neuron in found.speaking and (group.activations or group.activation != "identity"):
            raise DevelopmentError(
                f"gene {group.gene}: {group.name} has act:{group.activation}, but {group.neuron} neurons "
                "have no activation function; leave act out of this layer"
            )


def _pad(array: np.ndarray, genes: int) -> np.ndarray:
    padded = np.zeros((genes, genes))
    padded[: array.shape[0], : array.shape[1]] = array
    return padded
