from __future__ import annotations

import pickle
from importlib.util import find_spec

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium.spaces import Box, Dict, Discrete, MultiDiscrete

from evogen.errors import SpecError
from evogen.schema import Where, settings
from evogen.tasks import Fold, TaskKind
from evogen.tasks.cartpole import CartPole
from evogen.tasks.gymnasium import Gymnasium
from evogen.tasks.pendulum import Pendulum

from .fakes import Linear, keys, random_weights

CPU = torch.device("cpu")
VECTOR, CHOICE = Box(-1, 1, (3,)), Discrete(2)


class Shown(gymnasium.Env):
    """An environment with these spaces, which is never stepped."""

    def __init__(self, seen, acted):
        self.observation_space, self.action_space = seen, acted


@pytest.fixture
def registered():
    """Register an environment of these spaces as Shown-v0."""

    def register(seen=VECTOR, acted=CHOICE, steps=10):
        def make():
            return Shown(seen, acted)

        gymnasium.register(name, entry_point=make, max_episode_steps=steps)

    name = "Shown-v0"
    yield register
    gymnasium.registry.pop(name, None)


def refusal(env_id):
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        Gymnasium(id=env_id)
    message = str(caught.value)
    assert "\n" not in message
    return message


@pytest.mark.parametrize(("env_id", "ours"), [("CartPole-v1", CartPole()), ("Pendulum-v1", Pendulum())])
def test_what_it_says_of_itself_is_what_our_own_task_says(env_id, ours):
    task = Gymnasium(id=env_id)
    for name in ("kind", "inputs", "outputs", "horizon", "threshold"):
        assert getattr(task, name) == getattr(ours, name)


def test_a_task_is_a_value_that_travels():
    task = Gymnasium(id="CartPole-v1", episodes=3)
    assert pickle.loads(pickle.dumps(task)) == task


def test_episodes_are_seeded_once_and_run_on_by_themselves():
    task, (key,) = Gymnasium(id="CartPole-v1"), keys(1)
    episodes = task.start([key], 2, CPU)
    actions = np.random.default_rng(0).integers(0, 2, (200, 2))
    for copy in range(2):
        env = gymnasium.make("CartPole-v1")
        observation, _ = env.reset(seed=key.child(copy).integer())
        replay = task.start([key], 2, CPU)
        ends = 0
        for action in actions:
            np.testing.assert_array_equal(replay.observation[0, copy], observation)
            observation, reward, terminated, truncated, _ = env.step(action[copy])
            turn = replay.step(torch.from_numpy(action)[None])
            np.testing.assert_array_equal(turn.after[0, copy], observation)
            assert turn.reward[0, copy] == reward
            assert (turn.terminated[0, copy], turn.truncated[0, copy]) == (terminated, truncated)
            if terminated or truncated:
                observation, _ = env.reset()
                ends += 1
        assert ends > 3
    assert not torch.equal(*episodes.observation[0])


def test_our_pendulum_and_gymnasiums_score_alike():
    weights = torch.zeros(2, 3, 1)
    weights[0, 1:] = torch.tensor([[-20.0], [-2.0]])
    agents = Linear(weights)
    ours = Pendulum(episodes=50).score(agents, keys(2), Fold.SEARCH)
    theirs = Gymnasium(id="Pendulum-v1", episodes=50).score(agents, keys(2), Fold.SEARCH)
    np.testing.assert_allclose(ours, theirs, atol=4 * 400 / 50**0.5)  # both ~ N(mean, <= 400^2 / 50)


def test_search_and_report_start_differently():
    agents = Linear(random_weights((1, 4, 2))), Linear(random_weights((1, 4, 2)))
    task = Gymnasium(id="CartPole-v1", episodes=8, report_episodes=8)
    for each, fold in zip(agents, Fold, strict=True):
        task.score(each, keys(1), fold)
    assert not torch.isin(agents[0].seen[0][0], agents[1].seen[0][0]).any()


def test_an_action_stays_within_the_bounds_and_a_broken_one_stands_still():
    task = Gymnasium(id="MountainCarContinuous-v0")
    episodes = task.start(keys(1), 3, CPU)
    turn = episodes.step(torch.tensor([[[torch.nan], [5.0], [-0.5]]]))
    np.testing.assert_allclose(turn.reward[0], [0.0, -0.1, -0.025], rtol=1e-6)


def test_an_unknown_environment_is_refused_with_the_nearest_name():
    assert "'CartPole-v9'; did you mean 'CartPole-v1'?" in refusal("CartPole-v9")
    assert "farama" in refusal("?")
    with pytest.raises(SpecError, match="did you mean 'Acrobot-v1'"):
        settings(Gymnasium, {"id": "Acrobat-v1"}, Where())


