import numpy as np

from evogen.analysis.plain import plain


def test_plain_values_are_json():
    value = {1: np.arange(2), "a": (np.float32(0.5), float("nan"), [None, -np.inf])}
    assert plain(value) == {"1": [0, 1], "a": [0.5, None, [None, None]]}
