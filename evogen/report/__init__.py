"""Report: one self-contained HTML page about runs; it needs no network and runs no code of theirs."""

from evogen.report.page import write

__all__ = ["write"]
