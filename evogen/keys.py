"""Explicit randomness: a key is a path, and a path is a stream.

`Key(seed).child("life", genome_id).child("learn")` names one stream of random numbers. The path is hashed
into numpy's SeedSequence as its spawn_key, so a stream depends on its name only: never on how many streams
were made before it, on the worker, or on the order of calls. One child per purpose, never used twice.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache

import numpy as np


@dataclass(frozen=True, slots=True)
class Key:
    """A seed and a path below it; equal keys give equal numbers on every machine."""

    seed: int
    path: tuple[int, ...] = ()

    def child(self, *names: str | int) -> Key:
        """Return the key one step (per name) further down; 'a' and 1 and '1' are three different steps."""
        return Key(self.seed, self.path + tuple(_word(name) for name in names))

    def generator(self) -> np.random.Generator:
        """Return a fresh numpy generator of this stream (PCG64)."""
        return np.random.Generator(np.random.PCG64(self._sequence()))

    def integer(self) -> int:
        """Return this stream's first 63 random bits, to seed a generator of another library."""
        high, low = self._sequence().generate_state(2, np.uint32)
        return (int(high) << 32 | int(low)) & (2**63 - 1)

    def _sequence(self) -> np.random.SeedSequence:
        return np.random.SeedSequence(self.seed, spawn_key=self.path)


@lru_cache(maxsize=4096, typed=True)
def _word(name: str | int) -> int:
    tagged = f"{type(name).__name__}:{name}".encode()
    return int.from_bytes(hashlib.blake2b(tagged, digest_size=8).digest(), "big")
