"""What the engine costs beside the work, and how busy it keeps its workers.

    overhead   ms per null candidate beyond start-up, with everything stored: real genomes of two spaces,
               drawn or bred, in this process and on two Ray workers; beside Ray Tune (actors reused) and
               Optuna (journal, SQLite) on the same objective of two numbers
    busy       share of the workers' time spent evaluating, where evaluations take from 1 to 20 units: the
               ordered pipeline, and beside it a generational barrier over the same evaluations
    crowd      the same share for 200 sleeping workers on a hundredth of a processor each, one driver
    memory     kB of the driver's memory per candidate over a long search: slope of a least-squares line

Busy shares count from when the last worker began its first evaluation to the last submission. Ray Tune needs
`pip install 'ray[tune]'`, and is left out otherwise.

`python benchmarks/engine.py [--quick] [--json FILE] [--only PART,PART] [--profile]`
"""

from __future__ import annotations

import argparse
import cProfile
import json
import math
import os
import platform
import pstats
import resource
import shlex
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from evogen.cohort import Cohort, Evaluation, Individual, Outcome
from evogen.distributed.workers import RayEvaluator
from evogen.engine import Asked, Committed, drive
from evogen.evaluators import Evaluator, Serial
from evogen.experiment import load
from evogen.genome import Gene, Genome
from evogen.keys import Key
from evogen.runs import Run
from evogen.schema import Inheritance, Search
from evogen.space import Log, SearchSpace, Uniform
from evogen.strategies.genetic import Genetic
from evogen.strategies.random import Random

ROOT = Path(__file__).parent.parent
TARGETS = {"overhead": 0.1, "busy": 0.95, "crowd": 0.9, "memory": 1.0}
SPREAD = 20.0
PARTS = ("overhead", "busy", "crowd", "memory")


@dataclass(frozen=True)
class Size:
    """How much is measured.

    Attributes:
        candidates: of each row of `overhead`.
        trials: of Ray Tune and Optuna.
        busy: workers of `busy`, and cohorts for each of them.
        crowd: the same of `crowd`.
        unit: seconds of the shortest evaluation in `busy`; in `crowd` they take 50 to 150 of it.
        memory: candidates of `memory`.
    """

    candidates: int = 10_000
    trials: int = 1_000
    busy: tuple[int, int] = (8, 50)
    crowd: tuple[int, int] = (200, 8)
    unit: float = 0.05
    memory: int = 100_000


QUICK = Size(500, 20, (2, 12), (4, 4), 0.01, 5_000)


def null(cohort: Cohort) -> tuple[Evaluation, ...]:
    """Evaluate at no cost: the fitness is a number of the genome."""
    return tuple(_nothing(one.genome.plasticity) for one in cohort.individuals)


def _nothing(plasticity: Any) -> Evaluation:
    fitness = math.fsum(plasticity.values())
    return Evaluation(Outcome.OK, fitness, (fitness,))


def asleep(seconds: Callable[[int], float], cohort: Cohort) -> tuple[Evaluation, ...]:
    """Sleep as long as the cohort's number says; the metrics tell when, where and in how many MB."""
    began = time.time()
    time.sleep(seconds(cohort.index))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    told = {"began": began, "ended": time.time(), "process": float(os.getpid()), "megabytes": peak}
    return tuple(Evaluation(Outcome.OK, 0.0, (0.0,), told) for _ in cohort.individuals)


def spread(unit: float, index: int) -> float:
    """Return seconds, log-uniform in [1, SPREAD] units."""
    return unit * SPREAD ** float(Key(7).child("spread", index).generator().random())


def crowded(unit: float, index: int) -> float:
    """Return seconds, uniform in [50, 150] units."""
    return unit * (50 + 100 * float(Key(7).child("crowd", index).generator().random()))


class Fixed:
    """Gives the same genome always; for what does not depend on the genome."""

    def start(self) -> dict[str, Any]:
        return {}

    def ask(self, _: Any, __: int, size: int, **___: Any) -> tuple[Individual, ...]:
        return (Individual(Genome(None, Gene(0, ()), ())),) * size

    def tell(self, state: Any, _: Any, **__: Any) -> Any:
        return state


