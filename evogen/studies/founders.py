"""Founders: the genomes that a cell begins with, one a training seed, and the bodies they develop into.

inputs-128-outputs, SELU, as the reference; O ~ N(0, 1/g^2), c ~ N(0, 1/(2 n^2)), expression by the wiring.
All of it follows from the training seed, so that arms of equal shape begin with equal networks.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from evogen.connectome import Wiring
from evogen.connectome.synaptogen import SynaptoGen
from evogen.genetics.adhesion import adhesion_mask, shuffled
from evogen.genome import Gene, Genome, Rules, frozen
from evogen.grammar.plan import Group, Plan, Projection
from evogen.keys import Key
from evogen.phenotype import Development, Phenotype, develop, embryo
from evogen.registry import find
from evogen.studies.arms import Arm
from evogen.studies.recipes import HIDDEN, TRANSMITTERS
from evogen.studies.regimes import BIOLOGICAL
from evogen.tasks import ControlTask

SHUFFLES = 5
_SHARED = Key(0).child("study")  # what is the same for all seeds


def root(task: str, seed: int) -> Key:
    """Return the key of everything that a training seed decides on a task."""
    return Key(seed).child("study", task)


def founder(arm: Arm, seed: int, key: Key) -> Genome:
    """Return the genome with which a training seed begins."""
    module = 2 * seed + 1  # expression is drawn by innovation id
    genes = Gene(module + 1, ()), (Gene(module, ()),)
    if arm.wiring == "direct":
        return Genome(None, *genes)
    rng, g, n = key.child("rules").generator(), arm.genes, TRANSMITTERS
    O = rng.normal(0, 1 / g, (g, g))  # ~ N(0, 1/g^2)
    c = rng.normal(0, 1 / (math.sqrt(2) * n), (n, 2 * n))  # ~ N(0, 1/(2 n^2))
    mask = _mask(arm, seed)
    return Genome(
        Rules(tuple(range(g)), frozen(O), frozen(c), mask=None if mask is None else frozen(mask)), *genes
    )


def bodies(arm: Arm, task: ControlTask, genomes: Sequence[Genome]) -> Phenotype:
    """Develop genomes of an arm, one a row."""
    development = Development(
        _wiring(arm),
        {},
        _SHARED.child("innate"),
        birth=replace(BIOLOGICAL.birth, training=arm.training),
        normalised=task.normalised,
    )
    return develop(development, [embryo(development, genome, _plan(task, genome)) for genome in genomes])


def _wiring(arm: Arm) -> Wiring:
    made: Wiring = find("wiring", arm.wiring)() if arm.pattern == "none" else SynaptoGen(mask="band")
    return made


def _mask(arm: Arm, seed: int) -> np.ndarray | None:
    if arm.pattern == "none":
        return None
    _, mask = adhesion_mask()
    if arm.pattern == "shuffled":
        mask = shuffled(mask, _SHARED.child("shuffle", seed % SHUFFLES))
    return mask


def _plan(task: ControlTask, genome: Genome) -> Plan:
    outer, module = genome.interface.innovation, genome.architecture[0].innovation
    groups = (
        Group(outer, "in", task.inputs),
        Group(module, "l0", HIDDEN, "selu"),
        Group(outer, "out", task.outputs),
    )
    return Plan(groups, (Projection(0, 1, module), Projection(1, 2, module)))
