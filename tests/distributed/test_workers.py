import pickle
import time
from functools import partial

import pytest
import ray
from lives import complain, die_of, die_once, evaluate, hang_of, linger, make_cohort, starve_of
from search_fakes import new_run, search

from evogen.cohort import Outcome
from evogen.distributed import jobs, workers
from evogen.distributed.actor import versions
from evogen.distributed.workers import RayEvaluator
from evogen.engine import Ending
from evogen.errors import WorkerError
from evogen.evaluators import Serial


class Unreadable:
    """Can be sent to a worker, and cannot be read there."""

    def __call__(self, cohort):
        return evaluate(cohort)

    def __reduce__(self):
        return _refuse, ()


def _refuse():
    raise ModuleNotFoundError("No module named 'mine'")


@pytest.fixture(scope="module")
def cluster():
    ray.init(address="local", num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    yield
    ray.shutdown()


@pytest.fixture
def logged():
    return []


@pytest.fixture
def evaluator(cluster, logged, request):
    def make(function, workers=1, **settings):
        found = RayEvaluator(
            function, workers=workers, log=lambda kind, **payload: logged.append((kind, payload)), **settings
        )
        request.addfinalizer(found.close)
        return found

    return make


def serial(folder, cohorts, **settings):
    with new_run(folder) as run:
        assert search(run, cohorts, evaluator=Serial(evaluate), **settings) is Ending.COMPLETE
        return run.fingerprint()


def same_bits(folder, evaluator):
    """Whether a search gives the bits that it gives in this process, at each lookahead."""
    for lookahead in (1, 2, 4):
        with new_run(folder / f"ray{lookahead}") as run:
            assert search(run, 8, evaluator=evaluator, lookahead=lookahead) is Ending.COMPLETE
            if run.fingerprint() != serial(folder / f"serial{lookahead}", 8, lookahead=lookahead):
                return False
    return True


def test_two_workers_of_an_own_cluster_give_the_bits_of_serial_and_end_with_it(tmp_path, logged):
    own = RayEvaluator(evaluate, workers=2, log=logged.append)
    assert same_bits(tmp_path, own)
    own.close()
    assert not ray.is_initialized()
    assert not logged


def test_one_worker_gives_the_bits_of_serial(tmp_path, evaluator):
    assert same_bits(tmp_path, evaluator(evaluate))


def test_worker_killed_in_the_middle_of_a_cohort_loses_nothing(tmp_path, evaluator, logged):
    mortal = evaluator(partial(die_once, tmp_path / "died"), workers=2, cpus=0.5)
    with new_run(tmp_path / "ray") as run:
        assert search(run, 6, evaluator=mortal) is Ending.COMPLETE
        assert run.fingerprint() == serial(tmp_path / "serial", 6)
    assert (tmp_path / "died").exists()
    assert [(kind, payload["cohort"]) for kind, payload in logged] == [("worker lost", 1)]


@pytest.mark.parametrize("misdeed", [die_of, starve_of])
def test_candidate_that_kills_its_workers_ends_crashed_and_its_mates_are_unchanged(
    evaluator, logged, monkeypatch, misdeed
):
    monkeypatch.setattr(jobs, "DEATHS", 1)
    cohort = make_cohort(0, size=4)
    found = outcome_of_the_guilty(evaluator(partial(misdeed, cohort.individuals[2].genome.id)), cohort)
    assert found.outcome is Outcome.CRASHED
    assert "killed 1 workers" in found.message
    # a worker that dies before its sign of life has arrived is nobody's fault, and the job runs once more
    deaths = [payload for _, payload in logged if payload["fault"] == "died"]
    assert [(payload["row"], payload["candidates"]) for payload in deaths] == [(0, 4), (2, 2), (2, 1)]


def test_candidate_that_hangs_ends_timeout_and_its_mates_are_unchanged(evaluator, logged):
    cohort = make_cohort(0, size=2)
    one = evaluator(partial(hang_of, cohort.individuals[1].genome.id), timeout=1.0)
    before = time.monotonic()
    found = outcome_of_the_guilty(one, cohort, row=1)
    assert time.monotonic() - before < 30
    assert found.outcome is Outcome.TIMEOUT
    assert found.message == "did not finish within compute.timeout, 1 seconds"
    assert [payload["fault"] for _, payload in logged] == ["overdue", "overdue"]


def outcome_of_the_guilty(one, cohort, row=2):
    """The evaluation of that row, if the others are those of a healthy cohort."""
    one.submit(cohort)
    result = one.collect()
    assert result.cohort == cohort.index
    for other, healthy in enumerate(evaluate(cohort)):
        assert other == row or pickle.dumps(result.evaluations[other]) == pickle.dumps(healthy)
    return result.evaluations[row]


def test_result_that_comes_after_its_lease_is_dropped(evaluator, logged, monkeypatch):
    one = evaluator(partial(linger, 1.0), timeout=0.5, cpus=0.5)
    with monkeypatch.context() as patched:
        patched.setattr(ray, "kill", lambda _: None)  # a worker that cannot be reached
        one.submit(make_cohort(0, size=1))
        assert one.collect().evaluations[0].outcome is Outcome.TIMEOUT
        assert one.collect(2.0) is None
    assert [kind for kind, _ in logged] == ["worker lost", "late result dropped"]


def test_result_that_came_while_nobody_looked_counts(evaluator, logged):
    one = evaluator(partial(linger, 0.5), timeout=1.0)
    one.submit(make_cohort(0))
    time.sleep(2.0)
    assert one.collect().evaluations[0].outcome in (Outcome.OK, Outcome.DIVERGED)
    assert not logged


def test_worker_that_died_idle_is_replaced_and_counts_against_no_cohort(evaluator, logged):
    one = evaluator(evaluate)
    ray.kill(one._idle[0].actor)
    one.submit(make_cohort(0))
    assert one.collect().cohort == 0
    assert [(payload["fault"], payload["deaths"]) for _, payload in logged] == [("idle", 0)]


def test_patience_ends_and_the_result_comes_later(evaluator):
    one = evaluator(partial(linger, 1.0))
    one.submit(make_cohort(0))
    assert one.collect(0.2) is None
    assert one.collect().cohort == 0
    assert one.collect(0.0) is None


def test_two_workers_share_a_processor(evaluator):
    two = evaluator(partial(linger, 0.1), workers=4, cpus=0.5)
    for index in range(4):
        two.submit(make_cohort(index))
    assert {two.collect().cohort for _ in range(4)} == {0, 1, 2, 3}


def test_error_of_evaluation_surfaces_with_its_traceback(evaluator):
    one = evaluator(complain)
    one.submit(make_cohort(3))
    with pytest.raises(WorkerError, match=r"(?s)lives\.py.*ValueError: cohort 3 fails on 1 thread"):
        one.collect()


def test_worker_that_cannot_start_says_why_before_anything_is_submitted(evaluator):
    with pytest.raises(WorkerError, match=r"(?s)worker-0 on .* cannot start.*No module named 'mine'"):
        evaluator(Unreadable())


def test_worker_of_another_version_is_refused_with_both_versions_and_the_node(evaluator, monkeypatch):
    there = versions()["evogen"]
    monkeypatch.setattr(workers, "versions", lambda: versions() | {"evogen": "9.9"})
    with pytest.raises(WorkerError, match=rf"on .* \(node \w{{8}}\) .*: evogen 9.9 here, {there} there"):
        evaluator(evaluate)


def test_worker_of_another_version_that_starts_later_is_done_without(evaluator, logged, tmp_path):
    two = evaluator(partial(die_once, tmp_path / "died"), workers=2, cpus=0.5)
    two.submit(make_cohort(0))
    two.collect()
    while len(two._idle) < 2:  # the second one greets
        two.collect(0.1)
    two._versions = versions() | {"torch": "0.1"}  # what the next worker is compared with
    for index in (1, 2, 3):
        two.submit(make_cohort(index))
    assert {two.collect().cohort for _ in range(3)} == {1, 2, 3}
    assert two.collect(10.0) is None
    assert [kind for kind, _ in logged] == ["worker lost", "worker refused"]
    ray.kill(two._idle[0].actor)
    two.submit(make_cohort(4))
    with pytest.raises(WorkerError, match=r"torch 0\.1 here"):
        two.collect()


@pytest.mark.parametrize(
    ("room", "text"),
    [
        ({"workers": 0}, "wanted 1 worker or more, found 0"),
        ({"cpus": -1.0}, "cpus of each worker: wanted a number >= 0, found -1"),
        ({"gpus": 1.5}, "gpus of each worker: wanted a fraction or a whole number, found 1.5"),
    ],
)
def test_room_that_makes_no_sense_is_refused(room, text):
    with pytest.raises(WorkerError, match=text):
        RayEvaluator(evaluate, **{"workers": 1} | room, log=print)


def test_address_where_no_cluster_answers_is_named(monkeypatch):
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    for address in ("127.0.0.1:1", "nonsense"):
        with pytest.raises(WorkerError, match=f"cannot use Ray on {address}; or evaluate without workers: "):
            RayEvaluator(evaluate, workers=1, address=address, log=print)


def test_cluster_that_does_not_start_says_why(monkeypatch):
    def late(**_):
        raise Exception("the node timed out")

    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setattr(ray, "init", late)
    with pytest.raises(WorkerError, match="less busy; or evaluate without workers: the node timed out"):
        RayEvaluator(evaluate, workers=1, log=print)
