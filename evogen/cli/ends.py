"""How a command ends: exit codes, and errors as sentences.

0 done; 1 a replay differs from what is stored; 2 something that the user can put right, said in one screen;
130 interrupted (SIGINT); 143 ended by SIGTERM.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import typer

from evogen.errors import EvogenError
from evogen.terminal import plain

DIFFERENT, INTERRUPTED, TERMINATED = 1, 130, 143


@contextmanager
def reported() -> Iterator[None]:
    """Turn what a command raises into what it says and how it ends."""
    try:
        yield
    except EvogenError as error:
        typer.echo(plain(f"error: {error}"), err=True)
        raise typer.Exit(2) from error
    except KeyboardInterrupt as error:
        said = "interrupted; 'evogen resume RUN' goes on with a search, any other command is given again"
        typer.echo(said, err=True)
        raise typer.Exit(INTERRUPTED) from error
