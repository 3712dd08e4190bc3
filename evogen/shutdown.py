"""Leaving in good order.

    first SIGINT    drain: nothing new is begun, what is being evaluated is awaited and committed
    second SIGINT   leave at once; what is committed stays
    SIGTERM         commit what has come back, leave without waiting

Python delivers signals to the main thread; elsewhere nothing is installed and they keep their meaning.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Requests:
    """What this process was asked for; leaving is asked for by a KeyboardInterrupt.

    Attributes:
        draining: SIGINT came.
        terminated: SIGTERM came.
    """

    def __init__(self, on_drain: Callable[[], None]) -> None:
        self.draining = self.terminated = False
        self._on_drain = on_drain
        self._held = self._due = False

    @contextmanager
    def held(self) -> Iterator[None]:
        """Let a KeyboardInterrupt of ours wait until the block has ended."""
        self._held, self._due = True, False
        try:
            yield
        finally:
            self._held = False
        if self._due:
            raise KeyboardInterrupt

    def interrupt(self, *_: object) -> None:
        """Take a SIGINT."""
        if self.draining:
            self._leave()
        else:
            self.draining = True
            self._on_drain()

    def terminate(self, *_: object) -> None:
        """Take a SIGTERM."""
        self.terminated = True
        self._leave()

    def _leave(self) -> None:
        if not self._held:
            raise KeyboardInterrupt
        self._due = True


@contextmanager
def listening(requests: Requests) -> Iterator[None]:
    """Take signals in this block."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handlers = {signal.SIGINT: requests.interrupt, signal.SIGTERM: requests.terminate}
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler or signal.SIG_DFL)  # None: not set from Python
