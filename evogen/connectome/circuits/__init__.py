"""Circuits: connectivity priors with names - which neuron connects to which, with what sign and what
strength.

A circuit source is a registered frozen dataclass of this package; its fields are its settings. In an
experiment it stands in the place of a grammar, beside the control that it is compared with:

    architecture: {circuit: {kind: ncap}, control: exact}

Controls (`controls`) take away what the circuit knows, one thing at a time; `statistics` says what is left.
"""

from __future__ import annotations

from typing import Protocol

from evogen.connectome.circuits.circuit import GIVEN, Circuit, Node
from evogen.connectome.circuits.controls import CONTROLS, controlled
from evogen.connectome.circuits.ports import attached
from evogen.connectome.circuits.statistics import statistics

__all__ = ["CONTROLS", "GIVEN", "Circuit", "Node", "Source", "attached", "controlled", "statistics"]


class Source(Protocol):
    """Where a circuit comes from: data of anatomy, or a model."""

    def circuit(self, inputs: int, outputs: int) -> Circuit:
        """Return the circuit for a task with so many inputs and outputs; the same for equal arguments.

        Raises:
            DevelopmentError: it cannot serve such a task, or its data are not installed.
        """
        ...
