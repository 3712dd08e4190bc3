"""Two hosts with their own addresses: network namespaces of this machine, joined by one cable that is cut."""

import os
import shutil
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import far_search
import pytest

from evogen.runs import Run

from . import nodes

ADDRESSES = ("10.177.0.1", "10.177.0.2")
SECONDS = 120.0
HEALTH = {  # a host that is silent for some two seconds counts as lost; by default half a minute
    "RAY_health_check_initial_delay_ms": "1000",
    "RAY_health_check_period_ms": "500",
    "RAY_health_check_timeout_ms": "500",
    "RAY_health_check_failure_threshold": "4",
}


class Hosts:
    """Two network namespaces, each with a loopback, an address and one end of a cable."""

    def __init__(self):
        self.names = [f"evogen-{os.getpid()}-{end}" for end in "ab"]
        self._ends = [f"ev{os.getpid() % 10**7}{end}" for end in "ab"]

    def __enter__(self):
        for name in self.names:
            subprocess.run(["ip", "netns", "add", name], check=True, capture_output=True)
        one, other = self._ends
        ip("link", "add", one, "netns", self.names[0], "type", "veth", "peer", other, "netns", self.names[1])
        for name, end, address in zip(self.names, self._ends, ADDRESSES, strict=True):
            ip("-n", name, "address", "add", f"{address}/24", "dev", end)
            for device in ("lo", end):
                ip("-n", name, "link", "set", device, "up")
            ip("-n", name, "route", "add", "default", "dev", end)  # Ray looks up its address by a route
        return self

    def __exit__(self, *_):
        for name in self.names:
            subprocess.run(["ip", "netns", "delete", name], check=False, capture_output=True)

    def within(self, host):
        return ["ip", "netns", "exec", self.names[host]]

    def cut(self):
        ip("-n", self.names[1], "link", "set", self._ends[1], "down")


def ip(*words):
    subprocess.run(["ip", *words], check=True, capture_output=True)


@pytest.fixture
def hosts():
    if not sys.platform.startswith("linux") or shutil.which("ip") is None:
        pytest.skip("needs Linux and iproute2")
    if os.geteuid() != 0:
        pytest.skip("needs root to make network namespaces")
    with ExitStack() as stack:
        found = Hosts()
        try:
            yield stack.enter_context(found)
        except subprocess.CalledProcessError as error:
            found.__exit__()
            pytest.skip(f"this machine forbids network namespaces: {error.stderr.decode().strip()}")


def lines(process, log):
    """Iterate over what the search prints, as it comes."""
    end, seen = time.monotonic() + SECONDS, 0
    while time.monotonic() < end:
        found = log.read_text().splitlines()
        yield from found[seen:]
        seen = len(found)
        if process.poll() is not None:
            return
        time.sleep(0.1)
    pytest.fail(f"the search hangs:\n{log.read_text()}")


@pytest.mark.slow
def test_search_on_two_hosts_loses_one_and_finishes_with_the_bits_of_serial(hosts, tmp_path, monkeypatch):
    for name, value in HEALTH.items():
        monkeypatch.setenv(name, value)
    port = nodes.free_port()
    address = f"{ADDRESSES[0]}:{port}"
    where = [["--node-ip-address", one] for one in ADDRESSES]
    log = tmp_path / "search.log"
    script = [sys.executable, far_search.__file__, str(tmp_path / "far"), address]
    inside = nodes.environment() | {"PYTHONPATH": str(Path(far_search.__file__).parent)}
    quiet = ["--include-dashboard", "false"]
    with nodes.folder() as at, ExitStack() as stack:
        stack.enter_context(nodes.head(at, *where[0], *quiet, port=port, within=hosts.within(0)))
        stack.enter_context(nodes.worker(at, address, *where[1], within=hosts.within(1)))
        with log.open("w") as output:
            search = subprocess.Popen([*hosts.within(0), *script], env=inside, stdout=output, stderr=output)
        stack.callback(search.wait)
        stack.callback(search.kill)
        seen = []
        for line in lines(search, log):
            seen.append(line)
            if line == "committed 8":
                hosts.cut()
        assert search.returncode == 0, log.read_text()
    assert f"hosts {' '.join(ADDRESSES)}" in seen
    with Run.open(tmp_path / "far") as run:
        assert {"worker-0", "worker-1"} <= {timing.worker for timing in run.timings()[:8]}
        assert "worker lost" in {event.kind for event in run.events()}
        assert run.fingerprint() == far_search.near(tmp_path / "near")
