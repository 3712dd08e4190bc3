"""The course of a race, who may run it, and who goes on."""

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest

from evogen.cohort import Evaluation, Outcome
from evogen.errors import SpecError
from evogen.learning.none import NoLearner
from evogen.learning.ppo import PPO
from evogen.learning.racing import Candidate, Course, check, course, race
from evogen.learning.supervised import Supervised
from evogen.schema import Racing
from evogen.tasks.gymnasium import Gymnasium
from evogen.testing.tiny import Blobs, Lessons, Walk


def test_rungs_are_geometric_parts_and_room_shrinks_alike():
    assert course(Racing(3, 0.5, 4), PPO(iterations=40), 16) == Course((10, 20, 40), (8, 4, 0), 4)
    assert course(Racing(3, 1 / 3, 4), Supervised(epochs=27), 9) == Course((3, 9, 27), (3, 1, 0), 4)
    assert course(Racing(1, 0.5, 4), Supervised(epochs=5), 9) == Course((5,), (0,), 4)


def test_somebody_always_goes_on():
    assert course(Racing(5, 0.4, 4), PPO(iterations=40), 3).room == (1, 1, 1, 1, 0)


@pytest.mark.parametrize(
    ("racing", "iterations", "said"),
    [(Racing(3), 2, "rungs that end after 1, 1, 2 of 2 units"), (Racing(9), 4096, "the first after 1/40")],
)
def test_a_loop_too_short_for_its_rungs_is_refused(racing, iterations, said):
    with pytest.raises(SpecError, match=said):
        course(racing, PPO(iterations=iterations), 16)


def test_a_learner_that_cannot_stop_is_refused_with_those_that_can():
    able = "bptt, distill, dqn, local, ppo, snes, supervised"
    with pytest.raises(SpecError, match=rf"\({able}\), found another"):
        check(Racing(), NoLearner(), Lessons())


def test_every_kind_of_task_that_evogen_has_can_be_raced_on():
    check(Racing(), Supervised(), Blobs())
    check(Racing(), PPO(), Walk())
    check(Racing(), PPO(), Gymnasium("CartPole-v1"))


@dataclass(frozen=True)
class Sealed(Walk):
    """Walk with episodes of a kind that nobody knows."""

    def start(self, keys, copies, device, *, again=True):
        return SimpleNamespace(episodes=super().start(keys, copies, device, again=again))


def test_a_task_whose_episodes_cannot_be_taken_apart_is_refused():
    with pytest.raises(SpecError, match=r"in this task: the rows of a types.SimpleNamespace are not known"):
        check(Racing(), PPO(), Sealed())


class Track:
    """Trains candidates of given merits, and remembers the rows that trained and were scored together."""

    def __init__(self, merits: dict[int, list[float]], failing: dict[int, int] | None = None) -> None:
        self.merits, self.failing = merits, failing or {}
        self.trained: list[tuple[int, list[int]]] = []

    def train(self, team: Any, until: int) -> list[Any]:
        self.trained.append((until, [one.row for one in team]))
        rung = [1, 2, 4].index(until)
        return [
            Evaluation(Outcome.CRASHED)
            if self.failing.get(one.row) == rung
            else one._replace(progress=until, merit=self.merits[one.row][rung])
            for one in team
        ]

    def score(self, team: Any) -> list[Evaluation]:
        return [Evaluation(Outcome.OK, fitness=float(one.progress)) for one in team]

    def race(self, fields: list[list[int]], over: Course, **told: Any) -> dict[int, int]:
        """Return the rung at which each row left."""
        made = [[Candidate(row, None, None) for row in field] for field in fields]  # type: ignore[arg-type]
        found = race(made, over, train=self.train, score=self.score, **told)
        for one in found.values():
            if one.outcome is Outcome.OK:
                assert one.fitness == over.ends[int(one.metrics["rung"]) - 1]
        return {row: int(one.metrics["rung"]) for row, one in sorted(found.items())}


OVER = Course((1, 2, 4), (4, 2, 0), 3)
MERITS = {0: [5, 0, 0], 1: [1, 9, 9], 2: [5, 3, 0], 3: [5, 4, 0], 4: [2, 9, 9], 5: [2, 8, 1], 6: [6, 5, 0]}


def test_the_best_of_all_layouts_go_on_and_equals_go_by_row():
    track = Track(MERITS)
    assert track.race([[0, 2, 3, 6], [1, 4, 5]], OVER) == {0: 2, 1: 1, 2: 2, 3: 3, 4: 1, 5: 1, 6: 3}


def test_freed_rows_are_filled_within_a_layout():
    track = Track(MERITS)
    track.race([[0, 1, 2, 3, 4, 5, 6]], OVER)
    first = [(1, [0, 1, 2]), (1, [3, 4, 5]), (1, [6])]
    assert track.trained == [*first, (2, [0, 2, 3]), (2, [6]), (4, [3, 6])]


def test_those_that_fail_leave_their_places_to_others():
    track = Track(MERITS, failing={6: 0, 3: 1})
    assert track.race([[0, 1, 2, 3, 4, 5, 6]], OVER) == {0: 2, 1: 1, 2: 3, 3: 2, 4: 3, 5: 1, 6: 1}


def test_what_is_not_finite_comes_last():
    merits = {row: [-float("inf")] * 3 for row in range(5)} | {5: [-1e9] * 3}
    assert Track(merits).race([list(range(6))], Course((1, 2, 4), (2, 1, 0), 6)) == {
        0: 2, 1: 1, 2: 1, 3: 1, 4: 1, 5: 3,
    }  # fmt: skip


def test_told_rungs_are_kept_whatever_the_merit():
    told = {0: 1, 1: 3, 2: 2}
    assert Track(MERITS).race([[0, 1, 2]], OVER, rungs=told) == told
