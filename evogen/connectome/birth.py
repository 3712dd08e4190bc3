"""Birth: how many agents are sampled from a genome, by which law, and whether training goes through it.

Two regimes of the literature and of ours:

    reference    degree 1e5, counts binomial, conductance mean: synapses are many, only their number is drawn
    biological   degree 100, counts poisson, conductance drawn: synapses are few, and each draws its
                 transmitter and receptor
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from evogen.registry import setting


@dataclass(frozen=True)
class Birth:
    """A candidate's fitness is the mean over `agents` born with `degree` synapses a neuron on average."""

    agents: int = setting(8, low=1, high=10_000, doc="agents sampled from each genome")
    degree: float = setting(1e5, low=1e-3, high=1e9, doc="mean synapses a neuron (the reference: 1e5)")
    counts: Literal["binomial", "poisson"] = setting(
        "binomial", doc="law of the synapse counts: binomial a gene pair with rounded attempts, or poisson"
    )
    conductance: Literal["mean", "drawn"] = setting(
        "mean", doc="of one synapse: the mean over its receptors, or drawn for every synapse"
    )
    sampler: Literal["exact", "fast"] = setting(
        "fast", doc="binomial counts: exact, or Gaussian of equal moments where their variance is large"
    )
    training: Literal["mean", "noise"] = setting(
        "mean", doc="what the inner loop trains: the average network, or agents drawn through the noise"
    )
