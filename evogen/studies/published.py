"""What the SynaptoGen paper's figure shows: one network a task (16 genes), the best of 9 runs.

100 agents x 10 episodes. Read off the stored results figure, so with a reading error. There the lines of
"solved" were 195, -200, 200 and -500; the table measures all against the environments' own thresholds.

Source: arXiv 2402.07242 / eLife RP109166, the results figure for 16 genes; the repository's stored notebook.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """Mean returns in the figure of one task.

    Attributes:
        trained: the deterministic average network.
        sampled: mean over sampled agents, with their range.
        snes, expression: means of SNES and of random expression.
        error: of reading the figure.
    """

    trained: float
    sampled: float
    least: float
    most: float
    snes: float
    expression: float
    error: float


FIGURES: Mapping[str, Figure] = {
    "cartpole": Figure(500.0, 455.0, 220.0, 500.0, 500.0, 15.0, 4.0),
    "mountain-car": Figure(-115.0, -135.0, -160.0, -110.0, -200.0, -200.0, 0.7),
    "lunar-lander": Figure(249.0, 200.0, 90.0, 275.0, -91.0, -527.0, 12.0),
    "acrobot": Figure(-79.0, -308.0, -500.0, -80.0, -389.0, -497.0, 3.4),
}
