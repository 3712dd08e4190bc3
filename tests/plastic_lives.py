"""What a rule makes of a life of one link, for tests that compare it with plain loops."""

import numpy as np
import torch

from evogen.keys import Key
from evogen.testing.rule import SHAPES, seeing


def life(steps=12, pre=4, post=3, seed=0, *, spikes=False):
    """Activities (T, pre) and (T, post), and born weights (pre, post)."""
    rng = Key(seed).child("life").generator()
    ends = rng.normal(0, 1, (steps, pre)), rng.normal(0, 1, (steps, post))
    if spikes:
        ends = tuple((part > 0.5).astype(float) for part in ends)
    return *ends, rng.normal(0, 0.5, (pre, post))


def lives(rule, pre, post, born, *, modulator=None, error=None, reset=()):
    """The effective weights (T, pre, post) and the memories after each step, with the rule's own numbers."""

    def tensor(array, *shape):
        return torch.from_numpy(np.asarray(array, dtype=float)).reshape(1, 1, *shape)

    values = {
        name: torch.full((1, 1, 1, 1), getattr(rule, name), dtype=torch.float64) for name in rule.coefficients
    }
    sizes = {"synapse": born.shape, "pre": (born.shape[0], 1), "post": (1, born.shape[1])}
    assert set(sizes) == {str(extent) for extent in SHAPES}
    state = {
        name: torch.zeros(1, 1, *sizes[extent], dtype=torch.float64) for name, extent in rule.memory.items()
    }
    W, found, memories = tensor(born, *born.shape), [], []
    for t in range(len(pre)):
        said = [tensor(pre[t], -1, 1), tensor(post[t], 1, -1), W]
        said += [None if modulator is None else tensor(modulator[t], 1, 1)]
        said += [None if error is None else tensor(error[t], 1, -1)]
        with torch.no_grad():
            state = rule.step(state, seeing(rule, state, values, *said), values)
        found.append((W + rule.added(state, W, values))[0, 0].numpy())
        memories.append({name: part[0, 0].numpy().squeeze() for name, part in state.items()})
    return np.stack(found), memories
