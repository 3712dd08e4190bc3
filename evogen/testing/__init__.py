"""Contract suites: what every part of a kind must do, so that a plug-in is tested by being registered.

A fact is a function that takes one configured part (for evaluators: what makes one) and raises AssertionError
where the part breaks it. In a test suite of your own::

    @pytest.mark.parametrize("fact", contract("rule", MyRule()))
    def test_my_rule(fact):
        fact(MyRule())

Facts speak of results only and need no test framework. Give learners and tasks whose defaults take long a
shorter configuration.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from evogen.tasks import BatchedTask, TaskKind
from evogen.testing import (
    circuit,
    constraint,
    evaluator,
    learner,
    local,
    metric,
    neuron,
    part,
    prior,
    protection,
    rule,
    strategy,
    task,
    wiring,
)

Fact = Callable[[Any], None]

_FACTS: Mapping[str, tuple[Fact, ...]] = {
    "rule": rule.FACTS,
    "neuron": neuron.FACTS,
    "wiring": wiring.FACTS,
    "prior": prior.FACTS,
    "circuit": circuit.FACTS,
    "constraint": constraint.FACTS,
    "learner": learner.FACTS,
    "protection": protection.FACTS,
    "error": local.FACTS,
    "schedule": local.FACTS,
    "metric": metric.FACTS,
    "strategy": strategy.FACTS,
}
_OF_TASK_KIND: Mapping[TaskKind, tuple[Fact, ...]] = {
    TaskKind.CONTROL: task.CONTROL,
    TaskKind.CONTINUOUS: (*task.CONTROL, *task.CONTINUOUS),
    TaskKind.CLASSIFICATION: task.CLASSIFICATION,
    TaskKind.LIFE: (),
    TaskKind.SEQUENCE: task.SEQUENCE,
    TaskKind.CONTINUAL: task.CONTINUAL,
}

EVALUATOR: tuple[Fact, ...] = evaluator.FACTS
"""The facts of evaluators; each takes a function that makes one from an `Evaluate`."""


def contract(kind: str, of: Any) -> tuple[Fact, ...]:
    """Return the facts of a part of this registered kind."""
    if kind != "task":
        return (*part.FACTS, *_FACTS[kind])
    batched = task.BATCHED if isinstance(of, BatchedTask) else ()
    return (*part.FACTS, *task.FACTS, *_OF_TASK_KIND[of.kind], *batched)
