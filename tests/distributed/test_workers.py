import pickle
from functools import partial

import pytest
import ray
from lives import complain, die_of, die_once, evaluate, make_cohort
from search_fakes import new_run, search

from evogen.cohort import Outcome
from evogen.distributed import workers
from evogen.distributed.workers import RayEvaluator
from evogen.engine import Ending
from evogen.errors import WorkerError
from evogen.evaluation import Serial


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
    def make(function, workers=1):
        found = RayEvaluator(
            function, workers=workers, log=lambda kind, **payload: logged.append((kind, payload))
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
    mortal = evaluator(partial(die_once, tmp_path / "died"), workers=2)
    with new_run(tmp_path / "ray") as run:
        assert search(run, 6, evaluator=mortal) is Ending.COMPLETE
        assert run.fingerprint() == serial(tmp_path / "serial", 6)
    assert (tmp_path / "died").exists()
    assert [(kind, payload["cohort"], payload["deaths"]) for kind, payload in logged] == [
        ("worker lost", 1, 1)
    ]


def test_candidate_that_kills_its_workers_ends_crashed_and_its_mates_are_unchanged(
    evaluator, logged, monkeypatch
):
    monkeypatch.setattr(workers, "DEATHS", 1)
    cohort = make_cohort(0, size=4)
    poison = cohort.individuals[2].genome.id
    one = evaluator(partial(die_of, poison))
    one.submit(cohort)
    result = one.collect()
    healthy = evaluate(cohort)
    assert result.cohort == 0
    assert result.evaluations[2].outcome is Outcome.CRASHED
    assert "killed 1 workers" in result.evaluations[2].message
    for row in (0, 1, 3):
        assert pickle.dumps(result.evaluations[row]) == pickle.dumps(healthy[row])
    assert [(payload["row"], payload["candidates"]) for _, payload in logged] == [(0, 4), (2, 1)]


def test_error_of_evaluation_surfaces_with_its_traceback(evaluator):
    one = evaluator(complain)
    one.submit(make_cohort(3))
    with pytest.raises(WorkerError, match=r"(?s)lives\.py.*ValueError: cohort 3 fails on 1 thread"):
        one.collect()


def test_worker_that_cannot_start_says_why(evaluator):
    one = evaluator(Unreadable())
    one.submit(make_cohort(0))
    with pytest.raises(WorkerError, match=r"(?s)worker-0 cannot start.*No module named 'mine'"):
        one.collect()


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
