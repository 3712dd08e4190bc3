"""The quick run of each benchmark prints its table and writes the figures that it prints."""

import json
import math
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).parent.parent
MODELS = 1 if find_spec("stable_baselines3") else 0  # only the extra `bench` has the classic trainer


def test_seconds_per_solved_genome_are_printed_and_written(tmp_path: Path) -> None:
    file = tmp_path / "found.json"
    command = ["benchmarks/synaptogen.py", "--quick", "--json", str(file), "--classic-seeds", str(MODELS)]
    done = subprocess.run([sys.executable, *command], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = json.loads(file.read_text())

    ours = {"evogen, one core, mean": 8, "evogen, one core, noise": 8, "evogen, two cores, mean": 16}
    genomes = ours | ({"classic, one core": 1} if MODELS else {})
    assert list(found["training"]) == list(genomes)
    lines = done.stdout.splitlines()
    for name, trained in genomes.items():
        (cost,) = found["training"][name]
        assert cost["trained"] == trained >= cost["solved"]
        assert cost["steps"] == (3000 if name.startswith("classic") else trained * 12 * 8 * 128)
        assert cost["seconds"] > 0
        assert cost["cpu"] > 0
        each = cost["seconds"] / cost["solved"] if cost["solved"] else None
        assert found["seconds_per_solved"][name] == each
        (row, *_) = [line[28:].split() for line in lines if line.startswith(name)]
        assert row[:3] == [str(trained), str(cost["solved"]), f"{cost['steps']:,}"]
        assert row[5] == ("inf" if each is None else f"{each:.2f}")

    if MODELS:
        (classic,) = found["training"]["classic, one core"]
        for name in ours:
            each = found["seconds_per_solved"][name]
            ratio = found["ratio"][name]["seconds"]
            assert ratio is None if each is None else math.isclose(ratio, classic["seconds"] / each)
        assert found["ratio_means"].startswith("only a bound") == (not classic["solved"])
    else:
        assert not found["ratio"]
    assert found["ratio_means"] in done.stdout

    for name, agents in {"reference, fast": 100, "reference, exact": 2, "biological": 100}.items():
        assert found["births"][name]["agents"] == agents
        assert min(found["births"][name]["birth_ms"] + found["births"][name]["draw_ms"]) > 0
        assert any(line.startswith(name) for line in lines)
    assert "cuda: not measured" in done.stdout
    assert {"torch", "numpy", "gymnasium", "python"} <= set(found["versions"])
    assert found["command"] == command
