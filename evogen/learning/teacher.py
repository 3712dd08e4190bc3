"""Teachers: networks that know a task, trained once and kept in a file with how they came to be.

    answer(o) = W3^T tanh(W2^T tanh(W1^T clip((o - mean) / spread, +-10) + b1) + b2) + b3

Raw outputs, as a candidate's: logits of a choice, or real values before the task squashes them into bounds.
A file holds `mean`, `spread`, `W1`, `b1`, ..., all float32, and in its metadata, under `teacher`, its Origin
as JSON. `evogen/learning/teachers/TASK.safetensors` come with evogen; see `evogen.learning.teach` for how
they were made.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.numpy import load as arrays_in
from safetensors.numpy import save
from torch import Tensor

from evogen.errors import SpecError
from evogen.phenotype.network import Lens
from evogen.registry import File, known
from evogen.tasks import ControlTask
from evogen.tasks.gymnasium import Gymnasium

FOLDER = Path(__file__).parent / "teachers"
LARGEST = 2**24  # bytes of a file
WIDEST = 4096  # neurons of a layer
DEEPEST = 8  # layers
NARROWEST = 2  # columns of a product: the bits of a product with a vector depend on P


@dataclass(frozen=True)
class Origin:
    """How a teacher came to be.

    Attributes:
        task: its name, see `name_of`.
        kind: of the task.
        seed: of the key that it was trained with.
        learner: settings of the PPO that trained it.
        steps: environment steps of the candidate that it was.
        validation: mean return over the episodes by which it was chosen among `candidates`.
        returns: mean return over as many other episodes.
        candidates, episodes: how many.
        evogen, torch: versions.
    """

    task: str
    kind: str
    seed: int
    learner: Mapping[str, Any]
    steps: int
    validation: float
    returns: float
    candidates: int
    episodes: int
    evogen: str
    torch: str


@dataclass(frozen=True, eq=False)
class Teacher:
    """A multi-layer perceptron with its own view of observations.

    Attributes:
        lens: mean and spread of observations, (1, inputs) each.
        layers: weights (pre, post) and biases (post,); all but the last are followed by tanh.
        origin: how it came to be.
    """

    lens: Lens
    layers: tuple[tuple[Tensor, Tensor], ...]
    origin: Origin

    @property
    def inputs(self) -> int:
        """Length of an observation."""
        return self.lens.centre.shape[1]

    @property
    def outputs(self) -> int:
        """Length of an answer."""
        return self.layers[-1][1].shape[0]

    @torch.no_grad()
    def answer(self, observation: Tensor) -> Tensor:
        """Return the raw outputs (P, B, outputs) to observations (P, B, inputs); rows stay apart."""
        rows = observation.shape[0]
        activity = Lens(*(part.to(observation) for part in self.lens)).view(observation)
        for number, (W, b) in enumerate(self.layers):
            if number:
                activity = torch.tanh(activity)
            short = max(NARROWEST - len(b), 0)
            W, b = (torch.nn.functional.pad(part.to(activity), (0, short)) for part in (W, b))
            activity = torch.baddbmm(b.expand(rows, 1, -1), activity, W.expand(rows, -1, -1))
        return activity[..., : self.outputs]

    def save(self, path: Path) -> None:
        """Write a file that `load` reads; equal teachers make equal files."""
        arrays = {"mean": self.lens.centre[0].numpy(), "spread": self.lens.spread[0].numpy()}
        for number, (W, b) in enumerate(self.layers, 1):
            arrays |= {f"W{number}": W.numpy(), f"b{number}": b.numpy()}
        text = json.dumps(dataclasses.asdict(self.origin), sort_keys=True)
        path.write_bytes(
            save({name: np.asarray(arrays[name], order="C") for name in sorted(arrays)}, {"teacher": text})
        )


def name_of(task: ControlTask) -> str:
    """Return what a task's teacher is called: its registered name, or the id of a Gymnasium environment."""
    if isinstance(task, Gymnasium):
        return task.id.replace("/", "-")
    names = {cls: name for name, cls in known("task").items()}
    return names.get(type(task), type(task).__name__)


def teacher_for(task: ControlTask, where: str | File = "") -> Teacher:
    """Return a task's teacher.

    Args:
        task: what it must know.
        where: a file, its path, or that of a folder with a file named after the task; by default the folder
            of those that come with evogen.

    Raises:
        SpecError: there is none, it is damaged, or it does not fit the task.
    """
    name = name_of(task)
    if isinstance(where, File):
        return _fitting(parse(where.content, where.name), where.name, task)
    path = Path(where) if where else FOLDER
    if path.is_dir():
        path /= f"{name}.safetensors"
    if not path.is_file():
        shipped = ", ".join(sorted(file.stem for file in FOLDER.glob("*.safetensors")))
        raise SpecError(
            f"there is no teacher {path} for the task '{name}': name a file that 'evogen teach' made as "
            f"`teacher`, or choose a task whose teacher comes with evogen ({shipped})"
        )
    return _fitting(load(path), path, task)


