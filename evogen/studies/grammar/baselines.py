"""Baselines of scikit-learn's, on the rows and the scaling that our winners learn from and are tested on."""

from __future__ import annotations

import math
import warnings

import numpy as np

from evogen.studies.grammar.search import Found
from evogen.studies.grammar.sets import HIDDEN, linear, perceptron, table

EPOCHS = 100


def logistic(name: str, seed: int) -> Found:
    """Return what a logistic regression (L2, C = 1) comes to on a set as a seed splits it."""
    from sklearn.linear_model import LogisticRegression

    x, y, tested = _rows(name, seed)
    model = LogisticRegression(max_iter=1000).fit(x, y)
    return Found(float(model.score(*tested)), math.nan, linear(x.shape[1], int(y.max()) + 1), 0)


def mlp_32(name: str, seed: int) -> Found:
    """Return what MLPClassifier with 32 neurons and its other defaults comes to after 100 epochs."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier

    x, y, tested = _rows(name, seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # it is the yardstick as it stands
        model = MLPClassifier((HIDDEN,), max_iter=EPOCHS, random_state=seed).fit(x, y)
    parameters = perceptron(x.shape[1], HIDDEN, int(y.max()) + 1)
    return Found(float(model.score(*tested)), math.nan, parameters, HIDDEN)


def _rows(name: str, seed: int) -> tuple[np.ndarray, np.ndarray, tuple[np.ndarray, np.ndarray]]:
    """Return features and labels of training and validation together, and those of test."""
    task = table(name, seed)
    x, y = zip(*(task.examples(fold) for fold in ("train", "validation")), strict=True)
    features, labels = task.examples("test")
    return (
        np.concatenate([part.numpy() for part in x]),
        np.concatenate([part.numpy() for part in y]),
        (features.numpy(), labels.numpy()),
    )
