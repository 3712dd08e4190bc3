"""Associative retrieval: what a sequence holds, and what can be known without remembering it."""

import pytest
import torch

from evogen.keys import Key
from evogen.tasks.retrieval import DIGITS, LETTERS, QUESTION, Retrieval

KEYS = [Key(3).child(row) for row in range(2)]


@pytest.mark.parametrize("pairs", [1, 3, 26])
def test_the_answer_is_the_digit_behind_the_letter_asked_for(pairs):
    task = Retrieval(pairs=pairs)
    drawn = task.sequences(KEYS, 50, "train")
    symbols = drawn.inputs.argmax(-1)
    assert (drawn.inputs.sum(-1) == 1).all()
    assert drawn.inputs.shape == (2, 50, 2 * pairs + 3, LETTERS + DIGITS + 1)
    for row in symbols.flatten(0, 1).tolist():
        letters, digits = row[: 2 * pairs : 2], row[1 : 2 * pairs : 2]
        assert len(set(letters)) == pairs
        assert max(letters) < LETTERS <= min(digits)
        assert row[-3:-1] == [QUESTION, QUESTION]
        assert row[-1] in letters
    position = (symbols[..., : 2 * pairs : 2] == symbols[..., -1:]).long().argmax(-1)
    behind = symbols[..., 1 : 2 * pairs : 2].gather(-1, position.unsqueeze(-1)).squeeze(-1) - LETTERS
    assert torch.equal(drawn.targets[..., -1], behind)
    assert drawn.weight.sum((1, 2)).tolist() == [50.0, 50.0]
    assert (drawn.weight[..., -1] == 1).all()


def test_letters_digits_and_questions_are_uniform():
    symbols, answers = Retrieval().symbols(Key(1), 26_000)
    for place in (0, 2, 4, 8):  # letters; 1,000 +- 5 standard deviations each
        counts = torch.bincount(symbols[:, place], minlength=LETTERS)
        assert ((counts - 1000).abs() < 160).all()
    assert ((torch.bincount(answers, minlength=DIGITS) - 2600).abs() < 250).all()
    asked = (symbols[:, :6:2] == symbols[:, -1:]).double().mean(0)
    torch.testing.assert_close(asked, torch.full((3,), 1 / 3, dtype=torch.float64), rtol=0, atol=0.02)


def test_right_answers_score_one_and_knowing_the_digits_alone_less_than_half():
    task = Retrieval()
    drawn = task.sequences(KEYS, 2000, "test")
    right = torch.nn.functional.one_hot(drawn.targets, DIGITS).float()
    assert task.rate(right, drawn).tolist() == [1.0, 1.0]
    digits = drawn.inputs[..., LETTERS:QUESTION].cumsum(2)
    assert task.rate(digits, drawn).tolist() == pytest.approx([0.43, 0.43], abs=0.04)
    assert task.loss(20 * right, drawn).tolist() == pytest.approx([0.0, 0.0], abs=1e-6)
