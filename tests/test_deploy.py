"""The files in deploy/: each against the schema or the program that will read it."""

import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
import ray
import yaml
from distributed import nodes
from jsonschema import validate

import evogen
from evogen.distributed.submit import PORT

ROOT = Path(__file__).parent.parent
DEPLOY = ROOT / "deploy"
RAY = dict(line.split("==") for line in (ROOT / "constraints.txt").read_text().split() if "==" in line)["ray"]
SHORT = ["task.episodes=1", "birth.agents=2", "learner.iterations=1", "learner.horizon=16"]
SHORT += ["search.cohorts=6", "search.cohort_size=2"]
NO_RAY = "[[ $1 == start ]] && exec sleep 60; exit 0"
SRUN = """while [[ $1 == --* ]]; do shift; done
[[ $1 == hostname ]] && { echo 127.0.0.1; exit; }
exec "$@"
"""


def test_cluster_launcher_file_fits_rays_own_schema():
    schema = Path(ray.__file__).parent / "autoscaler/ray-schema.json"
    written = yaml.safe_load((DEPLOY / "ray-cluster.yaml").read_text())
    validate(written, json.loads(schema.read_text()))
    assert written["max_workers"] == len(written["provider"]["worker_ips"])


def test_kuberay_manifest_names_one_image_and_the_tested_ray():
    claim, cluster = yaml.safe_load_all((DEPLOY / "kuberay.yaml").read_text())
    assert (cluster["apiVersion"], cluster["kind"]) == ("ray.io/v1", "RayCluster")
    spec = cluster["spec"]
    assert spec["rayVersion"] == RAY
    head, *workers = [spec["headGroupSpec"], *spec["workerGroupSpecs"]]
    for group in (head, *workers):
        (container,) = group["template"]["spec"]["containers"]
        assert container["image"] == "evogen:0.1.0"
        assert container["resources"]["requests"].keys() == container["resources"]["limits"].keys()
        assert all(isinstance(value, str) for value in group["rayStartParams"].values())
    for group in workers:
        assert group["minReplicas"] <= group["replicas"] <= group["maxReplicas"]
    (volume,) = head["template"]["spec"]["volumes"]
    assert volume["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]
    (container,) = head["template"]["spec"]["containers"]
    assert volume["name"] == container["volumeMounts"][0]["name"]
    assert PORT in {port["containerPort"] for port in container["ports"]}


def test_image_has_the_tested_ray_and_torch():
    text = (DEPLOY / "Dockerfile").read_text()
    assert re.search(r"^FROM rayproject/ray:(\S+)-py311$", text, re.MULTILINE)[1] == RAY
    assert re.search(r"torch==(\S+)", text)[1] in (ROOT / "constraints.txt").read_text()


def test_slurm_script_is_sound_bash():
    subprocess.run(["bash", "-n", DEPLOY / "slurm.sh"], check=True)


def end(job):
    """End a job, whatever became of it, and what it started."""
    with suppress(ProcessLookupError):
        os.killpg(job.pid, signal.SIGKILL)
    job.communicate()


class Slurm:
    """An allocation of two nodes, far1 and far2, which are both this machine.

    Args:
        folder: for the commands and what they log.
        commands: name to bash text; `srun` drops its options and runs the rest.
    """

    def __init__(self, folder, **commands):
        self.number = nodes.free_port() % 20000
        self.address = f"127.0.0.1:{20000 + self.number}"
        self._bin, self._log = folder / "bin", folder / "log"
        self._jobs = ExitStack()
        self._bin.mkdir()
        listing = '[[ $* == "show hostnames far[1-2]" ]] && printf "far1\\nfar2\\n"'
        for name, text in {"srun": SRUN, "scontrol": listing, **commands}.items():
            (self._bin / name).write_text(f'#!/bin/bash\necho {name} "$@" >> {self._log}\n{text}\n')
            (self._bin / name).chmod(0o755)

    def start(self, *arguments):
        environment = nodes.environment() | {
            "SLURM_JOB_NODELIST": "far[1-2]",
            "SLURM_JOB_ID": str(self.number),
            "SLURM_CPUS_PER_TASK": "1",
        }
        environment["PATH"] = f"{self._bin}:{environment['PATH']}"
        command = ["bash", DEPLOY / "slurm.sh", *map(str, arguments)]
        pipe = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        job = subprocess.Popen(command, env=environment, start_new_session=True, **pipe)
        self._jobs.callback(end, job)
        return job

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._jobs.close()

    def ran(self, name):
        """Return the lines in which the command was run."""
        return [line for line in self._log.read_text().splitlines() if line.startswith(f"{name} ")]


def test_slurm_script_resumes_a_run_that_is_there_and_ends_with_its_code(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run/run.db").touch()
    with Slurm(tmp_path, ray=NO_RAY, evogen="exit 7") as slurm:
        job = slurm.start("x.yaml", tmp_path / "run")
        output, _ = job.communicate(timeout=30)
    assert job.returncode == 7, output.decode()
    assert slurm.ran("evogen") == [f"evogen resume {tmp_path / 'run'} --address {slurm.address} --workers 2"]


def test_slurm_script_hands_the_warning_before_the_time_limit_to_the_search(tmp_path):
    search = f"trap 'touch {tmp_path}/told; exit 143' TERM; touch {tmp_path}/up; while sleep 0.1; do :; done"
    late = time.monotonic() + 30
    with Slurm(tmp_path, ray=NO_RAY, evogen=search) as slurm:
        job = slurm.start("x.yaml", tmp_path / "run")
        while not (tmp_path / "up").exists():
            assert time.monotonic() < late
            time.sleep(0.05)
        job.terminate()
        output, _ = job.communicate(timeout=30)
    assert job.returncode == 143, output.decode()
    assert (tmp_path / "told").exists()


@pytest.mark.slow
def test_slurm_script_forms_a_cluster_of_two_nodes_searches_there_and_ends_it(tmp_path):
    small = '[[ $1 == start ]] && set -- "$@" --object-store-memory 80000000'
    ray_command = f'{small}\nexec {shlex.join(nodes.RAY)} "$@"'
    options = [part for setting in SHORT for part in ("--set", setting)]
    with Slurm(tmp_path, ray=ray_command, evogen=f'exec {sys.executable} -m evogen "$@"') as slurm:
        job = slurm.start(ROOT / "searchspaces/cartpole.yaml", tmp_path / "run", *options)
        output, _ = job.communicate(timeout=240)
    assert job.returncode == 0, output.decode()
    assert f"--address {slurm.address} --workers 2" in slurm.ran("evogen")[0]
    assert sum("--nodelist=far2" in line for line in slurm.ran("srun")) == 1
    with evogen.open(tmp_path / "run") as run:
        assert run.told == 6
        # the second node may join a machine that is busy when the first has done all
        assert {timing.worker for timing in run.timings()} <= {"worker-0", "worker-1"}
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", 20000 + slurm.number))
