"""The books without workers: what comes back of a job that is lost, late, or halved."""

import pickle

import pytest
from lives import evaluate, make_cohort

from evogen.cohort import Outcome
from evogen.distributed.jobs import DEATHS, MOVES, Fault, Ledger


class Books:
    """A ledger and what it logged; candidates with a misdeed do it whenever they are evaluated."""

    def __init__(self, *, raced=False):
        self.logged = []
        self.ledger = Ledger(
            raced=raced, limit=5.0, log=lambda kind, **rest: self.logged.append((kind, rest))
        )

    def settle(self, lease, fault=None):
        if fault is not None:
            return self.ledger.fail(lease, fault, "why", worker="w")
        evaluations = (
            [evaluate(lease.job.cohort)[row] for row in lease.cohort.present]
            if (lease.cohort.absent)
            else evaluate(lease.cohort)
        )
        return self.ledger.fill(lease, evaluations, 1.0, worker="w")

    def work_off(self, misdeeds):
        """Evaluate until nothing waits; a lease ends with the fault of the first row that has one."""
        leases = 0
        while self.ledger.waiting:
            lease = self.ledger.lease()
            self.settle(lease, next((misdeeds[row] for row in lease.job.rows if row in misdeeds), None))
            leases += 1
        return leases


def same(found, wanted):
    return pickle.dumps(found) == pickle.dumps(wanted)


def test_cohort_comes_back_whole_and_once():
    books, cohort = Books(), make_cohort(4, size=5)
    books.ledger.submit(cohort)
    assert books.work_off({}) == 1
    (done,) = books.ledger.finished
    assert (done.cohort, done.seconds, done.worker) == (4, 1.0, "w")
    assert all(map(same, done.evaluations, evaluate(cohort)))


def test_lost_cohort_is_leased_again_before_others_and_under_another_epoch():
    books = Books()
    for index in range(2):
        books.ledger.submit(make_cohort(index))
    first = books.ledger.lease()
    books.settle(first, Fault.DIED)
    again = books.ledger.lease()
    assert again.epoch != first.epoch
    assert again.cohort is first.cohort


def test_poison_ends_crashed_after_few_deaths_and_its_mates_are_as_they_were():
    books, cohort = Books(), make_cohort(0, size=16)
    books.ledger.submit(cohort)
    books.work_off({11: Fault.DIED})
    (done,) = books.ledger.finished
    healthy = evaluate(cohort)
    assert [row for row in range(16) if not same(done.evaluations[row], healthy[row])] == [11]
    assert done.evaluations[11].outcome is Outcome.CRASHED
    assert f"killed {DEATHS} workers" in done.evaluations[11].message
    deaths = [rest for kind, rest in books.logged if kind == "worker lost"]
    assert len(deaths) == DEATHS + 3 + DEATHS  # of 16; of 8, 4 and 2; of 1


def test_what_hangs_is_halved_at_once_and_ends_timeout_alone():
    books, cohort = Books(), make_cohort(0, size=8)
    books.ledger.submit(cohort)
    books.work_off({2: Fault.OVERDUE})
    (done,) = books.ledger.finished
    assert [one.outcome for one in done.evaluations].count(Outcome.TIMEOUT) == 1
    assert done.evaluations[2].message == "did not finish within compute.timeout, 5 seconds"
    assert [rest["candidates"] for _, rest in books.logged] == [8, 4, 2, 1]


def test_two_poisons_of_one_cohort_are_both_found():
    books, cohort = Books(), make_cohort(0, size=8)
    books.ledger.submit(cohort)
    books.work_off({0: Fault.DIED, 5: Fault.OVERDUE})
    (done,) = books.ledger.finished
    outcomes = {row: one.outcome for row, one in enumerate(done.evaluations)}
    assert (outcomes[0], outcomes[5]) == (Outcome.CRASHED, Outcome.TIMEOUT)
    healthy = evaluate(cohort)
    assert all(same(done.evaluations[row], healthy[row]) for row in outcomes if row not in (0, 5))


def test_a_node_that_leaves_is_not_the_cohorts_fault_but_for_ever_is_too_long():
    books = Books()
    books.ledger.submit(make_cohort(0, size=1))
    for _ in range(MOVES):
        books.settle(books.ledger.lease(), Fault.LEFT)
    assert {rest["deaths"] for _, rest in books.logged} == {0}
    assert books.work_off({0: Fault.LEFT}) == DEATHS
    assert books.ledger.finished[0].evaluations[0].outcome is Outcome.CRASHED


def test_death_of_an_idle_worker_counts_for_nothing():
    books = Books()
    books.ledger.submit(make_cohort(0))
    for _ in range(3 * (MOVES + DEATHS)):
        books.settle(books.ledger.lease(), Fault.IDLE)
    books.work_off({})
    assert not any(one.outcome is Outcome.CRASHED for one in books.ledger.finished[0].evaluations)


def test_late_result_of_an_expired_lease_is_logged_and_dropped():
    books, cohort = Books(), make_cohort(0, size=1)
    books.ledger.submit(cohort)
    lease = books.ledger.lease()
    books.settle(lease, Fault.OVERDUE)
    assert books.settle(lease) is False
    assert books.logged[-1] == (
        "late result dropped", {"worker": "w", "epoch": 0, "cohort": 0, "row": 0, "candidates": 1}
    )  # fmt: skip
    assert [one.evaluations[0].outcome for one in books.ledger.finished] == [Outcome.TIMEOUT]


def test_lease_that_ended_cannot_fail_once_more():
    books = Books()
    books.ledger.submit(make_cohort(0))
    lease = books.ledger.lease()
    books.settle(lease)
    books.settle(lease, Fault.DIED)
    assert not books.logged
    assert not books.ledger.waiting


@pytest.mark.parametrize("fault", [Fault.DIED, Fault.OVERDUE])
def test_raced_cohort_runs_together_again_without_the_guilty(fault):
    books, cohort = Books(raced=True), make_cohort(0, size=4)
    books.ledger.submit(cohort)
    seen = []
    while books.ledger.waiting:
        lease = books.ledger.lease()
        seen.append(lease.cohort.present)
        assert lease.cohort.individuals == cohort.individuals
        books.settle(lease, fault if 1 in lease.job.rows else None)
    assert seen[-1] == (0, 2, 3)
    (done,) = books.ledger.finished
    healthy = evaluate(cohort)
    assert [row for row in range(4) if not same(done.evaluations[row], healthy[row])] == [1]


def test_raced_cohort_that_fails_only_together_ends_and_does_not_go_round():
    books = Books(raced=True)
    books.ledger.submit(make_cohort(0, size=4))
    while books.ledger.waiting:
        lease = books.ledger.lease()
        books.settle(lease, Fault.DIED if len(lease.job.rows) == 4 else None)
    assert {one.outcome for one in books.ledger.finished[0].evaluations} == {Outcome.CRASHED}
