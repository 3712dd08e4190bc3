"""The 47 adhesion rules of the worm's nerve ring among 39 genes, and their degree-preserving shuffle.

nDGE over CeNGEN expression of 141 cell-adhesion genes and the contacts and synapses of 84 nerve-ring classes
(`tables/adhesion.csv` names the source). These are SynaptoGen's biological rules. They are the t-test's; as a
set they are not significant under a label permutation (p about 0.06), so always run `shuffled` beside them.
"""

from __future__ import annotations

import csv
from importlib import resources

import numpy as np

from evogen.errors import SpecError
from evogen.genetics.ndge import Mask
from evogen.keys import Key

# Swaps tried per rule; degrees are kept by each, and 100 per rule is far past mixing (10 is customary).
SWAPS = 100


def adhesion_rules() -> tuple[tuple[str, str], ...]:
    """Return the rules as (pre gene, post gene), in the table's order."""
    text = resources.files("evogen.genetics").joinpath("tables", "adhesion.csv").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return tuple((row["pre"], row["post"]) for row in csv.DictReader(lines))


def adhesion_mask() -> tuple[tuple[str, ...], Mask]:
    """Return the 39 genes, sorted, and the (39, 39) mask [pre, post] of the 47 rules."""
    rules = adhesion_rules()
    names = tuple(sorted({gene for rule in rules for gene in rule}))
    place = {name: index for index, name in enumerate(names)}
    mask = np.zeros((len(names), len(names)), dtype=np.bool_)
    for pre, post in rules:
        mask[place[pre], place[post]] = True
    return names, mask


def shuffled(mask: Mask, key: Key) -> Mask:
    """Return a random mask in which every gene keeps its out- and in-degree, without new self pairs.

    Two random rules a->b, c->d become a->d, c->b unless that makes a self pair or a rule that exists
    (Maslov & Sneppen 2002). A mask that allows no swap (a star, a ring of three) comes back as it was.

    Args:
        mask: (g, g) [pre, post]. Self pairs in it stay where they are.
        key: of this shuffle.

    Raises:
        SpecError: mask is not square.
    """
    if mask.ndim != 2 or mask.shape[0] != mask.shape[1]:
        raise SpecError(f"mask: wanted a square mask, found shape {mask.shape}")
    result = np.array(mask, dtype=np.bool_)
    rules = [(int(a), int(b)) for a, b in np.argwhere(result) if a != b]
    if len(rules) < 2:
        return result
    draws = key.generator().integers(len(rules), size=(SWAPS * len(rules), 2))  # ~ U{rules} x U{rules}
    for first, second in draws.tolist():
        (a, b), (c, d) = rules[first], rules[second]
        if a == d or c == b or result[a, d] or result[c, b]:
            continue
        result[[a, c], [b, d]] = False
        result[[a, c], [d, b]] = True
        rules[first], rules[second] = (a, d), (c, b)
    return result