def _fitting(found: Teacher, path: str | Path, task: ControlTask) -> Teacher:
    wanted = {"kind": str(task.kind), "inputs": task.inputs, "outputs": task.outputs}
    shown = {"kind": found.origin.kind, "inputs": found.inputs, "outputs": found.outputs}
    if shown != wanted:
        raise SpecError(
            f"teacher {path} does not fit the task '{name_of(task)}': wanted {wanted}, found {shown}"
        )
    return found


def load(path: Path) -> Teacher:
    """Read a teacher from a file that nobody vouches for; runs no code of it.

    Raises:
        SpecError: the file is missing, too large, or no teacher.
    """
    try:
        if (size := path.stat().st_size) > LARGEST:
            raise _large(path, size)
        return parse(path.read_bytes(), path)
    except OSError as error:
        raise SpecError(f"cannot read the teacher {path}: {error}") from error


def parse(content: bytes, path: str | Path) -> Teacher:
    """Read a teacher from what a file holds; `path` is what errors call it.

    Raises:
        SpecError: too large, or no teacher.
    """
    if len(content) > LARGEST:
        raise _large(path, len(content))
    try:
        arrays = arrays_in(content)  # checks the header that is read next
        header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise SpecError(f"cannot read the teacher {path}: {error}") from error
    text = header.get("__metadata__", {}).get("teacher", "")
    if set(arrays) != _names((len(arrays) - 2) // 2):
        raise _damaged(path, f"wanted tensors mean, spread, W1, b1, ..., found {sorted(arrays)[:20]}")
    _check(path, arrays)
    layers = tuple(
        (torch.from_numpy(arrays[f"W{number}"]), torch.from_numpy(arrays[f"b{number}"]))
        for number in range(1, len(arrays) // 2)
    )
    lens = Lens(*(torch.from_numpy(arrays[name])[None] for name in ("mean", "spread")))
    return Teacher(lens, layers, _origin(path, text))


def _names(layers: int) -> set[str]:
    return {"mean", "spread"} | {f"{symbol}{number}" for number in range(1, layers + 1) for symbol in "Wb"}


def _check(path: str | Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Refuse numbers that are no network."""
    depth, width = len(arrays) // 2 - 1, arrays["mean"].size
    if not 1 <= depth <= DEEPEST:
        raise _damaged(path, f"wanted 1 to {DEEPEST} layers, found {depth}")
    shapes: dict[str, tuple[int, ...]] = {"mean": (width,), "spread": (width,)}
    for number in range(1, depth + 1):
        post = arrays[f"b{number}"].size
        shapes |= {f"W{number}": (width, post), f"b{number}": (post,)}
        width = post
    for name, shape in shapes.items():
        array = arrays[name]
        if array.dtype != np.float32 or array.shape != shape:
            raise _damaged(path, f"{name}: wanted float32 {shape}, found {array.dtype} {array.shape}")
        if not 1 <= max(shape) <= WIDEST or not array.size:
            raise _damaged(path, f"{name}: wanted 1 to {WIDEST} neurons, found {shape}")
        if not np.isfinite(array).all():
            raise _damaged(path, f"{name} has numbers that are not finite")
    if not (arrays["spread"] > 0).all():
        raise _damaged(path, f"wanted a spread > 0, found {arrays['spread'].min()}")


def _origin(path: str | Path, text: str) -> Origin:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _damaged(path, f"its metadata 'teacher' is no JSON ({error})") from error
    kinds = {item.name: _KINDS[str(item.type)] for item in dataclasses.fields(Origin)}
    if not isinstance(data, dict) or set(data) != set(kinds):
        raise _damaged(path, f"wanted metadata of {', '.join(kinds)}, found {text[:200]!r}")
    for name, kind in kinds.items():
        if not isinstance(data[name], kind):
            raise _damaged(path, f"its metadata has {name} {data[name]!r:.100}")
    return Origin(**data)


_KINDS: Mapping[str, tuple[type, ...]] = {
    "str": (str,),
    "int": (int,),
    "float": (int, float),
    "Mapping[str, Any]": (dict,),
}


def _large(path: str | Path, size: int) -> SpecError:
    return SpecError(f"teacher {path} has {size} bytes, at most {LARGEST} are read")


def _damaged(path: str | Path, what: str) -> SpecError:
    return SpecError(f"{path} is no teacher: {what}; make one with 'evogen teach'")
