"""The ten sets of the study, and what follows from the size of one: its learner, its genomes, its bound.

Nothing here was fitted to a seed of the study: splits of seeds from 100 on were looked at.
"""

from __future__ import annotations

from dataclasses import dataclass

from evogen.errors import SpecError
from evogen.tasks.table import Table

SETS = (
    "iris",
    "wine",
    "wdbc",
    "ionosphere",
    "sonar",
    "pima",
    "vehicle",
    "optdigits",
    "letter",
    "mnist-5k",
)
FOLDS = 5  # 60 % of the rows train, 20 % validate, 20 % test
LARGE = 2_000  # rows from which a set is large
HIDDEN = 32  # neurons of the network beside which ours stand


@dataclass(frozen=True)
class Size:
    """How large a set is.

    Attributes:
        rows: of training and validation together.
        inputs, classes: of the split with seed 0.
    """

    rows: int
    inputs: int
    classes: int

    @property
    def epochs(self) -> int:
        """Passes of every inner loop over the training rows: small sets need many, large ones few."""
        return max(10, min(60, 60_000 // self.rows))

    @property
    def batch(self) -> int:
        """Examples in a minibatch."""
        return 32 if self.rows < LARGE else 64 if self.rows < 8_000 else 128

    @property
    def large(self) -> bool:
        """Whether its validation says so much, and its training costs so much, that searches are shorter."""
        return self.rows >= LARGE

    @property
    def limit(self) -> int:
        """Most trained numbers: half of MLP-32's; on a large set as many, or one for each four rows."""
        plain = perceptron(self.inputs, HIDDEN, self.classes)
        return max(plain, self.rows // 4) if self.large else plain // 2


def perceptron(inputs: int, hidden: int, classes: int) -> int:
    """Return the trained numbers of scikit-learn's one-hidden-layer network: one output where two classes."""
    outputs = 1 if classes == 2 else classes
    return (inputs + 1) * hidden + (hidden + 1) * outputs


def linear(inputs: int, classes: int) -> int:
    """Return the trained numbers of a logistic regression: one output where there are two classes."""
    return (inputs + 1) * (1 if classes == 2 else classes)


def table(name: str, seed: int) -> Table:
    """Return a set as a seed of the study splits it.

    Raises:
        SpecError: the package that holds the set is not installed.
    """
    return Table(file=name, folds=FOLDS, split_seed=seed)


def size(name: str) -> Size:
    """Return the size of a set."""
    task = table(name, 0)
    rows = sum(len(task.examples(fold)[1]) for fold in ("train", "validation"))
    return Size(rows, task.inputs, task.outputs)


def missing(name: str) -> str:
    """Return what to install for a set; nothing where it is there."""
    try:
        table(name, 0)
    except SpecError as error:
        return str(error)
    return ""
