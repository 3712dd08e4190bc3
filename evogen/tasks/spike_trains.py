"""Spike trains of your own: tell a trial's label from the spikes of many units, step after step.

The file is a CSV, NPZ or Parquet table with one row a spike and these columns (in NPZ: arrays):

    trial   number or text, the same for all spikes of a trial
    unit    number or text: which neuron (channel, electrode) fired; units are inputs in sorted order
    time    seconds since the trial's start; spikes before 0 and from `window` on are left out
    label   number or text, the trial's class, the same in all its rows; classes are outputs in sorted order

A trial without any spike is one row with an empty unit and an empty time. The network sees the number of
spikes of each unit in each bin. Every step from `quiet` on asks for the label. Trials are cut into folds of
equal class shares, as the rows of a table are: fold number `fold` is for test, the next one validates.

`synthetic` is an example to try the task with: made-up spikes of the population of `synthetic-reach`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from evogen.errors import SpecError, near
from evogen.keys import Key
from evogen.phenotype import Network
from evogen.registry import File, file, register, setting
from evogen.tasks import Fold, Sequences, TaskKind
from evogen.tasks.digits import SCORED_ON
from evogen.tasks.sequences import answered, cross_entropy, moved, share
from evogen.tasks.synthetic_reach import SyntheticReach
from evogen.tasks.tables.reading import Column, parse

EXAMPLE = "synthetic"
COLUMNS = ("trial", "unit", "time", "label")
MOST_COUNTS = 10**8
LONGEST = 1e6  # seconds


class Trials(NamedTuple):
    """Trials in bins.

    Attributes:
        counts: (M, T, N) float32 spikes.
        labels: (M,) int64 classes.
        units, classes: their names, (N,) and (C,).
    """

    counts: NDArray[np.float32]
    labels: NDArray[np.int64]
    units: tuple[str, ...]
    classes: tuple[str, ...]


@register("task", "spike-trains")
@dataclass(frozen=True)
class SpikeTrains:
    """Tell a trial's label from spike trains in a file of your own."""

    file: str | File = file(  # noqa: RUF009 (a field)
        default=EXAMPLE,
        names=(EXAMPLE,),
        doc="a CSV, NPZ or Parquet file's path: trial, unit, time (s), label; or `synthetic`, an example",
    )
    bin: float = setting(5.0, low=0.01, high=10_000.0, doc="milliseconds of a step")
    window: float = setting(
        0.0, low=0.0, high=1e6, doc="milliseconds of a trial; 0: up to the last spike of all"
    )
    quiet: float = setting(0.0, low=0.0, high=1e6, doc="milliseconds at the start in which nothing is asked")
    folds: int = setting(5, low=3, high=100, doc="folds of equal class shares: one for test, one validates")
    fold: int = setting(0, low=0, high=99, doc="number of the fold for test, below `folds`")
    split_seed: int = setting(0, low=0, high=2**31 - 1, doc="seed of the split into folds")

    kind = TaskKind.SEQUENCE

    def __post_init__(self) -> None:
        if isinstance(self.file, str) and self.file != EXAMPLE:
            object.__setattr__(self, "file", _read(self.file))
        if self.fold >= self.folds:
            raise SpecError(f"fold: wanted a number below folds ({self.folds}), found {self.fold}")
        steps = self.trials.counts.shape[1]
        if self.quiet >= steps * self.bin:
            found = f"{self.quiet:g} of {steps * self.bin:g} milliseconds"
            raise SpecError(f"quiet: wanted less than a trial, found {found}")
        _members(self)

    @property
    def trials(self) -> Trials:
        """All trials, shared: do not write into them."""
        return _trials(self.file, self.bin, self.window)

    @property
    def reported(self) -> str:
        """The fold that the search never saw."""
        return f"fold {self.fold} of {self.folds} of {_title(self.file)}"

    @property
    def inputs(self) -> int:
        """Number of units."""
        return len(self.trials.units)

    @property
    def outputs(self) -> int:
        """Number of labels."""
        return len(self.trials.classes)

    def sequences(self, keys: Sequence[Key], copies: int, fold: str) -> Sequences:
        """Draw trials of a fold, with replacement."""
        members = _members(self)[fold]
        drawn = [key.child(fold).generator().integers(0, len(members), copies) for key in keys]
        return self._shown(members[np.stack(drawn)])

    def score(self, agents: Network, keys: Sequence[Key], fold: Fold) -> Tensor:
        """Return (P,) shares of right answers over all trials of the fold and all steps that ask."""
        assert len(keys) == agents.rows
        once = self._shown(_members(self)[SCORED_ON[fold]][None])
        whole = Sequences(*(part.expand(agents.rows, *part.shape[1:]) for part in once))
        return self.rate(answered(agents, whole.inputs), moved(whole, agents.device))

    def loss(self, output: Tensor, asked: Sequences) -> Tensor:
        """Return the (P,) cross-entropy of the answers."""
        return cross_entropy(output, asked)

    def rate(self, output: Tensor, asked: Sequences) -> Tensor:
        """Return the (P,) share of right answers."""
        return share(output, asked)

    def _shown(self, chosen: NDArray[np.intp]) -> Sequences:
        """Return these (P, B) trials."""
        trials = self.trials
        inputs = torch.from_numpy(trials.counts[chosen])  # (P, B, T, N)
        targets = torch.from_numpy(trials.labels[chosen]).unsqueeze(-1).expand(inputs.shape[:3])
        weight = torch.ones(inputs.shape[:3])
        weight[..., : math.ceil(self.quiet / self.bin)] = 0.0
        return Sequences(inputs, targets, weight)


