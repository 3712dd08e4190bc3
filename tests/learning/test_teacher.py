import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file

from evogen.errors import SpecError
from evogen.keys import Key
from evogen.learning.ppo import PPO
from evogen.learning.teach import RECIPES, train
from evogen.learning.teacher import FOLDER, load, name_of, teacher_for
from evogen.registry import find
from evogen.tasks import Fold
from evogen.tasks.acrobot import Acrobot
from evogen.tasks.cartpole import CartPole
from evogen.tasks.gymnasium import Gymnasium
from evogen.testing.tiny import Blobs, Drift, Walk

from . import hand_made
from .hand_made import drawn

SHIPPED = sorted(path.stem for path in FOLDER.glob("*.safetensors"))
SOLVED = {"cartpole": 490.0, "mountain-car": -105.0, "acrobot": -80.0, "LunarLander-v3": 240.0}
SHORT = PPO(iterations=15, horizon=32, learning_rate=0.03, gamma=0.9)


def test_an_answer_is_that_of_a_plain_network():
    teacher = drawn(3, 2, hidden=(5, 4))
    observation = torch.randn(2, 7, 3, generator=torch.Generator().manual_seed(1)) * 20
    x = np.clip((observation.numpy() - teacher.lens.centre.numpy()) / teacher.lens.spread.numpy(), -10, 10)
    (W1, b1), (W2, b2), (W3, b3) = [(W.numpy(), b.numpy()) for W, b in teacher.layers]
    expected = np.tanh(np.tanh(x @ W1 + b1) @ W2 + b2) @ W3 + b3
    np.testing.assert_allclose(teacher.answer(observation).numpy(), expected, rtol=1e-4, atol=1e-5)
    assert teacher.answer(observation.double()).dtype == torch.float64


@pytest.mark.parametrize("outputs", [1, 2, 3])
@pytest.mark.parametrize("batch", [1, 2, 37, 1024])
def test_a_row_is_answered_alone_as_in_company(batch, outputs):
    teacher = drawn(4, outputs, hidden=(64, 64))
    observation = torch.randn(5, batch, 4, generator=torch.Generator().manual_seed(1))
    together = teacher.answer(observation)
    assert together.shape == (5, batch, outputs)
    for row in range(5):
        assert torch.equal(teacher.answer(observation[row : row + 1])[0], together[row])
    observation[2] = torch.nan
    beside = teacher.answer(observation)
    assert torch.equal(beside[[0, 1, 3, 4]], together[[0, 1, 3, 4]])


def test_a_file_gives_the_teacher_back_and_equal_teachers_make_equal_files(tmp_path):
    teacher = drawn(3, 2)
    for name in ("a", "b"):
        teacher.save(tmp_path / name)
    again = load(tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert again.origin == teacher.origin
    observation = torch.ones(1, 2, 3)
    assert torch.equal(again.answer(observation), teacher.answer(observation))


@pytest.mark.parametrize("name", ["Walk", "Drift"])
def test_the_files_of_the_tiny_tasks_are_the_ones_made_by_hand(name, tmp_path):
    hand_made.hand_made(name).save(tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == (hand_made.FOLDER / f"{name}.safetensors").read_bytes()


def test_a_teacher_is_found_by_its_task_in_a_folder_or_by_its_file(tmp_path):
    path = tmp_path / "cartpole.safetensors"
    teacher = drawn(4, 2, seed=1)
    teacher.save(path)
    for where in (tmp_path, path):
        found = teacher_for(CartPole(), str(where))
        assert torch.equal(found.layers[0][0], teacher.layers[0][0])
    assert name_of(Gymnasium(id="CartPole-v1")) == "CartPole-v1"
    assert name_of(Walk()) == "Walk"


@pytest.mark.parametrize(
    ("task", "where", "found"),
    [
        (Walk(), "", r"there is no teacher .*Walk.safetensors for the task 'Walk'.*\(.*cartpole"),
        (CartPole(), "nowhere", "there is no teacher nowhere for the task 'cartpole': name a file"),
        (
            Acrobot(),
            str(FOLDER / "cartpole.safetensors"),
            "does not fit the task 'acrobot': wanted .*6.*found .*4",
        ),
        (Drift(), str(hand_made.FOLDER / "Walk.safetensors"), "wanted .*'continuous'.*found .*'control'"),
    ],
)
def test_a_missing_or_foreign_teacher_is_refused(task, where, found):
    with pytest.raises(SpecError, match=found):
        teacher_for(task, where)


def altered(tmp_path, arrays=(), **metadata):
    """The file of a teacher with other arrays and metadata; None leaves one out."""
    path = tmp_path / "teacher.safetensors"
    drawn(3, 2, hidden=(5,)).save(path)
    changed = load_file(path) | dict(arrays)
    text = json.dumps(vars(drawn(3, 2).origin) | metadata)
    save_file({name: array for name, array in changed.items() if array is not None}, path, {"teacher": text})
    return path


def ones(*shape, dtype=np.float32):
    return np.ones(shape, dtype)


@pytest.mark.parametrize(
    ("arrays", "metadata", "found"),
    [
        ({"W1": None}, {}, "wanted tensors mean, spread, W1, b1"),
        ({"W4": ones(2, 2), "b4": ones(2)}, {}, "wanted tensors mean"),
        (dict.fromkeys(("W1", "b1", "W2", "b2")), {}, "wanted 1 to 8 layers, found 0"),
        (
            {f"{s}{n}": ones(2, 2)[: 2 if s == "W" else 1] for s in "Wb" for n in range(3, 10)},
            {},
            "1 to 8 layers",
        ),
        ({"W1": ones(3, 6)}, {}, r"W1: wanted float32 \(3, 5\), found float32 \(3, 6\)"),
        ({"W2": ones(5, 2, dtype=np.float64)}, {}, r"W2: wanted float32 \(5, 2\), found float64"),
        ({"b2": ones(1, 2)}, {}, r"b2: wanted float32 \(2,\), found float32 \(1, 2\)"),
        ({"W2": ones(5, 0), "b2": ones(0)}, {}, "W2: wanted 1 to 4096 neurons"),
        ({"W2": ones(5, 5000), "b2": ones(5000)}, {}, "W2: wanted 1 to 4096 neurons"),
        ({"b1": ones(5) * np.nan}, {}, "b1 has numbers that are not finite"),
        ({"spread": ones(3) * 0}, {}, "wanted a spread > 0, found 0"),
        ({}, {"seed": "1"}, "metadata has seed '1'"),
        ({}, {"other": 1}, "wanted metadata of task, kind, seed"),
    ],
)
def test_a_damaged_file_is_refused(tmp_path, arrays, metadata, found):
    with pytest.raises(SpecError, match=found):
        load(altered(tmp_path, arrays, **metadata))


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "3"])
def test_metadata_that_is_no_origin_is_refused(tmp_path, text):
    path = tmp_path / "file"
    arrays = {"mean": ones(1), "spread": ones(1), "W1": ones(1, 1), "b1": ones(1)}
    save_file(arrays, path, {"teacher": text})
    with pytest.raises(SpecError, match="is no teacher: "):
        load(path)


