"""Reading a grasshopper's ear: tell a sound's envelope from the spikes of one auditory receptor.

    input at step t: spikes in bin t          target: the mean envelope in bin t - lag, standardised

The envelope of a carrier was varied as Gaussian noise, below 200 Hz in recording 1 and 800 Hz in recording 2,
for 10 s each; the receptor fired 929 and 868 spikes. The first half of a recording is for training, the third
quarter validates, the last one is for test; mean and spread of the envelope are those of the first half. A
network starts anew with every window of `steps` bins; nothing is asked in the first `warmup` of them. Scores
are shares of the envelope's variance that the network explains. A linear decoder that sees twenty bins, half
of them later than the envelope, explains 0.24 of recording 1's second half and 0.10 of recording 2's.

Data: Rokem, Watzl, Gollisch, Stemmler, Herz, Samengo 2006, "Spike-timing precision underlies the coding
efficiency of auditory receptor neurons" (J Neurophysiol 95, 2541), in the files of the optional package
nitime (BSD licence), which is not imported.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor

from evogen.errors import SpecError
from evogen.keys import Key
from evogen.phenotype import Network
from evogen.registry import register, setting
from evogen.tasks import Fold, Sequences, TaskKind
from evogen.tasks.digits import SCORED_ON
from evogen.tasks.sequences import answered, explained, moved, squared_error

SECONDS = 10.0
SAMPLES = 200_000  # of the envelope, in both recordings
QUARTERS = {"train": (0, 2), "validation": (2, 3), "test": (3, 4)}


class Recording(NamedTuple):
    """(N,) float32 each: spikes in every bin, and the mean envelope there, standardised by the first half."""

    spikes: Tensor
    envelope: Tensor


@register("task", "grasshopper")
@dataclass(frozen=True)
class Grasshopper:
    """Tell a sound's envelope from the spikes of a grasshopper's auditory receptor (needs evogen[spikes])."""

    recording: Literal[1, 2] = setting(1, doc="which of the two recordings")
    bin: Literal[1, 2, 4, 5, 10] = setting(2, doc="milliseconds of a step")
    lag: int = setting(4, low=0, high=100, doc="steps by which the envelope asked for lies back")
    steps: int = setting(60, low=2, high=500, doc="steps of a sequence")
    warmup: int = setting(20, low=0, high=400, doc="steps at its start in which nothing is asked")

    kind = TaskKind.SEQUENCE
    inputs = 1
    outputs = 1

    def __post_init__(self) -> None:
        if self.warmup >= self.steps:
            raise SpecError(f"warmup: wanted fewer than steps ({self.steps}), found {self.warmup}")
        if self.steps + self.lag > (least := self._span("test")[1] - self._span("test")[0]):
            raise SpecError(f"steps: wanted at most {least - self.lag} (a fold's length), found {self.steps}")
        recorded(self.recording, self.bin)

    @property
    def reported(self) -> str:
        """The quarter that the search never saw."""
        return f"the last quarter of grasshopper recording {self.recording}"

    def sequences(self, keys: Sequence[Key], copies: int, fold: str) -> Sequences:
        """Draw windows that begin anywhere within a fold."""
        first, last = self._span(fold)
        starts = [
            key.child(fold).generator().integers(first + self.lag, last - self.steps + 1, copies)
            for key in keys
        ]
        return self._windows(torch.from_numpy(np.stack(starts)))

    def score(self, agents: Network, keys: Sequence[Key], fold: Fold) -> Tensor:
        """Return (P,) shares of variance explained in windows that cover the fold, equal for all agents."""
        assert len(keys) == agents.rows
        whole = self.whole(SCORED_ON[fold], agents.rows)
        return self.rate(answered(agents, whole.inputs), moved(whole, agents.device))

    def whole(self, fold: str, rows: int) -> Sequences:
        """Return windows that ask for every bin of a fold once, as far as they fit, for so many rows."""
        first, last = self._span(fold)
        starts = torch.arange(first + self.lag, last - self.steps + 1, self.steps - self.warmup)
        return self._windows(starts.expand(rows, -1))

    def loss(self, output: Tensor, asked: Sequences) -> Tensor:
        """Return the (P,) mean squared error, in units of the envelope's variance."""
        return squared_error(output, asked)

    def rate(self, output: Tensor, asked: Sequences) -> Tensor:
        """Return the (P,) share of variance explained."""
        return explained(output, asked)

    def _span(self, fold: str) -> tuple[int, int]:
        """Return the bins of a fold: from the first to that behind the last."""
        quarter = round(SECONDS * 1000 / self.bin) // 4
        first, last = QUARTERS[fold]
        return first * quarter, last * quarter

    def _windows(self, starts: Tensor) -> Sequences:
        """Return the windows that begin at these (P, B) bins."""
        spikes, envelope = recorded(self.recording, self.bin)
        at = starts.unsqueeze(-1) + torch.arange(self.steps)  # (P, B, T)
        weight = torch.ones(at.shape)
        weight[..., : self.warmup] = 0.0
        return Sequences(spikes[at].unsqueeze(-1), envelope[at - self.lag].unsqueeze(-1), weight)


@cache
def recorded(recording: int, milliseconds: int) -> Recording:
    """Return a recording in bins of so many milliseconds.

    Raises:
        SpecError: nitime is not installed, or its files are not those of version 0.12.
    """
    times = _numbers(f"grasshopper_spike_times{recording}.txt", 1)[:, 0] * 1e-6  # of microseconds
    samples = _numbers(f"grasshopper_stimulus{recording}.txt", 2)[:, 1]
    bins = round(SECONDS * 1000 / milliseconds)
    if len(samples) != SAMPLES or not ((times >= 0) & (times < SECONDS)).all():
        raise SpecError("wanted nitime's recordings of 10 s at 20 kHz, found others: install nitime 0.12")
    spikes = np.bincount((times * 1000 / milliseconds).astype(np.int64), minlength=bins)
    envelope = samples.reshape(bins, -1).mean(1)
    half = envelope[: bins // 2]
    scaled = (envelope - half.mean()) / half.std()
    return Recording(torch.from_numpy(spikes).float(), torch.from_numpy(scaled).float())


def data_file(name: str) -> Path:
    """Return where pip put a data file of nitime.

    Raises:
        SpecError: it is not there.
    """
    try:
        path = Path(str(metadata.distribution("nitime").locate_file(f"nitime/data/{name}")))
    except metadata.PackageNotFoundError:
        raise SpecError("the grasshopper's recordings need nitime: pip install 'evogen[spikes]'") from None
    if not path.is_file():
        raise SpecError(f"{path}: wanted this file of nitime 0.12, found none; install that version")
    return path


def _numbers(name: str, columns: int) -> np.ndarray:
    path = data_file(name)
    try:
        return np.loadtxt(path, ndmin=2, usecols=range(columns))
    except (ValueError, OSError) as error:
        raise SpecError(f"{path}: wanted lines of {columns} numbers: {error}") from error