def _read(written: str) -> File:
    path = Path(written)
    try:
        return File(path.name, path.read_bytes())
    except OSError as error:
        what = f"wanted a path of spike trains, or {EXAMPLE}, found '{written}' ({error.strerror})"
        raise SpecError(f"file: {what}") from error


def _title(source: str | File) -> str:
    return source.name if isinstance(source, File) else f"{source} spike trains"


class _Spikes(NamedTuple):
    """A file's rows: (S,) text, and seconds with NaN in the row of a silent trial."""

    trial: NDArray[np.str_]
    unit: NDArray[np.str_]
    time: NDArray[np.float64]
    label: NDArray[np.str_]


@lru_cache(maxsize=2)
def _trials(source: str | File, bin: float, window: float) -> Trials:
    title, spikes = _title(source), _spikes(source) if isinstance(source, File) else _example()
    _, first, row = np.unique(spikes.trial, return_index=True, return_inverse=True)
    labels = spikes.label[first]
    other = labels[row] != spikes.label
    if other.any():
        at = int(other.argmax())
        what = f"'{labels[row][at]}' and '{spikes.label[at]}' in trial '{spikes.trial[at]}'"
        raise _wrong(title, f"wanted one label a trial, found {what}")
    classes, coded = np.unique(labels, return_inverse=True)
    if len(classes) < 2:
        raise _wrong(title, f"wanted trials of two labels or more, found only '{classes[0]}'")
    fired = ~np.isnan(spikes.time)
    if not fired.any():
        raise _wrong(title, "wanted at least one spike, found silent trials only")
    units = np.unique(spikes.unit[fired])
    last = max(float(spikes.time[fired].max()), 0.0)
    seconds = window / 1000 if window else math.inf
    steps = max(1, math.ceil(window / bin - 1e-6) if window else int(last * 1000 / bin + 1e-6) + 1)
    if len(labels) * steps * len(units) > MOST_COUNTS:
        found = f"{len(labels)} trials x {steps} steps x {len(units)} units"
        raise _wrong(title, f"wanted at most {MOST_COUNTS} counts, found {found}: widen bin, or set window")
    counts = np.zeros((len(labels), steps, len(units)), np.float32)
    kept = fired & (spikes.time >= 0) & (np.nan_to_num(spikes.time) < seconds)
    # a spike at the start of a bin is in it, though its time in seconds may be a rounding below
    step = np.minimum((spikes.time[kept] * 1000 / bin + 1e-6).astype(np.int64), steps - 1)
    np.add.at(counts, (row[kept], step, np.searchsorted(units, spikes.unit[kept])), 1.0)
    return Trials(counts, coded.astype(np.int64), tuple(units.tolist()), tuple(classes.tolist()))


