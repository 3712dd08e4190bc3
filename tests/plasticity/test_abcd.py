import numpy as np
import pytest
import torch

from evogen.keys import Key
from evogen.plasticity.abcd import ABCD
from evogen.plasticity.none import NoRule
from evogen.testing.rule import seeing

SILENT = {"eta": 1.0, "A": 0.0, "B": 0.0, "C": 0.0, "D": 0.0, "decay": 0.0, "oja": 0.0, "bound": 100.0}


def coefficients(**given):
    return {name: torch.tensor(value).double() for name, value in (SILENT | given).items()}


def step(fast, pre, post, weight=0.0, **given):
    """One synapse's F after one step."""
    parts = (torch.tensor(part).double().expand(1, 1, 1, 1) for part in (fast, pre, post, weight))
    fast, pre, post, weight = parts
    return _changed(fast, pre, post, weight - fast, coefficients(**given)).item()


def _changed(fast, pre, post, born, values):
    state = {"fast": fast}
    return ABCD().step(state, seeing(ABCD(), state, values, pre, post, born), values)["fast"]


def test_one_step_by_hand():
    # h = 0.5*2*3 - 1*2 + 0.25*3 + 0.125 - 0.1*9*4 = -1.725; F = 0.2 + 0.1*h - 0.3*0.2
    given = {"eta": 0.1, "A": 0.5, "B": -1.0, "C": 0.25, "D": 0.125, "oja": 0.1, "decay": 0.3}
    assert step(0.2, 2.0, 3.0, 4.0, **given) == pytest.approx(0.2 - 0.1725 - 0.06)


@pytest.mark.parametrize(
    ("name", "expected"), [("A", 6.0), ("B", 2.0), ("C", 3.0), ("D", 1.0), ("oja", -36.0)]
)
def test_each_term_by_hand(name, expected):
    assert step(0.0, 2.0, 3.0, 4.0, **{name: 1.0}) == pytest.approx(expected)


def test_without_activity_the_fast_weight_decays_geometrically():
    fast = 0.8
    for t in range(1, 20):
        fast = step(fast, 0.0, 0.0, A=1.0, decay=0.1)
        assert fast == pytest.approx(0.8 * 0.9**t)


@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_fast_weights_stop_at_their_bound(sign):
    fast = 0.0
    for _ in range(10):
        fast = step(fast, 1.0, sign, A=1.0, bound=2.5)
    assert fast == 2.5 * sign


def test_oja_finds_the_first_principal_component():
    """Oja 1982: the weight vector tends to the principal eigenvector of the covariance, with length 1."""
    rng = Key(1).child("oja").generator()
    axes, _ = np.linalg.qr(rng.normal(size=(5, 5)))
    data = (rng.normal(size=(4000, 3, 5)) * np.sqrt([3.0, 1.0, 0.5, 0.5, 0.2])) @ axes.T  # (T, lives, 5)
    W = torch.from_numpy(0.1 * rng.normal(size=(1, 1, 5, 1)))
    fast = torch.zeros(1, 3, 5, 1, dtype=torch.float64)
    values = coefficients(eta=0.002, A=1.0, oja=1.0)
    for x in torch.from_numpy(data):
        pre = x[None, :, :, None]
        post = (pre * (W + fast)).sum(2, keepdim=True)  # (1, lives, 1, 1)
        fast = _changed(fast, pre, post, W, values)
    found = (W + fast)[0, :, :, 0].numpy()
    length = np.linalg.norm(found, axis=1)
    assert (np.abs(found @ axes[:, 0]) / length > 0.99).all()
    assert np.allclose(length, 1, atol=0.02)


def test_no_rule_keeps_the_fast_weights():
    fast = torch.ones(1, 1, 2, 2)
    state = {"fast": fast}
    found = NoRule().step(state, seeing(NoRule(), state, {}, fast, fast, fast), {})
    assert torch.equal(found["fast"], fast)
