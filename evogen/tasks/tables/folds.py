"""Cutting a table into training, validation and test, and scaling it by what the training fold alone says.

One split into K folds of equal class shares serves all: number k is the test fold, number k + 1 (modulo K)
the validation fold, the others are for training, so that every row is tested once as k goes from 0 to K - 1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evogen.errors import SpecError
from evogen.tasks.tables.columns import Data, Missing

Rows = Mapping[str, NDArray[np.intp]]
"""Rows of `train`, `validation` and `test`; no row is in two of them."""
Parts = Sequence[tuple[Any, NDArray[Any]]]
"""Pipelines of scikit-learn, each with all rows of the columns that it is for."""


def split(data: Data, title: str, *, folds: int, fold: int, seed: int) -> Rows:
    """Return which rows are for what.

    Args:
        data: with groups, whose rows stay together, or without.
        title: what errors call the table.
        folds: K, at least 3.
        fold: the test fold's number k.
        seed: of the shuffling, in [0, 2**32).

    Raises:
        SpecError: a class has fewer rows than there are folds, or is missing in one of the three.
    """
    # Imported here because the registry imports every task, and scikit-learn takes a second.
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    counts = np.bincount(data.labels)
    if counts.min() < folds:
        name, count = data.classes[counts.argmin()], counts.min()
        raise SpecError(
            f"{title}: wanted at least {folds} rows of each of the {len(counts)} classes for {folds} folds, "
            f"found {count} of '{name}': leave such rows out, or write fewer folds (3 at least)"
        )
    if data.groups is not None and (found := data.groups.max() + 1) < folds:
        raise SpecError(f"{title}: wanted at least {folds} groups for {folds} folds, found {found}")
    cut = StratifiedKFold if data.groups is None else StratifiedGroupKFold
    parts = cut(folds, shuffle=True, random_state=seed).split(data.numbers, data.labels, data.groups)
    tested = [test for _, test in parts]
    validation = (fold + 1) % folds
    rest = [part for number, part in enumerate(tested) if number not in (fold, validation)]
    rows = {
        "train": np.sort(np.concatenate(rest)),
        "validation": tested[validation],
        "test": tested[fold],
    }
    for name, members in rows.items():
        absent = np.flatnonzero(np.bincount(data.labels[members], minlength=len(counts)) == 0)
        if len(absent):
            raise SpecError(
                f"{title}: wanted rows of every class in the {name} fold, found none of "
                f"'{data.classes[absent[0]]}': its rows are in too few groups; write fewer folds, or another "
                "split_seed"
            )
    return rows


def scale(data: Data, title: str, rows: Rows, missing: Missing) -> dict[str, NDArray[np.float32]]:
    """Return (M, inputs) features of each fold.

    Numbers are standardised; a category is one input that is 1 in its rows, else 0; all are 0 for a category
    that training does not have. What does not vary in training is left out: no weight can be learnt from it.

    Raises:
        SpecError: nothing varies in training, or numbers are too far apart for float32.
    """
    found = transformed(fitted(data, rows, missing), rows)
    if not all(np.isfinite(features).all() for features in found.values()):
        raise SpecError(
            f"{title}: wanted numbers that float32 can hold once they are scaled, found larger ones"
        )
    kept = varying(found)
    if not kept.any():
        raise SpecError(f"{title}: wanted a column that varies in the training fold, found none")
    return {name: np.ascontiguousarray(features[:, kept]) for name, features in found.items()}


def fitted(data: Data, rows: Rows, missing: Missing) -> Parts:
    """Return what scales the numbers and what codes the categories, fitted to the training fold."""
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    strategy = "most_frequent" if missing is Missing.MOST_FREQUENT else "mean"
    numbers = make_pipeline(SimpleImputer(strategy=strategy, keep_empty_features=True), StandardScaler())
    categories = make_pipeline(
        SimpleImputer(missing_values="", strategy="most_frequent", keep_empty_features=True),
        OneHotEncoder(handle_unknown="ignore", sparse_output=False),
    )
    parts = [(numbers, data.numbers), (categories, data.categories)]
    parts = [(pipeline, columns) for pipeline, columns in parts if columns.shape[1]]
    with np.errstate(all="ignore"):
        for pipeline, columns in parts:
            pipeline.fit(columns[rows["train"]])
    return parts


def transformed(parts: Parts, rows: Rows) -> dict[str, NDArray[np.float32]]:
    """Return all features of each fold, those that do not vary too."""
    with np.errstate(all="ignore"):
        return {
            name: np.concatenate(
                [pipeline.transform(columns[members]) for pipeline, columns in parts],
                axis=1,
                dtype=np.float32,
            )
            for name, members in rows.items()
        }


def varying(features: Mapping[str, NDArray[np.float32]]) -> NDArray[np.bool_]:
    """Return which features vary in the training fold."""
    found: NDArray[np.bool_] = np.ptp(features["train"], axis=0) > 0
    return found
