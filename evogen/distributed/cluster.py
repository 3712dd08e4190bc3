"""Joining a Ray cluster, or starting one on this machine."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

import ray
from ray import exceptions

from evogen.distributed.address import check
from evogen.errors import WorkerError


@dataclass(frozen=True)
class Room:
    """What each of so many workers needs; fractions of processors may be shared.

    Raises:
        WorkerError: less than one worker, or less than nothing.
    """

    workers: int
    cpus: float = 1.0
    gpus: float = 0.0

    def __post_init__(self) -> None:
        if self.workers < 1:
            raise WorkerError(f"wanted 1 worker or more, found {self.workers}")
        for name, value in (("cpus", self.cpus), ("gpus", self.gpus)):
            if not 0 <= value < math.inf:
                raise WorkerError(f"{name} of each worker: wanted a number >= 0, found {value:g}")
            if value > 1 and value != int(value):
                raise WorkerError(
                    f"{name} of each worker: wanted a fraction or a whole number, found {value:g}"
                )


def join(room: Room, address: str | None) -> bool:
    """Join a cluster, or start one here with this room; False if this process is in one already.

    Raises:
        WorkerError: nothing answers at the address, no cluster can be started, or this machine lacks GPUs.
    """
    if ray.is_initialized():
        return False
    if address is not None:
        check(address)
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
    try:
        if address is None:
            cpus = math.ceil(room.workers * room.cpus)
            ray.init(address="local", num_cpus=cpus, include_dashboard=False, **quiet)
        else:
            ray.init(address=address, **quiet)
    except Exception as error:  # Ray raises it bare where a node starts too late
        where = "this machine, try again when it is less busy" if address is None else address
        raise WorkerError(f"cannot use Ray on {where}; or evaluate without workers: {error}") from error
    there = ray.cluster_resources().get("GPU", 0.0)
    if address is None and room.workers * room.gpus > there:
        ray.shutdown()
        raise WorkerError(
            f"{room.workers} workers with {room.gpus:g} GPUs each need {room.workers * room.gpus:g}, "
            f"this machine has {there:g}: take fewer workers, or a smaller part of a GPU for each"
        )
    return True


def is_alive(node: str) -> bool:
    """Whether the cluster counts the node of this Ray id among the living."""
    return any(found["NodeID"] == node and found["Alive"] for found in ray.nodes())


def plain(error: exceptions.RayError) -> str:
    """Return an error's text without the colours that Ray gives its tracebacks."""
    return re.sub(r"\x1b\[\d*m", "", str(error))
