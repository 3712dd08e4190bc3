"""The degree sweep: how agents do as synapses become few, and what the closed forms say beforehand.

At each degree d, Poisson counts and drawn conductances, agents are born and scored; beside them agents whose
weights are Gaussian with the closed-form mean and variance of the same law; and the relative noise of the
weights, sqrt(sum Var[W] / sum E[W]^2), from the same forms.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from evogen.keys import Key
from evogen.phenotype import Phenotype
from evogen.studies.regimes import BIOLOGICAL
from evogen.tasks import ControlTask, Fold

DEGREES = (30.0, 1e2, 1e3, 1e4, 1e5)


@torch.no_grad()
def sweep(body: Phenotype, task: ControlTask, key: Key, *, agents: int) -> dict[str, np.ndarray]:
    """Return arrays with an entry a degree for a phenotype of one row.

    Args:
        body: one trained candidate.
        task: with the episodes behind a score.
        key: of births and episodes.
        agents: born at each degree, and predicted.

    Returns:
        `born`, `predicted`: (D, agents) scores; `noise`: (D,) relative noise of the weights.
    """
    found: dict[str, list[np.ndarray]] = {"born": [], "predicted": [], "noise": []}
    for degree in DEGREES:
        here = key.child(str(degree))
        law = replace(BIOLOGICAL.birth, degree=degree, agents=agents, training="noise")
        lawful = replace(body, birth=law)
        starts = [here.child("score", agent) for agent in range(agents)]
        born = lawful.agents(body.flat, [here.child("birth")])
        predicted = lawful.network(body.flat, lawful.noise([here.child("gauss")], agents))
        found["born"].append(task.score(born, starts, Fold.SEARCH).numpy())
        found["predicted"].append(task.score(predicted, starts, Fold.SEARCH).numpy())
        found["noise"].append(np.asarray(relative_noise(lawful)))
    return {name: np.stack(parts) for name, parts in found.items()}


def relative_noise(body: Phenotype) -> float:
    """Return sqrt(sum Var[W] / sum E[W]^2) of a phenotype of one row, by the closed forms."""
    moments = body.wiring.moments(body.values(body.flat), body.layout.pairs, body.masks, body.birth)
    spread = power = 0.0
    for (mean, variance), mask in zip(moments, body.masks, strict=True):
        power += float((mean * mask).double().square().sum())
        spread += 0.0 if variance is None else float((variance * mask).double().sum())
    return float(np.sqrt(spread / power)) if power else float("nan")
