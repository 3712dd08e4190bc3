"""Every strategy gives the same bits on any number of workers and nodes, and after any resume."""

import pytest
import ray
from every_strategy import COHORTS, NAMES, Sought, evaluate
from ray.cluster_utils import Cluster

from evogen.distributed.workers import RayEvaluator
from evogen.evaluators import Serial


@pytest.fixture(scope="module")
def serial(tmp_path_factory):
    root = tmp_path_factory.mktemp("serial")
    found = {name: Sought(root, name).run(Serial(evaluate), COHORTS, place="serial") for name in NAMES}
    assert len(set(found.values())) == len(NAMES)
    return found


def differing(tmp_path, serial, workers):
    """Return the strategies whose fingerprint is another one on so many workers of the cluster at hand."""
    logged = []
    evaluator = RayEvaluator(
        evaluate, workers=workers, cpus=0.5, log=lambda kind, **rest: logged.append((kind, rest))
    )
    try:
        found = {name: Sought(tmp_path, name).run(evaluator, COHORTS, place=f"{workers}") for name in NAMES}
    finally:
        evaluator.close()
    assert not logged
    return [name for name in NAMES if found[name] != serial[name]]


@pytest.mark.parametrize("name", NAMES)
def test_half_a_search_and_its_resumption_are_the_whole(tmp_path, serial, name):
    assert COHORTS % 2 == 0
    halves = Sought(tmp_path, name).run(Serial(evaluate), COHORTS // 2, COHORTS, place="halves")
    pieces = Sought(tmp_path, name).run(Serial(evaluate), 1, 2, 7, COHORTS, place="pieces")
    assert halves == pieces == serial[name]


def test_one_two_and_four_workers_of_one_node_give_the_bits_of_serial(tmp_path, serial):
    ray.init(address="local", num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    try:
        for workers in (1, 2, 4):
            assert not differing(tmp_path, serial, workers)
    finally:
        ray.shutdown()


def test_three_nodes_give_the_bits_of_serial(tmp_path, serial):
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    try:
        for _ in range(2):
            cluster.add_node(num_cpus=1)
        ray.init(address=cluster.address, log_to_driver=False, logging_level="ERROR")
        assert len([node for node in ray.nodes() if node["Alive"]]) == 3
        assert not differing(tmp_path, serial, 4)
    finally:
        ray.shutdown()
        cluster.shutdown()
