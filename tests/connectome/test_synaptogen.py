"""SynaptoGen's weights against a literal loop over its equations, and their symmetries and bounds."""

import math

import numpy as np
import pytest
import torch

from evogen.connectome import Dimensions
from evogen.connectome.synaptogen import SynaptoGen
from evogen.keys import Key

SIZES, PAIRS, G, N = (4, 6, 3), ((0, 1), (1, 2), (0, 2)), 5, 3
ROWS = 2


def draw(seed=0, *, wiring=None, g=G, n=N):
    """Parameters of two candidates with different temperatures, float64."""
    rng = Key(seed).child("values").generator()
    specs = (wiring or SynaptoGen()).parameters(Dimensions(SIZES, g, n), PAIRS)
    values = {name: rng.normal(0, spec.deviation, (ROWS, *spec.shape)) for name, spec in specs.items()}
    values |= {"O": rng.normal(0, 0.2, (ROWS, g, g)), "c": rng.normal(0, 1, (ROWS, n, 2 * n))}
    return {name: torch.from_numpy(part) for name, part in values.items()} | {
        "temperature": torch.tensor([0.1, 0.7], dtype=torch.float64)
    }


def loop(values, row, pre, post, scale, mask=None):
    """Section 1.2 of the model, one term after another."""

    def softmax(logits):
        total = sum(math.exp(x) for x in logits)
        return [math.exp(x) / total for x in logits]

    def sigmoid(x):
        return 1 / (1 + math.exp(-x))

    own = {name: part[row].tolist() for name, part in values.items()}
    X, Y, T, R = own[f"{pre}.X"], own[f"{post}.X"], own[f"{pre}.T"], own[f"{post}.R"]
    O, c, tau = own["O"], own["c"], own["temperature"]
    W = np.zeros((len(X), len(Y)))
    for u, x in enumerate(X):
        for v, y in enumerate(Y):
            count = 0.0
            for i in range(len(x)):
                for j in range(len(y)):
                    allowed = 1.0 if mask is None else float(mask[i][j])
                    count += x[i] ** 2 * sigmoid(O[i][j] / tau) * allowed * y[j] ** 2
            conductance = 0.0
            for t, by in enumerate(softmax(T[u])):
                for r, to in enumerate(softmax(R[v])):
                    polarity = {2 * t: 1.0, 2 * t + 1: -1.0}.get(r, 0.0)
                    conductance += by * scale * polarity * sigmoid(c[t][r]) * to
            W[u, v] = conductance * count
    return W


def weights(values, *, wiring=None):
    return (wiring or SynaptoGen()).weights(values, PAIRS)


