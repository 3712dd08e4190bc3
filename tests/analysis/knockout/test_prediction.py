"""The first-order prediction: the derivative of J along a change of the network, by finite differences."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

import evogen
from evogen.analysis.knockout.prediction import moved, predict, slopes
from evogen.cohort import Ref
from evogen.evaluation import Problem, developed
from evogen.experiment.launch import problem
from evogen.keys import Key
from evogen.phenotype import Network
from evogen.testing.tiny import Blobs, Drift, Lessons, Walk
from evogen.variation.sample import sample

SPACES = Path(__file__).parents[3] / "searchspaces"
STEP = 1e-5


def posed(name: str, task: object) -> Problem:
    return replace(problem(evogen.load(SPACES / f"{name}.yaml"), "cpu"), task=task, dtype="float64")


def network(of: Problem) -> Network:
    phenotype = developed(of, sample(of.space, Key(6), Ref(0, 0)))
    return phenotype.network(phenotype.flat).detach()


def changed(intact: Network, by: float) -> Network:
    """Each weight, coefficient and mask moved a share `by` of its size, some up and some down."""
    rng = Key(8).generator()

    def shifted(values: Tensor) -> Tensor:
        return values * (1 + by * torch.from_numpy(rng.choice([-1.0, 1.0], values.shape)))

    weights = tuple(shifted(W) for W in intact.weights)
    rules = {name: shifted(values) for name, values in intact.traits.rule.items() if name.count(".") > 1}
    kept = {name: values for name, values in intact.traits.rule.items() if name not in rules}
    return replace(intact, weights=weights, traits=replace(intact.traits, rule=kept | rules))


def chances(task: Blobs, of: Network, spread: Tensor) -> Tensor:
    features, labels = task.examples("test")
    output, _ = of.step(features.double()[None], of.start(len(features)))
    return torch.softmax(output / spread, -1)[0].gather(-1, labels[:, None]).mean()


@pytest.mark.parametrize("name", ["iris", "neurons"])
def test_of_classification_it_is_the_lost_share_of_right_answers(name: str) -> None:
    of = posed(name, Blobs())
    intact = network(of)
    found = slopes(of, intact, Key(1))
    assert found is not None
    output, _ = intact.step(Blobs().examples("test")[0].double()[None], intact.start(24))
    spread = (output - output.mean(-1, keepdim=True)).square().mean().sqrt()
    less, more = (chances(Blobs(), changed(intact, by), spread) for by in (-STEP, STEP))
    (predicted,) = predict(found, changed(intact, 1.0))
    assert predicted == pytest.approx(float(less - more) / (2 * STEP), rel=1e-5)
    assert abs(predicted) > 1e-4
    assert found.unit == "share of right answers"


@pytest.mark.parametrize("name", ["cartpole", "joint"])
def test_of_control_it_is_the_lost_share_of_its_own_actions_through_memory_too(name: str) -> None:
    of = posed(name, Walk())
    intact = network(of)
    assert intact.layout.stateful == (name == "joint")
    found = slopes(of, intact, Key(1))
    assert found is not None

    def replayed(one: Network) -> Tensor:
        """Outputs (T, B, 2) to what the intact network saw; NaN after an episode's end."""
        episodes = Walk().start([Key(1).child("episodes")], 8, torch.device("cpu"), again=False)
        memory, own, running, outputs = intact.start(8), one.start(8), torch.ones(1, 8, dtype=torch.bool), []
        for _ in range(Walk.horizon):
            observation = episodes.observation.double()
            output, own = one.step(observation, own)
            acted, memory = intact.step(observation, memory)
            outputs.append(output[0].masked_fill(~running[0, :, None], torch.nan))
            turn = episodes.step(acted.argmax(-1))
            running = running & ~turn.terminated & ~turn.truncated
        return torch.stack(outputs)

    said = replayed(intact)
    lived = said[~said.isnan().any(-1)]
    spread = (lived - lived.mean(-1, keepdim=True)).square().mean().sqrt()

    def kept(one: Network) -> float:
        now = torch.softmax(replayed(one) / spread, -1).gather(-1, said.argmax(-1, keepdim=True))
        return float(now[~now.isnan()].mean())

    (predicted,) = predict(found, changed(intact, 1.0))
    difference = (kept(changed(intact, -STEP)) - kept(changed(intact, STEP))) / (2 * STEP)
    assert predicted == pytest.approx(difference, rel=1e-4)


def test_of_continuous_actions_it_is_about_the_size_of_their_change() -> None:
    of = posed("cartpole", Drift())
    intact = network(of)
    found = slopes(of, intact, Key(1))
    assert found is not None
    episodes = Drift().start([Key(1).child("episodes")], 8, torch.device("cpu"), again=False)
    change, running = [], torch.ones(1, 8, dtype=torch.bool)
    for _ in range(Drift.horizon):
        observation = episodes.observation.double()
        less, more = (Drift().act(changed(intact, by).forward(observation)) for by in (-STEP, STEP))
        change.append(((more - less) / (2 * STEP))[running])
        turn = episodes.step(Drift().act(intact.forward(observation)))
        running = running & ~turn.terminated & ~turn.truncated
    wanted = float(torch.cat(change).square().mean().sqrt())
    (predicted,) = predict(found, changed(intact, 1.0))
    # 16 probes: a relative error of about sqrt(2 / 16) / 2 = 18 %
    assert predicted == pytest.approx(wanted, rel=0.5)


def test_a_network_that_is_not_changed_loses_nothing_and_one_half_as_strong_half_of_the_wiring() -> None:
    of = posed("cartpole", Walk())
    intact = network(of)
    found = slopes(of, intact, Key(1))
    assert found is not None
    assert predict(found, intact).tolist() == [0.0]
    assert moved(intact, intact).tolist() == [0.0]
    half = replace(intact, weights=tuple(0.5 * W for W in intact.weights))
    assert moved(intact, half).tolist() == [pytest.approx(0.5)]


def test_a_task_that_scores_whole_lives_has_no_prediction() -> None:
    of = posed("digits-life", Lessons())
    assert slopes(of, network(of), Key(1)) is None


def test_a_network_whose_first_answer_is_not_finite_predicts_nothing() -> None:
    of = posed("cartpole", Walk())
    intact = network(of)
    broken = replace(intact, biases=tuple(torch.full_like(b, torch.nan) for b in intact.biases))
    found = slopes(of, broken, Key(1))
    assert found is not None
    assert np.array_equal(predict(found, changed(broken, 1.0)), [0.0])
