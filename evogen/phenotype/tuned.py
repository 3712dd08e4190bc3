"""Tuned rules: plasticity coefficients and modulators as parameters of the phenotype.

A tuned coefficient is what the grammar, a gene or the experiment says, plus a parameter, within the bounds of
its field: so learners reach it like a weight, and offspring inherit it like one. Parameters by granularity:

    synapse        PRE>POST.RULE~FIELD   (pre, post)   a number a synapse
    neuron         POST.RULE~FIELD       (N,)          a number a postsynaptic neuron, for all links into it
    layer          POST.RULE~FIELD       (N,)          that of a group's first neuron counts for the group
    global         LAST.RULE~FIELD       (N,)          that of the output's first neuron counts for all

The weights of a learned modulator are LEVEL.RULE~modulator (N,), drawn ~ N(0, 0.1^2), at the postsynaptic
levels of the rule's links (`layer`), or at the input and all hidden levels (`global`).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import FunctionCtx

from evogen.connectome import Parameter
from evogen.phenotype.layout import RULED, Body, Layout
from evogen.phenotype.traits import VOICE, Traits
from evogen.plasticity import Granularity, Modulated, Tunable

SPREAD = 0.1
_LEARNED = ("layer", "global")


def parameters(rules: Mapping[str, Any], layout: Layout) -> dict[str, Parameter]:
    """Return what the rules of a layout have learners tune, by name."""
    found: dict[str, Parameter] = {}
    widths, last = [level.size for level in layout.levels], len(layout.levels) - 1
    grains = dict(layout.grains)
    for link in layout.links:
        for kind in link.rules:
            for field, deviation in rules[kind].tuned.items() if kind in grains else ():
                symbol = f"{kind}{RULED}{field}"
                if grains[kind] == Granularity.SYNAPSE:
                    shape: tuple[int, ...] = (widths[link.pre], widths[link.post])
                    found[f"{link.pre}>{link.post}.{symbol}"] = Parameter(shape, deviation)
                else:
                    at = last if grains[kind] == Granularity.GLOBAL else link.post
                    found[f"{at}.{symbol}"] = Parameter((widths[at],), deviation)
            for at in _listening(rules[kind], link.post, last):
                found[f"{at}.{kind}{VOICE}"] = Parameter((widths[at],), SPREAD)
    return found


def _listening(rule: object, post: int, last: int) -> Sequence[int]:
    if not isinstance(rule, Modulated) or rule.modulator not in _LEARNED:
        return ()
    return (post,) if rule.modulator == "layer" else range(last)


def grains(rules: Mapping[str, Any], used: Sequence[str], genes: Mapping[str, Any]) -> dict[str, str]:
    """Return the granularity of each rule in use that has tuned coefficients, by gene or by setting."""
    order = tuple(Granularity)
    found = {}
    for kind in sorted({*used} - {"none"}):
        rule = rules[kind]
        if isinstance(rule, Tunable) and rule.tuned:
            gene = genes.get(f"rule.{kind}.granularity")
            found[kind] = str(rule.granularity if gene is None else order[int(gene)])
    return found


def firsts(layout: Layout, bodies: Sequence[Body]) -> dict[str, np.ndarray]:
    """Return `LEVEL.first` (P, N): the first neuron of each one's group, where a rule's grain is a layer."""
    if "layer" not in dict(layout.grains).values():
        return {}
    found = {
        f"{at}.first": np.tile(np.arange(level.size), (len(bodies), 1))
        for at, level in enumerate(layout.levels)
    }
    for row, body in enumerate(bodies):
        for group, at in enumerate(body.level):
            rows = body.rows(group)
            found[f"{at}.first"][row, rows] = rows.start
    return found


def tuned(traits: Traits, layout: Layout, values: Mapping[str, Tensor]) -> Traits:
    """Return traits with the parameters `values` in place, differentiable in them."""
    rule, neuron = dict(traits.rule), dict(traits.neuron)
    for name in values:
        if name.endswith(VOICE):
            at = int(name.partition(".")[0])
            neuron[name] = values[name].unsqueeze(1) * traits.present(at, layout.levels[at])  # (P, 1, N)
    for number, link in enumerate(layout.links):
        for kind, grain in layout.grains if link.rules else ():
            if kind not in link.rules:
                continue
            bounds = {item.name: item.metadata for item in dataclasses.fields(traits.laws[kind])}
            for field in traits.laws[kind].tuned:
                name = f"{number}.{kind}.{field}"
                moved = traits.rule[name] + _moved(
                    values, layout, (link.pre, link.post), f"{kind}{RULED}{field}", grain
                )
                low, high = float(bounds[field]["low"]), float(bounds[field]["high"])
                rule[name] = bounded(moved, low, high) * traits.rule[f"{number}.{kind}"]
    return dataclasses.replace(traits, neuron=neuron, rule=rule)


def _moved(
    values: Mapping[str, Tensor], layout: Layout, ends: tuple[int, int], symbol: str, grain: str
) -> Tensor:
    """Return what a parameter adds to a coefficient of a link, broadcastable to (P, 1, pre, post)."""
    pre, post = ends
    if grain == Granularity.SYNAPSE:
        return values[f"{pre}>{post}.{symbol}"].unsqueeze(1)
    if grain == Granularity.GLOBAL:
        return values[f"{len(layout.levels) - 1}.{symbol}"][:, :1, None, None]
    part = values[f"{post}.{symbol}"]  # (P, N)
    if grain == Granularity.LAYER:
        part = part.gather(1, values[f"{post}.first"].long())
    return part[:, None, None]


def counted(name: str, layout: Layout, traits: Traits, first: np.ndarray | None, row: int) -> np.ndarray:
    """Return which entries of a parameter of a candidate have an effect, bool.

    Args:
        name: `LEVEL.RULE~FIELD` or `PRE>POST.RULE~FIELD`.
        layout: of the phenotype.
        traits: of the phenotype.
        first: `LEVEL.first` of the candidate, if there is one.
        row: of the candidate.
    """
    at, _, symbol = name.partition(".")
    kind, _, field = symbol.partition(RULED)
    masks = {
        (link.pre, link.post): traits.rule[f"{number}.{kind}"][row, 0].cpu().numpy() > 0
        for number, link in enumerate(layout.links)
        if kind in link.rules
    }
    if ">" in at:
        pre, post = (int(part) for part in at.split(">"))
        own: np.ndarray = masks[pre, post]
        return own
    size = layout.levels[int(at)].size
    if f"{RULED}{field}" == VOICE:
        return np.ones(size, dtype=bool)
    grain = dict(layout.grains)[kind]
    if grain == Granularity.GLOBAL:
        found = np.zeros(size, dtype=bool)
        found[0] = True
        return found
    heard = np.zeros(size, dtype=bool)
    for (_, post), mask in masks.items():
        if post == int(at):
            heard |= mask.any(0)
    if grain == Granularity.NEURON or first is None:
        return heard
    found = np.zeros(size, dtype=bool)
    found[np.unique(first[heard]).astype(int)] = True
    return found


class _Bounded(torch.autograd.Function):
    """Clip; the gradient still comes through where a step against it would lead back inside."""

    @staticmethod
    def forward(ctx: FunctionCtx, value: Tensor, low: float, high: float) -> Tensor:
        """Return the value within its bounds."""
        ctx.save_for_backward(value)
        cast("Any", ctx).bounds = low, high
        return value.clamp(low, high)

    @staticmethod
    def backward(ctx: FunctionCtx, *gradients: Tensor) -> Any:
        """Return the gradient but where it would be followed, downhill, further out."""
        (value,), (low, high), (gradient,) = (
            cast("Any", ctx).saved_tensors,
            cast("Any", ctx).bounds,
            gradients,
        )
        outward = ((value < low) & (gradient > 0)) | ((value > high) & (gradient < 0))
        return gradient.masked_fill(outward, 0.0), None, None


def bounded(value: Tensor, low: float, high: float) -> Tensor:
    """Return a value within its bounds; gradient descent can bring it back from beyond them."""
    found: Tensor = _Bounded.apply(value, low, high)  # type: ignore[no-untyped-call]
    return found
