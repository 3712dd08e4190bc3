"""The commands of docs/cluster.md run, on ports of their own and with a short search."""

import re
import shlex
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
from distributed import nodes

import evogen

ROOT = Path(__file__).parent.parent
BLOCKS = [
    [line.removeprefix("$ ") for line in block.splitlines()]
    for block in re.findall(r"```console\n(.*?)```", (ROOT / "docs/cluster.md").read_text(), re.DOTALL)
]
SHORT = ["task.episodes=1", "birth.agents=2", "learner.iterations=1", "learner.horizon=16"]
SHORT += ["search.cohorts=4", "search.cohort_size=2"]


def test_links_of_the_page_lead_somewhere():
    for page in (ROOT / "docs/cluster.md", ROOT / "deploy/README.md"):
        for link in re.findall(r"\]\(([^)]+)\)", page.read_text()):
            assert (page.parent / link).exists(), link


def test_readme_starts_a_cluster_as_the_page_does():
    (block,) = re.findall(r"```sh\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert block.splitlines() == BLOCKS[0]


@pytest.mark.slow
def test_three_commands_make_a_cluster_of_two_nodes_that_searches_as_one_process(tmp_path, monkeypatch):
    (mode, *starts, search), submit, (resume,) = BLOCKS
    assert submit[0].startswith("evogen submit searchspaces/cartpole.yaml ")
    port = str(nodes.free_port())
    for name in nodes.TOKEN:
        monkeypatch.delenv(name, raising=False)
    name, value = mode.removeprefix("export ").split("=")
    environment = nodes.environment() | {name: value}
    monkeypatch.chdir(tmp_path)
    (tmp_path / "searchspaces").symlink_to(ROOT / "searchspaces")
    (tmp_path / "grammars").symlink_to(ROOT / "grammars")

    def words(line):
        program, *rest = shlex.split(line.replace("6379", port))
        return [*(nodes.RAY if program == "ray" else [sys.executable, "-m", program]), *rest]

    with nodes.folder() as at, ExitStack() as stack:
        store = ["--block", "--object-store-memory", "80000000"]
        temporary = ["--temp-dir", str(at), "--include-dashboard", "false"]
        for line, own in zip(starts, (temporary, []), strict=True):
            log = at / f"{len(line)}.log"
            stack.enter_context(nodes.started([*words(line), *store, *own], log, environment))
        settings = [word for setting in SHORT for word in ("--set", setting)]
        for command in ([*words(search), *settings], words(resume)):
            done = subprocess.run(command, env=environment, capture_output=True, text=True)
            assert done.returncode == 0, done.stdout + done.stderr
    with evogen.open("runs/two-nodes") as run:
        assert {timing.worker for timing in run.timings()} <= {"worker-0", "worker-1"}  # one may join late
        found = run.fingerprint()
    with evogen.run(evogen.load("searchspaces/cartpole.yaml", SHORT), out="runs/one") as run:
        assert run.fingerprint() == found
