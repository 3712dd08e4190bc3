"""Run an experiment, go on with a run, open a run."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from typing import Any

import torch

from evogen.budget import finished
from evogen.engine import Committed, Event, drive
from evogen.errors import RunError, SpecError
from evogen.evaluation import Problem, evaluate
from evogen.evaluators import Evaluator, Serial
from evogen.experiment import changes
from evogen.experiment.environment import describe, drift
from evogen.experiment.spec import GRAMMAR, Experiment
from evogen.keys import Key
from evogen.mirror import EVERY, Mirror, mirrored
from evogen.mounts import network
from evogen.runs import Run
from evogen.sinks import Sink, feeding
from evogen.strategies.goals import Goals

OnEvent = Callable[[Event], None]
OnNotice = Callable[[str], None]


def run(
    experiment: Experiment,
    *,
    workers: int = 0,
    cpus: float = 1.0,
    gpus: float = 0.0,
    address: str | None = None,
    device: str = "cpu",
    out: str | Path | None = None,
    mirror: str | None = None,
    mirror_every: int = EVERY,
    sinks: Sequence[Sink] = (),
    on_event: OnEvent = lambda _: None,
    on_notice: OnNotice = lambda _: None,
) -> Run:
    """Make a run folder, search until the budget is spent, and return the run, open for writing.

    SIGINT and SIGTERM end the search between two commits (see `evogen.shutdown`); `evogen.budget.finished` is
    then False.

    Args:
        experiment: from `load`.
        workers: Ray actors to evaluate on; 0 evaluates in this process. The results are the same.
        cpus: processors of each worker; a fraction is a share of one.
        gpus: of each worker, likewise.
        address: of a running Ray cluster for the workers; by default one is started on this machine.
        device: where torch computes, such as `cpu` or `cuda`.
        out: the new folder; `runs/NAME` by default.
        mirror: a folder's path or fsspec URL that a copy of the run is kept at, see `evogen.mirror`.
        mirror_every: cohorts between two uploads.
        sinks: brought up to what is committed, beside the search; see `evogen.trackers`.
        on_event: called whenever a cohort was submitted or committed.
        on_notice: told of what the user should know of, in a sentence.

    Raises:
        EvogenError: the device, the cluster or the folder cannot be used; then nothing was written. A mirror
            of something else is found out once the folder is made.
    """

    def create() -> Run:
        folder = Path(out or Path("runs") / experiment.name)
        return Run.create(
            folder,
            experiment=experiment.yaml,
            files={GRAMMAR: experiment.grammar.encode(), **experiment.files},
            environment=describe(device),
            goals=Goals(experiment.search.objectives, experiment.search.constraints),
        )

    return _search(
        experiment,
        create,
        workers=workers,
        cpus=cpus,
        gpus=gpus,
        address=address,
        device=device,
        mirror=mirror,
        mirror_every=mirror_every,
        sinks=sinks,
        on_event=on_event,
        on_notice=on_notice,
    )


def resume(
    path: str | Path,
    *,
    workers: int = 0,
    cpus: float = 1.0,
    gpus: float = 0.0,
    address: str | None = None,
    device: str | None = None,
    overrides: Sequence[str] = (),
    mirror: str | None = None,
    mirror_every: int = EVERY,
    sinks: Sequence[Sink] = (),
    on_event: OnEvent = lambda _: None,
    on_notice: OnNotice = lambda _: None,
) -> Run:
    """Go on with a run where its last commit left it, as `run` does; `device` is the run's own by default.

    A finished run is opened for writing, and no worker is started. `on_notice` is told if this machine or its
    libraries differ from those that the run began on; the difference is logged in the run.

    `overrides` change settings from here on, each `PATH=VALUE`; `evogen.experiment.changes` says which ones
    may. They are logged in the run and hold for its rest.

    Raises:
        SpecError: a setting that may not change.
    """
    with Run.open(Path(path)) as found:
        experiment, new = changes.changed(found, overrides)
        before, done = device_of(found), finished(found, experiment.search)

    def go_on() -> Run:
        found = Run.open(Path(path), write=True)
        now = describe(device or before)
        if changed := drift(_environment(found), now):
            found.log("environment changed", what=changed)
            on_notice(f"results may differ in their last bits from here on: {', '.join(changed)}")
        changes.log(found, new, now["versions"])
        return found

    if done:
        with ExitStack() as failed:
            kept = failed.enter_context(go_on() if new else Run.open(Path(path), write=True))
            with mirrored(kept, None if mirror is None else Mirror(mirror), notice=on_notice):
                failed.pop_all()
        return kept

    return _search(
        experiment,
        go_on,
        workers=workers,
        cpus=cpus,
        gpus=gpus,
        address=address,
        device=device or before,
        mirror=mirror,
        mirror_every=mirror_every,
        sinks=sinks,
        on_event=on_event,
        on_notice=on_notice,
    )


def open(path: str | Path) -> Run:
    """Open a run folder for reading.

    Raises:
        RunError: no such folder, no run, damaged, or of another schema version.
    """
    return Run.open(Path(path))


def experiment_of(run: Run, overrides: Sequence[str] = ()) -> Experiment:
    """Return the experiment of a run: what it was made from, and what was changed since.

    Args:
        run: open.
        overrides: further changes, as `resume` would make them.

    Raises:
        SpecError: experiment.yaml is damaged, or a setting that may not change.
    """
    found, _ = changes.changed(run, overrides)
    if f"grammar: {GRAMMAR}\n" not in run.text("experiment.yaml"):
        raise RunError(f"{run.path}/experiment.yaml was altered: its grammar is not the run's own {GRAMMAR}")
    return found


def device_of(run: Run) -> str:
    """Return the device that a run was made on.

    Raises:
        RunError: environment.json is damaged.
    """
    return str(_environment(run).get("device", "cpu"))


def moved(run: Run, device: str | None = None) -> list[str]:
    """Say what differs here from where a run was made, of what may change the bits of a result."""
    return drift(_environment(run), describe(device or device_of(run)))


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
        racing=experiment.racing,
        seconds=experiment.compute.seconds,
        metrics=experiment.metrics,
    )


def _search(
    experiment: Experiment,
    opened: Callable[[], Run],
    *,
    workers: int,
    cpus: float,
    gpus: float,
    address: str | None,
    device: str,
    mirror: str | None,
    mirror_every: int,
    sinks: Sequence[Sink],
    on_event: OnEvent,
    on_notice: OnNotice,
) -> Run:
    usable(device)
    copy = None if mirror is None else Mirror(mirror)
    with ExitStack() as failed:
        posed = problem(experiment, device)

        def log(kind: str, **payload: Any) -> None:
            found.log(kind, **payload)
            if kind == "waiting for room":
                on_notice(f"no worker has started: the cluster has no room for {payload['each_worker']} yet")

        chosen = _evaluator(
            posed, experiment.compute.timeout, address, workers=workers, cpus=cpus, gpus=gpus, log=log
        )
        if workers == 0 and experiment.compute.timeout is not None:
            on_notice("compute.timeout is not kept without --workers: nothing can end what hangs here")
        with closing(chosen) as evaluator:
            found = failed.enter_context(opened())
            _warn_of_network(found, on_notice)
            with (
                mirrored(found, copy, every=mirror_every, notice=on_notice) as turn,
                feeding(found, sinks, notice=on_notice) as feed,
            ):

                def tell(event: Event) -> None:
                    on_event(event)
                    if isinstance(event, Committed):
                        turn()
                        feed()

                drive(
                    found,
                    experiment.strategy,
                    evaluator,
                    space=experiment.space,
                    inheritance=experiment.inheritance,
                    search=experiment.search,
                    key=posed.key,
                    on_event=tell,
                )
        failed.pop_all()
    return found


def _warn_of_network(run: Run, on_notice: OnNotice) -> None:
    if (kind := network(run.path)) is not None:
        run.log("network file system", what=kind)
        on_notice(
            f"{run.path} lies on a network file system ({kind}): locks may not hold and a lost connection "
            "may damage run.db: a local folder with --mirror is safer"
        )


def _evaluator(
    problem: Problem,
    timeout: float | None,
    address: str | None,
    *,
    workers: int,
    cpus: float,
    gpus: float,
    log: Callable[..., None],
) -> Evaluator:
    work = partial(evaluate, problem)
    if workers > 0:
        from evogen.distributed.workers import RayEvaluator  # ray takes seconds to import

        return RayEvaluator(
            work,
            workers=workers,
            cpus=cpus,
            gpus=gpus,
            address=address,
            threads=problem.threads,
            timeout=timeout,
            raced=problem.racing is not None,
            log=log,
        )
    if address is not None:
        raise SpecError(f"--address {address} needs workers: add --workers N with N above 0")
    return Serial(work)


def usable(device: str) -> str:
    """Return the device, if torch can use it here.

    Raises:
        SpecError: it cannot.
    """
    try:
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        first = str(error).splitlines()[0]
        raise SpecError(f"--device {device}: torch cannot use it ({first}); 'cpu' always works") from error
    return device
