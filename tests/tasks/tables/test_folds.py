from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold
from sklearn.preprocessing import StandardScaler

from evogen.errors import SpecError
from evogen.tasks.tables.columns import Data, Missing
from evogen.tasks.tables.folds import scale, split

NAMES = ("train", "validation", "test")


def data_of(numbers, labels, *, categories=None, groups=None) -> Data:
    numbers = np.asarray(numbers, float)
    none = np.empty((len(numbers), 0), object)
    names = tuple(f"x{number}" for number in range(numbers.shape[1]))
    classes = tuple(str(label) for label in np.unique(labels))
    return Data(names, numbers, none if categories is None else categories, labels, classes, groups)


IRIS = data_of(*load_iris(return_X_y=True))
GROUPED = IRIS._replace(groups=np.arange(150) // 2)


@pytest.mark.parametrize(("data", "cut"), [(IRIS, StratifiedKFold), (GROUPED, StratifiedGroupKFold)])
def test_the_folds_are_scikit_learns(data, cut):
    tested = [
        test.tolist()
        for _, test in cut(5, shuffle=True, random_state=3).split(data.numbers, data.labels, data.groups)
    ]
    for fold in range(5):
        rows = split(data, "iris", folds=5, fold=fold, seed=3)
        assert rows["test"].tolist() == tested[fold]
        assert rows["validation"].tolist() == tested[(fold + 1) % 5]
        assert sorted(np.concatenate([rows[name] for name in NAMES])) == list(range(150))


def test_every_fold_has_its_share_of_every_class():
    rows = split(IRIS, "iris", folds=5, fold=2, seed=0)
    counts = {name: np.bincount(IRIS.labels[rows[name]]).tolist() for name in NAMES}
    assert counts == {"train": [30] * 3, "validation": [10] * 3, "test": [10] * 3}


def test_rows_of_a_group_stay_together():
    rows = split(GROUPED, "iris", folds=5, fold=0, seed=0)
    groups = [set(GROUPED.groups[rows[name]]) for name in NAMES]
    assert sum(map(len, groups)) == len(set.union(*groups)) == 75


def test_numbers_are_standardised_by_the_training_fold_alone():
    rows = split(IRIS, "iris", folds=5, fold=0, seed=0)
    found = scale(IRIS, "iris", rows, Missing.REFUSE)
    scaler = StandardScaler().fit(IRIS.numbers[rows["train"]])
    for name in NAMES:
        expected = scaler.transform(IRIS.numbers[rows[name]]).astype(np.float32)
        assert np.array_equal(found[name], expected)


@pytest.mark.parametrize("missing", [Missing.MEAN, Missing.MOST_FREQUENT])
def test_nothing_in_the_other_folds_changes_a_bit_of_training(missing):
    rng = np.random.default_rng(0)
    numbers = rng.normal(size=(60, 3)).round(1)
    numbers[rng.random((60, 3)) < 0.2] = np.nan
    categories = rng.choice(np.array(["a", "b", ""], object), (60, 2))
    data = data_of(numbers, np.arange(60) % 2, categories=categories)
    rows = split(data, "t", folds=4, fold=1, seed=0)
    honest = scale(data, "t", rows, missing)["train"]
    for name in ("validation", "test"):
        numbers, categories = data.numbers.copy(), data.categories.copy()
        numbers[rows[name]] = [1e6, np.nan, -7.0]
        categories[rows[name]] = ["unheard of", ""]
        changed = data._replace(numbers=numbers, categories=categories)
        again = split(changed, "t", folds=4, fold=1, seed=0)
        assert all(np.array_equal(again[fold], rows[fold]) for fold in NAMES)
        found = scale(changed, "t", again, missing)
        assert np.array_equal(found["train"], honest)
        assert not np.array_equal(found[name], scale(data, "t", rows, missing)[name])


ROWS = {"train": np.arange(4), "validation": np.arange(4, 6), "test": np.arange(6, 8)}
LABELS = np.array([0, 1] * 4)


@pytest.mark.parametrize(("missing", "filled"), [(Missing.MEAN, 2.0), (Missing.MOST_FREQUENT, 1.0)])
def test_gaps_are_filled_as_training_says(missing, filled):
    numbers = np.array([1.0, 1, 4, np.nan, np.nan, 9, 9, 9])[:, None]
    complete = np.where(np.isnan(numbers), filled, numbers)
    found = scale(data_of(numbers, LABELS), "t", ROWS, missing)
    scaler = StandardScaler().fit(complete[:4])
    assert np.array_equal(found["validation"], scaler.transform(complete[4:6]).astype(np.float32))


def test_a_category_is_an_input_and_one_that_training_lacks_is_none():
    categories = np.array(["r", "g", "r", "", "b", "g", "r", ""], object)[:, None]
    found = scale(data_of(np.empty((8, 0)), LABELS, categories=categories), "t", ROWS, Missing.MEAN)
    assert found["train"].tolist() == [
        [0, 1],
        [1, 0],
        [0, 1],
        [0, 1],
    ]  # g, r; the gap is the most frequent, r
    assert found["validation"].tolist() == [[0, 0], [1, 0]]


def test_what_does_not_vary_in_training_is_left_out():
    numbers = np.array([[1.0, 2, 3, 4, 5, 6, 7, 8], [3, 3, 3, 3, 4, 5, 6, 7], [np.nan] * 4 + [1, 2, 3, 4]]).T
    categories = np.array([""] * 4 + ["a", "b", "a", "b"], object)[:, None]
    data = data_of(numbers, LABELS, categories=categories)
    assert scale(data, "t", ROWS, Missing.MEAN)["test"].shape == (2, 1)
    with pytest.raises(SpecError, match="wanted a column that varies in the training fold, found none"):
        scale(data._replace(numbers=numbers[:, 1:]), "t", ROWS, Missing.MEAN)


def test_numbers_too_large_to_scale_are_refused():
    with pytest.raises(SpecError, match="float32 can hold"):
        scale(data_of(np.array([1e300, -1e300] * 4)[:, None], LABELS), "t", ROWS, Missing.REFUSE)


def test_too_few_rows_or_groups_for_the_folds_are_said():
    few = data_of(np.arange(20.0)[:, None], np.array([0] * 16 + [1] * 4))
    with pytest.raises(
        SpecError, match="at least 5 rows of each of the 2 classes for 5 folds, found 4 of '1'"
    ):
        split(few, "t", folds=5, fold=0, seed=0)
    labels = np.array([0, 1] * 10)
    data = data_of(np.arange(20.0)[:, None], labels, groups=np.arange(20) // 5)
    with pytest.raises(SpecError, match="at least 5 groups for 5 folds, found 4"):
        split(data, "t", folds=5, fold=0, seed=0)
    with pytest.raises(SpecError, match=r"fold, found none of '.': its rows are in too few groups"):
        split(data._replace(groups=np.where(labels == 1, 0, np.arange(20) + 1)), "t", folds=4, fold=0, seed=0)