def spaces() -> dict[str, SearchSpace]:
    """Return two numbers alone, as Optuna's trials have, and all that searchspaces/cartpole.yaml evolves."""
    whole = load(ROOT / "searchspaces/cartpole.yaml").space
    held = replace(whole.architecture, evolve=False)
    numbers = {"learner.gae_lambda": Uniform(0.0, 1.0), "learner.learning_rate": Log(1e-3, 1.0)}
    return {"two numbers": SearchSpace(None, held, numbers), "whole genome": whole}


@contextmanager
def new_run() -> Iterator[Run]:
    with tempfile.TemporaryDirectory(prefix="evogen-engine-") as folder:
        made = Run.create(Path(folder) / "run", experiment="name: engine\n", files={}, environment={})
        with made as run:
            yield run


def search(
    run: Run,
    evaluator: Evaluator,
    settings: Search,
    *,
    strategy: Any,
    space: Any = None,
    on_event: Callable[[Any], None] = lambda _: None,
) -> float:
    """Return the seconds of a search."""
    start = time.perf_counter()
    drive(
        run,
        strategy,
        evaluator,
        space=space,
        inheritance=Inheritance.BALDWINIAN,
        search=settings,
        key=Key(1),
        on_event=on_event,
    )
    return time.perf_counter() - start


def on_ray(evaluate: Any, workers: int, cpus: float = 1.0) -> RayEvaluator:
    return RayEvaluator(evaluate, workers=workers, cpus=cpus, log=lambda *_, **__: None)


def ours(size: Size) -> dict[str, float]:
    """Return ms per candidate by row."""
    found = {}
    each = 250
    settings = Search(cohorts=math.ceil(size.candidates / each), cohort_size=each, lookahead=4)
    for name, space in spaces().items():
        for law, strategy in (("random", Random()), ("genetic", Genetic())):
            for place, make in (
                ("serial", partial(Serial, null)),
                ("Ray, 2 workers", partial(on_ray, null, 2)),
            ):
                with new_run() as run, closing(make()) as evaluator:
                    if place != "serial":
                        _wait_for_all(evaluator)
                    seconds = search(run, evaluator, settings, strategy=strategy, space=space)
                found[f"{name}, {law}, {place}"] = 1e3 * seconds / (settings.cohorts * each)
    return found


def optuna_trials(size: Size) -> dict[str, float]:
    """Return ms per trial of Optuna's random sampler by storage."""
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    optuna.logging.set_verbosity(optuna.logging.WARNING)

    def objective(trial: Any) -> float:
        return float(trial.suggest_float("a", 0.0, 1.0) + trial.suggest_float("b", 1e-3, 1.0, log=True))

    found = {}
    with tempfile.TemporaryDirectory() as folder:
        storages = {
            "journal": JournalStorage(JournalFileBackend(f"{folder}/journal.log")),
            "SQLite": f"sqlite:///{folder}/optuna.db",
        }
        for name, storage in storages.items():
            study = optuna.create_study(storage=storage, sampler=optuna.samplers.RandomSampler(seed=1))
            study.optimize(objective, n_trials=3)
            start = time.perf_counter()
            study.optimize(objective, n_trials=size.trials)
            found[f"Optuna, {name}"] = 1e3 * (time.perf_counter() - start) / size.trials
    return found


