"""Local learning: classification without back-propagation, by products of what two neurons know.

    dW = eta sum_phases <a_pre q_post>        db = eta sum_phases <q_post>

`error` says what q is, `schedule` how the activities are found (`evogen.learning.errors`, `.schedules`).
The update stands where a gradient would: it goes through Adam's running averages, of which every synapse
keeps its own, and where a wiring makes weights of expression, on through that wiring, as the learner
`supervised` does. With error: backpropagation it is that learner.

Sources: see each error source and schedule; to sort them by rule, error source and phases is our own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from evogen.errors import DevelopmentError
from evogen.keys import Key
from evogen.learning import Fit, Progress, complete
from evogen.learning.adam import Adam
from evogen.learning.epochs import Passes, descend
from evogen.learning.errors.feedback import Feedback
from evogen.learning.schedules import Fixed
from evogen.learning.schedules.single import Single
from evogen.phenotype import Network, Phenotype
from evogen.phenotype.layout import NEURON
from evogen.registry import evolvable, part, register, setting
from evogen.tasks import ClassificationTask, TaskKind


@register("learner", "local")
@dataclass(frozen=True)
class Local:
    """A local rule with an error source and a phase schedule."""

    error: Any = part("error", Feedback(), doc="what tells a neuron how to change")  # noqa: RUF009
    schedule: Any = part("schedule", Single(), doc="phases in which activity is found")  # noqa: RUF009
    learning_rate: float = evolvable(0.003, low=1e-6, high=1.0, doc="Adam's step at the start")
    noise: float = evolvable(0.0, low=0.0, high=2.0, doc="std of Gaussian noise on the scaled inputs")
    epochs: int = setting(20, low=1, high=10_000, doc="passes over the training fold")
    batch: int = setting(64, low=1, high=65_536, doc="examples in a minibatch")
    clip: float = setting(1.0, low=1e-6, high=1e6, doc="largest norm of a candidate's update")

    fits: ClassVar[frozenset[TaskKind]] = frozenset({TaskKind.CLASSIFICATION})
    forgetful: ClassVar[str] = "wanted rate neurons without plastic or recurrent synapses, or 'supervised'"

    def check(self, task: Any) -> None:  # noqa: ARG002
        """Refuse an error source and a schedule that do not belong together."""
        self.schedule.check(self.error)

    def fit(
        self,
        phenotype: Phenotype,
        task: ClassificationTask,
        keys: Sequence[Key],
        values: Mapping[str, Tensor],
    ) -> Fit:
        """Tune on the training fold; the curve is the accuracy on each epoch's own minibatches."""
        return complete(self, phenotype, task, keys, values)

    def length(self) -> int:
        """Return the number of epochs."""
        return self.epochs

    def begin(
        self,
        phenotype: Phenotype,
        task: ClassificationTask,  # noqa: ARG002
        keys: Sequence[Key],
        values: Mapping[str, Tensor],
    ) -> Progress[Adam]:
        """Return the innate parameters, with an optimiser that has not moved."""
        levels = phenotype.layout.levels
        if phenotype.layout.stateful or any((*at.neurons, *at.spiking) != (NEURON,) for at in levels):
            raise DevelopmentError(f"learner 'local' finds activities by itself: {self.forgetful}")
        return Progress.start(phenotype, keys, values, Adam(phenotype.flat, phenotype.pace))

    def advance(
        self, phenotype: Phenotype, task: ClassificationTask, progress: Progress[Adam], until: int
    ) -> Progress[Adam]:
        """Learn until so many epochs are over."""
        fixed = self.fixed(phenotype, progress.keys)

        def gradient(flat: Tensor, inputs: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
            network = phenotype.network(flat.requires_grad_())
            updates, output = self.updates(network.detach(), inputs, labels, fixed)
            wanted = [*network.weights, *network.biases]
            along = sum(((a * b).sum() for a, b in zip(wanted, updates, strict=True)), torch.zeros(()))
            correct = (output.argmax(-1) == labels).double().sum(-1)
            return -torch.autograd.grad(along, flat)[0], correct

        passes = Passes(self.epochs, self.batch, self.clip)
        return descend(phenotype, task, progress, until, passes=passes, gradient=gradient)

    def fixed(self, phenotype: Phenotype, keys: Sequence[Key]) -> Fixed:
        """Return the weights on which errors and feedback travel, each candidate's from its own key."""
        layout, like = phenotype.layout, phenotype.flat
        return Fixed(*(part.fixed(layout, keys, like) for part in (self.error, self.schedule)))

    @torch.no_grad()
    def updates(
        self, network: Network, inputs: Tensor, labels: Tensor, fixed: Fixed
    ) -> tuple[list[Tensor], Tensor]:
        """Return the change that one minibatch asks for, and what the output said to it.

        Args:
            network: P candidates.
            inputs: (P, B, inputs).
            labels: (P, B).
            fixed: from `fixed`.

        Returns:
            (P, pre, post) of every link, then (P, N) of every level after the input; and (P, B, outputs).
        """
        layout = network.layout
        target = torch.nn.functional.one_hot(labels, layout.levels[-1].size).to(network.dtype)
        phases = self.schedule.phases(network, inputs, target, self.error, fixed)
        examples = inputs.shape[1]
        weights = [
            sum(torch.bmm(phase.pre[link.pre].transpose(1, 2), phase.post[link.post - 1]) for phase in phases)
            / examples
            for link in layout.links
        ]
        biases = [sum(phase.post[at].mean(1) for phase in phases) for at in range(len(layout.levels) - 1)]
        return [*weights, *biases], phases[0].output[..., : layout.outputs]
