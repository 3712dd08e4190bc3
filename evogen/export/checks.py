"""By how much a program's outputs differ from those of the network that evogen scores, over whole lives."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from evogen.export.program import Step
from evogen.keys import Key
from evogen.phenotype import Network

OBSERVATIONS, LIFE = 1000, 200
Program = Callable[..., tuple[Tensor, ...]]


def probes(network: Network, key: Key, steps: int) -> Tensor:
    """Return OBSERVATIONS random ones (steps, lives, inputs), as spread as what training saw."""
    shape = (steps, OBSERVATIONS // steps, network.layout.levels[0].size)
    drawn = key.child("probe").generator().standard_normal(shape, dtype=np.float32)  # ~ N(0, 1)
    found = torch.from_numpy(drawn).to(network.dtype)
    return found if network.lens is None else network.lens.centre + network.lens.spread * found


@torch.no_grad()
def difference(network: Network, step: Step, program: Program, observations: Tensor) -> float:
    """Return the largest max |program - network| / max(1, max |network|) over the outputs of a step.

    Both live all lives, each with what it remembers itself.

    Args:
        network: the one that evogen scores, one row.
        step: what the program was made of.
        program: takes and returns what the step does.
        observations: (steps, lives, inputs).
    """
    lives = observations.shape[1]
    state, memory, worst = network.start(lives), step.example(lives)[1:], 0.0
    for seen in observations:
        output, state = network.step(seen.unsqueeze(0), state)
        found, _, *rest = program(seen, *memory)
        memory = tuple(rest)
        apart = (found - output[0]).abs().amax(-1) / output[0].abs().amax(-1).clamp(min=1.0)
        worst = max(worst, float(apart.max()))
    return worst
