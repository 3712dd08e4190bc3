"""Local rules: how near do rules without back-propagation come to it, in what they learn and in direction?

Every arm has the same innate weights and minibatches and the same choice of learning rates, which is made on
the validation fold; accuracy is that of the test fold. The alignment of an arm is the cosine between the
update that it asks of the weights before the output and minus the exact gradient there, over training
examples.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from torch import Tensor

from evogen.keys import Key
from evogen.learning.errors.backpropagation import Backpropagation
from evogen.learning.errors.direct import Direct
from evogen.learning.errors.feedback import Feedback
from evogen.learning.errors.none import NoError
from evogen.learning.errors.output import OutputError
from evogen.learning.errors.prediction import Prediction
from evogen.learning.local import Local
from evogen.learning.schedules.clamped import Clamped
from evogen.learning.schedules.settle import Settle
from evogen.metrics.alignment import alignment
from evogen.phenotype import Phenotype
from evogen.studies.nets import Layer, Net
from evogen.studies.trials import Contrast, Effort, Measure, Trial, trial
from evogen.tasks import Fold
from evogen.tasks.digits import Digits
from evogen.tasks.table import Table

RATES = (0.001, 0.003, 0.01, 0.03)
EXAMPLES = 200  # behind an alignment
RULES: Mapping[str, Local] = MappingProxyType(
    {
        "backpropagation": Local(error=Backpropagation()),
        "prediction": Local(error=Prediction(), schedule=Settle()),
        "feedback": Local(error=Feedback()),
        "direct": Local(error=Direct()),
        "contrastive": Local(error=NoError(), schedule=Clamped()),
        "hebb": Local(error=NoError()),
        "output": Local(error=OutputError()),
    }
)
TASKS: Mapping[str, tuple[Any, tuple[Layer, ...]]] = MappingProxyType(
    {
        "digits": (Digits(), (Layer(64),)),
        "digits-deep": (Digits(), (Layer(64), Layer(64), Layer(64))),
        "iris": (Table(), (Layer(64),)),
    }
)


def measure(task: str, arm: str, seeds: Sequence[int], sizes: Mapping[str, float]) -> dict[str, list[float]]:
    """Train all seeds at all learning rates as one cohort; return what the best rate came to."""
    part, layers = TASKS[task]
    learner = _learner(arm, sizes)
    several = [seed for _ in RATES for seed in seeds]  # (rates x seeds)
    keys = [Key(0).child("local-rules", task, seed) for seed in several]
    phenotype = Net(layers).phenotype(part, several, Key(0).child("local-rules", task))
    rates = torch.tensor(RATES).repeat_interleave(len(seeds))
    values = {"learning_rate": rates, "noise": torch.zeros_like(rates)}
    fit = learner.fit(phenotype, part, [key.child("learn") for key in keys], values)
    with torch.no_grad():
        network = phenotype.network(fit.flat)
        scores = {fold: part.score(network, keys, fold).reshape(len(RATES), -1) for fold in Fold}
    best = int(scores[Fold.SEARCH].nan_to_num(-np.inf).mean(1).argmax())
    rows = slice(best * len(seeds), (best + 1) * len(seeds))
    found = {"accuracy": 100 * scores[Fold.REPORT][best], "rate": rates[rows]}
    if arm != "output":  # which moves no weight before the output
        for name, flat in (("alignment-start", phenotype.flat), ("alignment-end", fit.flat)):
            found[name] = _aligned(learner, phenotype, flat, part, keys)[rows]
    return {name: [float(value) for value in part] for name, part in found.items()}


def _learner(arm: str, sizes: Mapping[str, float]) -> Local:
    rule = RULES[arm]
    return Local(error=rule.error, schedule=rule.schedule, epochs=int(sizes["epochs"]), batch=32)


def _aligned(learner: Local, phenotype: Phenotype, flat: Tensor, task: Any, keys: Sequence[Key]) -> Tensor:
    x, y = (part[:EXAMPLES] for part in task.examples("train"))
    x, y = x.expand(phenotype.rows, *x.shape), y.expand(phenotype.rows, -1)
    return alignment(learner, phenotype, flat, [key.child("learn") for key in keys], x, y)


_NEAR = ("prediction", "feedback", "contrastive")
STUDY = trial(
    Trial(
        name="local-rules",
        title="Local rules: how near they come to back-propagation",
        claim="Predictive coding, random feedback and contrastive Hebbian learning near back-propagation",
        source="Millidge et al. 2021; Lillicrap et al. 2016; Xie & Seung 2003; El Srouji et al. 2022",
        published="no comparable figure: predictive coding's cosine to the gradient is 1 in a limit, random "
        "feedback equals linear regression on a chip, contrastive learning short of the free network",
        arms={
            "backpropagation": "exact gradients",
            "prediction": "predictive coding, 20 steps of inference",
            "feedback": "errors come back through fixed random weights, level by level",
            "direct": "every level hears the output's error through fixed random weights",
            "contrastive": "free and clamped phases, feedback 0.1",
            "hebb": "products of activities, the target at the output: no error",
            "output": "only the synapses onto the output learn, by their own error",
        },
        tasks={
            "digits": "scikit-learn's digits, 64 tanh neurons",
            "digits-deep": "the same, three layers of 64",
            "iris": "iris, 64 tanh neurons",
        },
        measures={
            "accuracy": Measure("accuracy on the test fold", unit="%", better="more", digits=1),
            "alignment-start": Measure("cosine to the gradient, at birth", better="more"),
            "alignment-end": Measure("cosine to the gradient, at the end", better="more"),
            "rate": Measure("learning rate chosen on the validation fold", digits=3),
        },
        contrasts=(
            *(
                Contrast(task, "accuracy", arm, "backpropagation", "same", margin=2.0, paired=True)
                for task in ("digits", "digits-deep")
                for arm in _NEAR
            ),
            *(
                Contrast(task, "accuracy", arm, "output", "more", paired=True)
                for task in ("digits", "digits-deep")
                for arm in _NEAR
            ),
            Contrast("digits-deep", "alignment-end", "feedback", "direct", "more", paired=True, ours=True),
        ),
        full=Effort(10, {"epochs": 30}),
        quick=Effort(3, {"epochs": 2}),
        work=measure,
        notes=(
            "That feedback level by level aligns better than direct feedback is our expectation, not the "
            "literature's.",
            "Updates of all arms go through Adam; all arms choose among the same four learning rates. The "
            "largest is chosen by many; 0.1 was worse on two other seeds, for back-propagation and feedback.",
            "All seeds have one split, 360 test images of digits and 30 flowers: seeds are of first weights "
            "and minibatches. On iris nothing is on trial.",
            "Weights that only the output learns on are random features: a strong control on small images.",
        ),
    )
)
