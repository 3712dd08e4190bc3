"""Spiking predictive coding on trial: does it forget less than a network trained by gradients?

`streamed`: every training image of the digits once, in batches of four. `split` and `split-class`: five
stages of two classes, passed over a few times each; task-incremental (only the stage's two outputs answer)
and class-incremental (all ten do, nothing tells the stage). The spiking network of `evogen.studies.coding`
has one hidden layer that predicts image and label; the gradient-trained one hears the image and says the
label, with as many synapses. EWC and replay stand beside, on the latter.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
import torch
from torch import Tensor

from evogen.keys import Key
from evogen.learning.protections.ewc import EWC
from evogen.learning.protections.none import Unprotected
from evogen.learning.protections.replay import Replay
from evogen.learning.stages import Pass, Protection, learn, taken
from evogen.metrics import forgetting as of
from evogen.studies.coding import Coding, Weights
from evogen.studies.lessons import responding, stacked, task_matrix
from evogen.studies.nets import Layer, Net
from evogen.studies.trials import Contrast, Effort, Measure, Trial, trial
from evogen.tasks import ContinualTask, Stage
from evogen.tasks.digits import CLASSES, PIXELS
from evogen.tasks.play import EXAMPLES_AT_A_TIME
from evogen.tasks.split_digits import SplitDigits
from evogen.tasks.stages import CENTRE, SPREAD, Scenario, right
from evogen.tasks.streamed_digits import StreamedDigits

BATCH, CLIP = 4, 1.0
RATE: Mapping[str, Mapping[str, float]] = {
    "streamed": {"coding": 0.2, "mlp": 0.003, "ewc": 0.003, "replay": 0.01},
    "split": {"coding": 0.1, "mlp": 0.001, "ewc": 0.001, "replay": 0.001},
    "split-class": {"coding": 0.05, "mlp": 0.00003, "ewc": 0.0003, "replay": 0.003},
}
FRESH = 100  # the first seed; the test folds of smaller ones were looked at before the arms were tuned apart
STRENGTH: Mapping[str, Mapping[str, float]] = {
    "streamed": {"ewc": 100.0, "replay": 1.0},
    "split": {"ewc": 100.0, "replay": 1.0},
    "split-class": {"ewc": 1000.0, "replay": 1.0},
}
PROTECTIONS: Mapping[str, Protection] = {"ewc": EWC(), "replay": Replay()}
BRIGHTEST = 16.0  # of a pixel


def measure(
    task: str, arm: str, seeds: Sequence[int], sizes: Mapping[str, float]
) -> Mapping[str, Sequence[float]]:
    """Return what a cell measures, one number a seed, on the test fold."""
    found = examined(task, arm, [FRESH + seed for seed in seeds], sizes, "test")
    return {name: values.double().tolist() for name, values in found.items()}


def examined(
    task: str, arm: str, seeds: Sequence[int], sizes: Mapping[str, float], fold: str
) -> dict[str, Tensor]:
    """Return the same as tensors, on another fold too."""
    tasks = [_task(task, seed, sizes) for seed in seeds]
    keys = [Key(seed).child("spiking-coding", task) for seed in seeds]
    hidden = int(sizes["hidden"])
    epochs = tasks[0].passes or int(sizes["epochs"])
    train, asked = stacked(tasks, "train"), stacked(tasks, fold)
    found: dict[str, Tensor] = {}
    if arm == "coding":
        net = Coding(PIXELS, CLASSES, (hidden,))
        after = _taught(net, train, keys, epochs, RATE[task][arm])
        R, spikes = _asked(net, after, asked)
        found["spikes"] = spikes
    else:
        phenotype = Net((Layer(hidden, "relu"),)).phenotype(tasks[0], seeds, Key(0).child("spiking-coding"))
        respond = responding(phenotype)
        course = learn(
            respond,
            phenotype.flat,
            train,
            [key.child("learn") for key in keys],
            Pass(epochs, BATCH, CLIP),
            protection=PROTECTIONS.get(arm, Unprotected()),
            strength=torch.full((len(seeds),), STRENGTH[task].get(arm, 0.0)),
            rate=torch.full((len(seeds),), RATE[task][arm]),
        )
        R = task_matrix(respond, course.after, asked)
    return found | {
        "accuracy": 100 * of.average_accuracy(R),
        "learnt": 100 * of.learning_accuracy(R),
        "backward": 100 * of.backward_transfer(R),
        "forgetting": 100 * of.forgetting(R),
        "synapses": torch.full((len(seeds),), (PIXELS + CLASSES) * hidden / 1000),
    }


def _task(task: str, seed: int, sizes: Mapping[str, float]) -> ContinualTask:
    if task == "streamed":
        return StreamedDigits(stages=int(sizes["parts"]), stage_seed=seed, split_seed=seed)
    scenario = Scenario.CLASS if task == "split-class" else Scenario.TASK
    return SplitDigits(scenario=scenario, stage_seed=seed, split_seed=seed)


def _taught(
    net: Coding, stages: Sequence[Stage], keys: Sequence[Key], epochs: int, rate: float
) -> list[Weights]:
    """Return the weights after each stage."""
    weights, after = net.start([key.child("start") for key in keys]), []
    targets = torch.eye(CLASSES)
    for number, stage in enumerate(stages):
        for epoch in range(epochs):
            generators = [key.child("learn", number, epoch).generator() for key in keys]
            drawn = np.stack([generator.permutation(stage.labels.shape[1]) for generator in generators])
            for index in torch.split(torch.from_numpy(drawn), BATCH, 1):
                images, labels = taken(stage.inputs, index), targets[taken(stage.labels, index)]
                told = net.see(weights, _pixels(images), labels, stage.heads)
                weights = net.learnt(weights, told, rate)
        after.append(weights)
    return after


def _asked(net: Coding, after: Sequence[Weights], stages: Sequence[Stage]) -> tuple[Tensor, Tensor]:
    """Return R (P, T, T), and (P,) spikes per image at the end."""
    rows, spikes = [], torch.zeros(0)
    for weights in after:
        row, counts = [], []
        for stage in stages:
            parts = torch.split(_pixels(stage.inputs), EXAMPLES_AT_A_TIME, 1)
            told = [net.see(weights, part, None, stage.heads) for part in parts]
            row.append(right(torch.cat([each.labels for each in told], 1), stage).mean(-1))
            counts.append(torch.cat([each.spikes for each in told], 1))
        rows.append(torch.stack(row, -1))
        spikes = torch.cat(counts, 1).mean(1)
    return torch.stack(rows, 1), spikes


def _pixels(inputs: Tensor) -> Tensor:
    return (inputs * SPREAD + CENTRE) / BRIGHTEST


less = partial(Contrast, arm="coding", against="mlp", expected="less")
STUDY = trial(
    Trial(
        name="spiking-coding",
        title="Spiking predictive coding beside gradients: forgetting and spikes",
        claim="a spiking predictive-coding network classifies competitively and forgets less over tasks",
        source="Ororbia 2019, Spiking neural predictive coding (abstract)",
        published="no figure readable",
        arms={
            "coding": "spiking layer that predicts image and label, local rule, explicit error units",
            "mlp": "one hidden layer of rectified units, Adam on cross-entropy",
            "ewc": "mlp, held by elastic weight consolidation",
            "replay": "mlp, 200 kept examples learnt again",
        },
        tasks={
            "streamed": "digits in one pass",
            "split": "five stages of two classes, task-incremental",
            "split-class": "five stages of two classes, class-incremental",
        },
        measures={
            "accuracy": Measure("mean test accuracy after the last stage", "%", "more", 1),
            "learnt": Measure("accuracy on a stage just learnt", "%", "more", 1),
            "backward": Measure("backward transfer", "%", "more", 1),
            "forgetting": Measure("lost since a stage was known best", "%", "less", 1),
            "spikes": Measure("spikes for a test image", "", "less", 0),
            "synapses": Measure("synapses, thousands", "", "", 1),
        },
        contrasts=(
            Contrast("streamed", "accuracy", "coding", "mlp", "same", margin=5.0, paired=True),
            less("split", "forgetting"),
            less("split-class", "forgetting"),
            Contrast("split-class", "accuracy", "coding", "mlp", "more"),
        ),
        full=Effort(seeds=10, sizes={"hidden": 200, "parts": 10, "epochs": 5}),
        quick=Effort(seeds=2, sizes={"hidden": 32, "parts": 3, "epochs": 1}),
        work=measure,
        notes=(
            "Equations of the spiking network: evogen/studies/coding.py, which says what of them is ours; "
            "its feedback is the transpose of its predictions, so that no synapse is extra.",
            "The spiking network makes squared errors small by plain steps, the other cross-entropy by "
            "Adam: two differences beside the one on trial.",
            "Each arm's rate on each task, and EWC's strength, gave the best accuracy on the validation "
            "folds of two other seeds. Tried: coding 0.01 to 1; mlp 0.00001 to 0.01; ewc 0.0001 to 0.01, "
            "strength 10 to 1000; replay 0.0003 to 0.01. Slow learning alone forgets less: on split-class "
            "the mlp kept 33 % at 0.00003, 22 % at 0.001. Other values of four of the spiking network's "
            "constants were looked at on the stream first, one at a time, and its first ones kept.",
            "A first full run had one rate for all tasks, with the spiking network's alone tuned for "
            "split-class; it was thrown away, and these are seeds that it had not.",
            "On the stream every part is asked about all test images: backward transfer there is what the "
            "rest of the stream adds.",
        ),
    )
)
