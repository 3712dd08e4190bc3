"""What every plasticity rule does: see `evogen.plasticity.Rule`."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from evogen.keys import Key
from evogen.plasticity import FAST, Extent, Seen, State, Values
from evogen.registry import evolvable_fields

P, B, PRE, POST = 3, 2, 16, 16
SHAPES = {Extent.SYNAPSE: (PRE, POST), Extent.PRE: (PRE, 1), Extent.POST: (1, POST)}


def remembered(rule: Any, *, dtype: torch.dtype = torch.float32) -> State:
    """Return what a rule remembers in random lives."""
    rng = Key(0).child("memory").generator()
    drawn = {name: rng.normal(0, 0.5, (P, B, *SHAPES[extent])) for name, extent in rule.memory.items()}
    return {name: torch.from_numpy(array).to(dtype) for name, array in drawn.items()}


def coefficients(rule: Any, *, dtype: torch.dtype = torch.float32) -> Values:
    """Return a rule's own coefficients, one for each synapse."""
    numbers = {item.name: float(getattr(rule, item.name)) for item in evolvable_fields(type(rule))}
    return {name: torch.full((P, 1, PRE, POST), numbers[name], dtype=dtype) for name in rule.coefficients}


def sight(rule: Any, state: State, values: Values, *, dtype: torch.dtype = torch.float32) -> Seen:
    """Return what random lives see, with a modulator and an error."""
    rng = Key(0).child("seen").generator()
    shapes = (P, B, PRE, 1), (P, B, 1, POST), (P, 1, PRE, POST), (P, B, 1, 1), (P, B, 1, POST)
    parts = [torch.from_numpy(rng.normal(0, 0.5, shape)).to(dtype) for shape in shapes]
    return seeing(rule, state, values, *parts)


def seeing(
    rule: Any,
    state: State,
    values: Values,
    pre: Tensor,
    post: Tensor,
    born: Tensor,
    modulator: Tensor | None = None,
    error: Tensor | None = None,
) -> Seen:
    """Return what a rule sees whose synapses are the only ones; axes as in `Seen`."""
    return Seen(pre, post, born, lambda: born + rule.added(state, born, values), modulator, error)


def lived(rule: Any, state: State, seen: Seen, values: Values) -> State:
    """Return what is remembered after one step that sees the same, whatever was remembered."""
    again = seeing(rule, state, values, seen.pre, seen.post, seen.born, seen.modulator, seen.error)
    after: State = rule.step(state, again, values)
    return after


def _all(rule: Any, *, dtype: torch.dtype = torch.float32) -> tuple[State, Seen, Values]:
    state, values = remembered(rule, dtype=dtype), coefficients(rule, dtype=dtype)
    return state, sight(rule, state, values, dtype=dtype), values


def _inputs(seen: Seen) -> list[Tensor]:
    parts = (seen.pre, seen.post, seen.born, seen.modulator, seen.error)
    return [part for part in parts if part is not None]


def declares_what_it_remembers_and_uses(rule: Any) -> None:
    """It has a fast part of every synapse, and its coefficients are evolvable fields."""
    assert rule.memory[FAST] is Extent.SYNAPSE
    assert set(rule.coefficients) <= {item.name for item in evolvable_fields(type(rule))}


def keeps_the_axes_and_stays_finite(rule: Any) -> None:
    """What is remembered keeps its axes and number type for a hundred steps, whatever the activities."""
    for dtype in (torch.float32, torch.float64):
        state, seen, values = _all(rule, dtype=dtype)
        shapes = {name: part.shape for name, part in state.items()}
        for _ in range(100):
            state = lived(rule, state, seen, values)
            assert {name: part.shape for name, part in state.items()} == shapes
            assert all(part.dtype == dtype for part in state.values())
        assert all(part.isfinite().all() for part in state.values())
        added = rule.added(state, seen.born, values)
        assert added.shape == (P, B, PRE, POST)
        assert added.isfinite().all()


