"""Words on how the inner loop tunes a gene's own parameters: `learn:NAME`, and the numbers that each takes.

    learn:full                      as the learner does
    learn:none                      not at all: what the gene is born with keeps its bits
    learn:scaled [rate]             at this share of the learning rate
    learn:adam [rate]               the same by Adam, which is what learners that follow gradients use anyway
    learn:sgd [rate] [momentum]     at this share of the learning rate, by plain gradient descent

A share is one of the learner's own rate, so that its schedule and its evolvable value hold for every gene.
"""

from __future__ import annotations

from collections.abc import Mapping

from evogen.errors import DevelopmentError
from evogen.grammar.plan import Learning

LEARNERS: Mapping[str, set[str]] = {
    "full": set(),
    "none": set(),
    "scaled": {"rate"},
    "adam": {"rate"},
    "sgd": {"rate", "momentum"},
}
METHODS = ("adam", "sgd")
"""Those that say how a gradient is followed, which a learner without gradients cannot do."""


def learning(name: str, numbers: Mapping[str, float]) -> Learning | None:
    """Return what a word and its numbers ask for; None: nothing.

    Raises:
        DevelopmentError: missing or unknown numbers, a negative share, or a momentum outside of [0, 1).
    """
    if numbers.keys() != LEARNERS[name]:
        wanted, found = sorted(LEARNERS[name]), sorted(numbers)
        raise DevelopmentError(f"learn:{name} takes the numbers {wanted}, found {found}")
    if name == "full":
        return None
    rate, momentum = (0.0 if name == "none" else numbers["rate"]), numbers.get("momentum")
    if rate < 0:
        raise DevelopmentError(f"learn:{name} wanted a rate of at least 0, found {rate:g}")
    if momentum is not None and not 0 <= momentum < 1:
        raise DevelopmentError(f"learn:{name} wanted a momentum in [0, 1), found {momentum:g}")
    return Learning(rate, momentum)
