"""Contract suites: what every part of a kind must do, so that a plug-in is tested by being registered.

A fact is a function that takes one configured part (for evaluators: what makes one) and raises AssertionError
where the part breaks it. From a test suite of your own::

    @pytest.mark.parametrize("fact", CONTRACTS["rule"])
    def test_my_rule(fact):
        fact(MyRule())

Facts speak of results only. They need no test framework, and all of a kind take seconds for a part in its
default configuration; give learners and tasks with long defaults a shorter one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from evogen.testing import evaluator, learner, neuron, part, rule, strategy, task, wiring

Fact = Callable[[Any], None]

CONTRACTS: Mapping[str, tuple[Fact, ...]] = {
    "rule": (*part.FACTS, *rule.FACTS),
    "neuron": (*part.FACTS, *neuron.FACTS),
    "wiring": (*part.FACTS, *wiring.FACTS),
    "task": (*part.FACTS, *task.FACTS),
    "learner": (*part.FACTS, *learner.FACTS),
    "strategy": (*part.FACTS, *strategy.FACTS),
}
"""The facts of each registered kind."""

EVALUATOR: tuple[Fact, ...] = evaluator.FACTS
"""The facts of evaluators; each takes a function that makes one from an `Evaluate`."""
