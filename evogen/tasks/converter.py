"""Converter: turn a concentration into a binary number of `bits` bits, as an analogue-to-digital converter.

    c ~ U(0, 1), constant for `steps` steps        code = floor(c 2^bits)        output k > 0 says bit k

The first output is the highest bit. A converter is judged by its code at the last step, when it has settled.
A single threshold is one bit; the lower ones must rise and fall again, so that no monotone function of c says
them. After the molecular converters in Balasubramaniam et al. 2022; loss, draws and settling time are ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from evogen.keys import Key
from evogen.phenotype import Network
from evogen.registry import register, setting
from evogen.tasks import Fold, Sequences, TaskKind
from evogen.tasks.sequences import scored


@register("task", "converter")
@dataclass(frozen=True)
class Converter:
    """Say a concentration in binary."""

    bits: int = setting(2, low=2, high=8, doc="of the code")
    steps: int = setting(10, low=1, high=10_000, doc="that the concentration stays, time to settle")
    asked: int = setting(256, low=1, high=100_000, doc="concentrations behind each score")

    kind = TaskKind.SEQUENCE
    reported = "concentrations that the search never saw"
    inputs = 1

    @property
    def outputs(self) -> int:
        """One a bit."""
        return self.bits

    def sequences(self, keys: Sequence[Key], copies: int, fold: str) -> Sequences:
        """Draw concentrations, outside of training one in each of `copies` equal parts of the range."""
        drawn = np.stack([key.child(fold).generator().random(copies) for key in keys])  # ~ U(0, 1)
        if fold != "train":
            drawn = (np.arange(copies) + drawn) / copies
        c = torch.from_numpy(drawn.astype(np.float32)).clamp(max=1 - 2**-24)
        inputs = c[..., None, None].expand(-1, -1, self.steps, 1)
        targets = self.bits_of(c).unsqueeze(2).expand(-1, -1, self.steps, -1)
        weight = torch.zeros(*c.shape, self.steps)
        weight[..., -1] = 1.0
        return Sequences(inputs, targets, weight)

    def bits_of(self, c: Tensor) -> Tensor:
        """Return the right code of concentrations, (..., bits) of 0 and 1, highest first."""
        level = (c * 2**self.bits).floor().long()
        shifts = torch.arange(self.bits - 1, -1, -1, device=c.device)
        found: Tensor = ((level.unsqueeze(-1) >> shifts) & 1).to(torch.float32)
        return found

    def score(self, agents: Network, keys: Sequence[Key], fold: Fold) -> Tensor:
        """Return (P,) shares of right codes."""
        return scored(self, agents, keys, fold, copies=self.asked)

    def loss(self, output: Tensor, asked: Sequences) -> Tensor:
        """Return the (P,) cross-entropy of a bit at the last step, in nats."""
        said, right = output[:, :, -1], asked.targets[:, :, -1].to(output)
        return functional.binary_cross_entropy_with_logits(said, right, reduction="none").mean((1, 2))

    def rate(self, output: Tensor, asked: Sequences) -> Tensor:
        """Return the (P,) share of codes with every bit right."""
        said, right = output[:, :, -1], asked.targets[:, :, -1]
        found = ((said > 0) == (right > 0)).all(-1).double()
        found = found.masked_fill(~said.isfinite().all(-1), torch.nan)
        return torch.stack([row.mean() for row in found])


def levels(output: Tensor) -> Tensor:
    """Return the codes (P, B) that the last step of (P, B, T, bits) outputs says, as whole numbers."""
    said = output[:, :, -1] > 0
    found: Tensor = (said.long() << torch.arange(said.shape[-1] - 1, -1, -1, device=said.device)).sum(-1)
    return found


def nonlinearity(found: Tensor, bits: int) -> Tensor:
    """Return (P,), the integral non-linearity in units of the last bit: largest error of a transition.

    By the histogram of codes: transition k lies where the share of concentrations with a lower code says; a
    perfect converter has 0, one whose every transition is within half a step has less than 0.5.

    Args:
        found: codes (P, B) at concentrations that fill (0, 1) evenly.
        bits: of the code.
    """
    k = torch.arange(1, 2**bits, device=found.device)
    below = (found.unsqueeze(-1) < k).double().mean(1)  # (P, codes - 1)
    worst: Tensor = (below * 2**bits - k).abs().amax(1)
    return worst


def rising(found: Tensor) -> Tensor:
    """Return (P,), the share of neighbouring concentrations, in rising order, whose codes do not fall."""
    share: Tensor = (found[:, 1:] >= found[:, :-1]).double().mean(1)
    return share
