from __future__ import annotations

from dataclasses import dataclass

import pytest
import torch

from evogen.keys import Key
from evogen.plasticity.local import Local
from evogen.studies.nets import Layer, Net
from evogen.tasks import Fold
from evogen.tasks.digits import Digits
from evogen.tasks.digits_life import DigitsLife

from .fakes import Failing, Hebbian, Linear, keys, random_weights

TASK = DigitsLife(lessons=30, lives=3, questions=20)


def lessons_and_questions(agents):
    """(P, B, T, 64) images taught, (P, B, T, 10) teachers, (P, B, Q, 64) images asked about."""
    taught = [(image, teach) for image, teach in agents.seen if teach is not None]
    asked = [image for image, teach in agents.seen if teach is None]
    return (
        torch.stack([image for image, _ in taught], 2),
        torch.stack([teach for _, teach in taught], 2),
        torch.stack(asked, 2),
    )


@pytest.mark.parametrize("fold", Fold)
def test_static_networks_score_chance(fold):
    agents = Linear(random_weights((64, 64, 10)))
    scores = DigitsLife(lessons=1, lives=1).score(agents, keys(64), fold)
    assert 0.07 < scores.mean() < 0.13  # standard error of 64 random classifiers: 0.007


@pytest.mark.parametrize("fold", Fold)
def test_hebbian_readouts_learn_within_their_life(fold):
    agents = Hebbian(torch.zeros(2, 64, 10))
    assert (DigitsLife().score(agents, keys(2), fold) > 0.6).all()


def test_more_lessons_teach_more():
    agents = Hebbian(torch.zeros(4, 64, 10))
    few, many = (DigitsLife(lessons=count).score(agents, keys(4), Fold.REPORT).mean() for count in (10, 400))
    assert many > few + 0.1


def test_every_lesson_is_a_training_image_with_its_own_label():
    agents = Linear(torch.zeros(2, 64, 10))
    TASK.score(agents, keys(2), Fold.SEARCH)
    images, teachers, _ = lessons_and_questions(agents)
    features, labels = Digits().examples("train")
    lookup = {tuple(image.tolist()): int(label) for image, label in zip(features, labels, strict=True)}
    found = [lookup[tuple(image.tolist())] for image in images.flatten(0, 2)]
    assert torch.equal(teachers.flatten(0, 2), torch.eye(10)[found])
    assert images.shape == (2, 3, 30, 64)


def test_every_life_has_lessons_of_its_own_without_repeats():
    agents = Linear(torch.zeros(2, 64, 10))
    TASK.score(agents, keys(2), Fold.SEARCH)
    images, _, _ = lessons_and_questions(agents)
    lives = images.flatten(0, 1)
    assert all(len(life.unique(dim=0)) == 30 for life in lives)
    assert len({life[0].numpy().tobytes() for life in lives}) > 1


def test_search_asks_about_validation_images_and_report_about_all_test_images():
    for fold, name, count in ((Fold.SEARCH, "validation", 20), (Fold.REPORT, "test", 359)):
        agents = Linear(torch.zeros(2, 64, 10))
        TASK.score(agents, keys(2), fold)
        _, _, asked = lessons_and_questions(agents)
        known = {image.numpy().tobytes() for image in Digits().examples(name)[0]}
        for life in asked.flatten(0, 1):
            different = {image.numpy().tobytes() for image in life}
            assert len(different) == count
            assert different <= known


def test_search_and_report_teach_different_lessons():
    streams = []
    for fold in Fold:
        agents = Linear(torch.zeros(1, 64, 10))
        TASK.score(agents, keys(1), fold)
        streams.append(lessons_and_questions(agents)[0])
    assert not torch.equal(*streams)


@dataclass
class Counting(Linear):
    """Its state is the number of steps lived; it remembers from which state each question was asked."""

    def __post_init__(self):
        self.asked_at = []

    def start(self, batch):
        return 0

    def step(self, observation, state, *, teach=None):
        if teach is None:
            self.asked_at.append(state)
        return observation @ self.weights, state + 1


def test_every_question_meets_the_network_of_the_last_lesson():
    agents = Counting(torch.zeros(1, 64, 10))
    TASK.score(agents, keys(1), Fold.SEARCH)
    assert agents.asked_at == [30] * 20


@pytest.mark.usefixtures("no_test_fold")
def test_search_never_reads_the_test_fold():
    agents = Hebbian(torch.zeros(1, 64, 10))
    assert 0.0 <= TASK.score(agents, keys(1), Fold.SEARCH) <= 1.0
    with pytest.raises(AssertionError):
        TASK.score(agents, keys(1), Fold.REPORT)


def test_a_score_depends_on_the_agent_and_its_key_only():
    together = TASK.score(Hebbian(torch.zeros(4, 64, 10)), keys(4), Fold.SEARCH)
    alone = [TASK.score(Hebbian(torch.zeros(1, 64, 10)), [key], Fold.SEARCH) for key in keys(4)]
    assert torch.equal(together, torch.cat(alone))
    assert len(together.unique()) > 1


@pytest.mark.parametrize("step_of_failure", [0, 29, 30])
def test_non_finite_output_gives_a_nan_score_and_spares_the_other_rows(step_of_failure):
    weights = random_weights((3, 64, 10))
    healthy = TASK.score(Linear(weights), keys(3), Fold.SEARCH)
    agents = Failing(weights, row=1, step_of_failure=step_of_failure)
    scores = TASK.score(agents, keys(3), Fold.SEARCH)
    assert scores[1].isnan()
    assert torch.equal(scores[[0, 2]], healthy[[0, 2]])


def test_a_passing_failure_in_a_lesson_is_not_forgotten():
    class Recovering(Failing):
        def step(self, observation, state, *, teach=None):
            output, after = super().step(observation, state, teach=teach)
            return (output if state == 5 else output.nan_to_num()), after

    agents = Recovering(random_weights((2, 64, 10)), row=0, step_of_failure=5)
    assert TASK.score(agents, keys(2), Fold.SEARCH).isnan().tolist() == [True, False]


def test_a_rule_that_follows_errors_learns_from_what_the_readout_falls_short_of():
    """Widrow & Hoff's delta rule at the readout of random features, F from zero, in one life."""
    rule = Local(terms=("A",), factors="error", A=1.0, eta=0.01)
    net = Net((Layer(32),), rule="local", rules={"local": rule})
    bodies = net.phenotype(TASK, range(3), Key(4))
    network = bodies.network(bodies.flat).detach()
    image, target = torch.randn(3, 1, 64), torch.eye(10)[[3]].expand(3, 1, 10)
    state = network.start(1)
    hidden, output = network.activity(image, state)[1:]
    _, after = network.step(image, state, teach=target)
    (fast,) = after.values()
    wanted = 0.01 * hidden.unsqueeze(-1) * (target - output).unsqueeze(-2)  # (P, B, pre, post)
    torch.testing.assert_close(fast, wanted)
    assert (DigitsLife(lessons=400).score(network, keys(3), Fold.REPORT) > 0.6).all()
