"""Ray nodes that a test starts on this machine, and ends by their own process ids."""

import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path

TOKEN = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "6a" * 32}
ENVIRONMENT = {
    **TOKEN,
    "RAY_USAGE_STATS_ENABLED": "0",
    "OMP_NUM_THREADS": "1",
    "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
}
_ELSEWHERE = ("RAY_ADDRESS", "RAY_API_SERVER_ADDRESS", "RAY_AUTH_TOKEN_PATH")
RAY = [sys.executable, "-m", "ray.scripts.scripts"]
_WORKER_PORTS = [
    "--min-worker-port",
    "0",
    "--max-worker-port",
    "0",
]  # any free: nodes share a machine
_FIXED_PORTS = range(20000, 30000)  # below the ephemeral ports of Linux
_START_SECONDS = 120.0
_STOP_SECONDS = 20.0


def environment():
    """Return the environment of a process that may use these nodes, and no other cluster."""
    kept = {name: value for name, value in os.environ.items() if name not in _ELSEWHERE}
    return kept | ENVIRONMENT


def free_port():
    return free_ports(1)[0]


def free_ports(number):
    """Return that many ports, no two alike, which the system gives to nobody who asks for any port."""
    found = []
    for port in random.sample(_FIXED_PORTS, len(_FIXED_PORTS)):
        if len(found) == number:
            break
        with socket.socket() as tried, suppress(OSError):
            tried.bind(("127.0.0.1", port))
            found.append(port)
    return found


@contextmanager
def folder():
    """A folder with a short path, as sockets in it need."""
    path = tempfile.mkdtemp(prefix="er-", dir="/tmp")
    try:
        yield Path(path)
    finally:
        shutil.rmtree(path, ignore_errors=True)


@contextmanager
def head(at, *options, port, cpus=1, within=()):
    """A head with its files in folder `at`; its command follows `within`, such as `ip netns exec A`."""
    options = ["--head", "--port", str(port), "--temp-dir", str(at), *options]
    with started([*within, *_command(cpus), *options], at / "head.log", environment()) as process:
        yield process


@contextmanager
def worker(at, address, *options, cpus=1, within=(), name="worker"):
    """A node that joins the head at the address."""
    command = [*within, *_command(cpus), "--address", address, *options]
    with started(command, at / f"{name}.log", environment()) as process:
        yield process


def kill(process):
    """End a node and all that it started at once, as a power failure does."""
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _command(cpus):
    store = ["--object-store-memory", str(80 * 2**20)]
    return [*RAY, "start", "--block", "--num-cpus", str(cpus), *store, *_WORKER_PORTS]


@contextmanager
def started(command, log, environment):
    """A node by its whole command, which has to block."""
    with log.open("w") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=output, env=environment, start_new_session=True
        )
    try:
        end = time.monotonic() + _START_SECONDS
        while "Ray runtime started" not in log.read_text():
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < end, log.read_text()
            time.sleep(0.1)
        yield process
    finally:
        _end(process)


def _end(process):
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            kill(process)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)  # what outlived its parent
