"""Arms of the study of evolved rules: where O, c and the mask of a life come from.

All but `adhesion` have the evolved number of genes. Rules that are drawn are drawn anew for every seed, by
the law of the search's first genomes. `shuffled` holds the evolved strengths, mask and conductances and deals
the gene pairs anew: what it lacks is only which gene goes with which. `uniform` holds no more than the
evolved mean of P, for every pair, and the conductances: what it lacks is any difference between genes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from evogen.cohort import Ref
from evogen.connectome.synaptogen import SynaptoGen
from evogen.genome import Rules, frozen
from evogen.keys import Key
from evogen.space import ADHESION, RulesSpace, SearchSpace
from evogen.variation.sample import sample

STRONG = 1.0  # O of the gene pairs that `self` allows: P = sigmoid(10) at a temperature of 0.1


@dataclass(frozen=True)
class RulesArm:
    """One source of rules.

    Attributes:
        name, says: for the table and its legend.
        make: (evolved rules, the space they were found in, key of the seed) -> rules.
        mask: how the wiring reads a mask; None: as in the search.
    """

    name: str
    says: str
    make: Callable[[Rules, SearchSpace, Key], Rules]
    mask: Literal["forbid", "band"] | None = None

    def wiring(self, searched: SynaptoGen) -> SynaptoGen:
        """Return the wiring of its lives, from that of the search."""
        return replace(searched, tune_rules=False, mask=self.mask or searched.mask)

    def rules(self, evolved: Rules, space: SearchSpace, keys: Sequence[Key]) -> list[Rules]:
        """Return one rule set a seed; its genes are numbered from 1, and expression is drawn by that."""
        made = [self.make(evolved, space, key.child("rules")) for key in keys]
        return [replace(rules, genes=tuple(range(1, len(rules.genes) + 1))) for rules in made]


def kept(evolved: Rules, space: SearchSpace, key: Key) -> Rules:  # noqa: ARG001 (as the others are called)
    """Return the evolved rules as they are."""
    return evolved


def drawn(evolved: Rules, space: SearchSpace, key: Key) -> Rules:
    """Draw rules by the law of the search's first genomes, with as many genes as evolved."""
    return _drawn(space, key, len(evolved.genes))


def dense(evolved: Rules, space: SearchSpace, key: Key) -> Rules:
    """Return O = 0, so P = 1/2 for every gene pair, with conductances as in `drawn`."""
    rules = drawn(evolved, space, key)
    return replace(rules, O=frozen(np.zeros_like(rules.O)), mask=None)


def selfish(evolved: Rules, space: SearchSpace, key: Key) -> Rules:
    """Let every gene bind itself, strongly, and no other; conductances as in `drawn`."""
    rules = drawn(evolved, space, key)
    return replace(rules, O=frozen(np.full_like(rules.O, STRONG)), mask=frozen(np.eye(len(rules.O))))


def adhesion(evolved: Rules, space: SearchSpace, key: Key) -> Rules:
    """Draw rules of the initial law under the worm's adhesion mask."""
    worm = RulesSpace(genes=ADHESION, max_genes=ADHESION, transmitters=len(evolved.c), mask="adhesion")
    return _drawn(replace(space, rules=worm), key, ADHESION)


def shuffled(evolved: Rules, space: SearchSpace, key: Key) -> Rules:  # noqa: ARG001 (as above)
    """Deal the evolved entries of O, each with its mask bit, to other gene pairs."""
    order = key.child("shuffle").generator().permutation(evolved.O.size)
    O = evolved.O.ravel()[order].reshape(evolved.O.shape)
    mask = None if evolved.mask is None else frozen(evolved.mask.ravel()[order].reshape(evolved.O.shape))
    return replace(evolved, O=frozen(O), mask=mask)


def uniform(evolved: Rules, space: SearchSpace, key: Key) -> Rules:  # noqa: ARG001 (as above)
    """Give every gene pair the mean P of the evolved rules, masked pairs counted as 0."""
    allowed = 1.0 if evolved.mask is None else evolved.mask
    P = float(np.mean(allowed / (1 + np.exp(-evolved.O.astype(np.float64) / evolved.temperature))))
    P = min(max(P, 1e-6), 1 - 1e-6)
    O = np.full_like(evolved.O, evolved.temperature * np.log(P / (1 - P)))
    return replace(evolved, O=frozen(O), mask=None)


def _drawn(space: SearchSpace, key: Key, genes: int) -> Rules:
    assert space.rules is not None
    low, high = min(space.rules.min_genes, genes), max(space.rules.max_genes, genes)
    law = replace(space.rules, genes=genes, min_genes=low, max_genes=high, evolve=True)
    rules = sample(replace(space, rules=law), key, Ref(0, 0)).rules
    assert rules is not None
    return rules


EVOLVED = RulesArm("evolved", "O, c and mask of the search's winner", kept)
RANDOM = RulesArm("random", "drawn for every seed, as the search's first genomes are", drawn)
UNIFORM = RulesArm("uniform", "the winner's mean P for every gene pair, and its conductances", uniform)
ARMS = (
    EVOLVED,
    RANDOM,
    UNIFORM,
    RulesArm("shuffled", "the winner's, dealt to other gene pairs", shuffled),
    RulesArm("dense", "every gene pair with P = 1/2", dense),
    RulesArm("self", "every gene with itself only", selfish),
    RulesArm("adhesion", "the worm's 47 rules among 39 genes, band mask", adhesion, "band"),
)
