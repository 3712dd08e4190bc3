"""Innate expression by descent: relatives are alike, and each number keeps the law of an independent draw."""

import numpy as np
import torch
from torch_fakes import Layer, genome_of, phenotype_of, random_rules

from evogen.connectome.synaptogen import SynaptoGen

MODULES, G, N = {7: [Layer(64)]}, 400, 2


def expression(initial):
    wiring, rules = SynaptoGen(initial=initial), random_rules(G, N)
    found = phenotype_of((genome_of(MODULES, rules=rules), MODULES), wiring=wiring, dtype=torch.float64)
    return found.trim(found.flat, 0)


def test_sisters_correlate_by_their_common_ancestors():
    """64 neurons are six rounds: sisters 6/7, halves 1/7; 400 genes make a standard error below 0.05."""
    X = expression("lineage")["1.X"]
    assert abs(X.std() * np.sqrt(G / 2) - 1) < 0.1
    shift = max(
        range(64),
        key=lambda k: np.corrcoef(np.roll(X, -k, 0)[::2].ravel(), np.roll(X, -k, 0)[1::2].ravel())[0, 1],
    )
    X = np.roll(X, -shift, 0)
    assert abs(np.corrcoef(X[::2].ravel(), X[1::2].ravel())[0, 1] - 6 / 7) < 0.05
    assert np.corrcoef(X[:-2].ravel(), X[2:].ravel())[0, 1] < 6 / 7 - 0.05


def test_independent_expression_does_not():
    X = expression("normal")["1.X"]
    assert abs(np.corrcoef(X[:-1].ravel(), X[1:].ravel())[0, 1]) < 0.05


def test_transmitters_receptors_and_biases_descend_too():
    for symbol in ("0.T", "1.T", "1.R", "2.R", "1.b", "2.b"):
        related, independent = expression("lineage")[symbol], expression("normal")[symbol]
        assert related.shape == independent.shape
        assert np.isfinite(related).all()
        assert not np.array_equal(related, independent)
