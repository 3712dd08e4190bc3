import numpy as np
import pytest
import torch
from report.searches import CLASSIFIED, CONTROL, DIRECT, ENVIRONMENT, create, fill

from evogen.analysis import portrait as module
from evogen.analysis.portrait import portrait
from evogen.errors import DevelopmentError
from evogen.evaluation import developed
from evogen.experiment.launch import problem

FEW = CONTROL.replace("{agents: 4}", "{agents: 4, degree: 100, counts: poisson, conductance: drawn}")


@pytest.fixture
def run_of(tmp_path):
    opened = []

    def make(text=CONTROL, name="walk", **settings):
        run, experiment = create(tmp_path / name, text=text, **settings)
        opened.append(run)
        fill(run, experiment, 2)
        return run, experiment

    yield make
    for run in opened:
        run.close()


@pytest.mark.parametrize("text", [CONTROL, DIRECT, CLASSIFIED], ids=["control", "direct", "classified"])
def test_expected_weights_are_those_of_the_average_network(run_of, text):
    run, experiment = run_of(text)
    body = developed(problem(experiment, "cpu"), run.tuned_genome(run.best()))
    found = portrait(run, run.best())
    weights = dict(zip(body.layout.pairs, body.network(body.flat).weights, strict=True))
    masks = dict(zip(body.layout.pairs, body.masks, strict=True))
    assert [len(level) for level in found.levels] == list(body.bodies[0].sizes)
    drawn = set()
    for link in found.links:
        rows, columns = link.mean.shape
        assert np.array_equal(link.mean, weights[link.pre, link.post][0, :rows, :columns].double())
        assert np.array_equal(link.mask, masks[link.pre, link.post][0, :rows, :columns] > 0)
        assert not link.mean[~link.mask].any()
        assert not link.sampled[:, ~link.mask].any()
        drawn.add((link.pre, link.post))
    assert all(not masks[pair].any() for pair in masks.keys() - drawn)


def test_sampled_weights_follow_the_closed_forms_of_the_law(run_of, monkeypatch):
    """By the central limit: 256 agents, so that a standardised mean is beyond 6 once in 5e8 synapses."""
    monkeypatch.setattr(module, "AGENTS", 256)
    run, _ = run_of(FEW)
    found = portrait(run, run.best())
    assert found.birth.agents == 256
    z = []
    for link in found.links:
        own = link.mask & (link.variance > 0)
        error = link.sampled.mean(0) - link.mean
        z.append((error / np.sqrt(np.where(own, link.variance, 1) / 256))[own])
        ratio = link.sampled.var(0, ddof=1)[own].sum() / link.variance[own].sum()
        assert ratio == pytest.approx(1, abs=0.15)
    z = np.concatenate(z)
    assert np.abs(z).max() < 6
    assert np.sqrt(np.square(z).mean()) == pytest.approx(1, abs=0.15)


def test_free_weights_are_the_same_in_all_agents(run_of):
    run, _ = run_of(DIRECT)
    found = portrait(run, run.best())
    assert found.birth.agents == 1
    for link in found.links:
        assert link.variance is None
        assert np.allclose(link.sampled[0], link.mean, rtol=1e-6)


def test_a_control_task_has_an_episode_and_a_classification_a_confusion(run_of):
    control, classified = run_of()[0], run_of(CLASSIFIED, "digits")[0]
    first, second = (portrait(run, run.best()) for run in (control, classified))
    assert first.confusion is None
    assert first.episode.world == "CartPole-v1"
    assert second.episode is None
    assert len(second.confusion.counts) == second.birth.agents


def test_every_neuron_has_a_name_of_its_own(run_of):
    run, _ = run_of()
    found = portrait(run, run.best())
    names = [neuron.name for level in found.levels for neuron in level]
    assert len(set(names)) == len(names) == found.neurons
    assert names[0] == "in 1"
    assert names[-1] == "out 2"
    sizes = [group.size for group in found.plan.groups]
    assert found.neurons == sum(sizes)


def test_portrait_is_the_same_twice_and_leaves_torch_as_it_was(run_of):
    run, _ = run_of(FEW)
    before = torch.get_num_threads(), torch.random.get_rng_state()
    one, two = (portrait(run, run.best()) for _ in range(2))
    assert torch.get_num_threads() == before[0]
    assert torch.equal(torch.random.get_rng_state(), before[1])
    for a, b in zip(one.links, two.links, strict=True):
        assert np.array_equal(a.sampled, b.sampled)
    assert np.array_equal(one.episode.rewards, two.episode.rewards)


def test_a_device_that_is_not_here_is_replaced_and_told(run_of):
    run, _ = run_of(environment={**ENVIRONMENT, "device": "cuda:63"})
    found = portrait(run, run.best())
    assert "cuda:63" in found.notes[0]
    assert found.links


def test_of_a_large_network_fewer_agents_are_born(run_of, monkeypatch):
    monkeypatch.setattr(module, "PAIRS", 1)
    run, _ = run_of()
    found = portrait(run, run.best())
    assert found.birth.agents == 2
    assert "2 agents were born" in found.notes[0]


def test_a_network_that_is_too_large_is_refused(run_of, monkeypatch):
    monkeypatch.setattr(module, "LARGEST", 10)
    run, _ = run_of()
    with pytest.raises(DevelopmentError, match="shows 10 at most"):
        portrait(run, run.best())


def test_what_torch_cannot_do_is_an_error_of_ours(run_of, monkeypatch):
    def full(*_):
        raise torch.OutOfMemoryError("no memory")

    monkeypatch.setattr(module, "developed", full)
    run, _ = run_of()
    with pytest.raises(DevelopmentError, match="no memory"):
        portrait(run, run.best())


def test_network_is_shown_where_the_task_raises_at_work(run_of, monkeypatch):
    run, _ = run_of()
    whole = portrait(run, run.best())
    monkeypatch.setattr(module, "record", lambda *_: {}["a user's own mistake"])
    found = portrait(run, run.best())
    assert found.episode is None
    assert found.notes == ('It cannot be shown at work: the task raised KeyError: "a user\'s own mistake"',)
    for a, b in zip(found.links, whole.links, strict=True):
        assert np.array_equal(a.sampled, b.sampled)
