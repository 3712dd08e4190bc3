from dataclasses import replace

import gymnasium
import numpy as np
import pytest
import torch
from torch_fakes import Layer, Plain, Readout, genome_of, phenotype_of, random_rules, settled

from evogen.analysis.portrait import episode as module
from evogen.analysis.portrait.episode import record
from evogen.connectome.birth import Birth
from evogen.keys import Key
from evogen.tasks import Fold
from evogen.tasks.cartpole import CartPole
from evogen.tasks.gymnasium import Gymnasium
from evogen.tasks.pendulum import Pendulum
from evogen.tasks.play import play
from evogen.testing.tiny import Drift, Walk

KEY = Key(5)
STATIC = {7: [Layer(6), Readout()], 8: [Layer(3, "relu")]}
PLASTIC = {7: [Layer(6, rule="abcd"), Readout()], 8: [Layer(3, "relu", "leaky", 2.0)]}


def agent_of(modules, task, **plasticity):
    values = {f"rule.abcd.{name}": value for name, value in plasticity.items()}
    genome = genome_of(modules, rules=random_rules(4), plasticity=values)
    ((genome, _),) = settled((genome, modules), inputs=task.inputs, outputs=task.outputs)
    found = phenotype_of((genome, modules), inputs=task.inputs, outputs=task.outputs)
    names = [[f"{level}.{at}" for at in range(size)] for level, size in enumerate(found.bodies[0].sizes)]
    return found.agents(found.flat, [KEY.child("birth")], Birth(agents=1)), found, genome, names


@pytest.mark.parametrize(
    "task",
    [
        CartPole(report_episodes=1),
        Pendulum(report_episodes=1),
        Gymnasium("MountainCarContinuous-v0", report_episodes=1),
    ],
    ids=["cartpole", "pendulum", "any"],
)
def test_rewards_sum_to_the_task_s_own_score_of_the_same_agent_and_key(task):
    agent, _, _, names = agent_of(STATIC, task)
    found = record(task, agent, KEY, names)
    assert found.total == pytest.approx(float(task.score(agent, [KEY], Fold.REPORT)), rel=1e-12)
    assert found.end == ("terminated" if len(found.rewards) < task.horizon else "truncated")


@pytest.mark.parametrize("task", [Walk(), Drift()], ids=["walk", "drift"])
def test_a_task_of_its_own_is_recorded_where_it_plays(task):
    agent, _, _, names = agent_of(STATIC, task)
    found = record(task, agent, KEY, names)
    played = play(task, agent, keys=[KEY.child("episodes")], episodes=1)
    assert found.total == pytest.approx(float(played), rel=1e-6)
    assert found.world == type(task).__name__
    assert not found.pictures
    assert found.actions.shape == found.rewards.shape + ((2,) if task == Drift() else ())


def test_a_life_is_that_of_a_plain_network_group_by_group():
    """Outputs and what plasticity added, against the same equations, written down once more."""
    task = CartPole(report_episodes=1)
    _, body, genome, names = agent_of(PLASTIC, task, eta=0.02, B=0.3)
    found = record(task, body.network(body.flat), KEY, names)
    plain = Plain(body, 0, genome)
    outputs, sizes = [], []
    for observation in found.observations:
        outputs.append(plain.step(observation))
        fast = plain.fast[0]
        sizes.append(np.sqrt(np.square(fast).mean()))
    assert np.stack([trace.values for trace in found.output], 1) == pytest.approx(np.array(outputs), abs=1e-9)
    (change,) = found.changes
    assert (change.pre, change.post, change.rule) == (0, 1, "abcd")
    assert change.values == pytest.approx(np.array(sizes), abs=1e-9)
    assert change.born == pytest.approx(np.sqrt(np.square(plain.weights[0]).mean()), rel=1e-9)
    assert found.actions.tolist() == np.array(outputs).argmax(1).tolist()
    assert len(found.hidden) == 9


def test_weights_that_learn_nothing_do_not_change():
    task = CartPole()
    agent, _, _, names = agent_of(PLASTIC, task, eta=0.0)
    (change,) = record(task, agent, KEY, names).changes
    assert not change.values.any()


def test_an_episode_ends_where_the_output_is_no_number():
    task = CartPole()
    agent, _, _, names = agent_of(STATIC, task)
    broken = replace(agent, biases=(*agent.biases[:-1], agent.biases[-1] * torch.nan))
    found = record(task, broken, KEY, names)
    assert found.end == "not finite"
    assert len(found.rewards) == 1


def test_a_long_episode_is_cut(monkeypatch):
    monkeypatch.setattr(module, "STEPS", 7)
    task = Pendulum()
    agent, _, _, names = agent_of(STATIC, task)
    found = record(task, agent, KEY, names)
    assert (found.end, len(found.rewards)) == ("cut", 7)


def test_pictures_are_what_the_environment_draws_at_these_steps():
    pytest.importorskip("pygame", reason="Gymnasium draws with pygame")
    task = CartPole()
    agent, _, _, names = agent_of(STATIC, task)
    found = record(task, agent, KEY, names)
    steps = [step for step, _ in found.pictures]
    assert steps == sorted(set(steps))
    assert (steps[0], steps[-1]) == (0, len(found.rewards) - 1)
    with module._headless(), gymnasium.make("CartPole-v1", render_mode="rgb_array") as env:
        env.reset(seed=0)
        for step, picture in found.pictures:
            env.unwrapped.state = found.observations[step]
            assert picture.shape == (133, 200, 3)
            assert np.abs(picture.astype(int) - module._small(env.render())).max() <= 96  # a pixel's edge
            assert (picture == module._small(env.render())).mean() > 0.99


def test_what_cannot_be_drawn_is_said(monkeypatch):
    task = CartPole()
    agent, _, _, names = agent_of(STATIC, task)
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    assert "pygame" in record(task, agent, KEY, names).why
    monkeypatch.setattr(module, "DRAWABLE", ())
    found = record(task, agent, KEY, names)
    assert found.why == "CartPole-v1 is not drawn here"
    assert not found.pictures
