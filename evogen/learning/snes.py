"""SNES: a search without gradients over a candidate's parameters, batched over candidates.

The update is that of `evogen.learning.natural`, with eta_mu = 1, eta_sigma = (3 + ln D) / (5 sqrt D) and
4 + floor(3 ln D) samples, in pairs of s and -s. A sample is one network, born through the noise where
training goes through it, which acts greedily in `episodes` episodes; all samples of a generation meet the
same starts.
Deviations begin at `sigma` times the root mean square of a candidate's own entries of the same parameter (of
all its entries, where these are zero), times the share of the rate that their gene takes; padding, what
frozen genes own, and what input neurons know of observations, have deviation 0 and stay as they are. The
environment steps that episodes lasted are counted; a candidate begins its last generation before its budget
is spent.

Sources: Wierstra et al. 2014, "Natural evolution strategies", table 1 and algorithm 6; Brockhoff et al. 2010,
"Mirrored sampling and sequential selection for evolution strategies" (the pairs).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from evogen.keys import Key
from evogen.learning import Fit, complete, deadline
from evogen.learning.natural import Search, samples, update, utilities
from evogen.phenotype import Network, Phenotype
from evogen.phenotype.pace import by_genes
from evogen.phenotype.rows import rowwise
from evogen.registry import evolvable, register, setting
from evogen.tasks import ControlTask, TaskKind
from evogen.tasks.play import STEPS_BETWEEN_CHECKS

Values = Mapping[str, Tensor]

POINTS = 40  # of the curve
ROOM = 2**26  # numbers that the networks of one generation may take together, about 256 MiB in float32
OBSERVED = ("0.m", "0.s")  # centre and spread of observations, not for a search to change


@rowwise()
@dataclass(frozen=True, eq=False)
class _Progress:
    """How far the searches of P candidates are.

    Attributes:
        budget: steps of a whole search.
        until: steps up to which all searches went on.
        keys: one a candidate.
        mean_rate, sigma_rate: (P,) learning rates.
        search: means and deviations.
        spent: (P,) steps taken.
        generation: (P,) generations made.
        alive: (P,) whether there is anything finite left to go on from.
        points: (P, POINTS) of the curve, the latest value to the end.
    """

    budget: int
    until: int
    keys: list[Key]
    mean_rate: Tensor
    sigma_rate: Tensor
    search: Search
    spent: Tensor
    generation: Tensor
    alive: Tensor
    points: Tensor

    @property
    def fit(self) -> Fit:
        """What was learnt so far."""
        return Fit(self.search.mean, self.points[:, : self.until * POINTS // self.budget], self.spent.cpu())


@register("learner", "snes")
@dataclass(frozen=True)
class SNES:
    """A Gaussian with one deviation a parameter follows the ranks of its samples."""

    mean_rate: float = evolvable(1.0, low=0.0, high=10.0, doc="learning rate of the mean")
    sigma_rate: float = evolvable(
        1.0, low=0.0, high=10.0, doc="learning rate of the deviations, in units of (3 + ln D) / (5 sqrt D)"
    )
    sigma: float = setting(
        1.0, low=0.0, high=100.0, doc="deviation at the start, in units of the parameters' own"
    )
    population: int = setting(
        0, low=0, high=4096, doc="samples of a generation, made even; 0: 4 + floor(3 ln D)"
    )
    episodes: int = setting(1, low=1, high=1000, doc="episodes of each sample")
    steps: int = setting(100_000, low=1, high=1_000_000_000, doc="environment steps of a candidate")

    fits: ClassVar[frozenset[TaskKind]] = frozenset({TaskKind.CONTROL, TaskKind.CONTINUOUS})
    gradientless: ClassVar[str] = "write learn:scaled, or use a learner that follows gradients, such as 'ppo'"

    def width(self, entries: int) -> int:
        """Return lambda, the samples of a generation, for so many parameters with their padding."""
        wanted = self.population or 4 + int(3 * math.log(entries))
        return max(wanted + wanted % 2, 4)

    def fit(self, phenotype: Phenotype, task: ControlTask, keys: Sequence[Key], values: Values) -> Fit:
        """Search from the phenotype's own parameters; the result is the last mean.

        Point k of the curve is the mean return of the last generation begun before (k + 1) / 40 of the
        budget was spent.
        """
        return complete(self, phenotype, task, keys, values)

    def length(self) -> int:
        """Return the budget in environment steps."""
        return self.steps

    def begin(
        self,
        phenotype: Phenotype,
        task: ControlTask,  # noqa: ARG002
        keys: Sequence[Key],
        values: Values,
    ) -> _Progress:
        """Return searches around the phenotype's own parameters."""
        flat, rows = phenotype.flat, phenotype.rows
        spread, own = scales(phenotype)
        free = own.clamp_min(1)
        nothing = torch.zeros(rows, dtype=torch.int64, device=flat.device)
        return _Progress(
            budget=self.steps,
            until=0,
            keys=list(keys),
            mean_rate=values["mean_rate"],
            sigma_rate=values["sigma_rate"] * (3 + free.log()) / (5 * free.sqrt()),
            search=Search(flat.clone(), self.sigma * spread),
            spent=nothing,
            generation=nothing.clone(),
            alive=flat.isfinite().all(1),
            points=torch.zeros(rows, POINTS, dtype=torch.float64, device=flat.device),
        )

    @torch.no_grad()
    def advance(self, phenotype: Phenotype, task: ControlTask, progress: _Progress, until: int) -> _Progress:
        """Begin generations until so many steps are spent."""
        together = max(ROOM // (self.width(phenotype.flat.shape[1]) * self._room(phenotype)), 1)
        while (live := (progress.alive & (progress.spent < until)).nonzero().squeeze(1)).numel():
            deadline.check()
            for rows in torch.split(live, together):
                self._generation(phenotype, task, progress, rows)
        return replace(progress, until=until)

    def _generation(self, phenotype: Phenotype, task: ControlTask, at: _Progress, rows: Tensor) -> None:
        """Let these rows live through their next generation; changes `at` in place."""
        size, entries = self.width(phenotype.flat.shape[1]), phenotype.flat.shape[1]
        counted = zip(rows.tolist(), at.generation[rows].tolist(), strict=True)
        own = [at.keys[row].child("generation", number) for row, number in counted]
        drawn = _pairs(own, size // 2, entries).to(phenotype.flat)
        now = Search(at.search.mean[rows], at.search.sigma[rows])
        returns, steps = self._score(chosen(phenotype, rows), samples(now, drawn), task, own)
        new = update(
            now, drawn, utilities(returns), mean_rate=at.mean_rate[rows], sigma_rate=at.sigma_rate[rows]
        )
        at.search.mean[rows], at.search.sigma[rows] = new
        at.points[rows] = _noted(at.points[rows], returns, at.spent[rows] * POINTS // self.steps)
        at.spent[rows] += steps
        at.alive[rows] = returns.isfinite().any(1) & new.mean.isfinite().all(1)
        at.generation[rows] += 1

    def _score(
        self, phenotype: Phenotype, asked: Tensor, task: ControlTask, keys: Sequence[Key]
    ) -> tuple[Tensor, Tensor]:
        """Return (P, K) returns of samples (P, K, D), and (P,) environment steps they took."""
        rows, size = asked.shape[:2]
        index = torch.arange(rows, device=asked.device).repeat_interleave(size)
        many = chosen(phenotype, index)
        noise = many.noise([key.child("agent", number) for key in keys for number in range(size)], 1)
        starts = [key.child("start") for key in keys for _ in range(size)]
        returns, steps = measure(
            task, many.network(asked.flatten(0, 1), noise), starts, episodes=self.episodes
        )
        return returns.reshape(rows, size), steps.reshape(rows, size).sum(1)

    def _room(self, phenotype: Phenotype) -> int:
        """Return about how many numbers the network of one sample takes, with its making and its life."""
        weights = sum(mask[0].numel() for mask in phenotype.masks)
        remembered = 4 * self.episodes * weights if phenotype.layout.stateful else 0
        return 8 * phenotype.flat.shape[1] + 12 * weights + remembered


def scales(phenotype: Phenotype) -> tuple[Tensor, Tensor]:
    """Return the size of each entry's own kind, (P, D), and how many a candidate may change, (P,).

    An entry's size is the root mean square of its candidate's entries of the same named parameter, or, where
    these are all zero, of all its entries, times its gene's share of the rate; it is 0 for padding, for
    frozen genes and for what input neurons know of what they observe.
    """
    flat = phenotype.flat.double().cpu().numpy()
    found = np.zeros_like(flat)
    bodies, entries = phenotype.bodies, flat.shape[1]
    rates = np.stack([by_genes(phenotype.slots, body, entries)[0] for body in bodies])
    own = np.stack([_own(phenotype, row) for row in range(phenotype.rows)])
    for row, (values, mine) in enumerate(zip(flat, own, strict=True)):
        whole = _size(values[mine])
        for slot in phenotype.slots:
            part = slice(slot.start, slot.start + slot.size)
            found[row, part] = np.where(mine[part], _size(values[part][mine[part]]) or whole, 0.0)
    counts = torch.from_numpy((own & (rates > 0)).sum(1)).to(phenotype.flat)
    return torch.from_numpy(found * rates).to(phenotype.flat), counts


def _own(phenotype: Phenotype, row: int) -> np.ndarray:
    """Return which of D entries are a candidate's own to change."""
    body, found = phenotype.bodies[row], np.zeros(phenotype.flat.shape[1], dtype=bool)
    if body.plan.levels:  # where 0 stands for a synapse that never was
        return phenotype.trainable(row)
    for slot in phenotype.slots:
        mine = np.zeros(slot.shape, dtype=bool)
        if "." not in slot.name:  # O and c belong to no gene of the architecture
            mine[body.cut(slot.name, slot.shape)] = True
        for place in body.places:
            if place.name == slot.name and slot.name not in OBSERVED:
                mine[place.index] = True
        found[slot.start : slot.start + slot.size] = mine.ravel()
    return found


def _size(values: np.ndarray) -> float:
    return math.sqrt(np.square(values).mean()) if values.size else 0.0


def chosen(phenotype: Phenotype, rows: Tensor) -> Phenotype:
    """Return the phenotype of these rows, (R,) indices in which any may stand more than once."""
    traits = phenotype.traits
    parts = (traits.activation, traits.neuron, traits.rule)
    activation, neuron, rule = ({name: part[rows] for name, part in each.items()} for each in parts)
    return replace(
        phenotype,
        bodies=tuple(phenotype.bodies[row] for row in rows.tolist()),
        flat=phenotype.flat[rows],
        constants={name: part[rows] for name, part in phenotype.constants.items()},
        masks=tuple(mask[rows] for mask in phenotype.masks),
        traits=replace(traits, activation=activation, neuron=neuron, rule=rule),
    )


def measure(
    task: ControlTask, agents: Network, keys: Sequence[Key], *, episodes: int
) -> tuple[Tensor, Tensor]:
    """Let every agent act by its raw output until its episodes have ended.

    Args:
        task: the environment.
        agents: one agent a row.
        keys: one a row; where its episodes start.
        episodes: of each agent.

    Returns:
        (R,) float64 mean sums of reward, NaN where an output became non-finite, and (R,) int64 steps taken.
    """
    played = task.start(keys, episodes, agents.device, again=False)
    memory = agents.start(episodes)
    returns = torch.zeros(agents.rows, episodes, dtype=torch.float64, device=agents.device)
    running = torch.ones_like(returns, dtype=torch.bool)
    steps = torch.zeros_like(returns, dtype=torch.int64)
    for step in range(task.horizon):
        if step % STEPS_BETWEEN_CHECKS == 0 and not running.any():
            break
        output, memory = agents.live(played.observation.to(agents.dtype), memory)
        finite = output.isfinite().all(-1)
        turn = played.step(task.act(output))
        returns = returns + turn.reward.masked_fill(~finite, torch.nan).masked_fill(~running, 0.0)
        steps = steps + running
        running = running & finite & ~turn.terminated & ~turn.truncated
    return returns.mean(1), steps.sum(1)


def _pairs(keys: Sequence[Key], pairs: int, entries: int) -> Tensor:
    """Return (P, 2 pairs, D) numbers, the second half the first with the other sign."""
    generators = [key.child("samples").generator() for key in keys]
    drawn = np.stack(
        [generator.standard_normal((pairs, entries), dtype=np.float32) for generator in generators]
    )
    return torch.from_numpy(np.concatenate([drawn, -drawn], 1))  # ~ N(0, 1)


def _noted(curve: Tensor, returns: Tensor, point: Tensor) -> Tensor:
    """Return (P, POINTS) curves with the mean of the finite returns (P, K) from each row's point on."""
    finite = returns.isfinite()
    mean = returns.masked_fill(~finite, 0.0).sum(1) / finite.sum(1).clamp_min(1)
    later = torch.arange(POINTS, device=curve.device) >= point.unsqueeze(1)
    return torch.where(later & finite.any(1, keepdim=True), mean.unsqueeze(1), curve)
