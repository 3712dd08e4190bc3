"""A distribution outside the package adds a part of each kind by an `evogen.plugins` entry point alone."""

import os
import subprocess
import sys
from pathlib import Path

PLUGIN = Path(__file__).parent / "plugin"


def test_parts_of_another_distribution_are_found_tested_and_evaluated(tmp_path):
    information = tmp_path / "outside-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: outside\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text("[evogen.plugins]\nparts = outside\n")
    path = os.pathsep.join([str(tmp_path), str(PLUGIN), *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run(
        [sys.executable, "-W", "error", PLUGIN / "search.py"],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith(" facts hold\n")
