"""The soft budget of time: every learner keeps it, and it ends only who is too slow."""

import pickle
import time
from dataclasses import dataclass, field, replace
from typing import ClassVar

import pytest
from test_evaluation import cohort, problem, run

from evogen.cohort import Outcome
from evogen.keys import Key
from evogen.learning import deadline
from evogen.learning.distill import Distill
from evogen.learning.dqn import DQN
from evogen.learning.none import NoLearner
from evogen.learning.ppo import PPO
from evogen.learning.snes import SNES
from evogen.learning.supervised import Supervised
from evogen.tasks import TaskKind
from evogen.tasks.cartpole import CartPole
from evogen.tasks.digits import Digits


@dataclass(frozen=True)
class Slow:
    """Learns nothing; takes long wherever the candidate with this key is."""

    slow: Key
    seconds: float
    calls: list = field(default_factory=list, compare=False)
    fits: ClassVar = frozenset(TaskKind)

    def fit(self, phenotype, task, keys, values):
        self.calls.append(len(keys))
        for _ in range(3):
            deadline.check()
            time.sleep(self.seconds if self.slow in keys else 0.0)
        deadline.check()
        return NoLearner().fit(phenotype, task, keys, values)


def test_check_raises_once_the_time_is_over_and_not_outside():
    with deadline.limited(None):
        deadline.check()
    with deadline.limited(60.0):
        deadline.check()
        with deadline.limited(-1.0), pytest.raises(deadline.Overdue, match=r"compute\.seconds"):
            deadline.check()
        deadline.check()
    deadline.check()


@pytest.mark.parametrize(
    ("learner", "task"),
    [
        (PPO(), CartPole()),
        (DQN(), CartPole()),
        (SNES(), CartPole()),
        (Distill(), CartPole()),
        (Supervised(), Digits()),
    ],
)
def test_every_learner_keeps_the_time(learner, task):
    of = problem("reflex", task, learner, seconds=1e-9)
    (found,) = run(of, cohort(of, 1))
    assert found.outcome is Outcome.TIMEOUT
    assert found.message == "learnt for longer than compute.seconds, 1e-09 seconds"


def test_only_the_slow_one_ends_timeout_and_the_others_keep_their_bits():
    bare = problem("reflex", CartPole(), NoLearner())
    genomes = cohort(bare, 1) * 1
    genomes = [replace(genomes[0], plasticity={"n": float(row)}) for row in range(8)]  # of one layout
    slow = Slow(bare.key.child("life", genomes[5].id).child("learn"), 0.2)
    found = run(replace(bare, learner=slow, seconds=0.3), genomes)
    healthy = run(bare, genomes)
    assert [row for row in range(8) if found[row].outcome is Outcome.TIMEOUT] == [5]
    for row in {*range(8)} - {5}:
        assert pickle.dumps(found[row]) == pickle.dumps(healthy[row])
    assert slow.calls == [8, 4, 4, 2, 1, 1, 2]
