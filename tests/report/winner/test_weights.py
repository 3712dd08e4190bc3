import numpy as np
import pytest
from scipy.stats import norm

from evogen.analysis.portrait import Link
from evogen.report.facts import gather
from evogen.report.markup import element
from evogen.report.winner.weights import Drawn, distributions, drawn, predicted

from ..searches import CONTROL, DIRECT

FEW = CONTROL.replace("{agents: 4}", "{agents: 4, degree: 20, counts: poisson, conductance: drawn}")


def test_only_pairs_that_may_connect_are_drawn():
    mask = np.array([[True, False], [True, True]])
    mean, variance = np.array([[1.0, 0.0], [2.0, 3.0]]), np.array([[4.0, 0.0], [9.0, 0.0]])
    found = drawn(Link(0, 1, mask, mean, variance, np.stack([mean, mean + 1])))
    assert found.mean.tolist() == [1, 2, 3]
    assert found.deviation.tolist() == [2, 3, 0]
    assert found.sampled.tolist() == [[1, 2, 3], [2, 3, 4]]


def test_predicted_density_is_the_mean_of_normal_laws():
    one = Drawn(np.array([0.0, 2.0]), np.array([1.0, 0.5]), np.zeros((1, 2)))
    edges = np.linspace(-6, 6, 25)
    found = predicted(one, edges)
    wanted = (np.diff(norm.cdf(edges)) + np.diff(norm.cdf(edges, 2, 0.5))) / 2 / 0.5
    assert found == pytest.approx(wanted, abs=1e-12)
    assert (found * 0.5).sum() == pytest.approx(1, abs=1e-6)


def test_a_weight_without_variance_lies_in_one_bin():
    one = Drawn(np.array([0.25]), np.array([0.0]), np.zeros((1, 1)))
    assert predicted(one, np.array([0.0, 0.5, 1.0])).tolist() == [2.0, 0.0]


def test_sections_tell_means_and_the_share_of_pairs_without_a_synapse(search):
    facts = gather(search(text=FEW)[0])
    root = element("div", *distributions(facts.portrait))
    rows = [["".join(item.itertext()) for item in row] for row in root.iter("tr")][1:]
    links = sorted(facts.portrait.links, key=lambda link: -int(link.mask.sum()))
    assert len(rows) == len(links)
    for row, link in zip(rows, links, strict=True):
        born = link.sampled[:, link.mask]
        assert row[2].replace(",", "") == str(int(link.mask.sum()))
        assert float(row[4].replace("−", "-")) == pytest.approx(born.mean(), rel=0.01)
        assert row[7] == f"{(born == 0).mean():.1%}"
    assert (facts.portrait.links[0].sampled == 0).any()
    classes = {item.get("class") for item in root.iter("path")}
    assert {"bars blue", "line orange fine", "dots blue fine"} <= classes


def test_free_weights_are_told_to_be_the_same_in_all(search):
    facts = gather(search(text=DIRECT)[0])
    root = element("div", *distributions(facts.portrait))
    assert "all agents are born with the same ones" in "".join(root.itertext())
    assert "line orange fine" not in {item.get("class") for item in root.iter("path")}
