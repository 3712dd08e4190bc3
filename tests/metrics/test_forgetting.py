import pytest
import torch

from evogen.metrics import forgetting as of

R = torch.tensor([[0.9, 0.2, 0.1], [0.95, 0.8, 0.3], [0.5, 0.6, 0.7]], dtype=torch.float64)
BEFORE = torch.tensor([0.1, 0.1, 0.2], dtype=torch.float64)


def test_the_measures_of_a_matrix_are_those_computed_by_hand():
    assert of.average_accuracy(R).item() == pytest.approx((0.5 + 0.6 + 0.7) / 3)
    assert of.learning_accuracy(R).item() == pytest.approx((0.9 + 0.8 + 0.7) / 3)
    assert of.backward_transfer(R).item() == pytest.approx(((0.5 - 0.9) + (0.6 - 0.8)) / 2)
    assert of.forward_transfer(R, BEFORE).item() == pytest.approx(((0.2 - 0.1) + (0.3 - 0.2)) / 2)
    assert of.forgetting(R).item() == pytest.approx(((0.95 - 0.5) + (0.8 - 0.6)) / 2)


def test_accuracy_is_what_was_learnt_and_what_became_of_it():
    found = torch.rand(4, 5, 5, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    expected = of.learning_accuracy(found) + 4 / 5 * of.backward_transfer(found)
    torch.testing.assert_close(of.average_accuracy(found), expected)


def test_accuracy_before_a_stage_was_learnt_is_not_forgotten():
    """A stage that was guessed well before it was learnt and is known worse after has not been forgotten."""
    found = R.clone()
    found[0, 1] = 0.99
    assert of.forgetting(found).item() == of.forgetting(R).item()


def test_each_row_of_candidates_has_its_own_measures():
    both = torch.stack([R, torch.ones(3, 3, dtype=torch.float64)])
    assert of.forgetting(both).tolist() == [of.forgetting(R).item(), 0.0]
    assert of.backward_transfer(both)[1] == 0.0
    assert of.forward_transfer(both, torch.stack([BEFORE, torch.ones(3)])).tolist() == [
        of.forward_transfer(R, BEFORE).item(),
        0.0,
    ]


def test_a_row_that_is_not_a_number_stays_one():
    broken = R.clone()
    broken[1] = torch.nan
    assert of.forgetting(broken).isnan()
