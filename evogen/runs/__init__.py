"""Run folders: what a search remembers, what is read from it, and what is left of a damaged one.

store       the files, and every way in which they can fail
records     what is stored, as rows of run.db
readback    these rows read back, each value checked
standing    what the first cohorts amount to
selectors   how a candidate is named
salvage     what can still be read of a damaged run
display     what a notebook shows
"""

from evogen.runs.run import Run
from evogen.runs.selectors import locate

__all__ = ["Run", "locate"]
