"""Arms of the comparison with SynaptoGen: ours, the reference's, and controls that say what a part adds.

An arm is trained (wiring, genes, learner, and whether training goes through the noise of birth), or it takes
the trained rules of another arm and gives its agents other expression.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Pattern = Literal["none", "adhesion", "shuffled"]


@dataclass(frozen=True)
class Arm:
    """One way to make agents.

    Attributes:
        name, says: for the table and its legend.
        wiring: name of the registered wiring.
        genes: g of the genetic rules.
        training: what the learner trains: the average network, or agents born at 100 synapses a neuron.
        learner: whose steps are those of every other arm of the task; `distill` needs fewer, and a teacher.
        pattern: the rule mask: none, the 47 adhesion rules, or their equal-degree shuffles.
        expression: as trained, or drawn by lineage for every agent, raw or of the trained scale.
        of: the arm whose trained rules it takes; None: it is trained itself.
        official: whether the final score is Gymnasium's own environment whatever that costs.
        swept: whether it is also scored over degrees.
    """

    name: str
    says: str
    wiring: Literal["synaptogen", "gcm", "direct"] = "synaptogen"
    genes: int = 16
    training: Literal["mean", "noise"] = "noise"
    learner: Literal["ppo", "dqn", "snes", "distill"] = "ppo"
    pattern: Pattern = "none"
    expression: Literal["trained", "lineage", "matched"] = "trained"
    of: str | None = None
    official: bool = False
    swept: bool = False


ARMS = (
    Arm("noise", "PPO through the noise of birth, at 100 synapses a neuron", official=True, swept=True),
    Arm("mean", "PPO on the average network", training="mean", official=True, swept=True),
    Arm("distill", "imitates one stored teacher through the noise", learner="distill", official=True),
    Arm("dqn", "DQN with the reference's settings, on the average network", training="mean", learner="dqn"),
    Arm("snes", "SNES from the parameters' own scale; each sample is one born agent", learner="snes"),
    Arm("random", "rules of `noise`, expression by lineage", expression="lineage", of="noise"),
    Arm("matched", "rules of `noise`, lineage of the trained scale", expression="matched", of="noise"),
    Arm("direct", "free weights, same width", wiring="direct", training="mean"),
    Arm("gcm", "W = X O Y: no counts, no conductances", wiring="gcm", training="mean"),
    Arm("g32", "as `noise`, 32 genes", genes=32),
    Arm("g64", "as `noise`, 64 genes", genes=64),
    Arm("mask", "as `noise`, the worm's 47 adhesion rules among 39 genes", genes=39, pattern="adhesion"),
    Arm("shuffled", "as `mask`, five equal-degree shuffles of it", genes=39, pattern="shuffled"),
)