def test_a_file_of_another_kind_or_size_is_refused(tmp_path):
    path = tmp_path / "file"
    for content in (b"", b"\xff" * 100, b"cos\nsystem\n(S'true'\ntR."):
        path.write_bytes(content)
        with pytest.raises(SpecError, match="cannot read the teacher"):
            load(path)
    with path.open("wb") as file:
        file.truncate(2**24 + 1)
    with pytest.raises(SpecError, match="has 16777217 bytes, at most 16777216 are read"):
        load(path)
    with pytest.raises(SpecError, match="cannot read the teacher"):
        load(tmp_path / "none")


def test_a_teacher_is_trained_and_trained_again_to_the_same_bits(tmp_path):
    """A random walk earns about 1.3, standing near the middle 3.9."""
    first, second = (train(Walk(), Key(3), learner=SHORT, candidates=3, episodes=50) for _ in range(2))
    first.save(tmp_path / "a")
    second.save(tmp_path / "b")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert first.origin.validation > 3
    assert first.origin.returns > 3
    assert (first.origin.seed, first.origin.steps) == (3, 15 * 32 * 8)
    assert first.origin.returns == pytest.approx(mean_return(Walk(), first, 50, Key(3).child("report")))


def test_what_a_teacher_observed_comes_with_it():
    teacher = train(Drift(), Key(1), learner=replace(SHORT, iterations=2), candidates=2, episodes=5)
    assert abs(float(teacher.lens.centre[0, 0])) < 0.5
    assert 0.3 < float(teacher.lens.spread[0, 0]) < 1.2
    assert float(teacher.lens.centre[0, 1]) == pytest.approx(1.0)
    assert teacher.origin.kind == "continuous"


def test_a_task_without_actions_has_no_teacher():
    with pytest.raises(SpecError, match="is of kind continuous, control, found classification"):
        train(Blobs(), Key(0))


def test_a_training_that_diverges_is_an_error():
    with pytest.raises(SpecError, match="no network for the task 'Walk' stayed finite"):
        train(Walk(), Key(3), learner=replace(SHORT, learning_rate=1e30), candidates=2, episodes=2)


def mean_return(task, teacher, episodes, key):
    """Of a teacher that acts by its largest output."""
    running = task.start([key], episodes, torch.device("cpu"), again=False)
    total, alive = torch.zeros(1, episodes, dtype=torch.float64), torch.ones(1, episodes, dtype=torch.bool)
    for _ in range(task.horizon):
        turn = running.step(task.act(teacher.answer(running.observation)))
        total += turn.reward.double() * alive
        alive &= ~turn.terminated & ~turn.truncated
        if not alive.any():
            break
    return float(total.mean())


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_teacher_is_small_honest_and_knows_its_task(name):
    """On 20 episodes that its training never saw; its own figure is of 100 others."""
    path = FOLDER / f"{name}.safetensors"
    task = Gymnasium(id=name) if name[0].isupper() else find("task", name)()
    teacher = teacher_for(task)
    origin = teacher.origin
    assert path.stat().st_size < 60_000
    assert origin.task == name == name_of(task)
    assert origin.learner == vars(RECIPES[name])
    assert min(origin.returns, origin.validation) > SOLVED[name]
    found = mean_return(task, teacher, 20, Key(origin.seed).child(Fold.REPORT.value, "other"))
    assert abs(found - origin.returns) < 0.15 * abs(origin.returns)


def test_every_recipe_has_its_teacher():
    assert sorted(RECIPES) == SHIPPED
    assert {"cartpole", "mountain-car", "acrobot"} <= set(SHIPPED)
