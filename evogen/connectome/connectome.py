"""Connectome wiring: the signs and the shared parameters of a circuit hold for its weights.

    W = sign |theta[tie]|      bound: absolute; a free sign (0): W = theta[tie]
    W = sign max(theta, 0)     bound: clamped, with the gradient of sign theta

A clamp whose gradient is 0 outside would let a weight die at its bound for ever; this one is straight through
(Bengio, Leonard, Courville 2013), and |theta| is reflected. At first, where strengths are counts of synapses,

    |theta_k| = mean over its edges of  A^gamma / sqrt(sum over the target's edges of A^(2 gamma)) xi_k

so that unit inputs give a target about unit variance (ours, after LeCun's fan-in); where they are weights,
|theta_k| = mean A xi_k. xi is 1, ~ U(0, 1) or ~ |N(0, 1)|; a free sign is drawn. Edges that are no parameters
keep sign A. Every agent is born equal. Without a circuit this is wiring `direct`.

Source of masked, signed, tied weights: Bhattasali, Zador, Engel 2022; Lappalainen et al. 2024.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import FunctionCtx
from torch.utils.weak import WeakTensorKeyDictionary

from evogen.connectome import TIED, Counted, Dimensions, Moments, Pairs, Parameter, Values
from evogen.connectome.birth import Birth
from evogen.connectome.direct import Direct
from evogen.grammar.plan import Anatomy, Pattern
from evogen.registry import register, setting

_LEAST = 1e-12
_LAWS: Mapping[str, Callable[[np.random.Generator, int], np.ndarray]] = {
    "constant": lambda _, size: np.ones(size),
    "uniform": lambda rng, size: rng.random(size),
    "normal": lambda rng, size: np.abs(rng.standard_normal(size)),
}


@register("wiring", "connectome")
@dataclass(frozen=True)
class Connectome:
    """Weights that keep a circuit's signs and ties; only with architecture.circuit."""

    gamma: float = setting(
        0.5, low=0.0, high=2.0, doc="initial weights grow with synapse counts to this power"
    )
    initial_size: Literal["constant", "uniform", "normal"] = setting(
        "constant", doc="xi of the initial weights: 1, uniform in [0, 1], or half-normal"
    )
    bound: Literal["absolute", "clamped"] = setting(
        "absolute", doc="how a sign is kept: |theta|, or theta clamped with a straight-through gradient"
    )
    genetic: ClassVar[bool] = False
    paces: ClassVar[Mapping[str, float]] = {}
    initial: ClassVar[Literal["normal"]] = "normal"
    tune_rules: ClassVar[bool] = False

    def parameters(self, dimensions: Dimensions, pairs: Pairs) -> Mapping[str, Parameter]:
        """Theta (K,) for all edges, and b for postsynaptic levels if they are free."""
        found = dict(Direct().parameters(dimensions, pairs))
        if not dimensions.ties:
            return found
        free = {name: spec for name, spec in found.items() if name.endswith(".b")}
        return {TIED: Parameter((dimensions.ties,), 1.0)} | (free if dimensions.bias == "free" else {})

    def innate(self, anatomy: Anatomy, patterns: Sequence[Pattern], rng: np.random.Generator) -> np.ndarray:
        """Return the initial theta, (K,).

        Args:
            anatomy: what the plan says of the whole circuit.
            patterns: of its projections; copies count once.
            rng: of this candidate's draws.
        """
        total, edges, free = (np.zeros(anatomy.ties) for _ in range(3))
        once = list({pattern.ends: pattern for pattern in patterns}.values())
        for pattern, size in zip(once, _sizes(anatomy, once, self.gamma), strict=True):
            tuned = pattern.tuned
            np.add.at(total, pattern.tie[tuned], size[tuned])
            np.add.at(edges, pattern.tie[tuned], 1)
            np.maximum.at(free, pattern.tie[tuned], pattern.sign[tuned] == 0)
        size = total / np.maximum(edges, 1)
        drawn = _LAWS[self.initial_size](rng, anatomy.ties)
        signs = rng.integers(0, 2, anatomy.ties) * 2 - 1
        return np.asarray(size * drawn * np.where(free > 0, signs, 1))

    def weights(self, values: Values, pairs: Pairs) -> list[Tensor]:
        """Return (P, pre, post) of each pair, 0 where the circuit has no edge."""
        if TIED not in values:
            return Direct().weights(values, pairs)
        theta = values[TIED]
        size = theta.abs() if self.bound == "absolute" else _clamped(theta)
        return [_placed(theta, size, values, f"{pre}>{post}") for pre, post in pairs]

    def moments(
        self,
        values: Values,
        pairs: Pairs,
        masks: Sequence[Tensor],  # noqa: ARG002
        birth: Birth,  # noqa: ARG002
    ) -> list[Moments]:
        """Return the weights themselves, without variance."""
        return [Moments(W, None) for W in self.weights(values, pairs)]

    def birth(
        self, candidate: Counted, pairs: Pairs, generators: Sequence[np.random.Generator], birth: Birth
    ) -> list[np.ndarray]:
        """Return the same weights for every agent."""
        if TIED not in candidate.values:
            return Direct().birth(candidate, pairs, generators, birth)
        alone = {name: torch.from_numpy(array[None].copy()) for name, array in candidate.values.items()}
        found = zip(self.weights(alone, pairs), candidate.masks, strict=True)
        return [np.repeat(W.numpy() * mask, len(generators), axis=0) for W, mask in found]


