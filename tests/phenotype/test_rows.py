"""gather and rowwise: rows taken out of several values and put together."""

from typing import NamedTuple

import pytest
import torch

from evogen.errors import EvogenError
from evogen.phenotype.rows import gather, rowwise


class Pair(NamedTuple):
    left: torch.Tensor
    right: int


@rowwise(shared=["task"], anew={"cache": None})
class Kept:
    def __init__(self, numbers, names):
        self.numbers, self.names = torch.tensor(numbers), names
        self.task, self.cache = object(), object()


def test_rows_follow_one_another_part_after_part():
    parts = torch.arange(6).reshape(3, 2), 10 + torch.arange(4).reshape(2, 2)
    found = gather(parts, [[2, 0, 2], [1]])
    assert found.tolist() == [[4, 5], [0, 1], [4, 5], [12, 13]]
    assert gather([["a", "b"], ["c"]], [[1], [0]]) == ["b", "c"]


def test_structure_is_kept_and_gone_into():
    def made(number):
        return {
            "pair": Pair(torch.tensor([number, -number]), 7),
            "none": None,
            "deep": ([str(number), "x"], "s"),
        }

    found = gather([made(1.0), made(2.0)], [[1], [0]])
    assert found["pair"].left.tolist() == [-1.0, 2.0]
    assert isinstance(found["pair"], Pair)
    assert found["pair"].right == 7
    assert found["deep"] == (["x", "2.0"], "s")
    assert found["none"] is None


def test_a_marked_class_shares_what_it_says_and_begins_anew_what_it_can_make_again():
    a, b = Kept([1, 2], ["a", "b"]), Kept([3], ["c"])
    found = gather([a, b], [[1], [0]])
    assert found.numbers.tolist() == [2, 3]
    assert found.names == ["b", "c"]
    assert found.task is a.task
    assert found.cache is None
    assert (a.names, b.names) == (["a", "b"], ["c"])


def test_the_parts_stay_what_they_are():
    part = torch.zeros(2)
    gather([part], [[0, 1]]).add_(1)
    assert not part.any()


def test_what_has_no_axes_belongs_to_all():
    nothing = torch.zeros(())
    assert gather([nothing, nothing], [[0], [5]]) is nothing


def test_unknown_objects_are_refused():
    with pytest.raises(EvogenError, match=r"rows of a builtins\.object are not known: mark the class"):
        gather([{"it": object()}], [[0]])
