"""Mixed wiring: some synapses follow genetic rules, others have a free weight each.

    W = F W_free + (1 - F) W_rules        F: 1 where a gene says wire:free, 0 elsewhere

W_rules and its birth are those of another wiring; its degree counts the synapses that follow rules only. Free
weights are those of `direct`: one parameter a synapse, ~ N(0, 1 / fan_in) at first, the same in every agent.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from torch import Tensor

from evogen.connectome import Counted, Dimensions, Moments, Pairs, Parameter, Values
from evogen.connectome.birth import Birth
from evogen.connectome.synaptogen import SynaptoGen
from evogen.registry import part, register


@register("wiring", "mixed")
@dataclass(frozen=True)
class Mixed:
    """Genetic rules, and free weights where a gene says wire:free."""

    rules: Any = part("wiring", SynaptoGen(), doc="wiring of all other synapses: a genetic one")  # noqa: RUF009
    genetic: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if not self.rules.genetic or isinstance(self.rules, Mixed):
            raise ValueError(f"rules: wanted a genetic wiring such as synaptogen, found {self.rules}")

    @property
    def tune_rules(self) -> bool:
        """Whether the inner loop tunes O and c."""
        return bool(self.rules.tune_rules)

    @property
    def initial(self) -> Literal["normal", "lineage"]:
        """Law of the expression of a group of neurons."""
        law: Literal["normal", "lineage"] = self.rules.initial
        return law

    @property
    def paces(self) -> Mapping[str, float]:
        """Share of the learning rate of O and c."""
        found: Mapping[str, float] = self.rules.paces
        return found

    def parameters(self, dimensions: Dimensions, pairs: Pairs) -> Mapping[str, Parameter]:
        """Those of the rules' wiring, and W for every pair."""
        sizes, found = dimensions.sizes, dict(self.rules.parameters(dimensions, pairs))
        for pre, post in pairs:
            deviation = math.sqrt(1 / max(sizes[pre], 1))
            found[f"{pre}>{post}.W"] = Parameter((sizes[pre], sizes[post]), deviation)
        return found

    def weights(self, values: Values, pairs: Pairs) -> list[Tensor]:
        """Return the weights (P, pre, post) of each pair, free ones where `PRE>POST.free` is 1."""
        found = self.rules.weights(values, pairs)
        return [_either(values, pair, W) for pair, W in zip(pairs, found, strict=True)]

    def moments(self, values: Values, pairs: Pairs, masks: Sequence[Tensor], birth: Birth) -> list[Moments]:
        """Return mean and variance by the rules' wiring; free weights have no variance."""
        bound = [mask * (1 - _free(values, pair, mask)) for pair, mask in zip(pairs, masks, strict=True)]
        found = []
        for pair, (mean, variance) in zip(
            pairs, self.rules.moments(values, pairs, bound, birth), strict=True
        ):
            if variance is not None:
                variance = torch.where(_free(values, pair, mean) > 0, torch.zeros_like(variance), variance)
            found.append(Moments(_either(values, pair, mean), variance))
        return found

    def birth(
        self, candidate: Counted, pairs: Pairs, generators: Sequence[np.random.Generator], birth: Birth
    ) -> list[np.ndarray]:
        """Draw agents by the rules' wiring; free weights are the same in all of them."""
        none = np.zeros(())
        free = [candidate.values.get(f"{pre}>{post}.free", none) > 0 for pre, post in pairs]
        bound = [mask * ~own for mask, own in zip(candidate.masks, free, strict=True)]
        born = self.rules.birth(candidate._replace(masks=bound), pairs, generators, birth)
        found = []
        for (pre, post), W, own, mask in zip(pairs, born, free, candidate.masks, strict=True):
            found.append(np.where(own & (mask > 0), candidate.values[f"{pre}>{post}.W"], W))
        return found


def _free(values: Values, pair: tuple[int, int], like: Tensor) -> Tensor:
    """Return 1 where a synapse is free, (P, pre, post); a network without such genes has none."""
    return values.get("{}>{}.free".format(*pair), torch.zeros_like(like))


def _either(values: Values, pair: tuple[int, int], W: Tensor) -> Tensor:
    return torch.where(_free(values, pair, W) > 0, values["{}>{}.W".format(*pair)], W)
