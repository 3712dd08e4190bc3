"""What runs inside a worker process; beside Ray it imports nothing that the evaluate function does not."""

from __future__ import annotations

import pickle
import platform
import time
import traceback
from collections.abc import Callable, Mapping
from importlib import metadata
from typing import NamedTuple

import ray

from evogen.cohort import Cohort, Evaluation
from evogen.stopwatch import taken

COMPARED = ("evogen", "torch", "numpy")


class Greeting(NamedTuple):
    """What a worker says of itself: the node's Ray id, its host's name, versions by package, any trouble."""

    node: str
    host: str
    versions: Mapping[str, str]
    trouble: str


class Returned(NamedTuple):
    """Evaluations in row order, and the seconds that they took, also by what the worker did."""

    evaluations: tuple[Evaluation, ...]
    seconds: float
    parts: Mapping[str, float]


class Actor:
    """Holds the evaluate function for as long as the worker lives.

    Args:
        wanted: versions of the driver.
        parcel: the pickled evaluate function; opened only where the versions agree.
    """

    def __init__(self, wanted: Mapping[str, str], parcel: bytes) -> None:
        found, trouble = versions(), ""
        if not differences(wanted, found):
            try:
                self._evaluate: Callable[[Cohort], tuple[Evaluation, ...]] = pickle.loads(parcel)  # noqa: S301
            except Exception:  # noqa: BLE001 (said to the driver, which gives the worker up)
                trouble = traceback.format_exc()
        self._greeting = Greeting(ray.get_runtime_context().get_node_id(), platform.node(), found, trouble)

    def greet(self) -> Greeting:
        """Return as soon as the worker has started."""
        return self._greeting

    def work(self, cohort: Cohort) -> Returned:
        """Evaluate a cohort."""
        taken()
        start = time.perf_counter()
        evaluations = self._evaluate(cohort)
        return Returned(evaluations, time.perf_counter() - start, taken())


def versions() -> dict[str, str]:
    """Return the versions that results depend on, by package; the build of torch (`+cpu`) is left out."""
    return {"python": platform.python_version()} | {name: _version(name) for name in COMPARED}


def _version(package: str) -> str:
    try:
        return metadata.version(package).partition("+")[0]
    except metadata.PackageNotFoundError:
        return "missing"


def differences(wanted: Mapping[str, str], found: Mapping[str, str]) -> list[str]:
    """Return `evogen 0.2.0 here, 0.1.0 there` for every compared package of another version."""
    return [
        f"{name} {wanted[name]} here, {found[name]} there" for name in COMPARED if wanted[name] != found[name]
    ]