def tune_trials(size: Size) -> dict[str, float]:
    """Return ms per trial of Ray Tune with two reused actors; nothing where it is not installed."""
    os.environ |= {"RAY_AIR_NEW_OUTPUT": "0", "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1"}
    try:
        import ray
        from ray import tune
    except ImportError as error:
        print(f"Ray Tune: not measured ({error})")
        return {}

    class Null(tune.Trainable):  # type: ignore[misc]
        def setup(self, config: dict[str, float]) -> None:
            self.config = config

        def reset_config(self, new_config: dict[str, float]) -> bool:
            self.config = new_config
            return True

        def step(self) -> dict[str, Any]:
            return {"fitness": self.config["a"] + self.config["b"], "done": True}

        def save_checkpoint(self, checkpoint_dir: str) -> None:
            pass

        def load_checkpoint(self, checkpoint: Any) -> None:
            pass

    ray.init(address="local", num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="ERROR")

    ended: list[float] = []

    class Watch(tune.Callback):  # type: ignore[misc]
        def on_trial_complete(self, **_: Any) -> None:
            ended.append(time.perf_counter())

    def fit(trials: int, folder: str) -> None:
        tune.Tuner(
            Null,
            param_space={"a": tune.uniform(0, 1), "b": tune.loguniform(1e-3, 1)},
            tune_config=tune.TuneConfig(num_samples=trials, reuse_actors=True, max_concurrent_trials=2),
            run_config=tune.RunConfig(storage_path=folder, verbose=0, callbacks=[Watch()]),
        ).fit()

    trials = max(size.trials // 4, 8)
    try:
        with tempfile.TemporaryDirectory() as folder:
            fit(trials, folder)
        return {"Ray Tune, actors reused": 1e3 * (ended[-1] - ended[2]) / (trials - 3)}  # two start up
    finally:
        ray.shutdown()


def overhead(size: Size) -> dict[str, Any]:
    return {"ms": {**ours(size), **optuna_trials(size), **tune_trials(size)}}


def shares(spans: list[tuple[float, float, float]], workers: int, end: float) -> float:
    """Return the busy share of `workers` processes between the last one's first beginning and `end`.

    Args:
        spans: process, beginning and end of each evaluation.
        workers: how many there are.
        end: of the time that counts.
    """
    first: dict[float, float] = {}
    for process, began, _ in spans:
        first[process] = min(began, first.get(process, began))
    assert len(first) == workers, f"{len(first)} of {workers} workers were used"
    start = max(first.values())
    assert end > start, "the last worker began after the last submission: measure longer"
    busy = math.fsum(max(0.0, min(stop, end) - max(began, start)) for _, began, stop in spans)
    return busy / (workers * (end - start))


def pipeline(seconds: Any, workers: int, each: int, *, cpus: float) -> dict[str, Any]:
    """Return the busy share of the ordered pipeline, and what the workers and the driver weigh."""
    spans: list[tuple[float, float, float]] = []
    submitted, megabytes = [0.0], [0.0]

    def see(event: Any) -> None:
        if isinstance(event, Asked):
            submitted[0] = time.time()
        if isinstance(event, Committed):
            told = event.evaluations[0].metrics
            spans.append((told["process"], told["began"], told["ended"]))
            megabytes.append(told["megabytes"])

    settings = Search(cohorts=workers * each, cohort_size=1, lookahead=4 * workers, snapshot_every=10**6)
    with new_run() as run, closing(on_ray(partial(asleep, seconds), workers, cpus)) as evaluator:
        _wait_for_all(evaluator)
        spent = resource.getrusage(resource.RUSAGE_SELF)
        wall = search(run, evaluator, settings, strategy=Fixed(), on_event=see)
        now = resource.getrusage(resource.RUSAGE_SELF)
    used = now.ru_utime + now.ru_stime - spent.ru_utime - spent.ru_stime
    return {
        "busy": shares(spans, workers, submitted[0]),
        "workers": workers,
        "evaluations": len(spans),
        "seconds": wall,
        "driver_cpu_ms_per_evaluation": 1e3 * used / len(spans),
        "worker_peak_megabytes": statistics.median(megabytes[1:]),
    }


def barrier(seconds: Any, workers: int, each: int) -> float:
    """Return the busy share where a generation of one evaluation a worker waits for its last."""
    spans, end = [], 0.0
    with closing(on_ray(partial(asleep, seconds), workers, 0.1)) as evaluator:
        _wait_for_all(evaluator)
        for generation in range(each):
            for row in range(workers):
                evaluator.submit(Cohort(generation * workers + row, Fixed().ask({}, row, 1)))
            end = time.time()
            for _ in range(workers):
                result = evaluator.collect()
                assert result is not None
                told = result.evaluations[0].metrics
                spans.append((told["process"], told["began"], told["ended"]))
    return shares(spans, workers, end)


def _wait_for_all(evaluator: RayEvaluator) -> None:
    """Return when every worker has evaluated something; cohorts below 0 are no part of a search."""
    seen: set[str] = set()
    index = -1
    while len(seen) < evaluator.slots:
        for _ in range(evaluator.slots):
            evaluator.submit(Cohort(index, Fixed().ask({}, index, 1)))
            index -= 1
        for _ in range(evaluator.slots):
            result = evaluator.collect()
            assert result is not None
            seen.add(result.worker)


def busy(size: Size) -> dict[str, Any]:
    workers, each = size.busy
    seconds = partial(spread, size.unit)
    found = pipeline(seconds, workers, each, cpus=0.1)
    return found | {"barrier": barrier(seconds, workers, each)}


def crowd(size: Size) -> dict[str, Any]:
    workers, each = size.crowd
    return pipeline(partial(crowded, size.unit), workers, each, cpus=0.01)


def memory(size: Size) -> dict[str, Any]:
    """Return the slope of the driver's memory over a search on two workers, its first fifth left out."""
    each, seen = 250, []
    settings = Search(cohorts=size.memory // each, cohort_size=each, lookahead=4)
    pages = resource.getpagesize() / 1024

    def see(event: Any) -> None:
        if isinstance(event, Committed):
            seen.append(int(Path("/proc/self/statm").read_text().split()[1]) * pages)

    space = spaces()["two numbers"]
    with new_run() as run, closing(on_ray(null, 2)) as evaluator:
        search(run, evaluator, settings, strategy=Random(), space=space, on_event=see)
    late = seen[len(seen) // 5 :]
    slope = float(np.polyfit(each * np.arange(len(late)), late, 1)[0])
    return {
        "candidates": settings.cohorts * each,
        "kB_per_candidate": slope,
        "first_kB": seen[0],
        "last_kB": seen[-1],
    }


def profile(size: Size) -> dict[str, list[dict[str, Any]]]:
    """Return what the driver's time goes into by space: functions by own time."""
    found = {}
    each = 250
    settings = Search(cohorts=max(size.candidates // 4 // each, 2), cohort_size=each, lookahead=4)
    for name, space in spaces().items():
        watch = cProfile.Profile()
        with new_run() as run:
            watch.runcall(search, run, Serial(null), settings, strategy=Random(), space=space)
        stats = pstats.Stats(watch)
        total = stats.total_tt  # type: ignore[attr-defined]
        rows = sorted(stats.stats.items(), key=lambda item: -item[1][2])[:14]  # type: ignore[attr-defined]
        found[name] = [
            {
                "function": f"{Path(file).name}:{line} {function}",
                "share": own / total,
                "calls_per_candidate": calls / (settings.cohorts * each),
            }
            for (file, line, function), (_, calls, own, _, _) in rows
        ]
    return found


def lines_of(part: str, found: Any) -> list[str]:
    target = TARGETS[part]
    if part == "overhead":
        rows = [f"  {name:40}{value:10.3f} ms" for name, value in found["ms"].items()]
        return [f"overhead, ms a candidate (target {target:g})", *rows]
    if part == "memory":
        value, many = found["kB_per_candidate"], f"{found['candidates']:,}"
        return [f"memory of the driver: {value:.3f} kB a candidate, over {many} (target {target:g})"]
    beside = f"; generational barrier {found['barrier']:.1%}" if "barrier" in found else ""
    return [
        f"{part}: {found['busy']:.1%} of {found['workers']} workers' time (target {target:.0%}){beside}; "
        f"{found['evaluations']} evaluations in {found['seconds']:.1f} s, "
        f"{found['driver_cpu_ms_per_evaluation']:.1f} ms of the driver's processor each, "
        f"{found['worker_peak_megabytes']:.0f} MB a worker"
    ]


def versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in ("evogen", "ray", "optuna", "numpy", "torch"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="seconds instead of minutes; proves nothing")
    parser.add_argument("--json", metavar="FILE", help="write what is printed there")
    parser.add_argument("--only", default=",".join(PARTS), metavar="PART,PART", help=", ".join(PARTS))
    parser.add_argument("--profile", action="store_true", help="say what the driver's time goes into")
    options = parser.parse_args(arguments)
    size = QUICK if options.quick else Size()
    parts = {"overhead": overhead, "busy": busy, "crowd": crowd, "memory": memory}
    found: dict[str, Any] = {}
    for part in options.only.split(","):
        found[part] = parts[part](size)
        print("\n".join(lines_of(part, found[part])), flush=True)
    if options.profile:
        found["profile"] = profile(size)
        for name, rows in found["profile"].items():
            print(f"profile, {name}")
            for row in rows:
                print(
                    f"  {row['share']:6.1%} {row['calls_per_candidate']:8.2f} a candidate  {row['function']}"
                )
    if options.json:
        record = {
            "command": shlex.join(["benchmarks/engine.py", *(arguments or sys.argv[1:])]),
            "versions": versions(),
            "cores": os.cpu_count(),
            "targets": TARGETS,
            **found,
        }
        Path(options.json).write_text(json.dumps(record, indent=2))


if __name__ == "__main__":
    main()
