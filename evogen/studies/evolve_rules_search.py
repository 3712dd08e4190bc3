"""The search behind the trial of evolved rules, for all of its seeds in one batch.

It is that of searchspaces/plasticity.yaml, strategy and genes, and the same on cue-reward: in every
generation each candidate lives with several draws of random weights, the same for all candidates of a seed.
What a search came to is the mean of its distribution.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from evogen.cohort import Ref
from evogen.experiment import load
from evogen.experiment.spec import Experiment
from evogen.genome import Genome
from evogen.keys import Key
from evogen.strategies import Scene, Told
from evogen.studies.small import Net, grown
from evogen.tasks import ControlTask
from evogen.tasks.play import play
from evogen.variation.vector import flat

GRAMMAR = """\
<local> @type(module) ::= layer:dense [width,int,1,64,64] act:tanh conn:full neuron:rate plastic:local
                          readout:sum conn:full plastic:local
"""
FAMILY = """\
    terms: [A, B, C, D, oja, eligibility, clamp]
    factors: traces
    modulator: input
    eligible: before
    eta: {log: [0.001, 3.0]}
    A: {uniform: [-3.0, 3.0]}
    B: {uniform: [-1.0, 1.0]}
    C: {uniform: [-1.0, 1.0]}
    D: {uniform: [-0.3, 0.3]}
    oja: {uniform: [0.0, 1.0]}
    lam_x: {uniform: [0.0, 0.95]}
    lam_y: {uniform: [0.0, 0.95]}
    lam_e: {uniform: [0.0, 0.95]}
    gain: {uniform: [-5.0, 5.0]}
    offset: {uniform: [-1.0, 1.0]}
    bound: {log: [1.0, 30.0]}
"""
ABCD = """\
    terms: [A, B, C, D, clamp]
    eta: {log: [0.001, 3.0]}
    A: {uniform: [-3.0, 3.0]}
    B: {uniform: [-1.0, 1.0]}
    C: {uniform: [-1.0, 1.0]}
    D: {uniform: [-0.3, 0.3]}
    bound: {log: [1.0, 30.0]}
"""
POPULATION = 24
Genes = Mapping[str, Any]
"""`rule.local.FIELD` to a number."""


@dataclass(frozen=True)
class Lot:
    """What one candidate lives through in a generation: `draws` of weights, `lives` with each."""

    draws: int
    lives: int


def experiment(task: str, genes: str) -> Experiment:
    """Return the search of a rule with these genes on a task."""
    text = f"""\
name: plasticity
seed: 1
task: {task}
wiring: direct
architecture: {{grammar: local.bnf, start: local, max_modules: 1, evolve: false}}
plasticity:
  local:
{genes}learner: none
strategy: {{kind: cmaes, population: {POPULATION}}}
"""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "local.bnf").write_text(GRAMMAR, encoding="utf-8")
        (Path(folder) / "search.yaml").write_text(text, encoding="utf-8")
        return load(Path(folder) / "search.yaml")


def network(searched: Experiment) -> Net:
    """Return the network of a search: every synapse follows its rule."""
    return Net(64, rule="local", readout="local", rules={"local": searched.rules["local"]})


def evolved(
    searched: Experiment, task: ControlTask, roots: Sequence[Key], lot: Lot, generations: int
) -> list[Genes]:
    """Search once for each root; the seeds' searches are independent, and share only their batch.

    Returns:
        The genes of each search's last mean.
    """
    strategy = searched.strategy
    stocks: list[dict[Ref, Genome]] = [{} for _ in roots]
    scenes = [
        Scene(searched.space, stock.__getitem__, root.child("strategy"), root)
        for stock, root in zip(stocks, roots, strict=True)
    ]
    states = [strategy.start() for _ in roots]
    for generation in range(generations):
        people = [
            strategy.ask(state, generation, POPULATION, scene=scene)
            for state, scene in zip(states, scenes, strict=True)
        ]
        genes = [[one.genome.plasticity for one in each] for each in people]
        keys = [root.child("generation", generation) for root in roots]
        scores = scored(network(searched), task, keys, genes, lot)
        for seed, each in enumerate(people):
            told = []
            for row, (one, score) in enumerate(zip(each, scores[seed].tolist(), strict=True)):
                ref = Ref(generation, row)
                stocks[seed][ref] = one.genome
                told.append(Told(ref, score if np.isfinite(score) else None))
            states[seed] = strategy.tell(states[seed], told, scene=scenes[seed])
    return [_mean(state, scene) for state, scene in zip(states, scenes, strict=True)]


def best(
    net: Net, task: ControlTask, roots: Sequence[Key], candidates: Sequence[Genes], lot: Lot, rounds: int
) -> list[Genes]:
    """Return for each root the candidate with the largest mean score over so many rounds of lives."""
    total = np.zeros((len(roots), len(candidates)))
    for number in range(rounds):
        keys = [root.child("round", number) for root in roots]
        total += scored(net, task, keys, [candidates] * len(roots), lot)
    return [candidates[int(np.nan_to_num(row, nan=-np.inf).argmax())] for row in total]


def scored(
    net: Net, task: ControlTask, keys: Sequence[Key], genes: Sequence[Sequence[Genes]], lot: Lot
) -> np.ndarray:
    """Return (S, C) mean returns of C candidates for each of S keys, over draws of weights and lives.

    Args:
        net: the network.
        task: where they live.
        keys: one a seed; all of its candidates meet the same weights and lives.
        genes: S x C.
        lot: draws and lives.
    """
    each = len(genes[0])
    rows = list(product(range(len(keys)), range(each), range(lot.draws)))
    weights = [keys[seed].child("weights", draw) for seed, _, draw in rows]
    starts = [keys[seed].child("lives", draw) for seed, _, draw in rows]
    body = grown(net, task, weights, [genes[seed][one] for seed, one, _ in rows])
    returns = play(task, body.network(body.flat).detach(), keys=starts, episodes=lot.lives)
    found: np.ndarray = returns.mean(1).reshape(len(keys), each, lot.draws).mean(2).numpy()
    return found


def _mean(state: Any, scene: Scene) -> Genes:
    view = flat(scene.space, scene.root)
    found = state["distribution"]
    mean = np.zeros(view.dimension) if found is None else np.array(found["mean"])
    return view.genome(mean).plasticity
