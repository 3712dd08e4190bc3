from __future__ import annotations

import pytest
import torch
from sklearn.datasets import load_digits

from evogen.tasks import Fold
from evogen.tasks.digits import Digits

from .fakes import Failing, Linear, keys, random_weights

FOLDS = ("train", "validation", "test")


@pytest.mark.parametrize("task", [Digits(), Digits(split_seed=1, validation=0.3, test=0.1)])
def test_folds_are_disjoint_and_cover_all_1797_images(task):
    features = torch.cat([task.examples(fold)[0] for fold in FOLDS])
    assert features.shape == (1797, 64)
    assert len(features.unique(dim=0)) == 1797  # so are the images themselves


@pytest.mark.parametrize("task", [Digits(), Digits(split_seed=1, validation=0.3, test=0.1)])
def test_folds_have_their_shares_of_every_class_to_within_one_image(task):
    counts = torch.from_numpy(load_digits().target).bincount()
    shares = {"train": 1 - task.validation - task.test, "validation": task.validation, "test": task.test}
    found = {fold: task.examples(fold)[1].bincount(minlength=10) for fold in FOLDS}
    assert torch.equal(sum(found.values()), counts)
    for fold, share in shares.items():
        assert (found[fold] - share * counts).abs().max() < 1.5  # one image, and the rounding of the share


def test_scaling_uses_the_training_fold_only():
    features = {fold: Digits().examples(fold)[0] for fold in FOLDS}
    spread = features["train"].double().std(0, correction=0)
    assert features["train"].double().mean(0).abs().max() < 1e-6
    assert torch.isin(spread.round(decimals=5), torch.tensor([0.0, 1.0], dtype=torch.float64)).all()
    for fold in ("validation", "test"):
        assert features[fold].mean(0).abs().max() > 0.05
    assert all(part.dtype == torch.float32 for part in features.values())


def test_the_split_depends_on_its_seed_only():
    assert torch.equal(Digits().examples("test")[1], Digits().examples("test")[1])
    assert not torch.equal(Digits().examples("test")[1], Digits(split_seed=1).examples("test")[1])


def test_search_scores_on_validation_and_report_on_test():
    agents = Linear(random_weights((3, 64, 10)))
    for fold, name in ((Fold.SEARCH, "validation"), (Fold.REPORT, "test")):
        features, labels = Digits().examples(name)
        scores = Digits().score(agents, keys(3), fold)
        for row in range(3):
            right = ((features @ agents.weights[row]).argmax(-1) == labels).double().mean()
            assert scores[row] == right


@pytest.mark.usefixtures("no_test_fold")
def test_search_never_reads_the_test_fold():
    agents = Linear(random_weights((1, 64, 10)))
    assert 0.0 <= Digits().score(agents, keys(1), Fold.SEARCH) <= 1.0
    with pytest.raises(AssertionError):
        Digits().score(agents, keys(1), Fold.REPORT)


def test_class_means_are_good_weights():
    features, labels = Digits().examples("train")
    means = torch.stack([features[labels == digit].mean(0) for digit in range(10)], -1)
    assert Digits().score(Linear(means[None]), keys(1), Fold.REPORT) > 0.8


def test_non_finite_output_gives_a_nan_score_and_spares_the_other_rows():
    weights = random_weights((3, 64, 10))
    healthy = Digits().score(Linear(weights), keys(3), Fold.SEARCH)
    scores = Digits().score(Failing(weights, row=1), keys(3), Fold.SEARCH)
    assert scores[1].isnan()
    assert torch.equal(scores[[0, 2]], healthy[[0, 2]])
