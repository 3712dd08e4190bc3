import socket

import pytest

from evogen.distributed import address
from evogen.errors import WorkerError


@pytest.mark.parametrize(
    "written", ["nonsense", "foo://x:1", "host:", "127.0.0.1:0", "ray://host", "h:70000"]
)
def test_what_is_no_address_is_told_the_three_forms(written):
    with pytest.raises(WorkerError, match=r"(?s)cannot use Ray on .*auto, HOST:PORT .*ray://HOST:PORT"):
        address.check(written)


@pytest.mark.parametrize("scheme", ["", "ray://"])
def test_address_where_nothing_listens_is_refused_at_once(scheme, monkeypatch):
    monkeypatch.setattr(address, "find_spec", lambda _: True)
    with pytest.raises(WorkerError, match="nothing listens there"):
        address.check(f"{scheme}127.0.0.1:1")


class Check:
    """Ray's health check, as it says `text` and ends with `code`, or goes on (None)."""

    def __init__(self, text, code):
        self._text, self._code = text, code

    def __call__(self, _, *, stdout, stderr):
        assert stdout is stderr
        stdout.write(self._text)
        return self

    def poll(self):
        return self._code

    def kill(self):
        pass

    wait = kill


def answered(monkeypatch, text, code):
    """Check an address where something listens and Ray's health check says so."""
    monkeypatch.setattr(address.subprocess, "Popen", Check(text, code))
    with socket.create_server(("127.0.0.1", 0)) as server:
        address.check(f"127.0.0.1:{server.getsockname()[1]}")


def test_healthy_head_is_taken(monkeypatch):
    answered(monkeypatch, "", 0)


def test_server_that_keeps_silent_is_no_ray_head(monkeypatch):
    said = "Failed to connect to GCS within 5 seconds.\n" * 2
    with pytest.raises(WorkerError, match="no Ray head"):
        answered(monkeypatch, said, None)


def test_check_that_is_slow_itself_refuses_nobody(monkeypatch):
    monkeypatch.setattr(address, "_PROBE_SECONDS", 0.0)
    answered(monkeypatch, "", None)


def test_other_version_of_ray_is_named(monkeypatch):
    with pytest.raises(WorkerError, match=r"Version mismatch: Ray 2\.50\.0"):
        answered(monkeypatch, "Traceback\nRuntimeError: Version mismatch: Ray 2.50.0", 1)


def test_ray_client_without_its_package_names_the_extra(monkeypatch):
    monkeypatch.setattr(address, "find_spec", lambda _: None)
    with pytest.raises(WorkerError, match=r"pip install 'evogen\[cluster\]'"):
        address.check("ray://127.0.0.1:10001")


def test_refused_token_is_named(monkeypatch):
    said = "ray.exceptions.AuthenticationError: RPC error: InvalidAuthToken: Authentication token is missing"
    with pytest.raises(WorkerError, match="RAY_AUTH_MODE=token"):
        answered(monkeypatch, said, 1)
