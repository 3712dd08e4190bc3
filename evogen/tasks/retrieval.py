"""Associative retrieval: remember which digit stood behind which letter, for the length of one sequence.

    c 9 k 8 j 3 ? ? k  ->  8

A sequence has `pairs` letters, all different, each followed by its digit; then come two question marks and
one of the letters. The answer, at the last step, is that letter's digit. Symbols are one-hot: inputs 0 to 25
are letters, 26 to 35 digits, 36 the question mark. Letters, digits and the question are uniform; every fold
is an endless stream of its own, so that two folds share a sequence only by chance (there are 47 million of
three pairs). An agent that remembers nothing scores 1/10; one that knows all three digits but not whose they
are at most 0.43, by the most frequent of them.

Source: Ba, Hinton, Mnih, Leibo, Ionescu 2016, "Using fast weights to attend to the recent past", section 4.1;
with three pairs, nine symbols, in Garcia Rodriguez, Guo, Moraitis 2022. Nothing is fetched.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from evogen.keys import Key
from evogen.phenotype import Network
from evogen.registry import register, setting
from evogen.tasks import Fold, Sequences, TaskKind
from evogen.tasks.sequences import cross_entropy, scored, share

LETTERS, DIGITS = 26, 10
QUESTION = LETTERS + DIGITS


@register("task", "retrieval")
@dataclass(frozen=True)
class Retrieval:
    """Say which digit stood behind a letter."""

    pairs: int = setting(3, low=1, high=LETTERS, doc="letters with their digits in a sequence")
    asked: int = setting(256, low=1, high=100_000, doc="sequences behind each score")

    kind = TaskKind.SEQUENCE
    reported = "sequences of a stream that the search never saw"
    inputs = QUESTION + 1
    outputs = DIGITS

    @property
    def length(self) -> int:
        """T, the symbols of a sequence."""
        return 2 * self.pairs + 3

    def symbols(self, key: Key, copies: int) -> tuple[Tensor, Tensor]:
        """Return (B, T) symbols and the (B,) digits asked for, both int64."""
        rng = key.generator()
        letters = rng.random((copies, LETTERS)).argsort(1)[:, : self.pairs]  # without replacement
        digits = rng.integers(0, DIGITS, (copies, self.pairs))
        chosen = rng.integers(0, self.pairs, (copies, 1))
        body = np.stack([letters, LETTERS + digits], 2).reshape(copies, -1)
        end = np.full((copies, 2), QUESTION), np.take_along_axis(letters, chosen, 1)
        answer = np.take_along_axis(digits, chosen, 1)[:, 0]
        return torch.from_numpy(np.concatenate([body, *end], 1)), torch.from_numpy(answer)

    def sequences(self, keys: Sequence[Key], copies: int, fold: str) -> Sequences:
        """Draw sequences of a fold's own stream; only their last step counts."""
        drawn = [self.symbols(key.child(fold), copies) for key in keys]
        symbols, answers = (torch.stack(parts) for parts in zip(*drawn, strict=True))
        inputs = torch.zeros(*symbols.shape, self.inputs).scatter_(-1, symbols.unsqueeze(-1), 1.0)
        weight = torch.zeros(symbols.shape)
        weight[..., -1] = 1.0
        return Sequences(inputs, answers.unsqueeze(-1).expand(symbols.shape), weight)

    def score(self, agents: Network, keys: Sequence[Key], fold: Fold) -> Tensor:
        """Return (P,) shares of right answers."""
        return scored(self, agents, keys, fold, copies=self.asked)

    def loss(self, output: Tensor, asked: Sequences) -> Tensor:
        """Return the (P,) cross-entropy of the answers."""
        return cross_entropy(output, asked)

    def rate(self, output: Tensor, asked: Sequences) -> Tensor:
        """Return the (P,) share of right answers."""
        return share(output, asked)
