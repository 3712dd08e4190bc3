"""Where a run was made: versions, machine, device, the revision of the folder it was started in."""

from __future__ import annotations

import os
import platform
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

_PACKAGES = ("evogen", "torch", "numpy", "ray", "gymnasium", "deap", "scikit-learn")


def describe(device: str) -> dict[str, Any]:
    """Return the environment of this process as a JSON value; what cannot be found is None."""
    command = [Path(sys.argv[0]).name, *sys.argv[1:]]
    cuda = torch.device(device).type == "cuda"
    return {
        "command": shlex.join(command),
        "versions": {"python": platform.python_version(), **{name: _version(name) for name in _PACKAGES}},
        "platform": platform.platform(),
        "cpu": _cpu(),
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "cores": os.cpu_count(),
        "device": device,
        "accelerator": torch.cuda.get_device_name(device) if cuda else None,
        "git": _revision(),
    }


def drift(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Say what differs between two environments that may change the bits of a result."""
    names = ("device", "accelerator", "cpu", "instructions")
    was = {name: before.get(name) for name in names} | before.get("versions", {})
    found = {name: now[name] for name in names} | now["versions"]
    return [f"{name} {new} (was {was.get(name)})" for name, new in found.items() if was.get(name) != new]


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _cpu() -> str | None:
    information = Path("/proc/cpuinfo")
    if information.is_file():
        found = re.search(r"^model name\s*:\s*(.+)$", information.read_text(), re.MULTILINE)
        if found:
            return found[1]
    return platform.processor() or None


def _revision() -> str | None:
    git = shutil.which("git")
    if git is None:
        return None
    asked = subprocess.run(  # noqa: S603
        [git, "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"],
        capture_output=True,
        text=True,
        check=False,
    )
    return asked.stdout.strip() or None
