from __future__ import annotations

from dataclasses import dataclass

import pytest
from sklearn.neural_network import MLPClassifier

from evogen.tasks.baselines import baselines
from evogen.tasks.digits import Digits


@dataclass(frozen=True)
class WrongLabels:
    """Digits, but the labels of one fold are all wrong."""

    fold: str

    def examples(self, fold):
        features, labels = Digits().examples(fold)
        return features, ((labels + 1) % 10 if fold == self.fold else labels)

    def rate(self, output, labels):
        return Digits().rate(output, labels)


def test_baselines_converge_and_read_digits_well():
    found = baselines(Digits(), 32, seed=0)
    assert found["logistic regression"].parameters == 64 * 10 + 10
    assert found["MLP, 32 hidden units"].parameters == 64 * 32 + 32 + 32 * 10 + 10
    for baseline in found.values():
        assert baseline.validation > 0.94
        assert baseline.test > 0.94


def test_nothing_is_fitted_to_validation_or_test():
    honest = baselines(Digits(), 16, seed=0)
    for fold, other in (("test", "validation"), ("validation", "test")):
        fooled = baselines(WrongLabels(fold), 16, seed=0)
        for name, baseline in fooled.items():
            assert getattr(baseline, other) == getattr(honest[name], other)
            assert getattr(baseline, fold) < 0.1


def test_the_seed_matters_to_the_mlp_only():
    first, second = (baselines(Digits(), 16, seed=seed) for seed in (0, 1))
    assert first["logistic regression"] == second["logistic regression"]
    assert first["MLP, 16 hidden units"] != second["MLP, 16 hidden units"]


def test_an_interrupted_fit_is_no_baseline(monkeypatch):
    def interrupted(self, *_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(MLPClassifier, "_backprop", interrupted)
    with pytest.raises(KeyboardInterrupt):
        baselines(Digits(), 4, seed=0)
