"""The command line, in this process."""

from __future__ import annotations

from typing import Any

from typer.testing import CliRunner

from evogen.cli import app


def call(*arguments: str) -> Any:
    return CliRunner(env={"COLUMNS": "80"}).invoke(app, arguments)
