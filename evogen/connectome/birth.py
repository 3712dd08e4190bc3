"""Birth: how many agents are sampled from a genome, and with how many synapses."""

from __future__ import annotations

from dataclasses import dataclass

from evogen.registry import setting


@dataclass(frozen=True)
class Birth:
    """A candidate's fitness is the mean over `agents` born with `degree` synapses a neuron on average."""

    agents: int = setting(8, low=1, high=10_000, doc="agents sampled from each genome")
    degree: float = setting(1e5, low=1e-3, high=1e9, doc="mean synapses a neuron (the reference: 1e5)")
