"""Laminar: what does each feature of a cortical column add to a classifier?

A column of four layers, all neurons of which answer to one another for K ticks:

    h_0 = 0,   u_t = x W_in + h_{t-1} ((M * |W|) diag(s)) (1 + xi) + b,   h_t = relu(LN(u_t)),   o = h_K W_out

x enters at the excitatory neurons of L4 and is read out at those of L5. M is the laminar mask, s = 1 for
excitatory and -g_j for inhibitory neurons with a learnt gain g in (0, 1), xi ~ N(0, noise^2) in training
only. After each step of Adam |W| grows by eta <h_pre h_post> (Hebb), every neuron's incoming weights are
brought back to the norm that they were born with, and its bias moves towards a target rate (homeostasis).
Each arm leaves one of these out. After BioNIC (Prasanth & Tivnan 2026, arXiv 2601.20876), whose constants
could not be read and whose mask is of MICrONS: the numbers and the synthetic mask are ours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product

import numpy as np
import torch
from torch import Tensor

from evogen.connectome.circuits.laminar import Laminar
from evogen.keys import Key
from evogen.learning.adam import Adam
from evogen.studies.trials import Contrast, Effort, Measure, Trial, trial
from evogen.tasks.digits import CLASSES, Digits

SIDE, TICKS = 8, 4  # pixels of an image's side; one tick for each layer on the way
NOISE, HEBB, TARGET, PULL = 0.1, 1e-3, 0.5, 0.01
RATES, BATCH = (0.003, 0.01), 32
INNATE = (1.0, 0.3)  # of W, times He's: without LayerNorm, sums of |W| grow from tick to tick if it is large
CHOICES = tuple(product(RATES, INNATE))
BLUR = 1.0  # std of noise on the images, in units of a pixel's own
FIRST = 1000  # number of the first seed's split and mask, beyond those of pilots

Weights = dict[str, Tensor]


@dataclass(frozen=True)
class Features:
    """Which of the column's features an arm has."""

    mask: bool = True
    graded: bool = True
    hebb: bool = True
    homeostasis: bool = True
    layernorm: bool = True
    noise: bool = True
    augmentation: bool = True
    signs: bool = True


FULL = Features()
ARMS: Mapping[str, tuple[str, Features]] = {
    "full": ("all features", FULL),
    "no mask": ("every pair of neurons may connect", Features(mask=False)),
    "no graded gain": ("inhibitory neurons have gain 1", Features(graded=False)),
    "no hebb": ("gradient only", Features(hebb=False)),
    "no homeostasis": ("neither norms nor rates are kept", Features(homeostasis=False)),
    "no layernorm": ("relu of the summed input", Features(layernorm=False)),
    "no noise": ("synapses without noise", Features(noise=False)),
    "no augmentation": ("images are not shifted in training", Features(augmentation=False)),
    "conventional": (
        "no mask, free signs, no Hebb, no homeostasis, no noise; LayerNorm and augmentation",
        Features(mask=False, graded=False, hebb=False, homeostasis=False, noise=False, signs=False),
    ),
}


