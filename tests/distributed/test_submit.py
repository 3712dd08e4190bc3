"""Submission over Ray Jobs; the cluster is real, on this machine, where the extra `cluster` is installed."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from typer.testing import CliRunner

import evogen
from evogen.cli import app
from evogen.distributed import submit as jobs
from evogen.errors import SpecError, WorkerError

from . import nodes

ROOT = Path(__file__).parent.parent.parent
SHORT = ["task.episodes=1", "birth.agents=2", "learner.iterations=1", "learner.horizon=16"]
SHORT += ["search.cohorts=2", "search.cohort_size=2"]
SETTINGS = [part for setting in SHORT for part in ("--set", setting)]
SPEC = ROOT / "searchspaces/cartpole.yaml"


class Jobs:
    """A job server that answers as told."""

    def __init__(self, status, code):
        self.submitted = []
        self.status, self.message, self.driver_exit_code = self._ended(status), "it ended", code

    def _ended(self, status):
        return type("Status", (str,), {"is_terminal": lambda _: True})(status)

    def submit_job(self, *, entrypoint, runtime_env):
        folder = Path(runtime_env["working_dir"])
        self.submitted.append((entrypoint, {item.name for item in folder.iterdir()}))
        return "raysubmit_1"

    async def tail_job_logs(self, _):
        yield "cohort 1\n"

    def get_job_info(self, _):
        return self


@pytest.fixture
def served(monkeypatch):
    def serve(status="SUCCEEDED", code=0):
        server = Jobs(status, code)
        monkeypatch.setattr(jobs, "_client", lambda _: server)
        return server

    return serve


def submit(*arguments):
    return CliRunner().invoke(app, ["submit", str(SPEC), "--workers", "3", *arguments])


def test_packed_folder_runs_alone_with_its_version(tmp_path):
    jobs.pack(tmp_path, {"x.yaml": b"name: x\n"})
    assert not list(tmp_path.rglob("*.pyc"))
    code = "import evogen; from importlib.metadata import version; print(evogen.__file__, version('evogen'))"
    alone = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], env=alone, cwd="/", capture_output=True, text=True)
    assert done.stdout.split()[0] == str(tmp_path / "evogen/__init__.py")
    assert (tmp_path / "evogen/grammar").is_dir()
    assert (tmp_path / "x.yaml").read_bytes() == b"name: x\n"


def test_what_is_shipped_and_run_is_the_whole_experiment(served):
    server = served()
    result = submit("--address", "http://h:8265", "--seed", "5", "--cpus", "0.5", "--mirror", "s3://b/x")
    assert result.exit_code == 0, result.output
    ((entry, names),) = server.submitted
    mirror = "--mirror s3://b/x --mirror-every 10"
    room = "--address auto --workers 3 --cpus 0.5 --gpus 0.0 --device cpu"
    assert entry == f"python -m evogen run experiment.yaml {room} --out ~/runs/cartpole {mirror}"
    assert {"experiment.yaml", "grammar.bnf", "evogen"} < names
    assert "ray job logs raysubmit_1 --follow --address http://h:8265" in result.output
    assert "ray job stop raysubmit_1 --address http://h:8265" in result.output


@pytest.mark.parametrize(
    ("status", "driver", "code"),
    [("SUCCEEDED", 0, 0), ("FAILED", 2, 2), ("FAILED", None, 1), ("STOPPED", None, 130)],
)
def test_follower_ends_with_the_code_of_the_job(served, status, driver, code):
    served(status, driver)
    result = submit("--address", "http://h:8265", "--follow")
    assert result.exit_code == code
    assert "cohort 1\n" in result.output
    assert ("it ended" in result.output) == (status == "FAILED")


def test_words_of_the_command_line_stay_words(served):
    server = served()
    jobs.submit({}, ["run", "a b", "~/c d", "$HOME"], address="http://h:8265")
    assert server.submitted[0][0] == "python -m evogen run 'a b' ~/'c d' '$HOME'"


def test_relative_folder_is_refused(served):
    result = submit("--address", "http://h:8265", "--out", "runs/x")
    assert result.exit_code == 2
    assert "--out runs/x: wanted /PATH or ~/PATH" in result.output


@pytest.mark.parametrize("address", ["127.0.0.1:8265", "ray://h:10001", "http://"])
def test_address_of_another_kind_is_refused(address):
    with pytest.raises(SpecError, match="wanted http://HOST:8265"):
        jobs.submit({}, [], address=address)


def test_missing_extra_is_named(monkeypatch):
    monkeypatch.setattr(jobs, "find_spec", lambda _: None)
    with pytest.raises(SpecError, match=r"pip install 'evogen\[cluster\]'"):
        jobs.submit({}, [], address="http://127.0.0.1:1")


def test_environment_that_would_win_over_the_address_is_refused(monkeypatch):
    monkeypatch.setattr(jobs, "find_spec", lambda _: True)
    monkeypatch.setenv("RAY_ADDRESS", "10.0.0.1:6379")
    with pytest.raises(SpecError, match=r"RAY_ADDRESS=10\.0\.0\.1:6379 instead"):
        jobs.submit({}, [], address="http://127.0.0.1:1")


def test_dashboard_that_is_not_there_is_refused_at_once(monkeypatch):
    monkeypatch.setattr(jobs, "find_spec", lambda _: True)
    for name in ("RAY_ADDRESS", "RAY_API_SERVER_ADDRESS"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(WorkerError, match="nothing listens there"):
        jobs.submit({}, [], address="http://127.0.0.1:1")


@pytest.mark.slow
@pytest.mark.skipif(find_spec("aiohttp") is None, reason="the extra 'cluster' is not installed")
def test_submitted_search_gives_the_bits_of_a_serial_one(tmp_path):
    dashboard, agent, status, client, port = nodes.free_ports(5)
    ports = ["--dashboard-port", dashboard, "--dashboard-agent-listen-port", agent]
    ports += ["--dashboard-agent-grpc-port", status, "--ray-client-server-port", client]
    command = [sys.executable, "-m", "evogen"]
    with nodes.folder() as at, nodes.head(at, *map(str, ports), port=port, cpus=2):
        url = f"http://127.0.0.1:{dashboard}"
        options = ["--address", url, "--workers", "2", "--follow", "-o", str(tmp_path / "far"), *SETTINGS]
        job = [*command, "submit", str(SPEC), *options]
        first = subprocess.run(job, env=nodes.environment(), capture_output=True, text=True)
        assert first.returncode == 0, first.stdout + first.stderr
        assert "cohort 2/2" in first.stdout
    with evogen.run(evogen.load(SPEC, SHORT), out=tmp_path / "near") as near:
        wanted = near.fingerprint()
    with evogen.open(tmp_path / "far") as far:
        assert far.fingerprint() == wanted
