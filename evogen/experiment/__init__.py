"""Experiments: read one, run it, go on with a run, open a run, check its winner."""

from evogen.experiment.launch import Check, check, device_of, experiment_of, open, resume, run
from evogen.experiment.spec import Experiment, load

__all__ = ["Check", "Experiment", "check", "device_of", "experiment_of", "load", "open", "resume", "run"]
