from dataclasses import replace

import numpy as np
import pytest
import torch
from report.searches import CLASSIFIED, create
from torch_fakes import Layer, Readout, genome_of, phenotype_of, random_rules

from evogen.analysis.portrait import confusion as module
from evogen.analysis.portrait.confusion import confused, lives, taught
from evogen.cohort import Ref
from evogen.connectome.birth import Birth
from evogen.evaluation import developed
from evogen.experiment.launch import problem
from evogen.keys import Key
from evogen.tasks import Fold
from evogen.tasks.digits_life import DigitsLife
from evogen.tasks.table import Table
from evogen.variation.sample import sample


@pytest.fixture
def born(tmp_path):
    run, experiment = create(tmp_path / "digits", text=CLASSIFIED)
    run.close()
    body = developed(problem(experiment, "cpu"), sample(experiment.space, Key(1), Ref(0, 0)))
    return experiment.task, body.agents(body.flat, [Key(2)], replace(experiment.birth, agents=3))


def test_rows_sum_to_the_classes_and_the_diagonal_is_the_task_s_own_accuracy(born):
    task, agents = born
    found = confused(task, agents)
    labels = task.examples("test")[1]
    assert found.examples.tolist() == torch.bincount(labels, minlength=10).tolist()
    assert (found.counts.sum(2) == found.examples).all()
    keys = [Key(3).child(row) for row in range(3)]
    accuracy = task.score(agents, keys, Fold.REPORT)
    assert found.counts.trace(axis1=1, axis2=2) / len(labels) == pytest.approx(accuracy.numpy(), abs=1e-12)
    assert found.scores == pytest.approx(accuracy.tolist(), abs=0)
    assert (found.recall * found.examples).sum(1) / len(labels) == pytest.approx(accuracy.numpy(), abs=1e-12)


def test_an_agent_without_a_finite_output_gives_no_answer(born):
    task, agents = born
    broken = agents.biases[-1].clone()
    broken[1] = torch.nan
    found = confused(task, replace(agents, biases=(*agents.biases[:-1], broken)))
    assert found.counts.sum((1, 2)).tolist() == [
        len(task.examples("test")[1]),
        0,
        len(task.examples("test")[1]),
    ]
    assert np.isnan(found.scores[1])
    assert not found.recall[1].any()


def test_a_large_fold_is_shown_to_fewer_agents(born, monkeypatch):
    task, _ = born
    size = len(task.examples("test")[1])
    monkeypatch.setattr(module, "LIVES", 2 * size)
    assert lives(task) == 2
    monkeypatch.setattr(module, "LIVES", 1)
    assert lives(task) == 1


def test_what_is_learnt_in_life_is_counted_as_the_task_scores_it():
    task = DigitsLife(lessons=15, lives=3)
    modules = {7: [Layer(6, rule="abcd"), Readout(rule="abcd")]}
    genome = genome_of(modules, rules=random_rules(4), plasticity={"rule.abcd.eta": 0.05})
    body = phenotype_of((genome, modules), inputs=64, outputs=10)
    agents = body.agents(body.flat, [Key(2)], Birth(agents=2))
    found = taught(task, agents, Key(4))
    wanted = task.score(agents, [Key(4).child(agent) for agent in range(2)], Fold.REPORT)
    assert found.scores == pytest.approx(wanted.tolist(), abs=0)
    assert found.lives == 3
    assert (found.counts.sum(2) == found.examples).all()
    share = found.counts.trace(axis1=1, axis2=2) / found.examples.sum()
    assert share == pytest.approx(wanted.numpy(), abs=1e-12)
    assert len(set(found.counts[0].argmax(1))) > 1


def test_classes_of_a_table_have_its_names():
    task = Table()
    modules = {7: [Layer(3)]}
    body = phenotype_of((genome_of(modules, rules=random_rules(4)), modules), inputs=4, outputs=3)
    found = confused(task, body.agents(body.flat, [Key(2)], Birth(agents=1)))
    assert found.names == ("setosa", "versicolor", "virginica")
    assert found.examples.tolist() == [10, 10, 10]
