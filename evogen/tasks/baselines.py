"""Ordinary models on a classification task, by gradient descent: the lines beside an evolved network."""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple

import numpy as np
import torch

from evogen.tasks import ClassificationTask


class Baseline(NamedTuple):
    """Scores of a model fitted on the training fold only, and the number of its weights and biases."""

    validation: float
    test: float
    parameters: int


def baselines(task: ClassificationTask, hidden: int, *, seed: int) -> dict[str, Baseline]:
    """Return the task's own scores of logistic regression and of an MLP with one hidden layer.

    Both keep scikit-learn's settings, but for an iteration limit that neither reaches: nothing is chosen on
    the validation or the test fold.

    Args:
        task: the data.
        hidden: width of the MLP's hidden layer.
        seed: of the MLP's first weights and of its batches, in [0, 2**32).
    """
    # Imported here because the registry imports every module of the tasks, and scikit-learn takes a second.
    from sklearn.linear_model import LogisticRegression
    from sklearn.neural_network import MLPClassifier

    x, y = (part.numpy() for part in task.examples("train"))
    linear = LogisticRegression(max_iter=5000).fit(x, y)
    mlp = MLPClassifier((hidden,), max_iter=5000, random_state=seed)
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message="Training interrupted by user")
        try:
            mlp.fit(x, y)
        except UserWarning as error:  # scikit-learn turns Ctrl-C into a half-trained model
            raise KeyboardInterrupt from error
    models = {
        "logistic regression": (linear, (linear.coef_, linear.intercept_)),
        f"MLP, {hidden} hidden units": (mlp, (*mlp.coefs_, *mlp.intercepts_)),
    }
    return {
        name: Baseline(
            _rate(task, model, "validation"), _rate(task, model, "test"), sum(part.size for part in weights)
        )
        for name, (model, weights) in models.items()
    }


def _rate(task: ClassificationTask, model: Any, fold: str) -> float:
    features, labels = task.examples(fold)
    chances = np.maximum(model.predict_proba(features.numpy()), np.finfo(np.float64).tiny)
    return float(task.rate(torch.from_numpy(np.log(chances)[None]), labels)[0])
