import pytest
import torch

from evogen.neurons.winners import winners

ONE = torch.ones(1, 1, 6)


def test_the_largest_win_and_only_they_get_gradients():
    u = torch.tensor([[[0.3, -2.0, 1.5, 0.9, -0.1, 0.2]]], requires_grad=True)
    y = winners(u, 0.34 * ONE, ONE)  # 2 of 6
    assert y.tolist() == [[[0, 0, 1.5, pytest.approx(0.9), 0, 0]]]
    (slope,) = torch.autograd.grad(y.sum(), u)
    assert slope.tolist() == [[[0, 0, 1, 1, 0, 0]]]


@pytest.mark.parametrize(("share", "count"), [(0.0, 1), (0.1, 1), (0.25, 2), (0.5, 3), (1.0, 6)])
def test_at_least_one_and_a_rounded_share_wins(share, count):
    u = torch.randn(1, 50, 6, generator=torch.Generator().manual_seed(0))
    assert ((winners(u, share * ONE, ONE) != 0).sum(-1) == count).all()


def test_all_that_are_equal_to_the_last_winner_win():
    u = torch.tensor([[[1.0, 3, 1, 0, 2, 1]]])
    assert winners(u, 0.5 * ONE, ONE).tolist() == [[[1, 3, 1, 0, 2, 1]]]


def test_neurons_of_other_kinds_neither_win_nor_count():
    own = torch.tensor([[[1.0, 1, 0, 0, 1, 1]]])
    y = winners(torch.tensor([[[1.0, 2, 9, 9, 3, 4]]]), 0.5 * ONE, own)
    assert y.tolist() == [[[0, 0, 0, 0, 3, 4]]]


def test_losers_that_are_larger_than_0_are_0_and_winners_may_be_negative():
    y = winners(torch.tensor([[[-1.0, -2, -3, -4, -5, -6]]]), 0.34 * ONE, ONE)
    assert y.tolist() == [[[-1, -2, 0, 0, 0, 0]]]
