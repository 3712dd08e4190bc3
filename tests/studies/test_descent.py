from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from evogen.genome import Gene, Genome, frozen
from evogen.keys import Key
from evogen.studies.arms import ARMS
from evogen.studies.descent import LAYERS, redrawn
from evogen.studies.founders import founder

SIZES = {"in": 4, "l0": 128, "out": 2}
COLUMNS = {"X": 16, "T": 3, "R": 6}


@pytest.fixture
def trained() -> Genome:
    """A genome as training leaves it: expression of every neuron, and a lens."""
    rng = Key(1).generator()
    arrays = {
        f"{layer}.{symbol}": rng.normal(0.3, 0.4, (SIZES[layer], width))
        for layer in LAYERS
        for symbol, width in COLUMNS.items()
        if (layer, symbol) not in (("out", "T"), ("in", "R"))
    }
    arrays |= {f"{layer}.b": rng.normal(-2.0, 0.5, SIZES[layer]) for layer in ("l0", "out")}
    arrays |= {"in.m": rng.normal(size=4)}

    def gene(old: Gene, *layers: str) -> Gene:
        kept = {name: frozen(array) for name, array in arrays.items() if name.split(".")[0] in layers}
        return replace(old, expression=kept)

    born = founder(ARMS[0], 0, Key(2))
    return replace(
        born,
        interface=gene(born.interface, "in", "out"),
        architecture=(gene(born.architecture[0], "l0"),),
    )


def _entries(genome: Genome, symbol: str) -> np.ndarray:
    expression = dict(genome.interface.expression) | dict(genome.architecture[0].expression)
    return np.concatenate(
        [
            expression[f"{layer}.{symbol}"].ravel().astype(float)
            for layer in LAYERS
            if f"{layer}.{symbol}" in expression
        ]
    )


def test_rules_lens_and_shapes_stay_and_expression_is_another(trained: Genome) -> None:
    found = redrawn(trained, Key(3), scaled=False)
    assert found.rules is trained.rules
    for old, new in zip(trained.genes(), found.genes(), strict=True):
        assert {name: array.shape for name, array in old.expression.items()} == {
            name: array.shape for name, array in new.expression.items()
        }
        for name, array in new.expression.items():
            assert np.array_equal(array, old.expression[name]) == (name == "in.m")
    assert redrawn(trained, Key(3), scaled=False) == found != redrawn(trained, Key(4), scaled=False)


def test_raw_lineage_has_the_variance_of_its_depth_and_trained_biases(trained: Genome) -> None:
    found = [redrawn(trained, Key(3).child(index), scaled=False) for index in range(20)]
    # 134 neurons: depth 8, variance 9; relatives are alike, but 16 columns x 20 trees are independent
    squares = np.mean([np.square(_entries(each, "X")).mean() for each in found])
    assert squares == pytest.approx(9.0, rel=0.15)
    for each in found:
        biases, old = _entries(each, "b"), _entries(trained, "b")
        # standardised over all 134 neurons, those of the input among them, which have no bias
        assert biases.mean() == pytest.approx(old.mean(), abs=0.1)
        assert biases.std() == pytest.approx(old.std(), rel=0.2)


def test_matched_lineage_has_the_trained_scale(trained: Genome) -> None:
    found = redrawn(trained, Key(3), scaled=True)
    old, new = _entries(trained, "X"), _entries(found, "X")
    assert (new.mean(), new.std()) == (
        pytest.approx(old.mean(), abs=1e-5),
        pytest.approx(old.std(), rel=1e-5),
    )
    for symbol in ("T", "R"):
        old, new = _entries(trained, symbol), _entries(found, symbol)
        assert new.mean() == pytest.approx(old.mean(), abs=0.1)
        assert new.std() == pytest.approx(old.std(), rel=0.1)
