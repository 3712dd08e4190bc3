import dataclasses

import torch

from evogen.learning.errors.backpropagation import Backpropagation
from evogen.learning.errors.feedback import Feedback
from evogen.learning.errors.none import NoError
from evogen.learning.local import Local
from evogen.learning.none import NoLearner
from evogen.learning.schedules.clamped import Clamped
from evogen.metrics.alignment import Alignment
from evogen.tasks import TaskKind
from evogen.testing import metric, tiny


def measured(learner):
    subject = dataclasses.replace(metric.subject(TaskKind.CLASSIFICATION), learner=learner)
    return Alignment(20).measure(subject)["alignment"]


def test_back_propagation_is_aligned_with_itself():
    torch.testing.assert_close(measured(Local(error=Backpropagation())), torch.ones(3).double())


def test_weak_feedback_in_two_phases_is_nearly_aligned_and_random_feedback_is_not():
    assert (measured(Local(error=NoError(), schedule=Clamped(gamma=0.01))) > 0.99).all()
    assert (measured(Local(error=Feedback())).abs() < 0.9).all()


def test_it_measures_with_the_feedback_that_the_candidate_learnt_with():
    subject = metric.subject(TaskKind.CLASSIFICATION)
    learner, own = Local(error=Feedback()), tiny.keys()
    first, second = (
        Alignment(20).measure(dataclasses.replace(subject, learner=learner, taught=taught))["alignment"]
        for taught in (own, [key.child("others") for key in own])
    )
    assert (first != second).all()


def test_a_learner_without_a_local_update_has_none():
    assert measured(NoLearner()).isnan().all()
