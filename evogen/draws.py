"""Draws by place: random numbers that are a function of a name and an index, any number of them at once.

A stream is one 64-bit number. `mixed` goes one step down from a stream, to word w of it:

    mixed(h, w) = f(h + (w + 1) g)        g = 2^64 / golden ratio, f: the finaliser of SplitMix64

which is output w of SplitMix64 seeded with h, so that a path of words names a draw as a path names a `Key`,
and whoever else is drawn changes no bit. Made for the innate numbers of thousands of small genes, where a
SeedSequence each would cost more than everything else; `Key` stays what names streams everywhere else.

Sources: Steele, Lea, Flood 2014, "Fast splittable pseudorandom number generators" (SplitMix64, with
Stafford's mix 13); normal numbers by the inverse of their distribution function (Cephes `ndtri`), one number
at a time, so that no bit depends on a number's place in memory.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

Words = npt.NDArray[np.uint64]
Floats = npt.NDArray[np.float64]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)
_UNIT = 2.0**-52


def mixed(stream: npt.ArrayLike, word: npt.ArrayLike) -> Words:
    """Return word `word` of these streams; both whole numbers below 2^64 (taken modulo that), broadcast."""
    z = np.atleast_1d(np.asarray(word)).astype(np.uint64, copy=True)
    z += np.uint64(1)
    z *= _GOLDEN
    z = z + np.asarray(stream).astype(np.uint64, copy=False)
    z ^= z >> np.uint64(30)
    z *= _FIRST
    z ^= z >> np.uint64(27)
    z *= _SECOND
    z ^= z >> np.uint64(31)
    return z


def uniform(words: Words) -> Floats:
    """Return numbers ~ U(0, 1), never 0 or 1: the middles of 2^52 equal parts."""
    found: Floats = ((words >> np.uint64(12)).astype(np.float64) + 0.5) * _UNIT
    return found


def normal(words: Words) -> Floats:
    """Return numbers ~ N(0, 1), within +-8.2."""
    found: Floats = ndtri(uniform(words))
    return found
