"""Regimes: the laws under which the agents of a cell are born for the final score."""

from __future__ import annotations

from dataclasses import dataclass

from evogen.connectome.birth import Birth


@dataclass(frozen=True)
class Regime:
    """A law of birth with its name in the table."""

    name: str
    says: str
    birth: Birth


REFERENCE = Regime(
    "reference", "1e5 synapses a neuron; binomial counts, mean conductances", Birth(degree=1e5)
)
BIOLOGICAL = Regime(
    "biological",
    "100 synapses a neuron; Poisson counts, drawn conductances",
    Birth(degree=100.0, counts="poisson", conductance="drawn"),
)
SPARSE = Regime(
    "sparse",
    "30 synapses a neuron; Poisson counts, drawn conductances",
    Birth(degree=30.0, counts="poisson", conductance="drawn"),
)
