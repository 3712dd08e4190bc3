import numpy as np
import torch
from torch_fakes import Layer, genome_of, phenotype_of

from evogen.connectome.direct import Direct

MODULES = {7: [Layer(200), Layer(64)]}


def test_innate_weights_have_variance_1_over_fan_in():
    found = phenotype_of((genome_of(MODULES), MODULES), wiring=Direct(), inputs=64)
    own = found.expression(found.flat, 0)
    for name, fan_in in (("in>l0.W", 64), ("l0>l1.W", 200), ("l1>out.W", 64)):
        W = own[7][name]
        assert W.shape[0] == fan_in
        error = 1 / np.sqrt(W.size)  # of the mean of standard normals; twice its variance's is 2 / size
        assert abs(W.mean() * np.sqrt(fan_in)) <= 4 * error
        assert abs(W.var() * fan_in - 1) <= 4 * np.sqrt(2) * error


def test_innate_biases_are_zero():
    found = phenotype_of((genome_of(MODULES), MODULES), wiring=Direct())
    own = found.expression(found.flat, 0)
    assert not any(own[gene][name].any() for gene, name in ((7, "l0.b"), (7, "l1.b"), (1, "out.b")))


def test_weights_are_the_parameters_themselves():
    values = {"0>1.W": torch.randn(3, 4, 5, generator=torch.Generator().manual_seed(0))}
    (W,) = Direct().weights(values, [(0, 1)])
    assert torch.equal(W, values["0>1.W"])
