from __future__ import annotations

import math

import numpy as np

from evogen.studies.rows import per_seed


def test_mean_of_a_seed_is_over_the_agents_that_have_a_score() -> None:
    found = per_seed(np.array([[1.0, 3.0], [5.0, np.nan], [np.nan, np.nan]]))
    assert found[:2].tolist() == [2.0, 5.0]
    assert math.isnan(found[2])
