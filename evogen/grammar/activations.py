"""Words on what neurons do with their potential: `act:NAME` for a whole layer, `act:mix` for each its own.

In a mix, every function's number is its share of the layer: `act:mix [tanh,float,1,0,1] [sin,float,1,0,1]`.
Neuron k takes the function into whose share the fractional part of (k + 1/2) phi falls, with the golden ratio
phi: n neurons then hold to the shares within a few in n, no chance is needed, and a neuron keeps its function
when the layer becomes wider.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping
from itertools import accumulate

from evogen.errors import DevelopmentError

ACTIVATIONS = (
    *("tanh", "relu", "selu", "sigmoid", "identity", "gauss", "sin", "abs", "square"),
    *("elu", "gelu", "hardclip01", "hardtanh", "leaky-relu", "mish", "softplus", "swish"),
)
MIX = "mix"
_PHI = (1 + math.sqrt(5)) / 2


def mixed(shares: Mapping[str, float], size: int) -> tuple[str, ...]:
    """Return the activation of each of `size` neurons.

    Args:
        shares: activation name to its share, in any unit; none negative, not all zero.
        size: neurons.

    Raises:
        DevelopmentError: an unknown activation, a negative share, or nothing to choose from.
    """
    for name, share in shares.items():
        if name not in ACTIVATIONS:
            raise DevelopmentError(f"act:mix takes shares of {', '.join(ACTIVATIONS)}; found '{name}'")
        if share < 0:
            raise DevelopmentError(f"act:mix wanted a share of at least 0, found {name} {share:g}")
    names = [name for name in sorted(shares) if shares[name] > 0]
    if not names:
        raise DevelopmentError(f"act:mix wanted a share above 0, found {dict(shares)}")
    ends = list(accumulate(shares[name] for name in names))
    points = ((k + 0.5) * _PHI % 1 * ends[-1] for k in range(size))
    return tuple(names[min(bisect_right(ends, point), len(names) - 1)] for point in points)
