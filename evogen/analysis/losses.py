"""Losses: what silencing costs, with agents as the unit, and which of many losses can be told from chance.

Agent a of every variant is born and lives by the same streams, so losses are paired: d_va = intact_a -
silenced_va. The interval of a mean loss is Student's, at 95 %, for that variant alone. Labels are for all
variants together: the p value is that of the largest |t| of all variants when each agent's losses change
sign at random (under no effect intact and silenced can be exchanged), so that one label or more of all is
wrong with a chance of 5 % at most (Westfall, Young 1993, single-step max-T).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.stats import t as student

from evogen.keys import Key

FLIPS = 10_000
LEVEL = 0.05
ROOM = 2**22  # numbers that are looked at together

Values = npt.NDArray[np.float64]


class Losses(NamedTuple):
    """Of V variants: mean loss, ends of its interval, and p over all variants; (V,) each, NaN for a failure.

    The loss of a failed variant, with a score that is not finite, is not known.
    """

    mean: Values
    low: Values
    high: Values
    p: Values


def losses(intact: Values, silenced: Values, key: Key) -> Losses:
    """Compare (V, A) scores with the intact (A,) ones, A >= 2.

    Args:
        intact: of the reference.
        silenced: of the variants.
        key: of the signs.
    """
    d = intact - silenced
    agents = d.shape[1]
    known = np.isfinite(d).all(1)
    mean = np.where(known, d.mean(1), np.nan)
    half = student.ppf(1 - LEVEL / 2, agents - 1) * d.std(1, ddof=1) / np.sqrt(agents)
    p = np.full(len(d), np.nan)
    p[known] = _largest(d[known], key)
    return Losses(mean, mean - half, mean + half, p)


def _largest(d: Values, key: Key) -> Values:
    """Return p of every row of (V, A); 1 where all its losses are 0."""
    moving = (d != 0).any(1)
    found = np.ones(len(d))
    if not moving.any():
        return found
    d = d[moving]
    agents = d.shape[1]
    signs = _signs(agents, key)
    observed = _t(d, np.ones((1, agents)))[:, 0]
    most = np.zeros(len(signs))
    for start in range(0, len(signs), step := max(1, ROOM // len(d))):
        part = slice(start, start + step)
        most[part] = _t(d, signs[part]).max(0)
    sure = observed * (1 - 1e-9)  # equal sums may differ in their last bits
    found[moving] = (most[None] >= sure[:, None]).mean(1)
    return found


def _signs(agents: int, key: Key) -> Values:
    """Return every choice of signs if these are few, else the identity and random ones."""
    if 2**agents <= FLIPS:
        every = np.arange(2**agents)
        chosen = (every[:, None] >> np.arange(agents)) & 1
    else:
        chosen = key.generator().integers(0, 2, (FLIPS, agents))  # ~ U{0, 1}
        chosen[0] = 0
    return np.asarray(1.0 - 2.0 * chosen, dtype=np.float64)


def _t(d: Values, signs: Values) -> Values:
    """Return |t| of every row under every choice of signs, (V, F), but for a factor that all share."""
    second = np.square(d).mean(1)[:, None]
    mean = d @ signs.T / d.shape[1]
    variance = np.maximum(second - mean * mean, second * 1e-12)
    return np.asarray(np.abs(mean) / np.sqrt(variance))
