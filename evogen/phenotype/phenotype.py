"""Phenotype: the torch network of a whole cohort, one candidate a row.

Genomes whose plans have the same Layout are developed together: hidden levels are padded to a power
of two and rule genes to a multiple of 16, whatever the other candidates are. Padding is inert (zero
expression gives zero weights), and since a candidate's padded shapes depend on that candidate alone, so do
its bits.

All trainable parameters of a candidate are one row of a flat tensor (P, D), so that one optimiser step
serves the cohort; `Phenotype.values` cuts it into named views.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from evogen.connectome import TIED, Counted, Wiring
from evogen.connectome.birth import Birth
from evogen.genome import Array, frozen
from evogen.keys import Key
from evogen.phenotype.development import INNATE
from evogen.phenotype.layout import OWNED, RULED, Body, Layout, Slot
from evogen.phenotype.network import Lens, Network
from evogen.phenotype.pace import Pace, paces
from evogen.phenotype.traits import Traits
from evogen.phenotype.tuned import counted, tuned

ALIGN = 16
_OF_SYNAPSES = (".free", ".tie", ".sign", ".given")
TINY = 1e-20  # keeps the gradient of a square root finite at zero

Noise = tuple[Tensor, ...]
"""Standard normal numbers (P, copies, pre, post) for each link."""


@dataclass(frozen=True, eq=False)
class Phenotype:
    """Candidates of one layout, developed.

    Attributes:
        layout: the structure they share.
        wiring: how parameters become weights.
        bodies: one per row, with what is needed to find a candidate's own entries again.
        slots: the named parts of a row of `flat`.
        flat: (P, D) parameters at the start of the inner loop.
        birth: the law by which agents are born of them.
        constants: `neurons` (P,), and with rules `genes`, `temperature`, `rule_mask`, and O and c if the
            inner loop may not tune them; for modules side by side, `modules` (P, M), the neurons of each, and
            `LEVEL.module` (P, N, M), 1 where a neuron is of a module; in a mixed wiring, `PRE>POST.free`
            (P, pre, post), 1 where a synapse is free; of a circuit what `evogen.phenotype.ties` says.
        masks: (P, pre, post) of 0 and 1 for each link.
        traits: activation masks, neuron numbers and plasticity coefficients.
    """

    layout: Layout
    wiring: Wiring
    birth: Birth
    bodies: tuple[Body, ...]
    slots: tuple[Slot, ...]
    flat: Tensor
    constants: Mapping[str, Tensor]
    masks: tuple[Tensor, ...]
    traits: Traits

    @property
    def rows(self) -> int:
        """P, the number of candidates."""
        return len(self.bodies)

    @property
    def pace(self) -> Pace:
        """Share of the learning rate that each parameter takes, and its method, (P, D) both."""
        return paces(self.slots, self.bodies, self.flat)

    def values(self, flat: Tensor) -> dict[str, Tensor]:
        """Return named views of (P, D) parameters, with the constants."""
        parts = torch.split(flat, [_padded(slot.size) for slot in self.slots], dim=1)
        named = {
            slot.name: part[:, : slot.size].reshape(-1, *slot.shape)
            for slot, part in zip(self.slots, parts, strict=True)
        }
        return named | dict(self.constants)

    def network(self, flat: Tensor, noise: Noise | None = None) -> Network:
        """Return networks that are differentiable in `flat`: the average ones, or agents under this noise.

        Args:
            flat: (P, D).
            noise: from `noise`; None gives the average network of each candidate (P rows).

        Returns:
            With noise P x copies rows, W = E[W] + sqrt(Var[W]) noise by the closed forms of the wiring.
        """
        values = self.values(flat)
        biases = tuple(values[f"{level}.b"] for level in range(1, len(self.layout.levels)))
        lens = Lens(values["0.m"].detach(), values["0.s"].detach()) if "0.m" in values else None
        traits = tuned(self._traits(values), self.layout, values) if self._tuned else self._traits(values)
        if noise is None:
            weights = self.wiring.weights(values, self.layout.pairs)
            masked = tuple(W * mask for W, mask in zip(weights, self.masks, strict=True))
            return Network(self.layout, masked, biases, traits, lens)
        copies, born = noise[0].shape[1], []
        moments = self.wiring.moments(values, self.layout.pairs, self.masks, self.birth)
        for (mean, variance), mask, eps in zip(moments, self.masks, noise, strict=True):
            if variance is None:
                born.append((mean * mask).repeat_interleave(copies, 0))
                continue
            deviation = (variance + TINY).sqrt() * mask
            born.append(((mean * mask).unsqueeze(1) + deviation.unsqueeze(1) * eps).flatten(0, 1))
        return _repeated(Network(self.layout, tuple(born), biases, traits, lens), copies)

    @property
    def _tuned(self) -> bool:
        return any(RULED in slot.name for slot in self.slots)

    def _traits(self, values: Mapping[str, Tensor]) -> Traits:
        """Return the traits, with what neurons own and train."""
        owned = {slot.name: values[slot.name] for slot in self.slots if OWNED in slot.name}
        if not owned:
            return self.traits
        named: dict[str, list[Tensor]] = {}
        synaptic = [(f"{pre}>{post}.", f"{post}.") for pre, post in self.layout.pairs]
        for name, part in owned.items():
            if ">" not in name:
                own = part.unsqueeze(1) if part.ndim == 2 else part.movedim(1, -1)
                named[name.replace(OWNED, ".")] = [own]  # (P, ..., N)
        symbols = sorted({name.partition(".")[2] for name in owned if ">" in name})
        for (ends, level), symbol in itertools.product(synaptic, symbols):
            if (found := owned.get(ends + symbol)) is not None:
                named.setdefault((level + symbol).replace(OWNED, "."), []).append(found)
        both = {name: parts[0] if len(parts) == 1 else torch.cat(parts, 1) for name, parts in named.items()}
        return replace(self.traits, neuron={**self.traits.neuron, **both})

    def noise(self, keys: Sequence[Key], copies: int) -> Noise | None:
        """Return what tells `copies` agents of each candidate apart; None if training knows the mean only.

        Args:
            keys: one a candidate.
            copies: agents of each.
        """
        if self.birth.training == "mean" or not self.wiring.genetic:
            return None
        shapes = [mask.shape[1:] for mask in self.masks]
        sizes = [copies * shape.numel() for shape in shapes]
        drawn = [key.generator().standard_normal(sum(sizes), dtype=np.float32) for key in keys]
        parts = torch.split(torch.from_numpy(np.stack(drawn)).to(self.flat), sizes, 1)  # ~ N(0, 1)
        return tuple(part.reshape(-1, copies, *shape) for part, shape in zip(parts, shapes, strict=True))

    def agents(self, flat: Tensor, keys: Sequence[Key], birth: Birth | None = None) -> Network:
        """Return born agents, `birth.agents` consecutive rows a candidate, each of its own child of the key.

        Args:
            flat: (P, D).
            keys: one a candidate.
            birth: the law; by default the phenotype's own.
        """
        law = birth or self.birth
        expected = self.network(flat)
        born = [self._birth(flat, row, keys[row], law) for row in range(self.rows)]
        weights = tuple(
            torch.cat(list(parts)).to(flat.device, flat.dtype) for parts in zip(*born, strict=True)
        )
        return replace(_repeated(expected, law.agents), weights=weights)

    def _birth(self, flat: Tensor, row: int, key: Key, birth: Birth) -> list[Tensor]:
        body, agents = self.bodies[row], birth.agents
        values = {name: array.astype(np.float64) for name, array in self.trim(flat, row).items()}
        links = zip(self.layout.pairs, self.masks, strict=True)
        masks = [
            mask[row, : body.sizes[pre], : body.sizes[post]].double().cpu().numpy()
            for (pre, post), mask in links
        ]
        constants = {name: tensor[row].double().cpu().numpy() for name, tensor in self.constants.items()}
        g = body.genes
        rule_mask = constants["rule_mask"][:g, :g] if "rule_mask" in constants else None
        modules = {
            level: constants[f"{level}.module"][: body.sizes[level]]
            for level in range(len(body.sizes))
            if f"{level}.module" in constants
        }
        values |= {
            name: array[body.cut(name, array.shape)]
            for name, array in constants.items()
            if name.endswith(_OF_SYNAPSES)
        }
        candidate = Counted(values, float(constants.get("temperature", 1.0)), rule_mask, masks, modules)
        finite = all(np.isfinite(array).all() for array in values.values())
        generators = [key.child(agent).generator() for agent in range(agents)]
        sizes = [self.layout.levels[level].size for level in range(len(self.layout.levels))]
        found = []
        drawn = (
            self.wiring.birth(candidate, self.layout.pairs, generators, birth)
            if finite
            else [np.full((agents, *mask.shape), np.nan) for mask in masks]
        )
        for (pre, post), weights in zip(self.layout.pairs, drawn, strict=True):
            padded = np.zeros((agents, sizes[pre], sizes[post]))
            padded[:, : weights.shape[1], : weights.shape[2]] = weights
            found.append(torch.from_numpy(padded))
        return found

    def trim(self, flat: Tensor, row: int) -> dict[str, np.ndarray]:
        """Return one candidate's parameters by name (O and c too), padding cut off."""
        body = self.bodies[row]
        parts = torch.split(flat[row].detach().cpu(), [_padded(slot.size) for slot in self.slots])
        values = {
            slot.name: part[: slot.size].reshape(slot.shape).numpy()
            for slot, part in zip(self.slots, parts, strict=True)
        }
        values |= {
            name: self.constants[name][row].cpu().numpy() for name in ("O", "c") if name in self.constants
        }
        return {name: array[body.cut(name, array.shape)] for name, array in values.items()}

    def expression(self, flat: Tensor, row: int) -> dict[int, dict[str, Array]]:
        """Return a candidate's parameters by owner: innovation id -> `l0.X` -> array (not O and c)."""
        body, values = self.bodies[row], self.trim(flat, row)
        found: dict[int, dict[str, Array]] = {}
        for place in body.places:
            found.setdefault(place.gene, {})[place.local] = frozen(values[place.name][place.index])
        return found

    def trainable(self, row: int) -> np.ndarray:
        """Return which of D entries are a candidate's own and have an effect, bool.

        Not: padding, pairs of neurons that may not connect, and what input neurons know of what they observe.
        """
        body, found = self.bodies[row], np.zeros(self.flat.shape[1], dtype=bool)
        masks = dict(zip(self.layout.pairs, self.masks, strict=True))
        for slot in self.slots:
            at, _, symbol = slot.name.partition(".")
            mine = np.zeros(slot.shape, dtype=bool)
            if symbol not in INNATE:
                mine[body.cut(slot.name, slot.shape)] = True
            if slot.name == TIED:
                ties = [part[row] for name, part in self.constants.items() if name.endswith(".tie")]
                used = np.concatenate([part.flatten().cpu().numpy() for part in ties])
                mine &= np.isin(np.arange(slot.size), used)
            if OWNED in symbol:
                kind = f"{at.rpartition('>')[2]}.{symbol.partition(OWNED)[0]}"
                owners = self.traits.neuron[kind][row, 0].cpu().numpy() > 0
                mine &= owners if ">" in at else owners.reshape(-1, *[1] * (mine.ndim - 1))
            if RULED in symbol:
                first = self.constants.get(f"{at}.first")
                own = None if first is None else first[row].cpu().numpy()
                mine &= counted(slot.name, self.layout, self.traits, own, row)
            if ">" in at:
                pre, post = (int(part) for part in at.split(">"))
                mine &= masks[pre, post][row].cpu().numpy() > 0
                if f"{at}.free" in self.constants:
                    mine &= self.constants[f"{at}.free"][row].cpu().numpy() > 0
            found[slot.start : slot.start + slot.size] = mine.ravel()
        return found

    def rules(self, flat: Tensor, row: int) -> dict[str, Array]:
        """Return a candidate's O and c if the inner loop may tune them, else nothing."""
        if not self.wiring.tune_rules:
            return {}
        values = self.trim(flat, row)
        return {name: frozen(values[name]) for name in ("O", "c")}


def _padded(size: int) -> int:
    return -(-size // ALIGN) * ALIGN


def _repeated(network: Network, times: int) -> Network:
    """Return `times` consecutive rows for each row; the weights are left as they are."""
    if times == 1:
        return network
    biases = tuple(bias.repeat_interleave(times, 0) for bias in network.biases)
    lens = (
        None if network.lens is None else Lens(*(part.repeat_interleave(times, 0) for part in network.lens))
    )
    return replace(network, biases=biases, traits=network.traits.repeat(times), lens=lens)
