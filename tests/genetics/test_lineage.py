import numpy as np
import pytest

from evogen.errors import SpecError
from evogen.genetics.lineage import lineage, matched, profile_columns, rounds
from evogen.keys import Key

COLUMNS = 20_000


@pytest.mark.parametrize(("neurons", "depth"), [(1, 0), (2, 1), (3, 2), (8, 3), (134, 8), (256, 8), (257, 9)])
def test_rounds_give_just_enough_cells(neurons: int, depth: int) -> None:
    assert rounds(neurons) == depth


def test_covariance_of_two_cells_is_the_variance_of_their_last_common_ancestor() -> None:
    # Depth 3: variance 4; sisters share 3, cousins 2, halves 1. Columns are independent draws. The standard
    # error of a covariance is at most sqrt(2) * 4 / sqrt(COLUMNS) = 0.04; 36 entries beyond 5 errors: 2e-5.
    profiles = lineage(8, COLUMNS, Key(1))
    offset = int(Key(1).child("offset").generator().integers(8))
    profiles = np.roll(profiles, -offset, axis=0)
    found = profiles @ profiles.T / COLUMNS
    first, second = np.divmod(np.arange(64), 8)
    common = np.array([3 - int(a ^ b).bit_length() for a, b in zip(first, second, strict=True)])
    expected = (common + 1).reshape(8, 8)
    assert np.abs(found - expected).max() < 5 * np.sqrt(2) * 4 / np.sqrt(COLUMNS)


def test_sisters_correlate_by_depth_over_depth_plus_one() -> None:
    # Depth 8, 128 pairs of sisters, 400 columns; pairs share ancestors, so the error is taken over columns:
    # each column gives one estimate of the mean product (8) and of the mean square (9).
    profiles = lineage(256, 400, Key(2))
    profiles = np.roll(profiles, -int(Key(2).child("offset").generator().integers(256)), axis=0)
    products = (profiles[0::2] * profiles[1::2]).mean(axis=0)
    squares = (profiles**2).mean(axis=0)
    for found, expected in ((products, 8.0), (squares, 9.0)):
        assert abs(found.mean() - expected) < 4.5 * found.std() / np.sqrt(400)  # once in 150,000
    assert products.sum() / squares.sum() == pytest.approx(8 / 9, abs=0.01)


def test_neighbours_stay_related_at_any_offset() -> None:
    offsets = {int(Key(3).child(index, "offset").generator().integers(134)) for index in range(20)}
    assert len(offsets) > 10
    for index in range(5):
        profiles = lineage(134, 500, Key(3).child(index))
        assert profiles.shape == (134, 500)
        near = (profiles * np.roll(profiles, 1, axis=0)).mean()
        far = (profiles * np.roll(profiles, 67, axis=0)).mean()
        assert near > far + 1


def test_lineage_is_a_function_of_its_key() -> None:
    assert np.array_equal(lineage(134, 26, Key(4)), lineage(134, 26, Key(4)))
    assert not np.array_equal(lineage(134, 26, Key(4)), lineage(134, 26, Key(5)))


def test_columns_cut_a_profile_without_gap_or_overlap() -> None:
    columns = profile_columns(16, 3)
    assert columns.width == 26
    parts = [np.arange(26)[part].tolist() for part in (columns.X, columns.T, columns.R, columns.b)]
    assert [len(part) for part in parts] == [16, 3, 6, 1]
    assert [column for part in parts for column in part] == list(range(26))


def test_matched_has_the_given_moments_and_the_same_shape_within() -> None:
    profiles = lineage(134, 5, Key(6))
    mean, deviation = np.arange(5.0), np.array([0.1, 1.0, 2.0, 0.0, 3.0])
    found = matched(profiles, mean, deviation)
    assert np.allclose(found.mean(axis=0), mean, atol=1e-12)
    assert np.allclose(found.std(axis=0), deviation, atol=1e-12)
    assert np.corrcoef(found[:, 4], profiles[:, 4])[0, 1] == pytest.approx(1)
    assert np.allclose(matched(profiles, 0.0, 0.5).std(axis=0), 0.5)
    assert matched(np.ones((3, 1)), 2.0, 0.0).tolist() == [[2.0]] * 3


def test_wrong_shapes_are_refused() -> None:
    with pytest.raises(SpecError, match="at least 1 neuron and 1 column, found 0 and 3"):
        lineage(0, 3, Key(7))
    with pytest.raises(SpecError, match=r"profiles: wanted shape"):
        matched(np.ones(3), 0.0, 1.0)
    with pytest.raises(SpecError, match=r"mean: wanted a number or shape \(2,\), found \(3,\)"):
        matched(np.ones((3, 2)), np.ones(3), 1.0)
    with pytest.raises(SpecError, match="column 0 is constant"):
        matched(np.ones((3, 2)), 0.0, 1.0)
    with pytest.raises(SpecError, match="deviations >= 0"):
        matched(np.eye(2), 0.0, -1.0)
    with pytest.raises(SpecError, match="finite"):
        matched(np.full((2, 2), np.nan), 0.0, 1.0)
