"""The table as text, within 80 columns: accuracies and sizes by arm and set, the verdict, the contrasts."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby

import numpy as np

from evogen.studies.grammar.arms import ARMS, CHOSEN
from evogen.studies.grammar.cells import Cell, Result
from evogen.studies.grammar.sets import FOLDS
from evogen.studies.grammar.verdict import ABOVE, LEVEL, SHARE, Contrast, Row, Verdict

_SHORT = {
    "ionosphere": "ionos",
    "vehicle": "vehic",
    "optdigits": "optdg",
    "letter": "lettr",
    "mnist-5k": "mnist",
}
_WIDTH = 16


def lines(
    cells: Sequence[tuple[Cell, Result]],
    every: Sequence[Row],
    contrasts: Sequence[Contrast],
    found: Verdict,
) -> Iterator[str]:
    """Yield the study's table."""
    seeds = every[0].seeds
    yield f"Test accuracy in per cent, mean of {seeds} splits; {_shares()}"
    yield ""
    yield from _matrix(every, lambda row: f"{100 * row.test.mean:.1f}")
    yield ""
    yield "Trained numbers (weights that connect, biases), median over splits"
    yield ""
    yield from _matrix(every, lambda row: _count(row.parameters))
    yield ""
    if found.lines:
        yield from _verdict(found)
        yield ""
    if contrasts:
        yield from _contrasts(contrasts, seeds)
        yield ""
    yield from _cost(cells)
    yield ""
    yield from _legend(every)


def _shares() -> str:
    part = 100 // FOLDS
    return f"{100 - 2 * part} / {part} / {part} % of rows"


def _matrix(every: Sequence[Row], show: Callable[[Row], str]) -> Iterator[str]:
    sets = list(dict.fromkeys(row.set for row in every))
    by_place = {(row.set, row.arm): row for row in every}
    yield f"{'':{_WIDTH}}" + "".join(f"{_SHORT.get(name, name):>6}" for name in sets)
    for arm in [CHOSEN, *(arm.name for arm in ARMS)]:
        if any(row.arm == arm for row in every):
            shown = (by_place.get((name, arm)) for name in sets)
            cells = "".join(f"{'-' if row is None else show(row):>6}" for row in shown)
            yield f"{_cut(arm):{_WIDTH}}{cells}"


def _cut(arm: str) -> str:
    return arm.replace("layered-modules", "lay-modules")


def _count(value: float) -> str:
    return f"{value:.0f}" if value < 10_000 else f"{value / 1000:.1f}k"


def _verdict(found: Verdict) -> Iterator[str]:
    yield "Chosen structure beside logistic regression and MLP-32: signed-rank test against"
    yield "the better of the two, Holm over the sets; r: rank-biserial effect; size: the"
    yield "trained numbers as a share of MLP-32's"
    yield ""
    yield f"{'':12}{'chosen':>8}{'logistic':>10}{'MLP-32':>8}{'p':>8}{'r':>7}{'size':>7}  says"
    for line in found.lines:
        numbers = f"{100 * line.chosen:8.1f}{100 * line.logistic:10.1f}{100 * line.mlp:8.1f}"
        says = "above both" if line.above else "below: significant" if line.below else "not above both"
        yield f"{line.set:12}{numbers}{p_value(line.p):>8}{line.effect:>7.2f}{line.ratio:>7.2f}  {says}"
    yield ""
    sets = len(found.lines)
    yield f"significantly below on {found.below} of {sets} sets (wanted 0, p < {LEVEL:g}),"
    yield f"above both on {found.above} (wanted {ABOVE} of 10),"
    yield f"median size {found.ratio:.2f} of MLP-32's (wanted {SHARE:g} at most):"
    yield f"the claim {'holds' if found.holds else 'does not hold'} on these sets"


def _contrasts(found: Sequence[Contrast], seeds: int) -> Iterator[str]:
    yield "Contrasts: sets on which the first arm is significantly better or worse (p after"
    yield f"Holm below {LEVEL:g}; with {seeds} seeds no single test can fall below {2 / 2**seeds:.2g}), mean"
    yield "difference over sets in per cent, its extremes, and mean effect r"
    yield ""
    yield f"{'':33}{'better':>7}{'worse':>6}{'sets':>5}{'mean':>7}{'least':>7}{'most':>7}{'r':>7}"
    for (first, second), group in groupby(found, key=lambda item: (item.first, item.second)):
        items = list(group)
        means = np.array([item.difference.mean for item in items])
        sure = [item for item in items if item.p < LEVEL]
        better = sum(item.difference.mean > 0 for item in sure)
        name = f"{_cut(first)} - {_cut(second)}"
        numbers = "".join(f"{100 * each:>7.1f}" for each in (means.mean(), means.min(), means.max()))
        effect = float(np.mean([item.effect for item in items]))
        yield f"{name:33}{better:>7}{len(sure) - better:>6}{len(items):>5}{numbers}{effect:>7.2f}"


def _cost(cells: Sequence[tuple[Cell, Result]]) -> Iterator[str]:
    yield "Cost: candidates of a seed, and seconds of all sets and seeds together, which"
    yield "depend on the machine and on what else it did"
    yield ""
    for arm in ARMS:
        own = [(cell, result) for cell, result in cells if cell.arm.name == arm.name]
        if own:
            seconds = sum(result.seconds for _, result in own)
            yield f"{_cut(arm.name):{_WIDTH + 4}}{own[0][0].candidates:>8,}{seconds:>10,.0f} s"


def _legend(every: Sequence[Row]) -> Iterator[str]:
    present = {row.arm for row in every}
    if CHOSEN in present:
        yield f"{CHOSEN:{_WIDTH}}the trained search whose winner validates best, by set and seed"
    for arm in ARMS:
        if arm.name in present:
            yield f"{_cut(arm.name):{_WIDTH}}{arm.says}"
    yield ""
    yield "A seed is another stratified split of the same rows, so that seeds are not quite"
    yield "independent, and p-values a little too small. Searches select by log-loss on"
    yield "validation rows (without a gradient: on all but the test rows); then the winner,"
    yield "as every baseline does, learns from training and validation rows and is tested"
    yield "once. Numbers are standardised by the training rows. Ours is MGE-style, not"
    yield "MGE's own grammar and structures."


def p_value(p: float) -> str:
    """Return a p-value for people."""
    return "-" if math.isnan(p) else "<.0001" if p < 1e-4 else f"{p:.4f}"