def _spikes(source: File) -> _Spikes:
    title, columns = parse(source)
    for name in COLUMNS:
        if name not in columns:
            found = ", ".join(columns) + near(name, columns)
            raise _wrong(title, f"wanted the columns {', '.join(COLUMNS)}, found {found}")
    trial, unit, label = (_names(columns[name]) for name in ("trial", "unit", "label"))
    time = _times(columns["time"], title)
    for name, cells in (("trial", trial), ("label", label)):
        if (cells == "").any():
            raise _wrong(title, f"row {int((cells == '').argmax()) + 1}: wanted a {name}, found none")
    half = np.isnan(time) != (unit == "")
    if half.any():
        at = int(half.argmax()) + 1
        raise _wrong(title, f"row {at}: wanted a unit and a time, or neither (a silent trial), found one")
    return _Spikes(trial, unit, time, label)


def _example() -> _Spikes:
    """Return 100 trials of 50 ms of the synthetic population of `synthetic-reach`, in bins of 2 ms."""
    task = SyntheticReach(units=20)
    drawn = task.sequences([Key(0)], 100, "spike-trains")
    trial, step, unit = np.nonzero(drawn.inputs[0].numpy())
    degrees = (drawn.targets[0, :, 0].numpy() * 360 // task.directions)[trial]
    time = (step + 0.5) * task.bin / 1000
    return _Spikes(trial.astype(str), unit.astype(str), time, degrees.astype(str))


def _names(column: Column) -> NDArray[np.str_]:
    """Return cells as text; whole numbers without a fraction, "" where one is missing."""
    if column.dtype.kind == "f":
        return np.array(["" if math.isnan(cell) else _written(cell) for cell in column.tolist()], dtype=str)
    return column.astype(str)


def _written(cell: float) -> str:
    """Return a number so that no other one is written the same: names may be time stamps."""
    return str(int(cell)) if cell.is_integer() else repr(cell)


def _times(column: Column, title: str) -> NDArray[np.float64]:
    try:
        time = np.array([math.nan if cell == "" else float(cell) for cell in column.tolist()])
    except ValueError as error:
        raise _wrong(title, f"column 'time': wanted seconds: {error}") from error
    far = np.abs(np.nan_to_num(time)) > LONGEST
    if far.any():
        at = int(far.argmax())
        raise _wrong(title, f"row {at + 1}: wanted a time within {LONGEST:g} seconds, found {time[at]:g}")
    return time


@lru_cache(maxsize=16)
def _members(task: SpikeTrains) -> Mapping[str, NDArray[np.intp]]:
    """Return the trials of each fold; those of a class are dealt out in an order drawn from the seed."""
    trials, folds, fold, seed = task.trials, task.folds, task.fold, task.split_seed
    number = np.empty(len(trials.labels), np.int64)
    for label, name in enumerate(trials.classes):
        own = np.flatnonzero(trials.labels == label)
        if len(own) < folds:
            raise SpecError(
                f"wanted at least {folds} trials of each label for {folds} folds, found {len(own)} of "
                f"'{name}': leave such trials out, or write fewer folds (3 at least)"
            )
        order = Key(seed).child("spike-trains", label).generator().permutation(own)
        number[order] = np.arange(len(own)) % folds
    validation = (fold + 1) % folds
    train = np.flatnonzero((number != fold) & (number != validation))
    return {
        "train": train,
        "validation": np.flatnonzero(number == validation),
        "test": np.flatnonzero(number == fold),
    }


def _wrong(title: str, what: str) -> SpecError:
    return SpecError(f"cannot read the spike trains {title}: {what}")
