"""What every plasticity rule does: see `evogen.plasticity.Rule`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from evogen.keys import Key
from evogen.registry import evolvable_fields

P, B, PRE, POST = 3, 2, 16, 16
Arguments = tuple[Tensor, Tensor, Tensor, Tensor, Mapping[str, Tensor]]


def arguments(rule: Any, *, dtype: torch.dtype = torch.float32) -> Arguments:
    """Return (fast, pre, post, weight, values) of random lives, with the rule's own coefficients."""
    rng = Key(0).child("rule").generator()
    shapes = (P, B, PRE, POST), (P, B, PRE, 1), (P, B, 1, POST), (P, B, PRE, POST)
    fast, pre, post, W = (torch.from_numpy(rng.normal(0, 0.5, shape)).to(dtype) for shape in shapes)
    numbers = {item.name: float(getattr(rule, item.name)) for item in evolvable_fields(type(rule))}
    values = {name: torch.full((P, 1, PRE, POST), number, dtype=dtype) for name, number in numbers.items()}
    return fast, pre, post, W + fast, values


def keeps_the_axes_and_stays_finite(rule: Any) -> None:
    """F keeps its axes and number type for a hundred steps, whatever the activities."""
    for dtype in (torch.float32, torch.float64):
        fast, pre, post, weight, values = arguments(rule, dtype=dtype)
        shape = fast.shape
        for _ in range(100):
            fast = rule.step(fast, pre, post, weight, values)
            assert fast.shape == shape
            assert fast.dtype == dtype
        assert fast.isfinite().all()


def leaves_its_arguments_alone(rule: Any) -> None:
    """A step is pure: nothing is written in place, and it can be repeated."""
    fast, pre, post, weight, values = arguments(rule)
    before = [part.clone() for part in (fast, pre, post, weight, *values.values())]
    first = rule.step(fast, pre, post, weight, values).clone()
    for now, then in zip((fast, pre, post, weight, *values.values()), before, strict=True):
        assert torch.equal(now, then)
    assert torch.equal(rule.step(fast, pre, post, weight, values), first)


def is_local_to_candidates_and_lives(rule: Any) -> None:
    """What one life of one candidate does, even NaN, changes no bit of any other life."""
    fast, pre, post, weight, values = arguments(rule)
    first = rule.step(fast, pre, post, weight, values)
    pre, fast = pre.clone(), fast.clone()
    pre[1, 0], fast[1, 0] = torch.nan, torch.nan
    second = rule.step(fast, pre, post, weight, values)
    others = torch.ones(P, B, dtype=torch.bool)
    others[1, 0] = False
    assert torch.equal(first[others], second[others])


def acts_alone_as_in_company(rule: Any) -> None:
    """One candidate's F has the bits that it has in a cohort."""
    fast, pre, post, weight, values = arguments(rule)
    together = rule.step(fast, pre, post, weight, values)
    for row in range(P):
        one = slice(row, row + 1)
        mine = {name: part[one].clone() for name, part in values.items()}
        own = rule.step(fast[one].clone(), pre[one].clone(), post[one].clone(), weight[one].clone(), mine)
        assert torch.equal(own[0], together[row])


def takes_one_coefficient_for_all_synapses(rule: Any) -> None:
    """Coefficients of shape (P, 1, 1, 1) mean the same as one for each synapse."""
    fast, pre, post, weight, values = arguments(rule)
    short = {name: part[:, :, :1, :1] for name, part in values.items()}
    each = rule.step(fast, pre, post, weight, values)
    assert torch.equal(rule.step(fast, pre, post, weight, short), each)


def lets_gradients_through(rule: Any) -> None:
    """Replays are differentiated: the gradients in activities, weights and coefficients are finite."""
    fast, pre, post, weight, values = arguments(rule, dtype=torch.float64)
    free = {name: part.clone().requires_grad_() for name, part in values.items()}
    inputs = [part.clone().requires_grad_() for part in (fast, pre, post, weight)]
    total = rule.step(*inputs, free).square().sum()
    for found in torch.autograd.grad(total, [*inputs, *free.values()], allow_unused=True):
        assert found is None or found.isfinite().all()


FACTS = (
    keeps_the_axes_and_stays_finite,
    leaves_its_arguments_alone,
    is_local_to_candidates_and_lives,
    acts_alone_as_in_company,
    takes_one_coefficient_for_all_synapses,
    lets_gradients_through,
)
