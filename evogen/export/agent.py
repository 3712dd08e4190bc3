"""One born agent of a candidate as a folder that runs without evogen.

    agent.pt2, agent.onnx   its program (see `evogen.export.program`)
    agent.json              the card: what it is, where it is from, what to expect of it, how it was checked
    genome.json             what it was born of: the tuned genome
    genome.safetensors      its larger arrays, by their SHA-256
    environment.json        where it acts (see `evogen.export.environment`)
    seeds.json              behind its birth and its expected return
    examples.csv            classification: raw rows of the report's fold
    run.py                  plays or classifies; needs onnxruntime, numpy and gymnasium, not evogen

The agent is the first of those that the report scores, or another of them, or the expected network, whose
weights are the means of the law that agents are born by. What is expected is measured on fresh episodes (see
`evogen.export.expected`).
"""

from __future__ import annotations

import hashlib
import json
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from pathlib import Path
from typing import Any, cast

import torch
from safetensors.numpy import save

from evogen.cohort import Outcome, Ref
from evogen.errors import EvogenError, RunError, SpecError
from evogen.evaluation import Problem, developed
from evogen.experiment import Experiment, experiment_of
from evogen.experiment.launch import problem
from evogen.export import environment, onnx
from evogen.export.checks import LIFE, OBSERVATIONS, Program, difference, probes
from evogen.export.expected import expected
from evogen.export.program import Step, pruned, quiet, traced
from evogen.genome import Genome
from evogen.keys import Key
from evogen.phenotype import Network
from evogen.runs import Run
from evogen.tasks import ClassificationTask, TaskKind

EPISODES = 100
_PACKAGES = ("evogen", "torch", "numpy", "gymnasium", "onnx", "onnxruntime")


@dataclass(frozen=True)
class Exported:
    """What was written.

    Attributes:
        folder: where.
        card: the content of agent.json.
    """

    folder: Path
    card: Mapping[str, Any]


def export_agent(
    run: Run,
    ref: Ref,
    folder: Path,
    *,
    agent: int | None = 0,
    episodes: int = EPISODES,
    with_onnx: bool = True,
) -> Exported:
    """Write one agent into a new folder, whole or not at all.

    Args:
        run: open.
        ref: of the candidate; it ended OK.
        folder: is not there yet, or empty.
        agent: number in the order of birth for the report, from 0; None is the expected network.
        episodes: behind the expected return.
        with_onnx: whether to write agent.onnx and run.py, which need the extra `onnx`.

    Raises:
        RunError: no such candidate, or it has no tuned network.
        SpecError: the folder cannot be used, or the extra `onnx` is missing.
        EvogenError: what cannot be exported, and why.
    """
    if folder.exists() and not folder.is_dir():
        raise SpecError(f"--to {folder}: wanted a new folder, this is a file")
    if folder.exists() and any(folder.iterdir()):
        raise SpecError(f"--to {folder}: wanted a new folder, this one is not empty")
    if with_onnx:
        onnx.require()
    chosen = _choice(run, ref, agent, episodes)
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = folder.parent / f".{folder.name}.{secrets.token_hex(4)}"
    try:
        draft.mkdir()
        card = _write(chosen, _about(run, ref, chosen), draft, with_onnx=with_onnx)
        if folder.exists():
            folder.rmdir()
        draft.rename(folder)
    except OSError as error:
        raise SpecError(f"--to {folder}: cannot be written: {error}") from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return Exported(folder, card)


@dataclass(frozen=True)
class _Choice:
    """What is exported: an agent; `cells` where it classifies, `seeds` of episodes where it acts."""

    experiment: Experiment
    genome: Genome
    agent: int | None
    network: Network
    step: Step
    key: Key
    seeds: tuple[int, ...]
    cells: environment.Cells | None


def _choice(run: Run, ref: Ref, agent: int | None, episodes: int) -> _Choice:
    experiment, row = experiment_of(run), run.row(ref)
    if row.outcome is not Outcome.OK:
        what = f"candidate {ref} ended {row.outcome}: it has no network to export"
        raise RunError(f"{what}; name one that ended ok")
    task = experiment.task
    if task.kind is TaskKind.LIFE:
        raise EvogenError(
            f"the task of {experiment.name} teaches its agents through their output neurons, for which an "
            "exported program has no input: it cannot be exported"
        )
    cells = None
    if task.kind is TaskKind.CLASSIFICATION:
        cells = environment.cells_of(cast("ClassificationTask", task))
    genome, posed = run.tuned_genome(ref), problem(experiment, "cpu")
    network, sizes = born(posed, genome, agent)
    key = posed.key.child("report", genome.id).child("export")
    numbers = range(0 if cells else episodes)
    return _Choice(
        experiment,
        genome,
        agent,
        network,
        Step(pruned(network, sizes), environment.action(task)),
        key,
        tuple(key.child("episode", number).integer() for number in numbers),
        cells,
    )


