from dataclasses import replace

import numpy as np
import pytest

from evogen.cohort import Ref
from evogen.report.facts import gather
from evogen.report.search.heredity import correlation, heredity

FAMILY = [(1.0, ()), (4.0, ()), (None, ()), (5.0, (0, 1)), (3.0, (0,)), (2.0, (1, 2))]


@pytest.fixture
def facts(search):
    found = gather(search(1)[0])
    rows = [
        row._replace(fitness=fitness, parents=tuple(Ref(0, parent) for parent in parents))
        for row, (fitness, parents) in zip(found.rows, FAMILY, strict=True)
    ]
    return replace(found, rows=tuple(rows))


def test_every_child_is_a_mark_over_its_fitter_parent(facts):
    figure = heredity(facts)
    (marked,) = [item for item in figure.iter("path") if item.get("data-refs")]
    assert marked.get("data-refs") == "0:3 0:4 0:5"
    (image,) = figure.iter("svg")
    r = np.corrcoef([4, 1, 4], [5, 3, 2])[0, 1]
    assert f"3 children over their fitter parents: 66.7% are better; correlation {r:.2g}" in image.get(
        "aria-label"
    )


def test_search_without_children_has_none(search):
    assert heredity(gather(search(1)[0])) is None


def test_what_does_not_vary_has_no_correlation():
    assert "does not vary" in correlation(np.ones(3), np.arange(3.0))
    assert correlation(np.arange(3.0), -np.arange(3.0)) == "correlation −1"
