"""What every wiring does: see `evogen.connectome.Wiring`."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from evogen.connectome import Counted, Dimensions
from evogen.connectome.birth import Birth
from evogen.keys import Key

P, GENES, TRANSMITTERS, TEMPERATURE = 3, 16, 2, 0.1
SIZES = (4, 16, 3)
PAIRS = ((0, 1), (0, 2), (1, 2))
CONSTANTS = ("temperature", "genes", "neurons")


def values(wiring: Any, *, dtype: torch.dtype = torch.float32) -> dict[str, Tensor]:
    """Return the parameters of P candidates by the wiring's own law; O, c and temperature if genetic."""
    found = {}
    for name, spec in wiring.parameters(Dimensions(SIZES, GENES, TRANSMITTERS), PAIRS).items():
        found[name] = _normal(name, (P, *spec.shape), spec.deviation)
    if wiring.genetic:
        found["O"] = _normal("O", (P, GENES, GENES), 1 / GENES)
        found["c"] = _normal("c", (P, TRANSMITTERS, 2 * TRANSMITTERS), 0.35)
        found["temperature"], found["genes"] = torch.full((P,), TEMPERATURE), torch.full((P,), float(GENES))
    found["neurons"] = torch.full((P,), float(sum(SIZES)))
    return {name: part.to(dtype) for name, part in found.items()}


def births(wiring: Any, row: int, agents: int, *, masks: list[np.ndarray] | None = None) -> list[np.ndarray]:
    """Return the weights of agents born of one candidate at 1e4 synapses a neuron."""
    own = {name: part[row].double().numpy() for name, part in values(wiring).items() if name not in CONSTANTS}
    full = [np.ones((SIZES[pre], SIZES[post])) for pre, post in PAIRS]
    generators = [Key(0).child("agent", agent).generator() for agent in range(agents)]
    candidate = Counted(own, TEMPERATURE, None, full if masks is None else masks)
    found: list[np.ndarray] = wiring.birth(candidate, PAIRS, generators, Birth(degree=1e4))
    return found


def weighs_every_pair(wiring: Any) -> None:
    """There is one finite (P, pre, post) matrix a pair, not all zero, in the parameters' number type."""
    for dtype in (torch.float32, torch.float64):
        found = wiring.weights(values(wiring, dtype=dtype), PAIRS)
        assert [W.shape for W in found] == [(P, SIZES[pre], SIZES[post]) for pre, post in PAIRS]
        assert all(W.dtype == dtype and W.isfinite().all() and W.any() for W in found)


def keeps_rows_apart(wiring: Any) -> None:
    """A candidate has the weights in company, even of NaN, that it has alone, bit for bit."""
    company = values(wiring)
    together = wiring.weights(company, PAIRS)
    for part in company.values():
        part[0] = torch.nan
    beside = wiring.weights(company, PAIRS)
    alone = wiring.weights({name: part[1:2].clone() for name, part in company.items()}, PAIRS)
    for all_rows, other, own in zip(together, beside, alone, strict=True):
        assert torch.equal(all_rows[1], own[0])
        assert torch.equal(all_rows[1:], other[1:])


def leaves_padding_inert(wiring: Any) -> None:
    """A neuron whose parameters are zero has zero weights, and its presence changes no other weight."""
    found = values(wiring)
    whole = wiring.weights(found, PAIRS)
    cut = [slice(None), slice(10), slice(None)]
    for name, part in found.items():
        place = name.partition(".")[0]
        if place == "1":
            part[:, 10:] = 0
        elif ">" in place:
            pre, post = (int(level) for level in place.split(">"))
            if pre == 1:
                part[:, 10:] = 0
            if post == 1:
                part[:, :, 10:] = 0
    for (pre, post), W, before in zip(PAIRS, wiring.weights(found, PAIRS), whole, strict=True):
        own = (slice(None), cut[pre], cut[post])
        assert torch.equal(W[own], before[own])
        rest = W.clone()
        rest[own] = 0
        assert not rest.any()


def has_exact_gradients(wiring: Any) -> None:
    """Gradients are those of finite differences, and no parameter that it asks for is without effect."""
    specs = wiring.parameters(Dimensions((2, 3), 2, 2), ((0, 1),))
    own = {name: _normal(name, (1, *spec.shape), 1.0) for name, spec in specs.items() if name[-1] != "b"}
    rules = {"O": _normal("O", (1, 2, 2), 0.1), "c": _normal("c", (1, 2, 4), 0.5)} if wiring.genetic else {}
    names = [*own, *rules]
    fixed = {"temperature": torch.tensor([TEMPERATURE], dtype=torch.float64)}

    def weights(*parts: Tensor) -> Tensor:
        (W,) = wiring.weights(dict(zip(names, parts, strict=True)) | fixed, ((0, 1),))
        assert isinstance(W, Tensor)
        return W

    inputs = [part.requires_grad_() for part in (*own.values(), *rules.values())]
    assert torch.autograd.gradcheck(weights, inputs)
    gradients = torch.autograd.grad(weights(*inputs).sum(), list(own.values()))
    for name, gradient in zip(own, gradients, strict=True):
        assert gradient.any(), f"{name} has no effect"


def bears_the_agent_of_its_stream(wiring: Any) -> None:
    """An agent follows from the candidate and its generator, however many are born beside it."""
    for few, many in zip(births(wiring, 0, 1), births(wiring, 0, 3), strict=True):
        assert np.array_equal(few[0], many[0])


def bears_agents_around_the_average(wiring: Any) -> None:
    """The mean of 64 agents is the average network's weights to 2 % of their largest."""
    for row in range(P):
        expected = wiring.weights(values(wiring, dtype=torch.float64), PAIRS)
        for W, born in zip(expected, births(wiring, row, 64), strict=True):
            own = W[row].numpy()
            assert born.shape == (64, *own.shape)
            assert np.abs(born.mean(0) - own).max() <= 0.02 * np.abs(own).max()


def bears_no_masked_synapse(wiring: Any) -> None:
    """Where the mask is 0 no agent has a synapse; elsewhere some have."""
    rng = Key(0).child("masks").generator()
    masks = [1.0 * (rng.random((SIZES[pre], SIZES[post])) < 0.5) for pre, post in PAIRS]
    for mask, born in zip(masks, births(wiring, 0, 3, masks=masks), strict=True):
        assert not born[:, mask == 0].any()
        assert born[:, mask == 1].any()


def _normal(name: str, shape: tuple[int, ...], deviation: float) -> Tensor:
    drawn = Key(0).child("wiring", name).generator().normal(0, 1, shape)
    return torch.from_numpy(drawn * deviation)


FACTS = (
    weighs_every_pair,
    keeps_rows_apart,
    leaves_padding_inert,
    has_exact_gradients,
    bears_the_agent_of_its_stream,
    bears_agents_around_the_average,
    bears_no_masked_synapse,
)
