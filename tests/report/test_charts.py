import re

import numpy as np
import pytest

from evogen.cohort import Ref
from evogen.report import charts
from evogen.report.facts import gather


def path(figure, kind):
    (found,) = [item for item in figure.iter("path") if item.get("class") == kind]
    return found.get("d")


def texts(figure):
    return [item.text for item in figure.iter("text")]


def test_curves_compare_first_cohort_last_cohort_and_winner(search):
    run, _ = search(3)
    figure = charts.curves(gather(run))
    words = "".join(figure.itertext())
    assert "first cohort" in words
    assert "last cohort" in words
    assert path(figure, "line ink")
    assert "inner loop (environment steps)" in texts(figure)
    assert {"0", "500", "1,000"} & set(texts(figure))


def test_curves_of_unequal_length_share_one_grid_best_candidate_first(search):
    run, _ = search(1)
    facts = gather(run)
    assert len({len(row.curve) for row in facts.rows}) == len(facts.rows)
    grid = charts._curves(facts.rows)
    assert grid.shape == (6, 100)
    assert grid[0, -1] == pytest.approx(facts.winner.row.curve[-1])


def test_one_cohort_is_drawn_once(search):
    words = "".join(charts.curves(gather(search(1)[0])).itertext())
    assert "first cohort" not in words
    assert "last cohort" in words


def test_strips_draw_a_dot_for_each_agent_and_their_mean():
    figure = charts.strips([("orange", "search", [1.0, 2.0, 3.0]), ("blue", "fresh", [2.0])], "score")
    assert path(figure, "dots large orange").count("M") == 3
    first = [float(x) for x in re.findall(r"M(\S+) ", path(figure, "dots large orange"))]
    assert float(re.match(r"M(\S+) ", path(figure, "line orange"))[1]) == pytest.approx(
        np.mean(first), abs=0.1
    )
    assert figure.get("aria-label") == "score. search: 1, 2, 3; fresh: 2"


def test_winner_is_the_row_of_the_run_s_best_candidate(search):
    run, _ = search(2)
    assert gather(run).winner.row.ref == run.best() == max(run.rows(), key=lambda row: row.fitness).ref
    assert isinstance(run.best(), Ref)