def test_a_file_cannot_make_gymnasium_import_a_module(monkeypatch):
    monkeypatch.setattr(gymnasium, "make", lambda *_, **__: pytest.fail("made"))
    assert "no environment" in refusal("antigravity:CartPole-v1")


def test_a_missing_package_is_named(monkeypatch):
    def missing(env_id, **_):
        raise gymnasium.error.DependencyNotInstalled("Box2D is not installed")

    monkeypatch.setattr(gymnasium, "make", missing)
    assert 'pip install "evogen[box2d]"' in refusal("BipedalWalkerHardcore-v3")
    assert 'pip install "evogen[mujoco]"' in refusal("HalfCheetah-v5")
    assert "Box2D is not installed" in refusal("Taxi-v4")  # not one of Box2D's: Gymnasium's own words


@pytest.mark.parametrize(
    ("spaces", "wanted"),
    [
        ({"seen": Box(0, 255, (8, 8, 3), np.uint8)}, "wanted a vector"),
        ({"seen": Dict({"x": VECTOR})}, "wanted a vector"),
        ({"seen": Discrete(4)}, "wanted a vector"),
        ({"acted": Discrete(2, start=1)}, "wanted Discrete actions from 0"),
        ({"acted": MultiDiscrete([2, 2])}, "wanted Discrete actions from 0"),
        ({"acted": Box(-np.inf, np.inf, (2,))}, "bounded vector"),
        ({"acted": Box(-1, 1, (2, 2))}, "bounded vector"),
        ({"steps": None}, "no time limit"),
    ],
)
def test_what_no_network_can_act_in_is_refused(registered, spaces, wanted):
    registered(**spaces)
    assert wanted in refusal("Shown-v0")


def test_bounds_are_the_environments_own(registered):
    registered(acted=Box(np.array([-1.0, 0.0]), np.array([1.0, 10.0]), dtype=np.float64))
    task = Gymnasium(id="Shown-v0")
    try:
        assert task.kind is TaskKind.CONTINUOUS
        assert task.act(torch.zeros(1, 1, 2)).tolist() == [[[0.0, 5.0]]]
    finally:
        from evogen.tasks.gymnasium import facts

        facts.cache_clear()


BOX2D = pytest.mark.skipif(find_spec("Box2D") is None, reason="needs the extra box2d")


@BOX2D
def test_lunar_lander_crashes_without_control():
    task = Gymnasium(episodes=5, report_episodes=5)
    assert (task.inputs, task.outputs, task.horizon, task.threshold) == (8, 4, 1000, 200.0)
    agents = Linear(torch.zeros(2, 8, 4))  # never fires an engine
    for fold in Fold:
        scores = task.score(agents, keys(2), fold)
        assert ((scores > -400) & (scores < -50)).all()


@BOX2D
def test_lunar_lander_is_the_same_row_by_row():
    weights, task = random_weights((3, 8, 2)), Gymnasium(id="LunarLanderContinuous-v3", episodes=2)
    together = task.score(Linear(weights), keys(3), Fold.SEARCH)
    alone = [task.score(Linear(weights[[row]]), [keys(3)[row]], Fold.SEARCH) for row in range(3)]
    assert torch.equal(together, torch.cat(alone))


MUJOCO = pytest.mark.skipif(find_spec("mujoco") is None, reason="needs the extra mujoco")


@MUJOCO
@pytest.mark.parametrize(
    ("env_id", "inputs", "outputs", "threshold"),
    [("Swimmer-v5", 8, 2, 360.0), ("InvertedPendulum-v5", 4, 1, 950.0), ("Ant-v5", 105, 8, 6000.0)],
)
def test_environments_of_mujoco_are_tasks(env_id, inputs, outputs, threshold):
    task = Gymnasium(id=env_id, episodes=2)
    found = (task.kind, task.inputs, task.outputs, task.horizon, task.threshold)
    assert found == (TaskKind.CONTINUOUS, inputs, outputs, 1000, threshold)
    key, env = keys(1)[0], gymnasium.make(env_id)
    observation, _ = env.reset(seed=key.child(0).integer())
    episodes, rng = task.start([key], 1, CPU), np.random.default_rng(0)
    for _ in range(20):
        np.testing.assert_array_equal(episodes.observation[0, 0], observation.astype(np.float32))
        action = task.act(torch.from_numpy(rng.normal(size=(1, 1, outputs))).float())
        observation, reward, terminated, truncated, _ = env.step(action[0, 0].numpy())
        turn = episodes.step(action)
        assert turn.reward[0, 0] == np.float32(reward)
        assert (turn.terminated.item(), turn.truncated.item()) == (terminated, truncated)
        if terminated:
            observation, _ = env.reset()
