"""Addresses of Ray clusters: told apart, and tried before Ray itself tries for minutes."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from typing import IO

from evogen.errors import WorkerError

AUTO = "auto"
CLIENT = "ray://"
FORMS = "wanted auto, HOST:PORT (6379 by default) or ray://HOST:PORT (10001 by default)"
_KNOCK_SECONDS = 5.0
_PROBE_SECONDS = 30.0
_BETWEEN = 0.05
_SILENT, _SILENCES = "within 5 seconds", 2  # the health check says so of every try, and tries on
_REFUSED = ("InvalidAuthToken", "no authentication token was found")


def check(address: str) -> None:
    """Return if a cluster answers at this address and takes this process's token and version of Ray.

    Raises:
        WorkerError: no address, nothing listens there, what listens is no Ray, or it refuses.
    """
    if address == AUTO:
        return
    host, port = _place(address.removeprefix(CLIENT), address)
    if address.startswith(CLIENT) and find_spec("grpc") is None:
        raise WorkerError(f"--address {address}: Ray Client needs the extra: pip install 'evogen[cluster]'")
    knock(host, port, address)
    if not address.startswith(CLIENT):
        _probe(address)


def knock(host: str, port: int, shown: str) -> None:
    """Raise a WorkerError where nothing listens."""
    try:
        socket.create_connection((host, port), timeout=_KNOCK_SECONDS).close()
    except OSError as error:
        raise WorkerError(
            f"cannot use Ray on {shown}; or evaluate without workers: nothing listens there ({error})"
        ) from error


def _place(written: str, shown: str) -> tuple[str, int]:
    found = re.fullmatch(r"\[?([^\s/]+?)\]?:(\d{1,5})", written)
    if found is None or not 0 < int(found[2]) < 2**16:
        raise WorkerError(f"cannot use Ray on {shown}; or evaluate without workers: {FORMS}")
    return found[1], int(found[2])


def _probe(address: str) -> None:
    """Let Ray's own health check ask, in a process that can be ended: inside this one it asks for minutes."""
    command = [sys.executable, "-m", "ray.scripts.scripts", "health-check", "--address", address]
    with tempfile.TemporaryFile("a+") as said:
        process = subprocess.Popen(command, stdout=said, stderr=said)  # noqa: S603
        try:
            code, text = _verdict(process, said)
        finally:
            process.kill()
            process.wait()
    if code == 0 or (code is None and text.count(_SILENT) < _SILENCES):
        return  # where the machine was too busy to ask, Ray may find out
    if code is None:
        why = "what listens there is no Ray head; give the port of ray start --port"
    elif any(word in text for word in _REFUSED):
        why = (
            "the cluster asks for a token: set RAY_AUTH_MODE=token, with the head's token in RAY_AUTH_TOKEN "
            "or in ~/.ray/auth_token"
        )
    else:
        why = (text.strip().splitlines() or ["no reason given"])[-1]
    raise WorkerError(f"cannot use Ray on {address}; or evaluate without workers: {why}")


def _verdict(process: subprocess.Popen[bytes], said: IO[str]) -> tuple[int | None, str]:
    """Return the check's exit code, None if it has not ended but was met with silence or for too long."""
    end = time.monotonic() + _PROBE_SECONDS
    while True:
        code = process.poll()
        said.seek(0)
        text = said.read()
        if code is not None or text.count(_SILENT) >= _SILENCES or time.monotonic() > end:
            return code, text
        time.sleep(_BETWEEN)
