"""Arms of the study: the searches, and what stands beside them.

`trained` draws weights and trains them; `evolved` has no gradient: weights are expression that children
inherit and mutate; `tuned` trains, and children begin with what their parents' lives tuned. Every search is a
search of the same grammar's groups with the same number of candidates, but for `evolved`, whose candidates
cost one pass over the rows and are more, and `mlp`, which has as many as the five trained searches together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

STRUCTURES = ("flat", "layered", "modules", "coupled", "layered-modules")
CHOSEN = "chosen"
"""Name of the row of the trained search whose winner validated best, for each set and seed."""

Weights = Literal["trained", "evolved", "evolved+tuned"]


@dataclass(frozen=True)
class Arm:
    """One way to make a classifier.

    Attributes:
        name, says: for the table and its legend.
        kind: a search, or a baseline of scikit-learn's.
        start: symbol of the grammar that genes are derived from.
        structure, weights, mapping: settings of the architecture.
        strategy: of the search.
        shares: trained searches that it has as many candidates as.
    """

    name: str
    says: str
    kind: Literal["search", "logistic", "mlp-32"] = "search"
    start: str = "group"
    structure: str = "flat"
    weights: Weights = "trained"
    mapping: Literal["genes", "flat"] = "genes"
    strategy: Literal["genetic", "random"] = "genetic"
    shares: int = 1


_SAYS = {
    "flat": "one hidden layer of neuron groups",
    "layered": "two layers",
    "modules": "a module for each class, uncoupled",
    "coupled": "modules that may feed other classes' outputs too",
    "layered-modules": "two layers within each module, uncoupled",
}

TRAINED = tuple(Arm(name, f"{_SAYS[name]}, trained", structure=name) for name in STRUCTURES)
LOGISTIC = Arm("logistic", "logistic regression (scikit-learn)", kind="logistic")
MLP_32 = Arm("mlp-32", "MLP of 32 neurons, 100 epochs (scikit-learn)", kind="mlp-32")
ARMS = (
    *TRAINED,
    *(
        Arm(f"{name}-evolved", "the same, evolved: no gradient", structure=name, weights="evolved")
        for name in STRUCTURES
    ),
    *(
        Arm(f"{name}-tuned", "the same, evolved and tuned", structure=name, weights="evolved+tuned")
        for name in STRUCTURES
    ),
    Arm("random", "random search, modules, trained", structure="modules", strategy="random"),
    Arm("flat-ge", "flat GE mapping, modules, trained", start="net", structure="modules", mapping="flat"),
    LOGISTIC,
    MLP_32,
    Arm(
        "mlp",
        "MLP searched at random: width, activation, our learner's numbers",
        start="mlp",
        strategy="random",
        shares=len(STRUCTURES),
    ),
)