def adds_nothing_at_birth(rule: Any) -> None:
    """Memory is zero at the start of a life, and the weights are then those that it was born with."""
    state, seen, values = _all(rule)
    nothing = {name: torch.zeros_like(part) for name, part in state.items()}
    assert not rule.added(nothing, seen.born, values).any()


def leaves_its_arguments_alone(rule: Any) -> None:
    """A step is pure, without gradients too: nothing is written in place, and it can be repeated."""
    state, seen, values = _all(rule)
    every = [*state.values(), *_inputs(seen), *values.values()]
    before = [part.clone() for part in every]
    with torch.no_grad():
        first = {name: part.clone() for name, part in lived(rule, state, seen, values).items()}
        for now, then in zip(every, before, strict=True):
            assert torch.equal(now, then)
        second = lived(rule, state, seen, values)
    for name, part in lived(rule, state, seen, values).items():
        assert torch.equal(second[name], first[name])
        assert torch.equal(part, first[name])


def is_local_to_candidates_and_lives(rule: Any) -> None:
    """What one life of one candidate does, even NaN, changes no bit of any other life."""
    state, seen, values = _all(rule)
    first = lived(rule, state, seen, values)
    pre = seen.pre.clone()
    pre[1, 0] = torch.nan
    broken = {name: part.clone() for name, part in state.items()}
    for part in broken.values():
        part[1, 0] = torch.nan
    seen = seeing(rule, broken, values, pre, seen.post, seen.born, seen.modulator, seen.error)
    second = rule.step(broken, seen, values)
    others = torch.ones(P, B, dtype=torch.bool)
    others[1, 0] = False
    for name, part in first.items():
        assert torch.equal(part[others], second[name][others])


def acts_alone_as_in_company(rule: Any) -> None:
    """One candidate's memory has the bits that it has in a cohort."""
    state, seen, values = _all(rule)
    together = lived(rule, state, seen, values)
    for row in range(P):
        one = slice(row, row + 1)
        mine = {name: part[one].clone() for name, part in values.items()}
        own = {name: part[one].clone() for name, part in state.items()}
        alone = seeing(rule, own, mine, *(part[one].clone() for part in _inputs(seen)))
        for name, part in rule.step(own, alone, mine).items():
            assert torch.equal(part[0], together[name][row])


def takes_one_coefficient_for_all_synapses(rule: Any) -> None:
    """Coefficients of shape (P, 1, 1, 1) or (P, 1, 1, post) mean the same as one for each synapse."""
    state, seen, values = _all(rule)
    each = lived(rule, state, seen, values)
    for rows in (slice(1), slice(None)):
        short = {name: part[:, :, :1, rows] for name, part in values.items()}
        for name, part in lived(rule, state, seen, short).items():
            assert torch.equal(part, each[name])


def lets_gradients_through(rule: Any) -> None:
    """Replays are differentiated: the gradients in activities, weights and coefficients are finite."""
    state, seen, values = _all(rule, dtype=torch.float64)
    free = {name: part.clone().requires_grad_() for name, part in values.items()}
    inputs = [part.clone().requires_grad_() for part in _inputs(seen)]
    mine = {name: part.clone().requires_grad_() for name, part in state.items()}
    after = rule.step(mine, seeing(rule, mine, free, *inputs), free)
    total = sum(part.square().sum() for part in after.values())
    total = total + rule.added(after, inputs[2], free).square().sum()
    leaves = [*inputs, *mine.values(), *free.values()]
    for found in torch.autograd.grad(total, leaves, allow_unused=True):
        assert found is None or found.isfinite().all()


FACTS = (
    declares_what_it_remembers_and_uses,
    keeps_the_axes_and_stays_finite,
    adds_nothing_at_birth,
    leaves_its_arguments_alone,
    is_local_to_candidates_and_lives,
    acts_alone_as_in_company,
    takes_one_coefficient_for_all_synapses,
    lets_gradients_through,
)
