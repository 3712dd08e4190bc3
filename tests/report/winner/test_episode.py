import base64
import re
from dataclasses import replace

import numpy as np
import pytest

from evogen.analysis.portrait.episode import Change, Episode, Trace
from evogen.report.markup import element
from evogen.report.winner.episode import POINTS, _thinned, recorded

STEPS = 1000
T = np.arange(STEPS)
SPIKE = np.where(T == 617, 9.0, np.sin(T / 50))
FOUND = Episode(
    "CartPole-v1",
    np.stack([SPIKE, np.cos(T / 50), T / 100, -T / 100], 1),
    (T // 10) % 2,
    np.ones(STEPS),
    tuple(Trace(f"m1.l0.{at + 1}", np.sin(T / (5 + at)) * at) for at in range(40)),
    (Trace("out 1", np.cos(T / 9)), Trace("out 2", -np.cos(T / 9))),
    (),
    "truncated",
    why="pictures need pygame",
)


def root(found=FOUND):
    return element("div", *recorded(found))


def test_return_and_end_are_told():
    words = "".join(root().itertext())
    assert "return 1,000, truncated after 1000 steps" in words
    assert "No pictures: pictures need pygame." in words
    assert "cut after 1000 steps" in "".join(root(replace(FOUND, end="cut")).itertext())


def test_observations_of_known_environments_have_their_names_and_units():
    titles = [item.text for item in root().iter("h4")]
    assert titles[:4] == [
        "Cart position (m)",
        "Cart velocity (m/s)",
        "Pole angle (rad)",
        "Pole velocity (rad/s)",
    ]
    other = [item.text for item in root(replace(FOUND, world="Other")).iter("h4")]
    assert other[0] == "Observation 1"


def test_of_many_observations_those_that_vary_most_are_drawn():
    wide = replace(FOUND, world="Other", observations=np.sin(T[:, None] / 40) * np.arange(30))
    titles = [item.text for item in root(wide).iter("h4")]
    assert titles[:8] == [f"Observation {at}" for at in range(23, 31)]
    assert titles[8] == "Action chosen"


def test_no_peak_is_lost_where_steps_are_thinned():
    xs, ys = _thinned(SPIKE)
    assert len(xs) <= POINTS
    assert ys.max() == 9
    assert xs[ys.argmax()] == 617
    assert (np.diff(xs) > 0).all()
    assert ys.tolist() == SPIKE[xs.astype(int)].tolist()


def test_activity_shows_outputs_and_the_neurons_that_vary_most():
    (image,) = [item for item in root().iter("svg") if "Activity" in item.get("aria-label")]
    names = [item.text for item in image.iter("text")]
    assert names[0] == "m1.l0.40"
    assert {"out 1", "out 2"} <= set(names)
    assert len([name for name in names if name.startswith(("m1", "out"))]) == 24
    assert "m1.l0.1" not in names


def test_pictures_are_a_strip_with_their_steps():
    pictures = tuple((step, np.full((3, 4, 3), step, np.uint8)) for step in (0, 9))
    found = root(replace(FOUND, pictures=pictures))
    images = list(found.iter("img"))
    assert [item.get("alt") for item in images] == ["CartPole-v1 at step 0", "CartPole-v1 at step 9"]
    data = base64.b64decode(images[1].get("src").partition(",")[2])
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    assert "No pictures" not in "".join(found.itertext())


def test_change_is_told_in_units_of_the_weights_at_birth():
    changes = (Change(0, 1, "abcd", T / STEPS, 0.5), Change(1, 2, "abcd", np.zeros(STEPS), 0.5))
    found = root(replace(FOUND, changes=changes))
    (label,) = [item.get("aria-label") for item in found.iter("svg") if "moved" in item.get("aria-label")]
    told = re.findall(r"abcd: (\S+) of", label)
    assert float(told[0]) == pytest.approx(0.999 / 0.5, rel=1e-2)
    assert told[1] == "0"


def test_actions_of_several_numbers_have_a_line_each():
    found = root(replace(FOUND, actions=np.stack([np.sin(T / 7), np.cos(T / 7)], 1)))
    words = "".join(found.itertext())
    assert "component 1" in words
    assert "component 2" in words


def test_an_episode_of_one_step_without_a_finite_number_is_told():
    broken = replace(
        FOUND,
        observations=np.full((1, 4), np.nan),
        actions=np.zeros(1),
        rewards=np.array([np.nan]),
        hidden=(Trace("m1.l0.1", np.array([np.nan])),),
        output=(Trace("out 1", np.array([np.inf])),),
        end="not finite",
    )
    words = "".join(root(broken).itertext())
    assert "ended by an output that is not finite" in words
    assert words.count("Not one number is finite.") == 5
