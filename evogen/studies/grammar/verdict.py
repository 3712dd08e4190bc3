"""Rows and contrasts of the study, and whether our networks hold against plain ones.

Arms are compared in pairs of seeds, which share split and rows: a two-sided Wilcoxon signed-rank test of the
test accuracies on each set, with Holm's correction over the sets of a contrast. The effect is the matched-
pairs rank-biserial correlation, (W+ - W-) / (W+ + W-), from -1 to 1 (Kerby 2014).
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from evogen.analysis.statistics import Interval, holm, interval
from evogen.keys import Key
from evogen.studies.grammar.arms import CHOSEN, LOGISTIC, MLP_32, TRAINED
from evogen.studies.grammar.cells import Cell, Result

CONTRASTS = (
    (CHOSEN, LOGISTIC.name),
    (CHOSEN, MLP_32.name),
    (CHOSEN, "mlp"),
    ("modules", "flat"),
    ("modules", "layered"),
    ("modules", "coupled"),
    ("modules", "layered-modules"),
    ("modules", "modules-evolved"),
    ("modules", "modules-tuned"),
    ("modules", "random"),
    ("modules", "flat-ge"),
)
LEVEL = 0.05
_DECIMALS = 9  # of accuracies' differences: equal ones are ties, whatever their last bits
ABOVE, SHARE = 4, 0.5  # sets on which it must be above both, and most parameters beside MLP-32's


@dataclass(frozen=True)
class Row:
    """One arm on one set: test accuracy over seeds, medians of its trained numbers and of its neurons."""

    set: str
    arm: str
    seeds: int
    test: Interval
    parameters: float
    neurons: float
    candidates: int
    seconds: float


@dataclass(frozen=True)
class Contrast:
    """Two arms on one set, in pairs of seeds; p is adjusted over the sets of the contrast."""

    first: str
    second: str
    set: str
    difference: Interval
    effect: float
    p: float


@dataclass(frozen=True)
class Line:
    """What the verdict says of one set.

    Attributes:
        chosen, logistic, mlp: mean test accuracies.
        p: of the difference from the better of the two, adjusted over sets.
        effect: of that difference.
        below: whether it is significantly below.
        above: whether its mean is above both.
        ratio: of its median of trained numbers to that of MLP-32.
    """

    set: str
    chosen: float
    logistic: float
    mlp: float
    p: float
    effect: float
    below: bool
    above: bool
    ratio: float


@dataclass(frozen=True)
class Verdict:
    """All lines, and what they come to; None where not every set and arm that it needs is there."""

    lines: tuple[Line, ...]

    @property
    def below(self) -> int:
        """Sets on which it is significantly below the better of the two."""
        return sum(line.below for line in self.lines)

    @property
    def above(self) -> int:
        """Sets on which its mean is above both."""
        return sum(line.above for line in self.lines)

    @property
    def ratio(self) -> float:
        """The median over sets."""
        return float(np.median([line.ratio for line in self.lines]))

    @property
    def holds(self) -> bool:
        """Whether our networks hold: never below, above often enough, and small."""
        return not self.below and self.above >= ABOVE and self.ratio <= SHARE


Table = Mapping[str, Mapping[str, Result]]
"""Results by set and arm, the chosen one among them."""


def arranged(cells: Sequence[tuple[Cell, Result]]) -> dict[str, dict[str, Result]]:
    """Return results by set and arm, with the row of the structure that validation chooses for each seed."""
    found: dict[str, dict[str, Result]] = {}
    for cell, result in cells:
        found.setdefault(cell.set, {})[cell.arm.name] = result
    for of_set in found.values():
        trained = [of_set[arm.name] for arm in TRAINED if arm.name in of_set]
        if trained:
            of_set[CHOSEN] = chosen(trained)
    return found


def chosen(trained: Sequence[Result]) -> Result:
    """Return, for each seed, the numbers of the result that validated best, the first of equals."""
    best = np.argmax([result.validation for result in trained], axis=0)  # (S,)

    def pick(columns: Sequence[np.ndarray]) -> np.ndarray:
        return np.asarray(np.stack(columns)[best, np.arange(len(best))])

    return Result(
        pick([result.test for result in trained]),
        pick([result.validation for result in trained]),
        pick([result.parameters for result in trained]),
        pick([result.neurons for result in trained]),
        sum(result.seconds for result in trained),
    )


def rows(cells: Sequence[tuple[Cell, Result]], table: Table) -> list[Row]:
    """Return every set's rows, that of the chosen structures first."""
    candidates = {(cell.set, cell.arm.name): cell.candidates for cell, _ in cells}
    trained = {arm.name for arm in TRAINED}
    found = []
    for name, of_set in table.items():
        whole = sum(candidates.get((name, arm), 0) for arm in trained)
        for arm in sorted(of_set, key=lambda each: each != CHOSEN):
            result = of_set[arm]
            found.append(
                Row(
                    name,
                    arm,
                    len(result.test),
                    interval(result.test, Key(0).child("interval", name, arm)),
                    float(np.median(result.parameters)),
                    float(np.median(result.neurons)),
                    candidates.get((name, arm), whole),
                    result.seconds,
                )
            )
    return found


def contrasts(table: Table) -> list[Contrast]:
    """Return the contrasts whose two arms are there, on every set that has both."""
    found = []
    for first, second in CONTRASTS:
        both = {name: of_set for name, of_set in table.items() if first in of_set and second in of_set}
        differences = {name: of_set[first].test - of_set[second].test for name, of_set in both.items()}
        adjusted = holm([signed_rank(each) for each in differences.values()])
        for (name, difference), p in zip(differences.items(), adjusted, strict=True):
            key = Key(0).child("contrast", first, second, name)
            found.append(Contrast(first, second, name, interval(difference, key), effect(difference), p))
    return found


def verdict(table: Table) -> Verdict:
    """Return the verdict on the sets that have the chosen structures and both baselines."""
    wanted = (CHOSEN, LOGISTIC.name, MLP_32.name)
    differences, beside = {}, {}
    for name, of_set in table.items():
        if all(arm in of_set for arm in wanted):
            ours, *others = (of_set[arm] for arm in wanted)
            beside[name] = (ours, *others)
            better = max(others, key=lambda each: float(each.test.mean()))
            differences[name] = ours.test - better.test
    adjusted = holm([signed_rank(each) for each in differences.values()])
    lines = []
    for (name, (ours, line, mlp)), p in zip(beside.items(), adjusted, strict=True):
        mean, least, most = (float(each.test.mean()) for each in (ours, line, mlp))
        lines.append(
            Line(
                name,
                mean,
                least,
                most,
                p,
                effect(differences[name]),
                below=mean < max(least, most) and p < LEVEL,
                above=mean > max(least, most),
                ratio=float(np.median(ours.parameters) / np.median(mlp.parameters)),
            )
        )
    return Verdict(tuple(lines))


def signed_rank(difference: np.ndarray) -> float:
    """Return the two-sided p of (S,) paired differences lying around 0; 1 where all are 0."""
    difference = difference.round(_DECIMALS)
    if not difference.any():
        return 1.0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a normal approximation, where ties forbid the exact law
        return float(stats.wilcoxon(difference).pvalue)


def effect(difference: np.ndarray) -> float:
    """Return the rank-biserial correlation of (S,) paired differences; 0 where all are 0."""
    difference = difference.round(_DECIMALS)
    moved = difference[difference != 0]
    if not len(moved):
        return 0.0
    ranks = stats.rankdata(np.abs(moved))
    return float((ranks[moved > 0].sum() - ranks[moved < 0].sum()) / ranks.sum())