@dataclass(frozen=True, eq=False)
class Column:
    """P columns, one a seed.

    Attributes:
        has: the features.
        mask: (P, N, N) of 0 and 1.
        inhibitory: (P, N, 1) of 0 and 1.
        entry, exit: numbers of the neurons where it is entered and left.
    """

    has: Features
    mask: Tensor
    inhibitory: Tensor
    entry: Tensor
    exit: Tensor

    def born(self, keys: Sequence[Key]) -> Weights:
        """Return innate parameters, each seed's from its own key; |W| is scaled by its neurons' inputs."""
        size, inputs = self.mask.shape[1], SIDE * SIDE
        partners = self.mask.sum(1, keepdim=True).clamp(min=1)  # (P, 1, N)
        shapes = {"in": (inputs, len(self.entry)), "W": (size, size), "out": (len(self.exit), CLASSES)}
        draw = {name: _normal(keys, name, shape) for name, shape in shapes.items()}
        return {
            "in": draw["in"] / inputs**0.5,
            "W": draw["W"] * (2 / partners) ** 0.5 * self.mask,  # He et al. 2015: N(0, 2 / fan_in)
            "out": draw["out"] / len(self.exit) ** 0.5,
            "b": torch.zeros(len(keys), 1, size),
            "gain": torch.zeros(len(keys), size, 1),
            "scale": torch.ones(len(keys), 1, size),
        }

    def lived(self, w: Weights, x: Tensor, xi: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return the outputs (P, B, classes) to images (P, B, pixels), and h_K (P, B, N)."""
        gain = torch.sigmoid(w["gain"]) if self.has.graded else torch.ones_like(w["gain"])
        W = w["W"] * self.mask
        if self.has.signs:
            W = W.abs() * torch.where(self.inhibitory > 0, -gain, torch.ones_like(gain))
        W = W if xi is None else W * (1 + NOISE * xi)
        h = x.new_zeros(*x.shape[:2], W.shape[-1])
        outside = torch.zeros_like(h).index_add(2, self.entry, torch.bmm(x, w["in"]))
        for _ in range(TICKS):
            u = outside + torch.bmm(h, W) + w["b"]
            if self.has.layernorm:
                u = torch.nn.functional.layer_norm(u, u.shape[-1:]) * w["scale"]
            h = torch.relu(u)
        return torch.bmm(h[..., self.exit], w["out"]), h

    @torch.no_grad()
    def settle(self, w: Weights, h: Tensor, norm: Tensor) -> None:
        """Apply Hebb's rule and homeostasis to the parameters, in place."""
        if self.has.hebb:
            grown = HEBB * torch.bmm(h.transpose(1, 2), h) / h.shape[1]
            w["W"] += torch.where(w["W"] < 0, -grown, grown) * self.mask
        if self.has.homeostasis:
            w["W"] *= norm / w["W"].norm(dim=1, keepdim=True).clamp(min=1e-8)
            w["b"] += PULL * (TARGET - h.mean(1, keepdim=True))


def measure(task: str, arm: str, seeds: Sequence[int], sizes: Mapping[str, float]) -> dict[str, list[float]]:
    """Train every seed at every learning rate and innate size, all together; return what the best came to.

    The choice is made on the validation folds, one for all seeds; accuracies are those of the test folds.
    """
    several = [FIRST + seed for _ in CHOICES for seed in seeds]
    keys = [Key(0).child("laminar", task, seed) for seed in several]
    splits = [Digits(split_seed=seed) for seed in several]
    train, validation, (x, y) = (_stacked(splits, fold) for fold in ("train", "validation", "test"))
    column = _column(several, ARMS[arm][1])
    rates, innate = torch.tensor(CHOICES).repeat_interleave(len(seeds), 0).T
    w = _trained(column, train, keys, int(sizes["epochs"]), rates, innate)
    with torch.no_grad():
        chosen = _right(column.lived(w, validation[0], None)[0], validation[1])
    best = int(chosen.reshape(len(CHOICES), -1).mean(1).argmax())
    rows = slice(best * len(seeds), (best + 1) * len(seeds))
    blur = _normal([key.child("blur") for key in keys], "x", tuple(x.shape[1:]))
    with torch.no_grad():
        clean, noisy = (column.lived(w, images, None)[0] for images in (x, x + BLUR * blur))
        rate = (column.lived(w, x, None)[1] > 0).double().mean((1, 2))
    found = {"accuracy": _right(clean, y), "noisy": _right(noisy, y), "active": rate}
    return {name: (100 * part[rows]).tolist() for name, part in found.items()} | {
        "rate": rates[rows].tolist(),
        "innate": innate[rows].tolist(),
    }


def _sized(W: Tensor, innate: Tensor) -> Tensor:
    return innate[:, None, None] * W


def _right(output: Tensor, labels: Tensor) -> Tensor:
    return (output.argmax(-1) == labels).double().mean(1)


def _trained(
    column: Column,
    train: tuple[Tensor, Tensor],
    keys: Sequence[Key],
    epochs: int,
    rates: Tensor,
    innate: Tensor,
) -> Weights:
    x, y = train
    born = column.born(keys)
    w = {name: part.requires_grad_() for name, part in (born | {"W": _sized(born["W"], innate)}).items()}
    norm = w["W"].detach().norm(dim=1, keepdim=True)
    optimisers = {name: Adam(part.detach().flatten(1)) for name, part in w.items()}
    generators = [key.child("course").generator() for key in keys]
    for _ in range(epochs):
        order = torch.from_numpy(np.stack([rng.permutation(x.shape[1]) for rng in generators]))
        for index in torch.split(order, BATCH, 1):
            images = x.gather(1, index[..., None].expand(-1, -1, x.shape[-1]))
            if column.has.augmentation:
                images = _shifted(images, generators)
            size = column.mask.shape[1:]
            xi = _stack(generators, partial(_noise, size=size)) if column.has.noise else None
            output, h = column.lived(w, images, xi)
            loss = torch.nn.functional.cross_entropy(
                output.flatten(0, 1), y.gather(1, index).flatten(), reduction="sum"
            )
            gradients = torch.autograd.grad(loss / index.shape[1], list(w.values()), allow_unused=True)
            for (name, part), gradient in zip(w.items(), gradients, strict=True):
                if gradient is not None:  # a gain that the arm does not use
                    optimisers[name].step(part.detach().flatten(1), gradient.flatten(1), rates, clip=1.0)
            column.settle(w, h.detach(), norm)
    return {name: part.detach() for name, part in w.items()}


def _column(seeds: Sequence[int], has: Features) -> Column:
    drawn = [Laminar(drawn=seed).circuit(SIDE * SIDE, CLASSES) for seed in seeds]
    nodes = drawn[0].nodes  # the blocks of all draws are alike
    edges = [circuit.edges if has.mask else np.ones_like(circuit.edges) for circuit in drawn]
    inhibitory = torch.tensor([node.block.endswith("I") for node in nodes]).float()
    return Column(
        has,
        torch.from_numpy(np.stack(edges)).float(),
        inhibitory[None, :, None].expand(len(seeds), -1, -1),
        torch.tensor(drawn[0].of("in")),
        torch.tensor(drawn[0].of("out")),
    )


def _shifted(images: Tensor, generators: Sequence[np.random.Generator]) -> Tensor:
    """Return images (P, B, pixels) moved by up to one pixel each way; what comes in is the mean, 0."""
    rows, batch, _ = images.shape
    padded = torch.nn.functional.pad(images.view(rows, batch, SIDE, SIDE), (1, 1, 1, 1))
    by = _stack(generators, lambda rng: rng.integers(0, 3, size=(2, batch))).long()  # (P, 2, B)
    at = torch.arange(SIDE)
    down = (by[:, 0, :, None] + at)[..., None].expand(-1, -1, -1, SIDE + 2)
    across = (by[:, 1, :, None] + at)[:, :, None].expand(-1, -1, SIDE, -1)
    return padded.gather(2, down).gather(3, across).flatten(2)


def _stacked(splits: Sequence[Digits], fold: str) -> tuple[Tensor, Tensor]:
    parts = [split.examples(fold) for split in splits]
    return torch.stack([x for x, _ in parts]), torch.stack([y for _, y in parts])


def _normal(keys: Sequence[Key], name: str, shape: tuple[int, ...]) -> Tensor:
    """Return (P, *shape) numbers ~ N(0, 1)."""
    return _stack([key.child(name).generator() for key in keys], partial(_noise, size=shape))


def _noise(rng: np.random.Generator, size: tuple[int, ...]) -> np.ndarray:
    return rng.standard_normal(size, dtype=np.float32)


def _stack(generators: Sequence[np.random.Generator], draw: object) -> Tensor:
    assert callable(draw)
    return torch.from_numpy(np.stack([draw(rng) for rng in generators]))


STUDY = trial(
    Trial(
        name="laminar",
        title="Laminar column: what each feature adds",
        claim="A laminar mask, graded inhibition, Hebb's rule, homeostasis, LayerNorm and synaptic noise "
        "each add to a column that classifies as well as a conventional network",
        source="Prasanth & Tivnan 2026 (BioNIC), arXiv 2601.20876",
        published="FER-2013 (not obtainable offline): 59.77 +- 0.27 %, comparable to a conventional net",
        arms={name: says for name, (says, _) in ARMS.items()},
        tasks={"digits": "scikit-learn's digits, a split a seed; 120 neurons in four layers"},
        measures={
            "accuracy": Measure("accuracy on the test fold", unit="%", better="more", digits=1),
            "noisy": Measure("the same under pixel noise of one standard deviation", "%", "more", 1),
            "active": Measure("neurons that fire at a test image", "%", "", 1),
            "rate": Measure("learning rate chosen on the validation folds", digits=4),
            "innate": Measure("size of the first recurrent weights, chosen likewise", digits=1),
        },
        contrasts=(
            *(
                Contrast("digits", "accuracy", "full", arm, "more", paired=True)
                for arm in ARMS
                if arm.startswith("no ") and arm != "no augmentation"
            ),
            Contrast("digits", "accuracy", "full", "conventional", "same", margin=2.0, paired=True),
        ),
        full=Effort(10, {"epochs": 30}),
        quick=Effort(3, {"epochs": 3}),
        work=measure,
        notes=(
            "The mask is synthetic: no table of a column's synapses could be had offline. Digits stand in "
            "for faces, and the constants are ours; every arm chooses among the same two learning rates and "
            "two sizes of first weights.",
            "The design is the second one. A first full form (other splits, two seeds each, and masks) had "
            "one size of first weights, which was made for LayerNorm: without it 39.7 % were right, full "
            "87.9, and that was its only verdict. With weights 0.3 times as large and 10 epochs, on two "
            "other seeds, it was 84 to 86 %, so that the size was given to every arm to choose. Contrasts "
            "stayed. No arm had chosen the rate 0.001, which was dropped, nor in that pilot 0.03.",
            "30 epochs are a budget, not convergence: shifted images are learnt more slowly, so that what "
            "slows learning looks like harm here.",
        ),
    )
)
