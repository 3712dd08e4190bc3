"""evogen evolves what a neural network is born with: genetic wiring rules, architecture and plasticity.

    with evogen.run(evogen.load("searchspaces/cartpole.yaml"), out="runs/mine") as run:
        print(run.best())

Importing evogen imports neither torch nor ray; these names import torch when they are first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from evogen.experiment import Experiment, check, compare, load, open, replay, resume, run
    from evogen.notebook import figure, figures

__all__ = ["Experiment", "check", "compare", "figure", "figures", "load", "open", "replay", "resume", "run"]
_ELSEWHERE = {"figure": "evogen.notebook", "figures": "evogen.notebook"}


def __getattr__(name: str) -> Any:
    if name in __all__:
        return getattr(import_module(_ELSEWHERE.get(name, "evogen.experiment")), name)
    raise AttributeError(f"module 'evogen' has no attribute '{name}'")
