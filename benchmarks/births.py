"""Milliseconds to bear agents of one genome of g = 64 genes (4-128-2), whole and its synapses' draw alone."""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from inner_loop import TRANSMITTERS, candidate

from evogen.connectome.birth import Birth
from evogen.connectome.synapses import Synapses, draw
from evogen.connectome.synaptogen import SynaptoGen
from evogen.genome import Rules, frozen
from evogen.keys import Key
from evogen.phenotype import Development, Phenotype, develop, embryo

WIDE = 64  # genes


def wide() -> tuple[Phenotype, list[tuple[Synapses, float]]]:
    """Return one genome of WIDE genes, developed, and the synapses of its links with kappa / degree."""
    genome, plan = candidate(Key(0).child(0))
    rng = Key(0).child("wide").generator()
    assert genome.rules is not None
    O = rng.normal(0, 1 / WIDE, (WIDE, WIDE))
    genome = replace(genome, rules=Rules(tuple(range(WIDE)), frozen(O), genome.rules.c))
    development = Development(SynaptoGen(), {}, Key(0))
    one = develop(development, [embryo(development, genome, plan)])
    values = {name: array.astype(np.float64) for name, array in one.trim(one.flat, 0).items()}
    P = 1 / (1 + np.exp(-values["O"] / float(one.constants["temperature"])))
    sign = np.zeros((TRANSMITTERS, 2 * TRANSMITTERS))
    for t in range(TRANSMITTERS):
        sign[t, 2 * t : 2 * t + 2] = 1, -1
    C = sign / (1 + np.exp(-values["c"]))
    X, T, R = ({level: values[f"{level}.{name}"] for level in levels} for name, levels in
               (("X", (0, 1, 2)), ("T", (0, 1)), ("R", (1, 2))))  # fmt: skip
    links = [
        Synapses(X[pre] ** 2, X[post] ** 2, P, shares(T[pre]), shares(R[post]), C, mask[0].double().numpy())
        for (pre, post), mask in zip(one.layout.pairs, one.masks, strict=True)
    ]
    mean = sum(float(link.multiplicity().sum()) for link in links)
    return one, [(link, sum(one.bodies[0].sizes) / (2 * mean)) for link in links]


def shares(logits: np.ndarray) -> np.ndarray:
    """Return the softmax of every row."""
    e = np.exp(logits - logits.max(1, keepdims=True))
    return np.asarray(e / e.sum(1, keepdims=True))


def bear(law: Birth, repeats: int) -> tuple[list[float], list[float]]:
    """Return milliseconds of every repeat to bear `law.agents` agents: a whole birth, the draw alone."""
    one, links = wide()
    whole, bare = [], []
    for repeat in range(repeats):
        key = Key(1).child(repeat)
        start = time.perf_counter()
        one.agents(one.flat, [key], law)
        whole.append(1e3 * (time.perf_counter() - start))
        generators = [key.child(agent).generator() for agent in range(law.agents)]
        start = time.perf_counter()
        for link, kappa in links:
            draw(link, kappa * law.degree, generators, law)
        bare.append(1e3 * (time.perf_counter() - start))
    return whole, bare


def births(reference: Birth, biological: Birth, *, quick: bool) -> dict[str, dict[str, Any]]:
    """Return by law and sampler what births of 100 agents take; the exact sampler repeats less."""
    fast = replace(reference, agents=100)
    laws = {
        "reference, fast": (fast, 2 if quick else 7),
        "reference, exact": (replace(fast, sampler="exact", agents=2 if quick else 100), 1 if quick else 3),
        "biological": (replace(biological, agents=100), 2 if quick else 7),
    }
    bear(fast, 1)
    found = {}
    for name, (law, repeats) in laws.items():
        whole, bare = bear(law, repeats)
        found[name] = {"agents": law.agents, "birth_ms": whole, "draw_ms": bare}
    return found


def lines_of(born: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return the lines of the table: median, least and most."""
    lines = [
        f"{f'births, g = {WIDE}':28}{'agents':>8}{'whole ms':>12}{'(least..most)':>22}{'draw alone ms':>15}"
    ]
    for name, row in born.items():
        whole, bare = row["birth_ms"], row["draw_ms"]
        span = f"({min(whole):.1f}..{max(whole):.1f})"
        lines.append(
            f"{name:28}{row['agents']:8}{statistics.median(whole):12.1f}{span:>22}"
            f"{statistics.median(bare):15.1f}"
        )
    return lines
