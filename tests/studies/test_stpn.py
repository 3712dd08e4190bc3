"""The arms of `stpn`: of equal size, and each of its seeds a network of its own."""

import pytest

from evogen.studies import stpn
from evogen.tasks.retrieval import Retrieval

SIZES = {"pairs": 2, "updates": 3, "batch": 8, "asked": 50}


def test_arms_have_about_as_many_parameters():
    task = Retrieval()
    for arm in stpn.RATES:
        wanted = 1715 if arm != "stpn-shared" else 11 * (37 + 11) + 11 + 2 + 11 * 10 + 10
        assert stpn.model_of(arm, task).parameters == pytest.approx(wanted, rel=0.05)


def test_a_seed_has_its_own_numbers_whoever_else_is_asked():
    for arm in ("stpn", "fast-weights"):
        both, one = (stpn.measure("retrieval", arm, seeds, SIZES) for seeds in ([3, 4], [4]))
        assert both["energy"][1] == pytest.approx(one["energy"][0], rel=1e-4)
        assert both["energy"][0] != pytest.approx(both["energy"][1], rel=1e-4)
        assert all(0 <= each <= 100 for each in both["accuracy"])
