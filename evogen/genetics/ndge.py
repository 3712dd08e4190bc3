"""Network differential gene expression (nDGE): which ordered gene pairs are co-expressed across synapses.

For pre gene u and post gene v, over the ordered class pairs (i, j) in contact:
    z_ij = ln(1 + G[i, u] G[j, v])
    beta = mean z over synaptic pairs - mean z over contact-only pairs
    t    = Student's two-sample t with pooled variance, n1 + n0 - 2 degrees of freedom (MATLAB's `ttest2`)
A pair is a rule iff p <= alpha / g^2 (two-sided, Bonferroni) and beta > 0.

Pairs of classes share neurons, so z_ij are not independent and this t-test finds far too many rules; it
stays for comparison with the published 47. `evogen.genetics.null` gives the valid p.

Source: Taylor et al. 2021, Cell 184, 4329 (CeNGEN); repository cengenproject/connectivity_analysis (MIT).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from evogen.errors import SpecError

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
# Numbers of z held at once: 32 MB.
BLOCK = 2**22


@dataclass(frozen=True, eq=False)
class RuleTest:
    """What nDGE found for every ordered gene pair [pre, post].

    Attributes:
        names: the g genes.
        beta: (g, g) difference of the means of z, synaptic minus contact-only; natural-log units.
        t: (g, g) Student's t of beta; 0 where z is constant (a gene that nowhere differs tells nothing).
        p: (g, g) two-sided p of t, not corrected.
        alpha: family-wise level; one pair is tested at alpha / g^2.
        synaptic: how many class pairs touch and have a synapse.
        apart: how many class pairs touch without a synapse.
        uncontacted: how many class pairs have a synapse but no recorded contact; they take no part.
    """

    names: tuple[str, ...]
    beta: Floats
    t: Floats
    p: Floats
    alpha: float
    synaptic: int
    apart: int
    uncontacted: int

    @property
    def rules(self) -> Mask:
        """(g, g) pairs that synapses prefer."""
        return (self.p <= self.alpha / self.p.size) & (self.beta > 0)

    @property
    def negative(self) -> Mask:
        """(g, g) pairs that synapses avoid."""
        return (self.p <= self.alpha / self.p.size) & (self.beta < 0)

    def kept(self) -> tuple[tuple[str, ...], Mask]:
        """Return the genes that appear in any rule, and the rules among them."""
        return reduced(self.names, self.rules)


def reduced(names: Sequence[str], rules: Mask) -> tuple[tuple[str, ...], Mask]:
    """Return the genes that appear in any rule, in order, and the (kept, kept) mask of the rules."""
    used = np.flatnonzero(rules.any(axis=0) | rules.any(axis=1)).tolist()
    return tuple(names[index] for index in used), rules[np.ix_(used, used)]


def ndge(
    expression: npt.ArrayLike,
    contact: npt.ArrayLike,
    synapse: npt.ArrayLike,
    *,
    names: Sequence[str],
    alpha: float = 0.05,
) -> RuleTest:
    """Test every ordered gene pair for co-expression across synapses.

    Args:
        expression: (classes, genes) G, e.g. transcripts per million; finite, >= 0.
        contact: (classes, classes) [pre, post]; a pair touches where it is > 0.
        synapse: (classes, classes) [pre, post]; a pair is synaptic where it is > 0 and the pair touches.
        names: the genes, in the columns' order.
        alpha: family-wise level, in (0, 1).

    Raises:
        SpecError: shapes disagree, a number is not finite or negative, or a group of pairs is empty.
    """
    G, touch, wired = checked(expression, contact, synapse, names=names, alpha=alpha)
    pairs = np.argwhere(touch)
    groups = np.stack([(touch & wired)[touch], (touch & ~wired)[touch]])[:, None]  # (2, 1, pairs)
    genes = G.shape[1]
    beta, t = np.empty((genes, genes)), np.empty((genes, genes))
    for u, columns, slopes, statistics in contrasts(G, pairs, groups):
        beta[u, columns], t[u, columns] = slopes[0], statistics[0]
    synaptic, apart = int(groups[0].sum()), int(groups[1].sum())
    p = 2 * stats.t.sf(np.abs(t), synaptic + apart - 2)
    return RuleTest(tuple(names), beta, t, p, alpha, synaptic, apart, int((wired & ~touch).sum()))


def contrasts(
    G: Floats, pairs: npt.NDArray[np.intp], groups: Mask
) -> Iterator[tuple[int, slice, Floats, Floats]]:
    """Yield (u, columns v, beta, t), block by block, for many divisions of the same pairs at once.

    z has no factorisation because of the logarithm, so it is made once per block; every division then costs
    three inner products with it.

    Args:
        G: (classes, genes).
        pairs: (K, 2) classes [pre, post].
        groups: (2, n, K) members of the synaptic and of the contact-only group in each of n divisions; the
            two sizes are the same in every division.

    Yields:
        pre gene, slice of post genes, (n, columns) beta, (n, columns) t.
    """
    genes = G.shape[1]
    before, after = G[pairs[:, 0]], G[pairs[:, 1]]  # (K, genes)
    synaptic, apart = groups.astype(np.float64)  # (n, K)
    n1, n0 = synaptic[0].sum(), apart[0].sum()
    width = max(1, BLOCK // max(1, len(pairs)))
    for start in range(0, genes, width):
        columns = slice(start, min(start + width, genes))
        for u in range(genes):
            z = np.log1p(before[:, u, None] * after[:, columns])  # (K, columns)
            still = np.ptp(z, axis=0) <= 1e-12 * np.max(z, axis=0)
            # Centred, so that the sums of squares below do not cancel.
            z -= z.mean(axis=0)
            ones, zeros = synaptic @ z, apart @ z  # (n, columns)
            squares = (synaptic + apart) @ z**2
            beta = ones / n1 - zeros / n0
            within = np.maximum(squares - ones**2 / n1 - zeros**2 / n0, 0)
            error = np.sqrt(within / (n1 + n0 - 2) * (1 / n1 + 1 / n0))
            # Equal over the pairs in contact: beta and error are both rounding.
            still = still | (squares - (ones + zeros) ** 2 / (n1 + n0) <= 1e-12 * squares)
            with np.errstate(divide="ignore", invalid="ignore"):
                t = beta / error
            yield u, columns, np.where(still, 0.0, beta), np.where(still, 0.0, t)


def checked(
    expression: npt.ArrayLike,
    contact: npt.ArrayLike,
    synapse: npt.ArrayLike,
    *,
    names: Sequence[str],
    alpha: float,
) -> tuple[Floats, Mask, Mask]:
    """Return expression (classes, genes) and the two masks (classes, classes) of `ndge`'s arguments.

    Raises:
        SpecError: as `ndge`.
    """
    G = _numbers("expression", expression)
    classes = len(G)
    if len(names) != G.shape[1]:
        raise SpecError(f"names: wanted one per column of expression ({G.shape[1]}), found {len(names)}")
    if not 0 < alpha < 1:
        raise SpecError(f"alpha: wanted a level between 0 and 1, found {alpha}")
    masks = []
    for name, table in (("contact", contact), ("synapse", synapse)):
        numbers = _numbers(name, table)
        if numbers.shape != (classes, classes):
            raise SpecError(
                f"{name}: wanted shape ({classes}, {classes}), one row and column per class of expression, "
                f"found {numbers.shape}"
            )
        masks.append(numbers > 0)
    touch, wired = masks
    if not (touch & wired).any():
        raise SpecError("synapse: no pair of classes in contact has a synapse; nothing to compare")
    if not (touch & ~wired).any():
        raise SpecError("contact: every pair of classes in contact has a synapse; wanted some without")
    if touch.sum() < 3:
        raise SpecError(f"contact: wanted at least 3 pairs of classes in contact, found {touch.sum()}")
    return G, touch, wired


def _numbers(name: str, table: npt.ArrayLike) -> Floats:
    try:
        numbers = np.asarray(table, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise SpecError(f"{name}: wanted a table of numbers: {error}") from error
    if numbers.ndim != 2 or 0 in numbers.shape:
        raise SpecError(f"{name}: wanted two axes, none empty, found shape {numbers.shape}")
    wrong = ~(np.isfinite(numbers) & (numbers >= 0))
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        raise SpecError(
            f"{name}: wanted finite numbers >= 0, found {numbers[row, column]} at row {row}, column {column}"
        )
    return numbers