def _write(chosen: _Choice, about: dict[str, Any], folder: Path, *, with_onnx: bool) -> dict[str, Any]:
    """Write all files and return the card."""
    task, cells = chosen.experiment.task, chosen.cells
    _json(folder / "environment.json", environment.described(task, chosen.network, cells))
    if cells is not None:
        environment.write_examples(cells, folder / environment.EXAMPLES)
    seeds = {"experiment": chosen.experiment.seed, "agent": chosen.agent, "episodes": chosen.seeds}
    _json(folder / "seeds.json", seeds)
    (folder / "genome.json").write_text(chosen.genome.json, encoding="utf-8")
    (folder / "genome.safetensors").write_bytes(save(dict(chosen.genome.arrays)))
    card = about | {
        "expected": expected(task, chosen.network, chosen.seeds, chosen.key.child("interval")),
        "checked": _programs(chosen, folder, about, with_onnx=with_onnx),
        "program": _signature(chosen.step, with_onnx=with_onnx),
    }
    if with_onnx:
        runner = "play.py" if cells is None else "classify.py"
        content = files("evogen.export").joinpath("runners", runner).read_bytes()
        (folder / "run.py").write_bytes(content)
    card["files"] = {path.name: _sha256(path) for path in sorted(folder.iterdir())}
    _json(folder / "agent.json", card)
    return card


def born(posed: Problem, genome: Genome, agent: int | None) -> tuple[Network, tuple[int, ...]]:
    """Return the network of one agent, or the expected one, and the neurons of each level without padding."""
    torch.set_num_threads(posed.threads)
    phenotype = developed(posed, genome)
    if agent is None:
        return phenotype.network(phenotype.flat).detach(), phenotype.bodies[0].sizes
    key = posed.key.child("report", genome.id).child("birth")
    found = phenotype.agents(phenotype.flat, [key], replace(posed.birth, agents=agent + 1)).detach()
    return _row(found, agent), phenotype.bodies[0].sizes


def _row(network: Network, row: int) -> Network:
    """Return one row of a network."""
    one = slice(row, row + 1)
    traits = network.traits
    parts = (traits.activation, traits.neuron, traits.rule)
    cut = [{name: value[one] for name, value in part.items()} for part in parts]
    return replace(
        network,
        weights=tuple(part[one] for part in network.weights),
        biases=tuple(part[one] for part in network.biases),
        traits=replace(traits, activation=cut[0], neuron=cut[1], rule=cut[2]),
        lens=None if network.lens is None else type(network.lens)(*(part[one] for part in network.lens)),
    )


def _programs(chosen: _Choice, folder: Path, about: Mapping[str, Any], *, with_onnx: bool) -> dict[str, Any]:
    """Write the programs; return by how much they differ from the network that evogen scores."""
    step = chosen.step
    program = traced(step)
    with quiet():
        torch.export.save(program, folder / "agent.pt2")
        loaded = torch.export.load(folder / "agent.pt2").module()
    runs: dict[str, Program] = {"agent.pt2": loaded}
    if with_onnx:
        words = {name: str(about[name]) for name in ("candidate", "genome", "run", "fingerprint")}
        onnx.write(program, step, folder / "agent.onnx", about=words)
        runs["agent.onnx"] = onnx.session(folder / "agent.onnx")
    steps = LIFE if step.names else 1
    observations = probes(chosen.network, chosen.key, steps)
    differ = {name: difference(chosen.network, step, found, observations) for name, found in runs.items()}
    return {"observations": OBSERVATIONS, "steps": steps, "largest relative difference": differ}


def _about(run: Run, ref: Ref, chosen: _Choice) -> dict[str, Any]:
    row, agent = run.row(ref), chosen.agent
    return {
        "what": "the expected network" if agent is None else f"agent {agent} of those born for the report",
        "experiment": chosen.experiment.name,
        "run": run.path.resolve().name,
        "fingerprint": run.fingerprint(),
        "candidate": str(ref),
        "genome": row.genome,
        "tuned genome": chosen.genome.id,
        "fitness in the search": row.fitness,
        "versions": {name: _version(name) for name in _PACKAGES},
    }


def _signature(step: Step, *, with_onnx: bool) -> dict[str, Any]:
    example = step.example(1)
    shapes = [["batch", *part.shape[1:]] for part in example]
    state = dict(zip(step.names, shapes[1:], strict=True))
    found = {
        "inputs": {"observation": shapes[0], **{f"state.{name}": shape for name, shape in state.items()}},
        "outputs": ["output", "action", *(f"next.{name}" for name in step.names)],
        "number": str(step.network.dtype).removeprefix("torch."),
        "state begins with": 0.0,
    }
    return found | ({"opset": onnx.OPSET} if with_onnx else {})


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=2, allow_nan=False) + "\n", encoding="utf-8")


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
