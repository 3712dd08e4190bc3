"""Values as JSON has them, for the files that reports, comparisons and studies write."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np


def plain(value: Any) -> Any:
    """Return a value as JSON has it: arrays and tuples become lists, what is not finite None."""
    if isinstance(value, np.ndarray | np.generic):  # first: a float64 is a float as well
        return plain(value.tolist())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    return value
