"""Submission of a search to a Ray cluster over Ray Jobs (HTTP), with all that it needs shipped along.

What is shipped is one folder: the experiment and its files, and the source of this evogen with its version,
which the cluster's Python finds before one that is installed there. evogen's dependencies must be installed
on every node; other packages' plug-ins as well.
"""

from __future__ import annotations

import asyncio
import os
import shlex
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from evogen.distributed.address import knock
from evogen.errors import SpecError, WorkerError

PORT = 8265
FAILED, STOPPED = 1, 130
_OVERRIDES = ("RAY_API_SERVER_ADDRESS", "RAY_ADDRESS")
_POLL_SECONDS = 0.5
_PACKAGE = Path(__file__).parent.parent
_DULL = ("__pycache__", "*.pyc")


@dataclass(frozen=True)
class Job:
    """A submitted search: where, and under which id."""

    address: str
    id: str

    @property
    def follow(self) -> str:
        """The command that shows its output from the start on."""
        return f"ray job logs {self.id} --follow --address {self.address}"

    @property
    def stop(self) -> str:
        """The command that ends it; what is committed stays."""
        return f"ray job stop {self.id} --address {self.address}"


def submit(files: Mapping[str, bytes], arguments: Sequence[str], *, address: str) -> Job:
    """Ship files and this evogen to a cluster and let `evogen ARGUMENTS` run there, in their folder.

    Args:
        files: what they hold by name, such as experiment.yaml and grammar.bnf.
        arguments: of the command line; a leading `~/` of one is the home folder on the cluster's head.
        address: of the cluster's dashboard, `http://HOST:8265`.

    Raises:
        SpecError: the extra is not installed, or the address is none.
        WorkerError: there is no cluster, or it refuses the job.
    """
    client = _client(address)
    with tempfile.TemporaryDirectory(prefix="evogen-") as folder:
        pack(Path(folder), files)
        entry = f"python -m evogen {' '.join(_quoted(argument) for argument in arguments)}"
        try:
            name = client.submit_job(entrypoint=entry, runtime_env={"working_dir": folder})
        except (OSError, RuntimeError, ValueError) as error:
            raise WorkerError(f"the cluster at {address} refuses the job: {error}") from error
    return Job(address, name)


def follow(job: Job, write: Callable[[str], None]) -> int:
    """Write a job's output as it comes until the job ends; return its exit code (130 if it was stopped).

    Raises:
        WorkerError: the connection breaks; the job goes on without it.
    """
    client = _client(job.address)

    async def tail() -> None:
        async for text in client.tail_job_logs(job.id):
            write(text)

    try:
        asyncio.run(tail())
        while not (found := client.get_job_info(job.id)).status.is_terminal():
            time.sleep(_POLL_SECONDS)
    except (OSError, RuntimeError) as error:
        raise WorkerError(f"lost sight of {job.id} ({error}); go on with: {job.follow}") from error
    if found.status == "SUCCEEDED":
        return 0
    if found.status == "STOPPED":
        return STOPPED
    write(f"{job.id}: {found.message}\n")
    return int(found.driver_exit_code or FAILED)


def pack(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write the files, this evogen's source and its version into a folder."""
    for name, content in files.items():
        (folder / name).write_bytes(content)
    shutil.copytree(_PACKAGE, folder / "evogen", ignore=shutil.ignore_patterns(*_DULL))
    version = metadata.version("evogen")
    about = folder / f"evogen-{version}.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: evogen\nVersion: {version}\n", "utf-8")


def _client(address: str) -> Any:
    place = urlsplit(address)
    if place.scheme not in ("http", "https") or not place.hostname:
        raise SpecError(f"--address {address}: wanted http://HOST:{PORT}, the address of Ray's dashboard")
    if find_spec("aiohttp") is None:
        raise SpecError("evogen submit needs the extra 'cluster': pip install 'evogen[cluster]'")
    for name in _OVERRIDES:
        if os.environ.get(name, address) != address:
            raise SpecError(f"--address {address}: Ray would use {name}={os.environ[name]} instead; unset it")
    knock(place.hostname, place.port or {"http": 80, "https": 443}[place.scheme], address)
    from ray.job_submission import JobSubmissionClient

    try:
        return JobSubmissionClient(address)
    except (OSError, RuntimeError) as error:
        raise WorkerError(f"cannot use Ray's dashboard on {address}: {error}") from error


def _quoted(argument: str) -> str:
    home, rest = ("~/", argument[2:]) if argument.startswith("~/") else ("", argument)
    return home + shlex.quote(rest)
