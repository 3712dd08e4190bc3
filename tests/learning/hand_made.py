"""Teachers of the tiny tasks, made by hand: one layer that pushes towards the middle of the line.

`tests/learning/teachers` holds them as files, for whatever needs a path.
"""

from itertools import pairwise
from pathlib import Path

import torch

from evogen.learning.teacher import Origin, Teacher
from evogen.phenotype.network import Lens

FOLDER = Path(__file__).parent / "teachers"
PUSH = 4.0
WEIGHTS = {
    "Walk": [[-PUSH, PUSH], [PUSH / 2, -PUSH / 2]],  # left of 0.5: to the right
    "Drift": [[-PUSH, -PUSH], [PUSH / 2, PUSH / 2]],
}
KINDS = {"Walk": "control", "Drift": "continuous"}


def origin(name, kind=None):
    return Origin(
        task=name,
        kind=kind or KINDS[name],
        seed=0,
        learner={},
        steps=0,
        validation=0.0,
        returns=0.0,
        candidates=1,
        episodes=1,
        evogen="0.1.0",
        torch="2.6.0",
    )


def hand_made(name):
    """Logits or strides for the observation (x, 1) of Walk or Drift, whose middle it takes to be 0.5."""
    lens = Lens(torch.zeros(1, 2), torch.ones(1, 2))
    return Teacher(lens, ((torch.tensor(WEIGHTS[name]), torch.zeros(2)),), origin(name))


def drawn(inputs, outputs, *, kind="control", seed=0, hidden=(8, 8)):
    """A teacher of any shape that knows nothing."""
    generator = torch.Generator().manual_seed(seed)
    sizes = (inputs, *hidden, outputs)
    layers = tuple(
        (torch.randn(pre, post, generator=generator), torch.randn(post, generator=generator))
        for pre, post in pairwise(sizes)
    )
    lens = Lens(torch.randn(1, inputs, generator=generator), 1 + torch.rand(1, inputs, generator=generator))
    return Teacher(lens, layers, origin("drawn", kind))
