"""What every wiring does: see `evogen.connectome.Wiring`.

Spreads are those of 1,000 agents of fixed streams. Were their seeds free, a variance would be more than 6 of
its standard errors off about once in 10^8.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor

from evogen.connectome import Counted, Dimensions, Moments
from evogen.connectome.birth import Birth
from evogen.keys import Key

P, GENES, TRANSMITTERS, TEMPERATURE = 3, 16, 2, 0.1
SIZES = (4, 16, 3)
PAIRS = ((0, 1), (0, 2), (1, 2))
CONSTANTS = ("temperature", "genes", "neurons")
OWN = (slice(4), slice(10), slice(3))  # neurons of each level that are not padding, where some are
DRAWS = 1000


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
    if wiring.genetic:
        found |= _freed(found, P)
    return {name: part.to(dtype) for name, part in found.items()}


def laws(**changes: Any) -> Iterator[Birth]:
    """Yield every combination of counts and conductance."""
    for counts, conductance in itertools.product(("binomial", "poisson"), ("mean", "drawn")):
        yield Birth(counts=counts, conductance=conductance, **changes)  # type: ignore[arg-type]


def moments(wiring: Any, of: dict[str, Tensor], law: Birth) -> list[Moments]:
    """Return the moments of every pair; half of the synapses are masked out."""
    neurons = of["neurons"]
    masks = [mask.to(neurons) for mask in _masks(len(neurons))]
    found: list[Moments] = wiring.moments(of, PAIRS, masks, law)
    return found


def births(
    wiring: Any,
    row: int,
    agents: int,
    *,
    masks: list[np.ndarray] | None = None,
    law: Birth = Birth(degree=1e4),  # noqa: B008 - it is frozen
) -> list[np.ndarray]:
    """Return the weights of agents born of one candidate, by default at 1e4 synapses a neuron."""
    own = {name: part[row].double().numpy() for name, part in values(wiring).items() if name not in CONSTANTS}
    full = [np.ones((SIZES[pre], SIZES[post])) for pre, post in PAIRS]
    generators = [Key(0).child("agent", agent).generator() for agent in range(agents)]
    candidate = Counted(own, TEMPERATURE, None, full if masks is None else masks)
    found: list[np.ndarray] = wiring.birth(candidate, PAIRS, generators, law)
    return found


def weighs_every_pair(wiring: Any) -> None:
    """There is one finite (P, pre, post) matrix a pair, not all zero, in the parameters' number type."""
    for dtype in (torch.float32, torch.float64):
        found = wiring.weights(values(wiring, dtype=dtype), PAIRS)
        assert [W.shape for W in found] == [(P, SIZES[pre], SIZES[post]) for pre, post in PAIRS]
        assert all(W.dtype == dtype and W.isfinite().all() and W.any() for W in found)


def has_moments_about_its_weights(wiring: Any) -> None:
    """By every law the mean is the expected weights, bit for bit, and a variance finite and at least 0."""
    for law, dtype in itertools.product(laws(), (torch.float32, torch.float64)):
        own = values(wiring, dtype=dtype)
        for (mean, variance), W in zip(moments(wiring, own, law), wiring.weights(own, PAIRS), strict=True):
            assert torch.equal(mean, W)
            if variance is not None:
                assert variance.shape == W.shape
                assert variance.dtype == dtype
                assert variance.isfinite().all()
                assert (variance >= 0).all()


def bears_agents_with_the_spread_of_its_moments(wiring: Any) -> None:
    """Born weights have the closed-form variance: each within 6 standard errors, all together within 3 %."""
    masks = [mask[0].numpy() for mask in _masks(1)]
    for law in laws(degree=1e5):
        expected = moments(wiring, values(wiring, dtype=torch.float64), law)
        found = births(wiring, 0, DRAWS, masks=masks, law=law)
        ratios = []
        for born, (_, variance), mask in zip(found, expected, masks, strict=True):
            if variance is None:
                assert (born == born[0]).all()
                continue
            open_ = (mask == 1) & (variance[0].numpy() > 0)
            ratios.append(born.var(0, ddof=1)[open_] / variance[0].numpy()[open_])
        if ratios:
            together = np.concatenate(ratios)
            assert np.abs(together - 1).max() <= 6 * np.sqrt(2 / DRAWS)
            assert abs(together.mean() - 1) <= 0.03


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


def keeps_moments_of_rows_apart(wiring: Any) -> None:
    """So it is with mean and variance, which share the synapses of a candidate but not of another."""
    for law in laws():
        company = values(wiring)
        together = moments(wiring, company, law)
        for part in company.values():
            part[0] = torch.nan
        beside = moments(wiring, company, law)
        alone = moments(wiring, {name: part[1:2].clone() for name, part in company.items()}, law)
        for all_rows, other, own in zip(together, beside, alone, strict=True):
            for a, b, c in zip(all_rows, other, own, strict=True):
                assert (a is None) == (b is None) == (c is None)
                if a is not None and b is not None and c is not None:
                    assert torch.equal(a[1], c[0])
                    assert torch.equal(a[1:], b[1:])


