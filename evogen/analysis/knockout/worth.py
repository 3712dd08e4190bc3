"""Worth: what each part of a genome is worth, as a knock-out finds it (`evogen.analysis.knockout`).

Labels, at an error of 5 % over all parts together:

    essential    loses at least 90 % of the gap between the intact network and one without any synapse
    useful       loses less
    no effect    the loss cannot be told from 0; `exactly none` if every agent scores what it did
    harmful      the network is better without
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from scipy.stats import rankdata

from evogen.analysis.knockout.silenced import Kind
from evogen.analysis.plain import plain


class Label(StrEnum):
    """What came of a part's silence, in the order in which a reader cares."""

    ESSENTIAL = "essential"
    USEFUL = "useful"
    HARMFUL = "harmful"
    NO_EFFECT = "no effect"
    NONE = "exactly none"
    FAILED = "failed"
    LEFT_OUT = "not screened"


@dataclass(frozen=True)
class Part:
    """One part and what its silence cost.

    Attributes:
        kind, name, where, note: see `silenced.Variant`; of a failure, the note says why.
        loss, low, high: mean over agents and its interval; NaN unless screened.
        p: over all parts together; NaN where agents are all alike.
        label: see above.
        predicted: to first order, in the unit of `Knockout.unit`; NaN without a prediction.
        wiring: share of the expected weights that goes with it, |change| / |intact|.
    """

    kind: Kind
    name: str
    where: tuple[int, ...]
    loss: float
    low: float
    high: float
    p: float
    label: Label
    predicted: float
    wiring: float
    note: str = ""


@dataclass(frozen=True)
class Knockout:
    """What a screen of knock-outs found.

    Attributes:
        genome: id of the intact one.
        reported: what a score is measured on.
        unit: of the predictions; None: the task has none.
        intact: (A,) scores.
        parts: all, in the order of the genome; the first is everything at once.
        left_out: pairs that were not screened, for their predicted loss (or change of wiring) was smaller.
        alike: whether all agents are born equal and asked the same: no interval and no p, and every verdict
            is a fact of these examples.
        examples: that every agent is asked, where all are asked the same; else 0. Intervals then say how
            births differ, not how other examples would be answered.
        learner: genes that act while a life tunes the network, so have no part here.
    """

    genome: str
    reported: str
    unit: str | None
    intact: tuple[float, ...]
    parts: tuple[Part, ...]
    left_out: int
    alike: bool
    examples: int
    learner: tuple[str, ...]

    @property
    def score(self) -> float:
        """Mean score of the intact agents."""
        return float(np.mean(self.intact))

    @property
    def gap(self) -> float:
        """What the intact network loses with all of its synapses."""
        return self.parts[0].loss

    def of(self, *kinds: Kind) -> list[Part]:
        """Return the parts of these kinds."""
        return [part for part in self.parts if part.kind in kinds]

    def agreement(self, *kinds: Kind) -> tuple[float, int]:
        """Return Spearman's rank correlation of predicted and measured losses, and of how many parts.

        NaN where one of the two does not vary, or with fewer than three parts.
        """
        found = [
            (part.predicted, part.loss)
            for part in self.of(*(kinds or tuple(set(Kind) - {Kind.EVERYTHING})))
            if np.isfinite([part.predicted, part.loss]).all()
        ]
        if len(found) < 3:
            return float("nan"), len(found)
        predicted, loss = (rankdata(values) for values in zip(*found, strict=True))
        if np.ptp(predicted) == 0 or np.ptp(loss) == 0:
            return float("nan"), len(found)
        return float(np.corrcoef(predicted, loss)[0, 1]), len(found)


def values(found: Knockout) -> dict[str, Any]:
    """Return it as a JSON value; None for what is not a number."""
    value: dict[str, Any] = plain(
        {
            "genome": found.genome,
            "scored_on": found.reported,
            "agents": len(found.intact),
            "intact": found.intact,
            "gap": found.gap,
            "prediction": found.unit,
            "rank_correlation": found.agreement()[0],
            "not_screened": found.left_out,
            "examples": found.examples,
            "acts_during_learning": found.learner,
            "parts": [
                {
                    "kind": part.kind.value,
                    "name": part.name,
                    "where": part.where,
                    "loss": part.loss,
                    "interval": (part.low, part.high),
                    "p": part.p,
                    "label": part.label.value,
                    "predicted": part.predicted,
                    "wiring": part.wiring,
                    "note": part.note,
                }
                for part in found.parts
            ],
        }
    )
    return value


def cautions(found: Knockout) -> Iterator[str]:
    """Yield what a reader must know before he believes a label."""
    if found.parts[0].label is not Label.ESSENTIAL:
        yield (
            "The intact network is not shown to be better than one without any synapse, "
            "so nothing can be called essential."
        )
    if found.alike:
        yield (
            "All agents are born equal and are asked the same, so there is no interval and no p: "
            "verdicts are facts of these examples alone."
        )
    if found.examples and not found.alike:
        yield (
            f"All agents are asked the same {found.examples} examples: intervals say how births differ, not "
            "how other examples would be answered."
        )
    if found.left_out:
        yield (
            f"{found.left_out} gene pairs were not screened: those of the smallest "
            f"{'predicted loss' if found.unit else 'change of the wiring'}."
        )


def learners(found: Knockout) -> str:
    """Say which genes have no part, and why; empty if all have."""
    if not found.learner:
        return ""
    one = len(found.learner) == 1
    return (
        f"{', '.join(found.learner)}: {'acts' if one else 'act'} while a life tunes the network, "
        f"so {'it' if one else 'they'} cannot be silenced in a tuned one."
    )
