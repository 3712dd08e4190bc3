"""Every registered part keeps the contract of its kind; see evogen.testing."""

from importlib.util import find_spec
from pathlib import Path

import pytest

from evogen.evaluators import Serial
from evogen.registry import PACKAGES, known
from evogen.strategies.genetic import Genetic
from evogen.tasks.table import Measure
from evogen.testing import EVALUATOR, contract

TEACHERS = str(Path(__file__).parent / "learning" / "teachers")
SPIKES = str(Path(__file__).parent / "tasks" / "spikes.csv")
SHORT = {
    ("task", "cartpole"): {"episodes": 2},
    ("task", "cartpole-flipped"): {"horizon": 60, "episodes": 2, "report_episodes": 2},
    ("task", "cue-reward"): {"trials": 6, "episodes": 2, "report_episodes": 2},
    ("task", "gymnasium"): {"id": "CartPole-v1", "episodes": 2, "report_episodes": 2},
    ("task", "acrobot"): {"episodes": 2, "report_episodes": 2},
    ("task", "pendulum"): {"episodes": 2, "report_episodes": 2},
    ("task", "mountain-car"): {"episodes": 2, "report_episodes": 2},
    ("task", "mountain-car-continuous"): {"episodes": 2, "report_episodes": 2},
    ("task", "swimmer"): {"links": 3, "steps": 20, "episodes": 2, "report_episodes": 2},
    ("task", "table"): {"measure": Measure.LOG_LOSS},
    ("task", "digits-life"): {"lessons": 5, "lives": 2, "questions": 10},
    ("task", "retrieval"): {"asked": 16},
    ("task", "synthetic-reach"): {"units": 5, "steps": 4, "asked": 16},
    ("task", "spike-trains"): {"file": SPIKES, "bin": 20.0},
    ("task", "grasshopper"): {"bin": 10, "steps": 30, "lag": 2, "warmup": 4},
    ("learner", "dqn"): {
        "steps": 60,
        "environments": 2,
        "starts": 10,
        "batch": 8,
        "train_every": 4,
        "target_every": 8,
        "buffer": 32,
    },
    ("learner", "snes"): {"steps": 200, "population": 4},
    ("learner", "ppo"): {"iterations": 2, "horizon": 12, "environments": 4, "epochs": 2},
    ("learner", "distill"): {
        "teacher": TEACHERS,
        "iterations": 2,
        "horizon": 12,
        "environments": 4,
        "epochs": 2,
    },
    ("learner", "bptt"): {"updates": 4, "batch": 8},
    ("learner", "continual"): {"epochs": 2, "batch": 17},
    ("protection", "ewc"): {"samples": 20},
    ("learner", "supervised"): {"epochs": 2, "batch": 17, "noise": 0.5},
    ("strategy", "genetic"): {"population": 8},
    ("strategy", "islands"): {"count": 2, "every": 1, "inner": Genetic(population=6)},
    ("strategy", "map-elites"): {"measures": {"modules": (1, 4, 3), "rules": (16, 40, 2)}, "initial": 8},
    ("strategy", "nsga2"): {"population": 8},
}
DATA = {("circuit", "celegans"): "cect", ("circuit", "fly"): "flyvis"}
"""Packages of data that parts read, which nothing else of evogen needs."""


def installed(kind, name):
    package = DATA.get((kind, name), "evogen")
    return pytest.mark.skipif(find_spec(package) is None, reason=f"the data of {package} are not installed")


PARTS = {
    (kind, name): cls(**SHORT.get((kind, name), {})) for kind in PACKAGES for name, cls in known(kind).items()
}


@pytest.mark.parametrize(
    ("fact", "part"),
    [
        pytest.param(fact, part, id=f"{kind}-{name}-{fact.__name__}", marks=installed(kind, name))
        for (kind, name), part in PARTS.items()
        for fact in contract(kind, part)
    ],
)
def test_every_registered_part_keeps_its_contract(fact, part):
    fact(part)


@pytest.mark.parametrize("fact", EVALUATOR)
def test_the_serial_evaluator_keeps_its_contract(fact):
    fact(Serial)
