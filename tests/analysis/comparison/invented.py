"""Trials without runs."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from evogen.analysis.comparison.arms import Arm, named
from evogen.analysis.comparison.trials import Climb, Fate, Trial


def trial(name: str, seed: int, score: float = 1.0, **changed: object) -> Trial:
    """Return a finished run of an experiment that is called like its arm."""
    failed = np.isneginf(score)
    settings = {
        "path": Path(f"runs/{name}-{seed}"),
        "seed": seed,
        "task": {"kind": "cartpole"},
        "settings": {"strategy.kind": name},
        "threshold": 475.0,
        "unit": "environment steps",
        "fate": Fate.FAILED if failed else Fate.SCORED,
        "score": float(score),
        "agents": 0 if failed else 10,
        "measured": "" if failed else "100 fresh episodes",
        "candidates": 64,
        "steps": 64_000,
        "born": 256,
        "seconds": 12.5,
        "climbs": () if failed else (Climb(1, 1_000, score / 2), Climb(20, 20_000, score)),
        "start": (f"{name}{seed}",),
        "made": {"evogen": "1.0", "torch": "2.13.0", "device": "cpu"},
    }
    return Trial(**(settings | changed))  # type: ignore[arg-type]


def arms(scores: dict[str, list[float]], **changed: object) -> list[Arm]:
    """Return arms with these scores on one task; seeds of different arms differ."""
    return named(
        {
            name: [trial(name, 100 * at + seed, score, **changed) for seed, score in enumerate(each)]
            for at, (name, each) in enumerate(scores.items())
        }
    )
