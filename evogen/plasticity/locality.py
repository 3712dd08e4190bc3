"""Locality: what the change of one synapse depends on, found by perturbing what a rule sees.

A rule is run on a small link; then one thing that it sees in one step, or one synapse's born weight, is
changed, and whether one other synapse's weight comes out differently, in that step or soon after, is its
label. Nothing is taken on trust from the rule.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import torch
from torch import Tensor

from evogen.keys import Key
from evogen.plasticity import Extent, Rule, Seen, State, Values
from evogen.registry import evolvable_fields

NEURONS, STEPS, AT, DRAWS = 3, 6, 3, 16
BUMP = 2.0  # as much as anything seen, so that what has a limit reaches it
WORDS: Mapping[str, str] = {
    "pre": "its presynaptic neuron",
    "post": "its postsynaptic neuron",
    "weight": "its own weight",
    "siblings": "other synapses of its postsynaptic neuron",
    "layer": "other neurons and synapses of its link",
    "modulator": "a modulator that all synapses hear",
    "error": "an error of its postsynaptic neuron",
}
"""What the change of a synapse may depend on, and what that is."""

_PLACES: Mapping[str, Sequence[tuple[str, tuple[int, ...]]]] = {
    "pre": [("pre", (AT, 0, 0))],
    "post": [("post", (AT, 0, 0))],
    "weight": [("born", (0, 0, 0))],
    "siblings": [("pre", (AT, 1, 0)), ("born", (0, 1, 0))],
    "layer": [("post", (AT, 0, 1)), ("error", (AT, 0, 1)), ("born", (0, 0, 1)), ("born", (0, 1, 1))],
    "modulator": [("modulator", (AT, 0, 0))],
    "error": [("error", (AT, 0, 0))],
}
_Life = Mapping[str, Tensor]


def locality(rule: Rule) -> tuple[str, ...]:
    """Return what the change of one synapse depends on under this rule, a part of WORDS in their order.

    With these settings and any coefficients: so DRAWS times those in use are drawn anew, and a life.
    """
    found: set[str] = set()
    for draw in range(DRAWS):
        values, life = _drawn(rule, draw), _life(draw)
        plain = _felt(rule, values, life)
        for word, places in _PLACES.items():
            found |= {
                word
                for name, at in places
                if not torch.equal(_felt(rule, values, _bumped(life, name, at)), plain)
            }
    return tuple(word for word in WORDS if word in found)


def sentence(rule: Rule) -> str:
    """Return in words what a synapse follows, as `evogen list rules` shows it."""
    words = [WORDS[word] for word in locality(rule)]
    if not words:
        return "a synapse follows nothing"
    return f"a synapse follows {', '.join(words[:-1])}{' and ' if words[1:] else ''}{words[-1]}"


def _drawn(rule: Rule, draw: int) -> Values:
    """Return coefficients within their bounds, not far from 0, (1, 1, 1, 1) each."""
    rng = Key(draw).child("coefficients").generator()
    bounds = {
        item.name: (item.metadata["low"], item.metadata["high"]) for item in evolvable_fields(type(rule))
    }
    ends = {name: (max(bounds[name][0], -1.0), min(bounds[name][1], 1.0)) for name in rule.coefficients}
    return {name: torch.full((1, 1, 1, 1), rng.uniform(*ends[name])).double() for name in ends}


def _life(draw: int) -> _Life:
    """Return what is seen, (STEPS, pre or 1, post or 1), and the born weights, (1, pre, post)."""
    rng = Key(draw).child("life").generator()
    shapes = {
        "pre": (STEPS, NEURONS, 1),
        "post": (STEPS, 1, NEURONS),
        "modulator": (STEPS, 1, 1),
        "error": (STEPS, 1, NEURONS),
        "born": (1, NEURONS, NEURONS),
    }
    return {name: torch.from_numpy(rng.uniform(0.1, 0.9, shape)) for name, shape in shapes.items()}


def _bumped(life: _Life, name: str, at: tuple[int, ...]) -> _Life:
    part = life[name].clone()
    part[at] += BUMP
    return {**life, name: part}


def _felt(rule: Rule, values: Values, life: _Life) -> Tensor:
    """Return by how much the first synapse differs from its born weight after each step, (STEPS,)."""
    shapes = {Extent.SYNAPSE: (NEURONS, NEURONS), Extent.PRE: (NEURONS, 1), Extent.POST: (1, NEURONS)}
    state: State = {
        name: torch.zeros(1, 1, *shapes[extent], dtype=torch.float64) for name, extent in rule.memory.items()
    }
    born, felt = life["born"][None], []  # (1, 1, pre, post)
    for step in range(STEPS):
        pre, post, modulator, error = (
            life[name][step][None, None] for name in ("pre", "post", "modulator", "error")
        )
        weigh = partial(_weight, rule, state, born, values)
        state = rule.step(state, Seen(pre, post, born, weigh, modulator, error), values)
        felt.append(rule.added(state, born, values)[0, 0, 0, 0])
    return torch.stack(felt)


def _weight(rule: Rule, state: State, born: Tensor, values: Values) -> Tensor:
    return born + rule.added(state, born, values)
