"""The permutation null of nDGE: how strong would the strongest rule be if expression knew nothing of wiring?

Expression profiles are dealt anew to the neuron classes; contacts and synapses stay. That keeps all that
makes the class pairs dependent (shared neurons, degrees, correlated genes) and breaks only the link between
genes and wiring, which the t-test's null does not. With the maximum of t over all g^2 gene pairs per shuffle
(max-T, Westfall & Young 1993, Resampling-Based Multiple Testing):

    p_uv = (1 + #{shuffles: max t >= t_uv}) / (1 + n)

holds the probability of any false rule at alpha, at once over all pairs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from evogen.errors import SpecError
from evogen.genetics.ndge import Floats, Mask, RuleTest, checked, contrasts, ndge, reduced
from evogen.keys import Key

# Shuffles evaluated at once; their masks take 2 x 8 bytes x CHUNK x classes^2.
CHUNK = 128
# Shuffles that leave the wiring as it is must tie with the observed t, whatever order they are summed in.
TIE = 1e-9


@dataclass(frozen=True, eq=False)
class PermutationNull:
    """The observed nDGE beside its shuffles.

    Attributes:
        observed: the test on the true labels.
        maxima: (n,) largest t over all gene pairs, per shuffle.
        counts: (n,) how many rules the t-test finds, per shuffle.
    """

    observed: RuleTest
    maxima: Floats
    counts: npt.NDArray[np.int64]

    @property
    def p(self) -> Floats:
        """(g, g) family-wise p of each pair, one-sided (synapses prefer it)."""
        ordered = np.sort(self.maxima)
        t = self.observed.t
        reached = len(ordered) - np.searchsorted(ordered, t - TIE * np.maximum(1, np.abs(t)), side="left")
        return (1 + reached) / (1 + len(ordered))

    @property
    def rules(self) -> Mask:
        """(g, g) pairs with family-wise p <= alpha."""
        return (self.p <= self.observed.alpha) & (self.observed.beta > 0)

    @property
    def count_p(self) -> float:
        """P of the number of t-test rules: the chance of at least as many if genes knew nothing of wiring."""
        reached = np.count_nonzero(self.counts >= np.count_nonzero(self.observed.rules))
        return float((1 + reached) / (1 + len(self.counts)))

    def kept(self) -> tuple[tuple[str, ...], Mask]:
        """Return the genes that appear in any family-wise rule, and the rules among them."""
        return reduced(self.observed.names, self.rules)


def permutation_null(
    expression: npt.ArrayLike,
    contact: npt.ArrayLike,
    synapse: npt.ArrayLike,
    *,
    names: Sequence[str],
    key: Key,
    permutations: int = 1000,
    alpha: float = 0.05,
) -> PermutationNull:
    """Test every ordered gene pair against shuffles of the expression profiles over the classes.

    Args:
        expression: (classes, genes) G, finite, >= 0.
        contact: (classes, classes) [pre, post]; a pair touches where it is > 0.
        synapse: (classes, classes) [pre, post]; a pair is synaptic where it is > 0 and the pair touches.
        names: the genes, in the columns' order.
        key: shuffle k draws from its own child, so fewer permutations are a prefix of more.
        permutations: n; the smallest possible p is 1 / (1 + n).
        alpha: family-wise level, in (0, 1).

    Raises:
        SpecError: as `ndge`, or permutations is below 1 / alpha - 1 (no pair could become a rule).
    """
    G, touch, wired = checked(expression, contact, synapse, names=names, alpha=alpha)
    if 1 / (1 + permutations) > alpha:
        raise SpecError(
            f"permutations: wanted at least {int(np.ceil(1 / alpha)) - 1}, so that p <= {alpha} can be "
            f"reached, found {permutations}"
        )
    observed = ndge(expression, contact, synapse, names=names, alpha=alpha)
    freedom = observed.synaptic + observed.apart - 2
    critical = stats.t.isf(alpha / observed.t.size / 2, freedom)
    shuffles = [
        key.child("shuffle", k).generator().permutation(len(G))  # uniform over the orders
        for k in range(permutations)
    ]
    parts = [
        _extremes(G, touch, wired, np.stack(shuffles[start : start + CHUNK]), critical)
        for start in range(0, permutations, CHUNK)
    ]
    return PermutationNull(
        observed, np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])
    )


def _extremes(
    G: Floats, touch: Mask, wired: Mask, shuffles: npt.NDArray[np.intp], critical: float
) -> tuple[Floats, npt.NDArray[np.int64]]:
    """Return per shuffle the largest t and the number of t >= critical.

    Dealing profiles to labels by s is dealing labels to profiles by its inverse: the z of all class pairs is
    made once, and the shuffles differ in the two masks only.
    """
    classes = len(G)
    pairs = np.argwhere(np.ones((classes, classes), dtype=np.bool_))
    rows, columns = shuffles[:, :, None], shuffles[:, None, :]
    groups = np.stack([(touch & wired)[rows, columns], (touch & ~wired)[rows, columns]])
    maxima = np.full(len(shuffles), -np.inf)
    counts = np.zeros(len(shuffles), dtype=np.int64)
    for _, _, _, t in contrasts(G, pairs, groups.reshape(2, len(shuffles), -1)):
        maxima = np.maximum(maxima, t.max(axis=1))
        counts += (t >= critical).sum(axis=1)
    return maxima, counts
