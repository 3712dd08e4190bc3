"""The arithmetic of benchmarks/engine.py, and its quick run."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def engine():
    spec = importlib.util.spec_from_file_location("engine_benchmark", ROOT / "benchmarks/engine.py")
    module = sys.modules["engine_benchmark"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    del sys.modules["engine_benchmark"]


def test_busy_share_counts_from_the_last_workers_first_beginning_to_the_end(engine):
    spans = [(1, 0.0, 4.0), (1, 5.0, 9.0), (2, 2.0, 3.0), (2, 4.0, 12.0)]
    # from 2 to 10: process 1 is busy in [2, 4] and [5, 9], process 2 in [2, 3] and [4, 10]
    assert engine.shares(spans, 2, 10.0) == pytest.approx((2 + 4 + 1 + 6) / (2 * 8))
    with pytest.raises(AssertionError, match="2 of 3 workers"):
        engine.shares(spans, 3, 10.0)


def test_evaluations_spread_over_the_stated_times(engine):
    seconds = [engine.spread(0.5, index) for index in range(2000)]
    assert 0.5 <= min(seconds) < 0.52
    assert 9.6 < max(seconds) <= 10.0
    mean = 0.5 * (20 - 1) / 2.995732273554  # of a log-uniform law: (b - a) / log(b / a)
    assert sum(seconds) / 2000 == pytest.approx(mean, rel=0.06)


@pytest.mark.slow
def test_quick_run_prints_and_writes_its_figures(tmp_path):
    file = tmp_path / "found.json"
    command = ["benchmarks/engine.py", "--quick", "--only", "busy,memory", "--profile", "--json", str(file)]
    done = subprocess.run([sys.executable, *command], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = json.loads(file.read_text())
    assert found["command"].split() == command
    assert 0.2 < found["busy"]["busy"] <= 1
    assert 0.2 < found["busy"]["barrier"] <= 1
    assert found["busy"]["evaluations"] == 24
    assert found["memory"]["candidates"] == 5000
    assert f"{found['busy']['busy']:.1%} of 2 workers' time" in done.stdout
    assert {"two numbers", "whole genome"} == found["profile"].keys()
