"""What to expect of an exported agent: mean return on fresh episodes, or score on the report's fold.

Each with an interval: bootstrapped over episodes, or over examples within classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from evogen.analysis.statistics import interval
from evogen.errors import EvogenError
from evogen.export.environment import environment_id, made_with
from evogen.keys import Key
from evogen.phenotype import Network
from evogen.tasks import ClassificationTask, ControlTask, Fold, Task, TaskKind
from evogen.tasks.digits import SCORED_ON
from evogen.tasks.official import play_gymnasium
from evogen.tasks.play import answers

_RESAMPLES = 2000


def expected(task: Task, network: Network, seeds: Sequence[int], key: Key) -> dict[str, Any]:
    """Return what agent.json says of it.

    Args:
        task: the search's.
        network: one agent.
        seeds: of the episodes of a control task.
        key: of the resampling.

    Raises:
        EvogenError: its answers are not finite in some episode.
    """
    if task.kind is TaskKind.CLASSIFICATION:
        return _score(cast("ClassificationTask", task), network, key)
    act = cast("ControlTask", task).act
    env_id, told = environment_id(task), made_with(task)
    returns = play_gymnasium(env_id, network, seeds=[seeds], act=act, made_with=told)[0].numpy()
    if lost := int((~np.isfinite(returns)).sum()):
        raise EvogenError(
            f"in {lost} of {len(returns)} fresh episodes the agent's answers are not finite, so that no "
            "return can be expected of it: export another --agent, or another candidate"
        )
    mean, low, high = interval(returns, key)
    return {
        "return": mean,
        "interval": [low, high],
        "law": "95 %, bootstrapped over episodes (BCa)",
        "sd": float(returns.std(ddof=1)),
        "episodes": len(returns),
    }


def _score(task: ClassificationTask, network: Network, key: Key) -> dict[str, Any]:
    features, labels = task.examples(SCORED_ON[Fold.REPORT])
    output = answers(network, features)
    low, high = _within_classes(task, output, labels, key)
    return {
        "score": float(task.rate(output, labels)[0]),
        "interval": [low, high],
        "law": "95 %, bootstrapped over examples within classes (percentiles)",
        "measured on": task.reported,
    }


def _within_classes(
    task: ClassificationTask, output: Tensor, labels: Tensor, key: Key
) -> tuple[float, float]:
    generator, every = key.generator(), labels.numpy()
    members = [np.flatnonzero(every == label) for label in np.unique(every)]
    scores = []
    for _ in range(_RESAMPLES):
        drawn = np.concatenate([generator.choice(own, len(own)) for own in members])  # ~ with replacement
        chosen = torch.from_numpy(drawn)
        scores.append(float(task.rate(output[:, chosen], labels[chosen])[0]))
    low, high = np.quantile(scores, [0.025, 0.975])
    return float(low), float(high)
