"""The command line. Every command imports what it needs when it runs, so that `--help` stays quick."""

from __future__ import annotations

import typer

from evogen.cli import compare, diff, export, knockout, lineage, parts, report, search, stored, study
from evogen.cli.ends import reported

app = typer.Typer(
    help="Evolve what a neural network is born with: wiring rules, architecture and plasticity.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for module in (search, stored, report, compare, diff, knockout, lineage, export, study, parts):
    for command in module.COMMANDS:
        app.command(command.__name__.rstrip("_"))(reported()(command))


def main() -> None:
    """Run the command that the process was started with."""
    app(prog_name="evogen")
