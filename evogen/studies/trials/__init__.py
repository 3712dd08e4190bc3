"""Trials: claims of the literature, each with its arms and controls, over seeds, and a verdict.

A trial is one module `evogen/studies/NAME.py` with `STUDY = trial(Trial(...))`. A cell is one arm on one
task with all its seeds; it is kept when it is done, and the same command goes on from there.
"""

from __future__ import annotations

from evogen.studies.trials.declared import Contrast, Effort, Measure, Trial
from evogen.studies.trials.run import trial

__all__ = ["Contrast", "Effort", "Measure", "Trial", "trial"]
