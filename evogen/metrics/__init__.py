"""Metrics: further numbers of a candidate that a search can switch on, beside those of `evogen.measures`.

A metric is a registered frozen dataclass. It looks at candidates after their lives, draws from keys of its
own, and changes nothing: with or without it every other number keeps its bits. What it measures can be an
objective, a constraint or an axis of a MAP-Elites grid.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from torch import Tensor

from evogen.keys import Key
from evogen.learning import Fit
from evogen.phenotype import Network, Phenotype
from evogen.registry import known, name_of
from evogen.tasks import TaskKind


@dataclass(frozen=True, eq=False)
class Subject:
    """P candidates after their inner loop, with the A agents that were born of each and scored.

    Attributes:
        task, learner: of the search.
        phenotype: of the candidates, as they were born.
        fit: what they learnt.
        agents: (P A) rows, those of a candidate one after another; without gradients.
        copies: A.
        keys: one a candidate, for whatever the metric draws.
        taught: one a candidate, the keys that they learnt with.
    """

    task: Any
    learner: Any
    phenotype: Phenotype
    fit: Fit
    agents: Network
    copies: int
    keys: Sequence[Key]
    taught: Sequence[Key]

    @property
    def average(self) -> Network:
        """The average network of each candidate, P rows, without gradients."""
        return self.phenotype.network(self.fit.flat).detach()

    def streams(self, *purpose: str | int) -> list[Key]:
        """Return one key an agent, (P A)."""
        return [key.child(*purpose, agent) for key in self.keys for agent in range(self.copies)]

    def mean(self, each: Tensor) -> Tensor:
        """Return the (P,) means over agents of (P A) numbers."""
        return each.reshape(-1, self.copies).mean(1)


class Metric(Protocol):
    """What a candidate is measured by."""

    @property
    def fits(self) -> frozenset[TaskKind]:
        """The kinds of task on which it means something. A class attribute will do."""
        ...

    @property
    def measures(self) -> Mapping[str, str]:
        """The sentence of each number, by its name. A class attribute will do."""
        ...

    def measure(self, subject: Subject) -> Mapping[str, Tensor]:
        """Return (P,) numbers by name; a row depends on that candidate only. NaN: could not be measured."""
        ...


def measured(metrics: Sequence[Metric], subject: Subject) -> dict[str, Tensor]:
    """Return the (P,) numbers of all metrics by name, each with streams of its own."""
    found: dict[str, Tensor] = {}
    for metric in metrics:
        name = name_of("metric", metric)
        found |= metric.measure(replace(subject, keys=[key.child(name) for key in subject.keys]))
    return found


def sentences() -> dict[str, str]:
    """Return what every registered metric can measure, by name."""
    return {name: says for cls in known("metric").values() for name, says in cls.measures.items()}