class _Edges(NamedTuple):
    """Row and place of each tuned edge, its tie and its sign."""

    where: tuple[Tensor, ...]
    ties: Tensor
    signs: Tensor


_KNOWN: Any = WeakTensorKeyDictionary()


def _sizes(anatomy: Anatomy, patterns: Sequence[Pattern], gamma: float) -> list[np.ndarray]:
    """Return the initial size of each edge's weight, (pre, post) a pattern."""
    if anatomy.units == "weights":
        return [pattern.strength for pattern in patterns]
    raised = [
        np.where(pattern.edges, np.maximum(pattern.strength, _LEAST) ** gamma, 0.0) for pattern in patterns
    ]
    power: dict[int, np.ndarray] = {}
    for pattern, one in zip(patterns, raised, strict=True):
        target = pattern.ends[1]
        power[target] = power.get(target, np.zeros(one.shape[1])) + np.square(one).sum(0)
    return [
        one / np.sqrt(np.maximum(power[pattern.ends[1]], _LEAST))
        for pattern, one in zip(patterns, raised, strict=True)
    ]


class _Straight(torch.autograd.Function):
    """max(theta, 0), whose gradient is that of theta."""

    @staticmethod
    def forward(ctx: FunctionCtx, theta: Tensor) -> Tensor:  # noqa: ARG004
        """Return the clamped numbers."""
        return theta.clamp_min(0.0)

    @staticmethod
    def backward(ctx: FunctionCtx, *gradients: Tensor) -> Tensor:  # noqa: ARG004
        """Return the gradient as it came."""
        return gradients[0]


def _clamped(theta: Tensor) -> Tensor:
    clamped: Tensor = _Straight.apply(theta)  # type: ignore[no-untyped-call]
    return clamped


def _placed(theta: Tensor, size: Tensor, values: Values, pair: str) -> Tensor:
    """Put each edge's weight in its place."""
    given, tie, sign = (values[f"{pair}.{name}"] for name in ("given", "tie", "sign"))
    where, ties, signs = _edges(tie, sign)
    rows = where[0]
    bound = signs * size[rows, ties]
    return given.to(theta.dtype).index_put(where, torch.where(signs == 0, theta[rows, ties], bound))


def _edges(tie: Tensor, sign: Tensor) -> _Edges:
    """Return where the tuned edges are; looked for once for each tensor, as long as that lives."""
    found: _Edges | None = _KNOWN.get(tie)
    if found is None:
        where: Any = torch.nonzero(tie >= 0, as_tuple=True)
        found = _Edges(where, tie[where].long(), sign[where])
        _KNOWN[tie] = found
    return found