def leaves_padding_inert(wiring: Any) -> None:
    """A neuron whose parameters are zero has zero weights, and its presence changes no other weight."""
    found = values(wiring)
    whole = wiring.weights(found, PAIRS)
    _pad(found)
    for pair, W, before in zip(PAIRS, wiring.weights(found, PAIRS), whole, strict=True):
        _differs_in_padding_only(pair, W, before)


def leaves_padding_without_variance(wiring: Any) -> None:
    """Such a neuron, masked out, has mean and variance 0, and changes no other moment."""
    masks = _masks(P)
    for (pre, post), mask in zip(PAIRS, masks, strict=True):
        mask[:, OWN[pre].stop :] = 0
        mask[:, :, OWN[post].stop :] = 0
    for law in laws():
        found = values(wiring)
        whole = wiring.moments(found, PAIRS, masks, law)
        _pad(found)
        for pair, after, before in zip(PAIRS, wiring.moments(found, PAIRS, masks, law), whole, strict=True):
            for now, then in zip(after, before, strict=True):
                if now is not None:
                    _differs_in_padding_only(pair, now, then)


def has_exact_gradients(wiring: Any) -> None:
    """Gradients are those of finite differences, and no parameter that it asks for is without effect."""
    specs = wiring.parameters(Dimensions((2, 3), 2, 3), ((0, 1),))
    own = {name: _normal(name, (1, *spec.shape), 1.0) for name, spec in specs.items() if name[-1] != "b"}
    rules = {"O": _normal("O", (1, 2, 2), 0.1), "c": _normal("c", (1, 3, 6), 0.5)} if wiring.genetic else {}
    names = [*own, *rules]
    freed = _freed(own, 1) if wiring.genetic else {}
    numbers = {"temperature": TEMPERATURE, "genes": 2.0, "neurons": 5.0}
    fixed = {name: torch.tensor([number], dtype=torch.float64) for name, number in numbers.items()} | freed
    mask = torch.ones(1, 2, 3, dtype=torch.float64)
    mask[0, 1, 2] = 0

    def weights(*parts: Tensor) -> Tensor:
        (W,) = wiring.weights(dict(zip(names, parts, strict=True)) | fixed, ((0, 1),))
        assert isinstance(W, Tensor)
        return W

    def spread(law: Birth, *parts: Tensor) -> Tensor:
        ((mean, variance),) = wiring.moments(
            dict(zip(names, parts, strict=True)) | fixed, ((0, 1),), [mask], law
        )
        assert isinstance(mean, Tensor)
        return mean if variance is None else variance

    inputs = [part.requires_grad_() for part in (*own.values(), *rules.values())]
    assert torch.autograd.gradcheck(weights, inputs)
    for law in laws(degree=10.0):
        assert torch.autograd.gradcheck(functools.partial(spread, law), inputs)
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
    masks = [mask[0].numpy() for mask in _masks(1)]
    for mask, born in zip(masks, births(wiring, 0, 3, masks=masks), strict=True):
        assert not born[:, mask == 0].any()
        assert born[:, mask == 1].any()


def _masks(rows: int) -> list[Tensor]:
    """Return one (rows, pre, post) mask a pair, each synapse there with probability 1/2; all rows alike."""
    rng = Key(0).child("masks").generator()
    masks = [1.0 * (rng.random((SIZES[pre], SIZES[post])) < 0.5) for pre, post in PAIRS]
    return [torch.from_numpy(mask).expand(rows, -1, -1).clone() for mask in masks]


def _freed(found: dict[str, Tensor], rows: int) -> dict[str, Tensor]:
    """Return which synapses are free, every third one, where a genetic wiring has free weights too."""
    names = [name for name in found if name.endswith(".W")]
    shapes = {name.removesuffix("W") + "free": found[name].shape[1:] for name in names}
    return {
        name: (torch.arange(shape.numel(), dtype=torch.float64) % 3 == 0)
        .double()
        .reshape(shape)
        .repeat(rows, 1, 1)
        for name, shape in shapes.items()
    }


def _pad(found: dict[str, Tensor]) -> None:
    """Let the last neurons of level 1 be padding."""
    for name, part in found.items():
        place = name.partition(".")[0]
        if place == "1":
            part[:, OWN[1].stop :] = 0
        elif ">" in place:
            pre, post = (int(level) for level in place.split(">"))
            part[:, OWN[pre].stop :] = 0
            part[:, :, OWN[post].stop :] = 0


def _differs_in_padding_only(pair: tuple[int, int], now: Tensor, before: Tensor) -> None:
    own = (slice(None), *(OWN[level] for level in pair))
    assert torch.equal(now[own], before[own])
    rest = now.clone()
    rest[own] = 0
    assert not rest.any()


def _normal(name: str, shape: tuple[int, ...], deviation: float) -> Tensor:
    drawn = Key(0).child("wiring", name).generator().normal(0, 1, shape)
    return torch.from_numpy(drawn * deviation)


FACTS = (
    weighs_every_pair,
    has_moments_about_its_weights,
    keeps_rows_apart,
    keeps_moments_of_rows_apart,
    leaves_padding_inert,
    leaves_padding_without_variance,
    has_exact_gradients,
    bears_the_agent_of_its_stream,
    bears_agents_around_the_average,
    bears_agents_with_the_spread_of_its_moments,
    bears_no_masked_synapse,
)
