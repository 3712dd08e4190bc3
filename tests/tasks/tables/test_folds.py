from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
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


def folds_of(data, folds, seed):
    """Return (folds, classes) counts of rows, and the folds' groups; the folds are a partition."""
    tested = [split(data, "t", folds=folds, fold=fold, seed=seed)["test"] for fold in range(folds)]
    assert sorted(np.concatenate(tested)) == list(range(len(data.labels)))
    counts = [np.bincount(data.labels[rows], minlength=len(data.classes)) for rows in tested]
    return np.stack(counts), [set() if data.groups is None else set(data.groups[rows]) for rows in tested]


@settings(max_examples=25, deadline=None)
@given(
    classes=st.integers(2, 5), folds=st.integers(3, 6), rows=st.integers(0, 120), seed=st.integers(0, 10**6)
)
def test_class_shares_are_equal_within_one_row_also_where_every_row_is_a_group(classes, folds, rows, seed):
    rng = np.random.default_rng(seed)
    uneven = rng.choice(classes, rows, p=rng.dirichlet(np.ones(classes)))
    labels = rng.permutation(np.concatenate([np.arange(classes).repeat(folds), uneven]))
    data = data_of(np.arange(len(labels))[:, None], labels)
    for groups in (None, rng.permutation(len(labels))):
        counts, _ = folds_of(data._replace(groups=groups), folds, seed)
        assert np.ptp(counts, axis=0).max() <= 1


@settings(max_examples=25, deadline=None)
@given(folds=st.integers(3, 6), seed=st.integers(0, 10**6))
def test_no_group_is_in_two_folds_and_groups_of_one_class_are_dealt_out_evenly(folds, seed):
    rng = np.random.default_rng(seed)
    sizes = np.full(
        8 * folds, 3
    )  # groups of three rows of one class; as many groups of a class in every fold
    groups = np.repeat(rng.permutation(len(sizes)), sizes)
    labels = groups % 2
    data = data_of(np.arange(len(labels))[:, None], labels, groups=groups)
    counts, members = folds_of(data, folds, seed)
    assert counts.tolist() == [[12, 12]] * folds
    assert sum(map(len, members)) == len(set.union(*members)) == len(sizes)


def test_groups_of_mixed_classes_stay_together_and_shares_stay_near():
    for seed in range(20):
        rng = np.random.default_rng(seed)
        groups = np.unique(rng.integers(0, 60, 400), return_inverse=True)[1]
        labels = np.where(rng.random(400) < 0.2, 1 - groups % 2, groups % 2)
        counts, members = folds_of(data_of(np.arange(400)[:, None], labels, groups=groups), 5, seed)
        assert sum(map(len, members)) == len(set.union(*members))
        shares = counts / counts.sum(1, keepdims=True)
        assert np.ptp(shares, axis=0).max() < 0.06  # 0.1 to 0.4 if groups are dealt out by chance


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
