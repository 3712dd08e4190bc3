"""Portrait: a stored candidate developed again, so that a report can show how it is born and lives.

Nothing here was seen by the search: every draw has a key of its own, below ("report", ID, "portrait"). Of a
large network fewer agents are born, and the notes say so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import NamedTuple, cast

import numpy as np
import numpy.typing as npt
import torch

from evogen.analysis.portrait.confusion import Confusion, confused, lives, taught
from evogen.analysis.portrait.episode import Episode, record
from evogen.cohort import Ref
from evogen.connectome.birth import Birth
from evogen.errors import DevelopmentError, EvogenError
from evogen.evaluation import Problem, developed
from evogen.experiment import device_of, experiment_of
from evogen.experiment.launch import problem
from evogen.genome import Genome
from evogen.grammar.plan import Plan
from evogen.keys import Key
from evogen.phenotype import Network, Phenotype
from evogen.runs import Run
from evogen.tasks import ClassificationTask, ControlTask, Task, TaskKind
from evogen.tasks.digits_life import DigitsLife

AGENTS = 16
TAUGHT = 2  # agents of a task of lessons: a life takes half a second
PAIRS = 1_000_000  # pairs of neurons, over all agents that are born
LARGEST = 3_000_000  # pairs of a network that is developed at all
Array = npt.NDArray[np.float64]


class Link(NamedTuple):
    """The weights from one level to another, [pre, post] without padding.

    Attributes:
        pre, post: levels, the input's is 0.
        mask: whether a pair may connect.
        mean: expected weight, 0 where a pair may not connect.
        variance: of a weight over born agents; None where all agents are born equal.
        sampled: (A, pre, post) weights of born agents.
    """

    pre: int
    post: int
    mask: npt.NDArray[np.bool_]
    mean: Array
    variance: Array | None
    sampled: Array


class Neuron(NamedTuple):
    """A neuron: its group in the plan, its place there, and a short name: `in 2`, `m1.l0.3`, `g17`."""

    group: int
    place: int
    name: str


@dataclass(frozen=True)
class Portrait:
    """A candidate as its life tuned it.

    Attributes:
        plan: its architecture.
        levels: the neurons of each level, from the input's.
        links: all weights, by pairs of levels.
        parameters: that the weights follow from, by name (`1.X`, `0>1.W`, `O`), without padding.
        birth: the law by which the agents here were born.
        episode: of one born agent; None where the task has none.
        confusion: of the born agents on the fold of the report; None where the task has no classes.
        notes: sentences on what is not shown as it is.
    """

    plan: Plan
    levels: tuple[tuple[Neuron, ...], ...]
    links: tuple[Link, ...]
    parameters: Mapping[str, Array]
    birth: Birth
    episode: Episode | None
    confusion: Confusion | None
    notes: tuple[str, ...]

    @property
    def neurons(self) -> int:
        """Number of neurons, with input and output."""
        return sum(len(level) for level in self.levels)


def portrait(run: Run, ref: Ref) -> Portrait:
    """Develop a candidate of a run as its life tuned it, and let some agents be born and live.

    Raises:
        EvogenError: its genome cannot be read or developed, or its network is too large.
    """
    notes: list[str] = []
    posed = problem(experiment_of(run), _device(device_of(run), notes))
    genome = run.tuned_genome(ref)
    try:
        with _one_thread(), torch.no_grad():
            return _portrait(posed, genome, notes)
    except EvogenError:
        raise
    except Exception as error:  # of a task from outside, or of torch: this one candidate is not shown
        what = f"{type(error).__name__}: {error}"
        raise DevelopmentError(f"candidate {ref} cannot be brought to life here: {what}") from error


def _portrait(posed: Problem, genome: Genome, notes: list[str]) -> Portrait:
    key = posed.key.child("report", genome.id).child("portrait")
    body = developed(posed, genome)
    law = replace(posed.birth, agents=_agents(body, notes))

    def born(most: int) -> Network:
        """Return the first agents born; how many they are changes none of them."""
        return body.agents(body.flat, [key.child("birth")], replace(law, agents=min(most, law.agents)))

    levels = _levels(body)
    names = [[neuron.name for neuron in level] for level in levels]
    episode = confusion = None
    try:
        episode, confusion = _at_work(posed.task, born, names, key)
    except Exception as error:  # noqa: BLE001 (of a task from outside; the rest is shown)
        notes.append(f"It cannot be shown at work: the task raised {type(error).__name__}: {error}")
    links = _links(posed, body, [weights.double().cpu().numpy() for weights in born(law.agents).weights])
    values = {name: array.astype(np.float64) for name, array in body.trim(body.flat, 0).items()}
    return Portrait(body.bodies[0].plan, levels, links, values, law, episode, confusion, tuple(notes))


def _at_work(
    task: Task, born: Callable[[int], Network], names: list[list[str]], key: Key
) -> tuple[Episode | None, Confusion | None]:
    """Return an episode of a born agent, or what born agents take examples for; see `Portrait`."""
    if task.kind in (TaskKind.CONTROL, TaskKind.CONTINUOUS):
        return record(cast("ControlTask", task), born(1), key.child("episode"), names), None
    if task.kind is TaskKind.CLASSIFICATION:
        classified = cast("ClassificationTask", task)
        return None, confused(classified, born(lives(classified)))
    if isinstance(task, DigitsLife):
        return None, taught(task, born(TAUGHT), key.child("lessons"))
    return None, None


def _device(wanted: str, notes: list[str]) -> str:
    try:
        torch.zeros(1, device=wanted)
    except (RuntimeError, AssertionError, NotImplementedError):
        notes.append(f"The run's device, {wanted}, is not here: its winner was developed on the CPU.")
        return "cpu"
    return wanted


@contextmanager
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _agents(body: Phenotype, notes: list[str]) -> int:
    """Return how many agents are born: fewer of a large network, none of one that would take too long."""
    sizes = body.bodies[0].sizes
    pairs = sum(sizes[pre] * sizes[post] for pre, post in body.layout.pairs)
    if pairs > LARGEST:
        raise DevelopmentError(f"{pairs:,} pairs of neurons; a portrait shows {LARGEST:,} at most")
    if not body.wiring.genetic:
        return 1
    agents = max(2, min(AGENTS, PAIRS // max(pairs, 1)))
    if agents < AGENTS:
        notes.append(f"The network is large: {agents} agents were born, not {AGENTS}.")
    return agents


def _levels(body: Phenotype) -> tuple[tuple[Neuron, ...], ...]:
    one = body.bodies[0]
    modules = list(dict.fromkeys(group.gene for group in one.plan.groups[1:-1]))
    found: list[list[Neuron]] = [[] for _ in one.sizes]
    for number, (group, level) in enumerate(zip(one.plan.groups, one.level, strict=True)):
        for index in range(group.size):
            if group.name in ("in", "out"):
                name = f"{group.name} {index + 1}"
            elif one.plan.levels:
                name = f"g{group.gene}" + f".{index + 1}" * (group.size > 1)
            else:
                name = f"m{modules.index(group.gene) + 1}.{group.name}.{index + 1}"
            found[level].append(Neuron(number, index, name))
    return tuple(tuple(level) for level in found)


def _links(posed: Problem, body: Phenotype, sampled: list[Array]) -> tuple[Link, ...]:
    expected = body.network(body.flat).weights
    pairs, sizes = body.layout.pairs, body.bodies[0].sizes
    moments = body.wiring.moments(body.values(body.flat), pairs, body.masks, posed.birth)
    found = []
    for (pre, post), W, (_, variance), mask, born in zip(
        pairs, expected, moments, body.masks, sampled, strict=True
    ):
        own = (slice(sizes[pre]), slice(sizes[post]))
        allowed = mask[0][own].cpu().numpy() > 0
        if not allowed.any():
            continue
        spread = None if variance is None else variance[0][own].double().cpu().numpy() * allowed
        mean = W[0][own].double().cpu().numpy()
        found.append(Link(pre, post, allowed, mean, spread, born[:, *own]))
    return tuple(found)
