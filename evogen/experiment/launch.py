"""Run an experiment, go on with a run, open a run."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from typing import Any

import torch

from evogen.engine import Event, drive
from evogen.errors import RunError, SpecError
from evogen.evaluation import Evaluator, Problem, Serial, evaluate
from evogen.experiment.environment import describe, drift
from evogen.experiment.spec import GRAMMAR, Experiment, load
from evogen.keys import Key
from evogen.runs import Run

OnEvent = Callable[[Event], None]
Log = Callable[..., None]


def run(
    experiment: Experiment,
    *,
    workers: int = 0,
    address: str | None = None,
    device: str = "cpu",
    out: str | Path | None = None,
    on_event: OnEvent = lambda _: None,
) -> Run:
    """Make a run folder, search until every cohort is committed, and return the run, open for writing.

    A KeyboardInterrupt ends the search between two commits; `run.told` is then below `search.cohorts`.

    Args:
        experiment: from `load`.
        workers: Ray actors to evaluate on; 0 evaluates in this process. The results are the same.
        address: of a running Ray cluster for the workers; by default one is started on this machine.
        device: where torch computes, such as `cpu` or `cuda`.
        out: the new folder; `runs/NAME` by default.
        on_event: called whenever a cohort was submitted or committed.

    Raises:
        EvogenError: the device, the cluster or the folder cannot be used; then nothing was written.
    """

    def create() -> Run:
        folder = Path(out or Path("runs") / experiment.name)
        files = {GRAMMAR: experiment.grammar}
        return Run.create(folder, experiment=experiment.yaml, files=files, environment=describe(device))

    return _search(experiment, create, workers=workers, address=address, device=device, on_event=on_event)


def resume(
    path: str | Path,
    *,
    workers: int = 0,
    address: str | None = None,
    device: str | None = None,
    on_event: OnEvent = lambda _: None,
    on_notice: Callable[[str], None] = lambda _: None,
) -> Run:
    """Go on with a run where its last commit left it, as `run` does; `device` is the run's own by default.

    A finished run is opened for writing, and no worker is started. `on_notice` is told if this machine or its
    libraries differ from those that the run began on; the difference is logged in the run.
    """
    with Run.open(Path(path)) as found:
        experiment, before, told = experiment_of(found), device_of(found), found.told
    if told >= experiment.search.cohorts:
        return Run.open(Path(path), write=True)

    def go_on() -> Run:
        found = Run.open(Path(path), write=True)
        changed = drift(_environment(found), describe(device or before))
        if changed:
            found.log("environment changed", what=changed)
            on_notice(f"results may differ in their last bits from here on: {', '.join(changed)}")
        return found

    return _search(
        experiment,
        go_on,
        workers=workers,
        address=address,
        device=device or before,
        on_event=on_event,
    )


def open(path: str | Path) -> Run:
    """Open a run folder for reading.

    Raises:
        RunError: no such folder, no run, damaged, or of another schema version.
    """
    return Run.open(Path(path))


def experiment_of(run: Run) -> Experiment:
    """Return the experiment that a run was made from."""
    found = load(run.path / "experiment.yaml")
    if f"grammar: {GRAMMAR}\n" not in run.text("experiment.yaml"):
        raise RunError(f"{run.path}/experiment.yaml was altered: its grammar is not the run's own {GRAMMAR}")
    return found


def device_of(run: Run) -> str:
    """Return the device that a run was made on.

    Raises:
        RunError: environment.json is damaged.
    """
    return str(_environment(run).get("device", "cpu"))


def _environment(run: Run) -> dict[str, Any]:
    try:
        return dict(json.loads(run.text("environment.json")))
    except (TypeError, ValueError) as error:
        raise RunError(f"{run.path}/environment.json is damaged: {error}; restore it from a copy") from error


def problem(experiment: Experiment, device: str) -> Problem:
    """Return what an evaluation of this experiment on this device needs."""
    return Problem(
        space=experiment.space,
        task=experiment.task,
        learner=experiment.learner,
        wiring=experiment.wiring,
        rules=experiment.rules,
        birth=experiment.birth,
        key=Key(experiment.seed),
        dtype=experiment.compute.dtype,
        device=device,
        threads=experiment.compute.threads,
        lives=experiment.search.lives,
    )


def _search(
    experiment: Experiment,
    opened: Callable[[], Run],
    *,
    workers: int,
    address: str | None,
    device: str,
    on_event: OnEvent,
) -> Run:
    _usable(device)
    with ExitStack() as failed:
        posed = problem(experiment, device)
        with closing(_evaluator(posed, workers, address, lambda *a, **k: found.log(*a, **k))) as evaluator:
            found = failed.enter_context(opened())
            drive(
                found,
                experiment.strategy,
                evaluator,
                space=experiment.space,
                inheritance=experiment.inheritance,
                search=experiment.search,
                key=posed.key,
                on_event=on_event,
            )
        failed.pop_all()
    return found


def _evaluator(problem: Problem, workers: int, address: str | None, log: Log) -> Evaluator:
    work = partial(evaluate, problem)
    if workers > 0:
        from evogen.distributed.workers import RayEvaluator  # ray takes seconds to import

        return RayEvaluator(work, workers=workers, address=address, threads=problem.threads, log=log)
    if address is not None:
        raise SpecError(f"--address {address} needs workers: add --workers N with N above 0")
    return Serial(work)


def _usable(device: str) -> None:
    try:
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        first = str(error).splitlines()[0]
        raise SpecError(f"--device {device}: torch cannot use it ({first}); 'cpu' always works") from error
