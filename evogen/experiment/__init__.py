"""Experiments: read one, run it, go on with a run, open a run, check its winner."""

from evogen.experiment.again import replay, sample
from evogen.experiment.checks import Check, check, compare
from evogen.experiment.launch import device_of, experiment_of, moved, open, resume, run
from evogen.experiment.spec import Experiment, load

__all__ = [
    "Check",
    "Experiment",
    "check",
    "compare",
    "device_of",
    "experiment_of",
    "load",
    "moved",
    "open",
    "replay",
    "resume",
    "run",
    "sample",
]
