"""Regulatory: does a gene-regulatory network evolve into a converter and a classifier?

Ten genes of Hill type, each of which may regulate every other, hear a constant input for some steps; a linear
readout of the last step answers. `hill` is evolved: a separable evolution strategy searches weights, readout
and the four numbers of each gene, and sees nothing but the loss. All seeds of a cell are searched in one
batch, each by streams of its own. Converters are judged at concentrations, and flowers in a fold, that no
search saw; seed s has fold s of five.

Source: Balasubramaniam et al. 2022, a review of molecular machine learning, for the task and the network; the
search, the sizes and the controls are ours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from evogen.connectome.direct import Direct
from evogen.genome import Gene, Genome
from evogen.grammar.plan import INPUT, OUTPUT, Group, Plan, Projection
from evogen.keys import Key
from evogen.learning.bptt import BPTT
from evogen.learning.natural import Search, samples, update, utilities
from evogen.learning.snes import chosen, scales
from evogen.phenotype import Development, Phenotype, develop, embryo
from evogen.studies.trials import Contrast, Effort, Measure, Trial, trial
from evogen.tasks import Sequences, SequenceTask
from evogen.tasks.converter import Converter, levels, nonlinearity, rising
from evogen.tasks.sequences import answered, cross_entropy, lived, share
from evogen.tasks.table import Table

GENES = 10
FOLDS = 5
UNITS = {"hill": "hill", "hill-trained": "hill", "tanh": "rate"}
RATES = {"hill-trained": 0.03, "logistic": 0.1}


@dataclass(frozen=True)
class Flowers:
    """Iris as sequences: the four lengths of a flower stay for `steps` steps; row p has fold `folds[p]`."""

    folds: tuple[int, ...]
    steps: int
    inputs = 4
    outputs = 3

    def sequences(self, keys: Sequence[Key], copies: int, fold: str) -> Sequences:  # noqa: ARG002
        """Return every flower of a fold, the same ones each time."""
        both = [Table(file="iris", folds=FOLDS, fold=number).examples(fold) for number in self.folds]
        inputs = torch.stack([seen for seen, _ in both])  # (P, B, 4)
        labels = torch.stack([right for _, right in both])
        weight = torch.zeros(*labels.shape, self.steps)
        weight[..., -1] = 1.0
        whole = (-1, -1, self.steps)
        return Sequences(inputs.unsqueeze(2).expand(*whole, -1), labels.unsqueeze(2).expand(whole), weight)

    def loss(self, output: Tensor, asked: Sequences) -> Tensor:
        """Return the (P,) cross-entropy at the last step."""
        return cross_entropy(output, asked)

    def rate(self, output: Tensor, asked: Sequences) -> Tensor:
        """Return the (P,) share of right answers."""
        return share(output, asked)


def measure(
    task: str, arm: str, seeds: Sequence[int], sizes: Mapping[str, float]
) -> Mapping[str, Sequence[float]]:
    """Return one number a seed for each measure."""
    steps = int(sizes["steps"])
    posed: Any = (
        Flowers(tuple(seed % FOLDS for seed in seeds), steps)
        if task == "iris"
        else Converter(bits=int(task[0]), steps=steps)
    )
    body, keys = body_of(arm, posed, seeds), [Key(seed).child("study regulatory", task) for seed in seeds]
    learn = [key.child("learn") for key in keys]
    flat = trained(arm, body, posed, learn, sizes) if arm in RATES else evolved(body, posed, learn, sizes)
    asked = posed.sequences([key.child("report") for key in keys], int(sizes["asked"]), "test")
    with torch.no_grad():
        output = answered(body.network(flat), asked.inputs)
    found = {
        "parameters": [float(body.trainable(row).sum()) for row in range(len(seeds))],
        "accuracy": (100 * posed.rate(output, asked)).tolist(),
    }
    if task == "iris":
        return found
    said = levels(output)
    broken = ~output.isfinite().all(-1).all(-1).all(-1)
    inl, up = nonlinearity(said, posed.bits), 100 * rising(said)
    return found | {
        "inl": inl.masked_fill(broken, torch.nan).tolist(),
        "rising": up.masked_fill(broken, torch.nan).tolist(),
    }


@torch.no_grad()
def evolved(body: Phenotype, task: SequenceTask, keys: Sequence[Key], sizes: Mapping[str, float]) -> Tensor:
    """Return the (P, D) last means of a search for the least loss; samples of a row share their sequences."""
    size = int(sizes["population"])
    spread, own = scales(body)
    search = Search(body.flat.clone(), float(sizes["sigma"]) * spread)
    free = own.clamp_min(1)
    rates = (torch.ones_like(free), (3 + free.log()) / (5 * free.sqrt()))
    many = chosen(body, torch.arange(body.rows).repeat_interleave(size))
    for generation in range(int(sizes["generations"])):
        now = [key.child("generation", generation) for key in keys]
        half = np.stack(
            [key.child("samples").generator().standard_normal((size // 2, body.flat.shape[1])) for key in now]
        )
        drawn = torch.from_numpy(np.concatenate([half, -half], 1)).to(body.flat)  # ~ N(0, 1)
        asked = task.sequences(now, int(sizes["batch"]), "train")
        each = Sequences(*(part.repeat_interleave(size, 0) for part in asked))
        output = lived(many.network(samples(search, drawn).flatten(0, 1)), each.inputs)
        fitness = -task.loss(output, each).view(body.rows, size).double()
        search = update(search, drawn, utilities(fitness), mean_rate=rates[0], sigma_rate=rates[1])
    return search.mean


def trained(
    arm: str, body: Phenotype, task: SequenceTask, keys: Sequence[Key], sizes: Mapping[str, float]
) -> Tensor:
    """Return the (P, D) parameters after gradient descent through the sequences."""
    learner = BPTT(updates=int(sizes["updates"]), batch=int(sizes["batch"]))
    return learner.fit(body, task, keys, {"learning_rate": torch.full((body.rows,), RATES[arm])}).flat


def body_of(arm: str, task: SequenceTask, seeds: Sequence[int]) -> Phenotype:
    """Return one candidate a seed: inputs, genes that regulate each other, readout; or no genes at all."""
    development = Development(Direct(), {}, Key(0).child("study regulatory", "innate"))
    found = []
    for seed in seeds:
        outer, inner = 2 * seed + 2, 2 * seed + 1
        ends = Group(outer, INPUT, task.inputs), Group(outer, OUTPUT, task.outputs)
        plan = Plan(ends, (Projection(0, 1, outer),))
        genome = Genome(None, Gene(outer, ()), ())
        if arm in UNITS:
            act = "tanh" if UNITS[arm] == "rate" else "identity"
            genes = Group(inner, "l0", GENES, act, UNITS[arm])
            ways = (Projection(0, 1, inner), Projection(1, 1, inner), Projection(1, 2, inner))
            plan = Plan((ends[0], genes, ends[1]), ways)
            genome = Genome(None, Gene(outer, ()), (Gene(inner, ()),))
        found.append(embryo(development, genome, plan))
    return develop(development, found)


STUDY = trial(
    Trial(
        name="regulatory",
        title="A gene-regulatory network as a converter and as a classifier",
        claim=(
            "An evolved gene-regulatory network of ten genes works as a two-bit converter, and tells flowers "
            "apart as well as logistic regression."
        ),
        source="Balasubramaniam et al. 2022, a review of molecular machine learning",
        published="in words: molecular converters were shown in simulation; no figure readable",
        arms={
            "hill": f"{GENES} genes of Hill type, evolved",
            "hill-trained": "the same genes, trained by gradients",
            "tanh": f"{GENES} recurrent tanh units, evolved",
            "logistic": "logistic regression, one a bit or a class, trained by gradients",
        },
        tasks={
            "2 bits": "a concentration as a binary number of 2 bits",
            "3 bits": "the same, 3 bits",
            "iris": "the kind of a flower by four lengths; a fifth of the flowers is left out",
        },
        measures={
            "accuracy": Measure("right codes or kinds", unit="%", better="more", digits=1),
            "inl": Measure("largest error of a transition", unit="of a step", better="less"),
            "rising": Measure("neighbours whose code does not fall", unit="%", better="more", digits=1),
            "parameters": Measure("numbers that are searched", digits=0),
        },
        contrasts=(
            Contrast("2 bits", "inl", "hill", 0.5, "less"),
            Contrast("2 bits", "accuracy", "hill", "logistic", "more", ours=True),
            Contrast("iris", "accuracy", "hill", "logistic", "same", margin=3.0, paired=True),
        ),
        full=Effort(
            10,
            {
                "generations": 400,
                "population": 20,
                "sigma": 1.0,
                "updates": 600,
                "batch": 32,
                "steps": 6,
                "asked": 512,
            },
        ),
        quick=Effort(
            2,
            {
                "generations": 60,
                "population": 12,
                "sigma": 1.0,
                "updates": 60,
                "batch": 32,
                "steps": 4,
                "asked": 256,
            },
        ),
        work=measure,
        notes=(
            "A converter with all transitions within half a step of their places has every code, in order.",
            "With a code of several bits each bit but the first must rise and fall again, which no logistic "
            "regression of one concentration can: that comparison only shows that there is something to "
            "learn.",
            "Seeds s and s + 5 share a fold of flowers: ten searches, five folds. Learning rates (0.03 of "
            "genes, 0.1 of logistic regression) and the search's deviation are first guesses. Six seeds of "
            "hill on two bits, with 500 generations of 24, were seen before sizes were cut to what is given "
            "here.",
        ),
    )
)
