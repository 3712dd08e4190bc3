"""The tree of errors.

EvogenError                 anything a user can put right; the command line prints it and exits with code 2
├── SpecError               an experiment file, a --set or a setting is wrong
├── GrammarError            a grammar file is wrong; the text carries file:line:column and a caret
├── GenomeError             a genome cannot be read, or does not fit its search space
├── DevelopmentError        a genome is readable but cannot be developed (outcome INVALID)
├── RunError                a run folder is missing, damaged, locked, or of another schema version
└── WorkerError             the evaluators cannot go on (no cluster, workers keep dying)
    └── MemoryShortageError      a worker has too little memory for what it evaluates

A text says what was wanted, what was found, where, and what to do.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class EvogenError(Exception):
    """Base of every error that evogen raises on purpose."""


class SpecError(EvogenError):
    """An experiment file, an override or a setting is wrong."""


class GrammarError(EvogenError):
    """A grammar file is wrong."""


class GenomeError(EvogenError):
    """A genome cannot be read or does not fit its search space."""


class DevelopmentError(EvogenError):
    """A genome is readable but no network can be developed from it."""


class RunError(EvogenError):
    """A run folder cannot be used."""


class WorkerError(EvogenError):
    """The evaluators cannot go on."""


class MemoryShortageError(WorkerError):
    """A worker has too little memory for what it evaluates; a Ray worker is replaced for it."""


def near(found: str, known: Iterable[str]) -> str:
    """Return `; did you mean 'x'?` for the closest known name, or the list of known names."""
    names = sorted(known)
    close = difflib.get_close_matches(found, names, n=1, cutoff=0.5)
    if close:
        return f"; did you mean '{close[0]}'?"
    return f"; known: {', '.join(names)}" if names else ""
