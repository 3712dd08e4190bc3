"""Split digits: handwritten digits, a few classes at a time.

The ten classes, in an order drawn from `stage_seed`, are dealt to stages of `classes` each; a stage has the
images of its own classes only. Scenarios (see `evogen.tasks.stages`): `task`, only the stage's own outputs
may answer, also when the network is asked; `domain`, as many outputs as a stage has classes, shared by all
stages; `class`, ten outputs that may all answer, and nothing says which stage an image is of.

Source: Zenke, Poole, Ganguli 2017 (https://arxiv.org/abs/1703.04200) for split MNIST; images and folds of
`evogen.tasks.digits`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from evogen.errors import SpecError
from evogen.keys import Key
from evogen.phenotype import Network
from evogen.registry import register, setting
from evogen.tasks import Fold, Stage, TaskKind
from evogen.tasks.digits import CLASSES, PIXELS, Digits
from evogen.tasks.stages import Context, Scenario, average, informed, refuse, scaled, width


@register("task", "split-digits")
@dataclass(frozen=True)
class SplitDigits:
    """Say which digit an image shows, of classes that come a few at a time."""

    classes: int = setting(2, low=1, high=5, doc="classes of a stage: 1, 2 or 5")
    scenario: Scenario = setting(  # noqa: RUF009 (a field)
        Scenario.TASK, doc="task, domain or class: which outputs may answer, and whether the stage is known"
    )
    context: Context = setting(  # noqa: RUF009 (a field)
        Context.NONE,
        doc="what is told of the stage: none, one-hot, prototype (mean image), nearest (prototype, inferred)",
    )
    stage_seed: int = setting(0, low=0, high=2**31 - 1, doc="seed of the order of the classes")
    split_seed: int = setting(0, low=0, high=2**31 - 1, doc="seed of the split into folds")
    validation: float = setting(0.2, low=0.1, high=0.3, doc="share of the images that selection scores on")
    test: float = setting(0.2, low=0.1, high=0.3, doc="share of the images that only the report scores on")

    kind = TaskKind.CONTINUAL
    passes = None

    def __post_init__(self) -> None:
        if CLASSES % self.classes:
            raise SpecError(f"classes: wanted 1, 2 or 5, into which ten divide, found {self.classes}")
        if self.classes == 1 and self.scenario is not Scenario.CLASS:
            raise SpecError(
                f"classes: wanted 2 or 5 for scenario '{self.scenario}', in which one class is no question; "
                "or scenario class"
            )
        refuse(self.scenario, self.context)

    @property
    def stages(self) -> int:
        """How many follow each other."""
        return CLASSES // self.classes

    @property
    def reported(self) -> str:
        """The fold that the search never saw."""
        return (
            f"the test fold of scikit-learn's digits after the last of {self.stages} stages of "
            f"{self.classes} classes, {self.scenario}-incremental (context: {self.context})"
        )

    @property
    def inputs(self) -> int:
        """Pixels and context."""
        return PIXELS + width(self.context, self.stages, PIXELS)

    @property
    def outputs(self) -> int:
        """Ten, or as many as a stage has classes."""
        return self.classes if self.scenario is Scenario.DOMAIN else CLASSES

    def members(self, number: int) -> tuple[int, ...]:
        """Return the classes of a stage, in the order of its outputs where stages share them."""
        order = Key(self.stage_seed).child("classes").generator().permutation(CLASSES)
        own = order[number * self.classes : (number + 1) * self.classes]
        return tuple(int(label) for label in own)

    def stage(self, number: int, fold: str) -> Stage:
        """Return the images of the stage's classes in a fold; shared, do not write into them."""
        return _stage(self, number, fold)

    def score(self, agents: Network, keys: Sequence[Key], fold: Fold) -> Tensor:
        """Return (P,) mean accuracies over all stages; every image meets a newly started network."""
        assert len(keys) == agents.rows
        return average(self, agents, fold)


@lru_cache(maxsize=512)
def _stage(task: SplitDigits, number: int, fold: str) -> Stage:
    source = Digits(split_seed=task.split_seed, validation=task.validation, test=task.test)

    def examples(number: int, fold: str) -> tuple[Tensor, Tensor]:
        features, labels = scaled(source, fold)
        chosen = torch.isin(labels, torch.tensor(task.members(number)))
        return features[chosen], labels[chosen]

    inputs = informed(examples, number, fold, context=task.context, stages=task.stages)
    labels = examples(number, fold)[1]
    if task.scenario is Scenario.DOMAIN:
        places = torch.full((CLASSES,), -1)
        places[list(task.members(number))] = torch.arange(task.classes)
        labels = places[labels]
    heads = torch.ones(task.outputs, dtype=torch.bool)
    if task.scenario is Scenario.TASK:
        heads = torch.isin(torch.arange(CLASSES), torch.tensor(task.members(number)))
    return Stage(inputs, labels, heads)
