import numpy as np
import pytest
import torch

from evogen.errors import EvogenError
from evogen.export.expected import expected
from evogen.keys import Key
from evogen.phenotype import Network
from evogen.tasks.cartpole import CartPole


def test_episodes_without_an_end_are_not_left_out_of_the_mean(monkeypatch: pytest.MonkeyPatch) -> None:
    returns = torch.tensor([[9.0, np.nan, 11.0]], dtype=torch.float64)
    monkeypatch.setattr("evogen.export.expected.play_gymnasium", lambda *_, **__: returns)
    agent = Network.__new__(Network)
    with pytest.raises(EvogenError, match="in 1 of 3 fresh episodes the agent's answers are not finite"):
        expected(CartPole(), agent, (1, 2, 3), Key(0))
    returns[0, 1] = 10.0
    assert expected(CartPole(), agent, (1, 2, 3), Key(0))["return"] == 10
