"""Ties: what a circuit says of each synapse, laid out like the links of a cohort."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from evogen.connectome.circuits.circuit import GIVEN
from evogen.phenotype.layout import Body, Layout


def tied(layout: Layout, bodies: Sequence[Body]) -> dict[str, np.ndarray]:
    """Return the constants of P candidates that are circuits, (P, pre, post) each.

    `PRE>POST.tie`: number of the synapse's parameter, GIVEN where it has none; `.sign`: its sign, 0 where it
    is free; `.given`: the weight of a synapse that is no parameter. Neurons without biases have `LEVEL.b` of
    0.
    """
    sizes = [level.size for level in layout.levels]
    found: dict[str, np.ndarray] = {}
    for pre, post in layout.pairs:
        shape = len(bodies), sizes[pre], sizes[post]
        found[f"{pre}>{post}.tie"] = np.full(shape, float(GIVEN))
        found[f"{pre}>{post}.sign"], found[f"{pre}>{post}.given"] = np.zeros(shape), np.zeros(shape)
    for row, body in enumerate(bodies):
        for link in body.plan.projections:
            if (pattern := link.pattern) is None:
                continue
            name, place = (
                f"{body.level[link.pre]}>{body.level[link.post]}",
                (row, body.rows(link.pre), body.rows(link.post)),
            )
            given = pattern.edges & ~pattern.tuned
            found[f"{name}.tie"][place] = pattern.tie
            found[f"{name}.sign"][place] = pattern.sign
            found[f"{name}.given"][place] = np.where(given, pattern.sign * pattern.strength, 0.0)
    if layout.bias == "none":
        found |= {f"{at}.b": np.zeros((len(bodies), size)) for at, size in enumerate(sizes) if at}
    return found