def assert_same_weights(values, others):
    for W, V in zip(weights(values), weights(others), strict=True):
        torch.testing.assert_close(W, V, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("scale", [1.0, 2.5])
def test_weights_equal_a_loop_over_the_equations(scale):
    values = draw()
    for (pre, post), W in zip(PAIRS, weights(values, wiring=SynaptoGen(scale=scale)), strict=True):
        for row in range(ROWS):
            expected = loop(values, row, pre, post, scale)
            np.testing.assert_allclose(W[row], expected, rtol=1e-12, atol=1e-14)


def test_a_rule_mask_forbids_pairs():
    values = draw()
    mask = torch.from_numpy(np.float64(Key(0).child("mask").generator().random((ROWS, G, G)) < 0.5))
    for (pre, post), W in zip(PAIRS, weights(values | {"rule_mask": mask}), strict=True):
        for row in range(ROWS):
            expected = loop(values, row, pre, post, 1.0, mask[row].tolist())
            np.testing.assert_allclose(W[row], expected, rtol=1e-12, atol=1e-14)
    only = torch.zeros(ROWS, G, G, dtype=torch.float64)
    assert not any(W.any() for W in weights(values | {"rule_mask": only}))


def test_gradients_equal_finite_differences_in_every_parameter():
    values = draw(3, g=3, n=2)
    names = [name for name in values if name != "temperature" and not name.endswith(".b")]

    def all_weights(*parts):
        return tuple(weights(values | dict(zip(names, parts, strict=True))))

    assert torch.autograd.gradcheck(all_weights, [values[name].requires_grad_() for name in names])


def test_order_of_genes_does_not_matter():
    values, order = draw(), torch.tensor([3, 0, 4, 1, 2])
    moved = {name: part[..., order] if name.endswith(".X") else part for name, part in values.items()}
    assert_same_weights(values, moved | {"O": values["O"][:, order][:, :, order]})


def test_order_of_transmitters_does_not_matter():
    values, order = draw(), torch.tensor([2, 0, 1])
    pairs = torch.stack([2 * order, 2 * order + 1], 1).flatten()
    moved = dict(values)
    for name, part in values.items():
        if name.endswith(".T"):
            moved[name] = part[..., order]
        if name.endswith(".R"):
            moved[name] = part[..., pairs]
    assert_same_weights(values, moved | {"c": values["c"][:, order][:, :, pairs]})


def test_order_of_neurons_moves_their_synapses_along():
    values, order = draw(), torch.tensor([5, 2, 0, 1, 4, 3])
    moved = {name: part[:, order] if name.startswith("1.") else part for name, part in values.items()}
    into, out_of, past = weights(values)
    for W, V in zip(weights(moved), (into[:, :, order], out_of[:, order], past), strict=True):
        torch.testing.assert_close(W, V, rtol=1e-12, atol=1e-14)


def test_sign_of_expression_does_not_matter():
    values = draw()
    assert_same_weights(values, values | {"0.X": -values["0.X"], "2.X": -values["2.X"]})


def test_expression_scales_its_weights_by_its_square():
    values = draw()
    into, out_of, past = weights(values)
    scaled = weights(values | {"0.X": 3 * values["0.X"]})
    for W, V in zip(scaled, (9 * into, out_of, 9 * past), strict=True):
        torch.testing.assert_close(W, V, rtol=1e-12, atol=0)


def test_probabilities_lie_strictly_between_0_and_1():
    """Neurons that express one gene each, and one open synapse type, show P times one conductance as W."""
    values = draw(1, n=1)
    values |= {
        "1.X": torch.eye(6, G).double().repeat(2, 1, 1),
        "0.X": torch.eye(4, G).double().repeat(2, 1, 1),
    }
    values["1.R"] = torch.tensor([0.0, -800.0]).double().expand(2, 6, 2)
    for spread in (0.1, 1.0):
        (W, *_) = weights(values | {"O": spread * draw(2)["O"]})
        conductance = 1 / (1 + torch.exp(-values["c"][:, 0, 0]))
        P = W[:, :, :5] / conductance[:, None, None]
        expected = torch.sigmoid(spread * draw(2)["O"] / values["temperature"][:, None, None])
        torch.testing.assert_close(P, expected[:, :4], rtol=1e-10, atol=0)
        assert (P > 0).all()
        assert (P < 1).all()


@pytest.mark.parametrize("scale", [1.0, 2.5])
def test_one_synapse_conducts_at_most_the_scale(scale):
    """Neurons that express one and the same gene with certainty make one synapse; its weight is Cbar."""
    for seed in range(5):
        values = draw(seed)
        for name in ("0.X", "1.X"):
            values[name] = torch.eye(1, G).double().expand(ROWS, values[name].shape[1], G)
        values |= {"O": torch.full((ROWS, G, G), 50.0).double(), "c": 20 * values["c"]}
        (W, *_) = weights(values, wiring=SynaptoGen(scale=scale))
        assert (W.abs() <= scale).all()
        assert (W.abs() > 0).all()


def test_receptors_and_transmitters_alone_decide_the_sign():
    values, others = draw(), draw(1)
    rewired = values | {name: others[name] for name in ("0.X", "1.X", "2.X", "O")}
    for W, V in zip(weights(values), weights(rewired), strict=True):
        assert torch.equal(W.sign(), V.sign())
    swapped = dict(values)
    across = torch.tensor([1, 0, 3, 2, 5, 4])
    swapped |= {name: values[name][..., across] for name in ("1.R", "2.R", "c")}
    for W, V in zip(weights(values), weights(swapped), strict=True):
        torch.testing.assert_close(W, -V, rtol=1e-12, atol=1e-14)


def test_innate_expression_has_the_deviations_of_the_reference():
    specs = SynaptoGen().parameters(Dimensions(SIZES, 8, 3), PAIRS)
    assert {name: spec.shape for name, spec in specs.items()} == {
        "0.X": (4, 8), "1.X": (6, 8), "2.X": (3, 8), "0.T": (4, 3), "1.T": (6, 3),
        "1.R": (6, 6), "2.R": (3, 6), "1.b": (6,), "2.b": (3,),
    }  # fmt: skip
    variance = {name[2:]: spec.deviation**2 for name, spec in specs.items() if name[0] == "1"}
    assert variance == pytest.approx({"X": 2 / 8, "T": 2 / 3, "R": 2 / 6, "b": 2 / (4 + 1)})
