"""Doing cells: in this process or in others, each cell where a worker is free and its parent is done.

A cell's numbers follow from its settings alone, so they do not depend on the number of workers.
"""

from __future__ import annotations

import multiprocessing
import multiprocessing.connection
import os
import signal
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from pathlib import Path
from typing import TypeVar

import torch

from evogen.errors import RunError, WorkerError
from evogen.studies.cell import Cell, Result, derive, train
from evogen.studies.store import read, write

Report = Callable[[Cell, Result], None]
_Item = TypeVar("_Item")


def do(folder: Path, cells: Sequence[Cell], *, workers: int, report: Report) -> None:
    """Do cells, parents before their children, and keep each as soon as it is finished.

    Raises:
        WorkerError: a worker died.
    """
    done: set[str] = set()

    def finish(cell: Cell) -> None:
        result = read(folder, cell)
        assert result is not None
        done.add(cell.name)
        report(cell, result)

    names = {cell.name for cell in cells}
    spread(
        sorted(cells, key=lambda item: item.parent is not None),
        partial(work, folder),
        workers=workers,
        finish=finish,
        ready=lambda cell: cell.parent is None or cell.parent.name not in names - done,
    )


def spread(
    items: Sequence[_Item],
    work: Callable[[_Item], None],
    *,
    workers: int,
    finish: Callable[[_Item], None],
    ready: Callable[[_Item], bool] = lambda _: True,
) -> None:
    """Work on items: in this process, in their order, or in others, each where a worker is free.

    Args:
        items: none waits for a later one.
        work: leaves its result in a file; can be sent to a process.
        workers: processes; 1 is this one.
        finish: called here after each.
        ready: whether what an item waits for is finished.

    Raises:
        WorkerError: a worker died.
    """
    waiting = list(items)
    if workers == 1:
        for item in waiting:
            work(item)
            finish(item)
        return
    before = multiprocessing.active_children()
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), initializer=_attend) as pool:
        running: dict[Future[None], _Item] = {}
        try:
            while waiting or running:
                for item in [each for each in waiting if ready(each)]:
                    running[pool.submit(work, item)] = item
                    waiting.remove(item)
                ended, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in ended:
                    item = running.pop(future)
                    future.result()
                    finish(item)
        except BrokenProcessPool as error:
            raise WorkerError(
                "a worker process died (out of memory?); finished cells are kept: "
                "the same command goes on, with fewer --workers if memory is short"
            ) from error
        except BaseException:  # an interrupt must not wait for cells that take an hour
            pool.shutdown(wait=False, cancel_futures=True)
            for child in multiprocessing.active_children():
                if child not in before:
                    child.terminate()
            raise


def _attend() -> None:
    """Leave Ctrl-C to the parent, and end when it has died: its cells may be done by another study then."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    assert parent is not None
    sentinel = parent.sentinel

    def watch() -> None:
        multiprocessing.connection.wait([sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def work(folder: Path, cell: Cell) -> None:
    """Do one cell and keep it."""
    torch.set_num_threads(1)
    if cell.parent is None:
        write(folder, cell, train(cell))
        return
    parent = read(folder, cell.parent)
    if parent is None:
        raise RunError(f"{folder / cell.parent.name}.json is gone; start the study again")
    write(folder, cell, derive(cell, parent.genomes))
