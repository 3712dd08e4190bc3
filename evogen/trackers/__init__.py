"""Trackers: a run's log as others show it, TensorBoard or MLflow; each is a sink (`evogen.sinks`).

    tensorboard:DIR    event files in DIR/NAME; `tensorboard --logdir DIR` shows them
    mlflow:URI         a run of the experiment NAME in that store: sqlite:///FILE, http://HOST:PORT

What is told of each committed cohort says `evogen.trackers.cohorts`. A tracker goes on where it stopped, in
any process, and tells nothing twice. Each needs the extra of its name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from evogen.errors import EvogenError, RunError, SpecError, near
from evogen.sinks import Sink


def _tensorboard(place: str) -> Sink:
    from evogen.trackers.tensorboard import TensorBoard

    return TensorBoard(Path(place))


def _mlflow(place: str) -> Sink:
    from evogen.trackers.mlflow import MLflow

    return MLflow(place)


KINDS: Mapping[str, Callable[[str], Sink]] = {"mlflow": _mlflow, "tensorboard": _tensorboard}


def tracker(written: str) -> Sink:
    """Return the tracker that `KIND:PLACE` names.

    Raises:
        SpecError: no such kind, no place, or the extra of that name is not installed.
    """
    kind, _, place = written.partition(":")
    if kind not in KINDS:
        raise SpecError(f"'{written}': wanted tensorboard:DIR or mlflow:URI{near(kind, KINDS)}")
    if not place:
        raise SpecError(
            f"'{written}' names no place: wanted {kind}:{'DIR' if kind == 'tensorboard' else 'URI'}"
        )
    try:
        return KINDS[kind](place)
    except ImportError as error:
        what = f"--track {kind} needs {error.name}: pip install 'evogen[{kind}]'"
        raise SpecError(what) from None


def track(folder: Path, written: Sequence[str]) -> dict[str, int]:
    """Bring trackers up to what is committed in a run folder; return the cohorts that each has now, by name.

    Raises:
        SpecError: see `tracker`.
        RunError: a tracker holds another run, or fails.
    """
    found: dict[str, int] = {}
    with ExitStack() as stack:
        for text in written:
            sink = tracker(text)
            stack.callback(sink.close)
            found[sink.name] = _pushed(sink, folder)
    return found


def _pushed(sink: Sink, folder: Path) -> int:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1, "sink") as pool:
        push = pool.submit(sink.push, folder)
        error = push.exception()
    if error is None or isinstance(error, EvogenError):
        return push.result()
    raise RunError(f"{sink.name}: {type(error).__name__}: {error}") from error
