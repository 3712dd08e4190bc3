"""Nodes that join and leave while a search runs."""

import pickle
import time
from functools import partial

import pytest
import ray
from lives import evaluate, linger, make_cohort
from ray.cluster_utils import Cluster

from evogen.distributed import workers
from evogen.distributed.workers import RayEvaluator


@pytest.fixture
def cluster():
    found = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    ray.init(address=found.address, log_to_driver=False, logging_level="ERROR")
    yield found
    ray.shutdown()
    found.shutdown()


def test_node_that_joins_is_used_and_one_that_leaves_takes_nothing_with_it(cluster):
    logged, found, seen = [], {}, set()
    evaluator = RayEvaluator(
        partial(linger, 0.1), workers=2, log=lambda kind, **rest: logged.append((kind, rest))
    )
    submitted = 0

    def work_until(done):
        nonlocal submitted
        end = time.monotonic() + 120
        while not done():
            assert time.monotonic() < end
            while submitted - len(found) < 4:
                evaluator.submit(make_cohort(submitted))
                submitted += 1
            result = evaluator.collect()
            assert result.cohort not in found
            found[result.cohort] = pickle.dumps(result.evaluations)
            seen.add(result.worker)

    work_until(lambda: len(found) == 3)
    assert seen == {"worker-0"} or seen == {"worker-1"}  # the other one has no room
    node = cluster.add_node(num_cpus=1)
    work_until(lambda: len(seen) == 2)
    cluster.remove_node(node, allow_graceful=False)
    work_until(lambda: logged)
    flown = submitted
    work_until(lambda: found.keys() >= {*range(flown)})
    evaluator.close()
    assert [(rest["fault"], rest.get("deaths", 0)) for _, rest in logged] == [("left", 0)]
    assert all(bits == pickle.dumps(evaluate(make_cohort(index))) for index, bits in found.items())


def test_cluster_without_room_is_waited_for_and_said(cluster, monkeypatch):
    monkeypatch.setattr(workers, "ROOM_SECONDS", 1.0)
    logged = []
    evaluator = RayEvaluator(
        evaluate, workers=1, cpus=2, log=lambda kind, **rest: logged.append((kind, rest))
    )
    evaluator.submit(make_cohort(0))
    assert evaluator.collect(1.0) is None
    assert [kind for kind, _ in logged] == ["waiting for room"]
    assert logged[0][1]["each_worker"] == {"CPU": 2, "GPU": 0.0}
    cluster.add_node(num_cpus=2)
    assert evaluator.collect().cohort == 0
    evaluator.close()
    assert len(logged) == 1
