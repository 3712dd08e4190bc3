"""SynaptoGen's weights against a literal loop over its equations, and their symmetries and bounds."""

import math

import numpy as np
import pytest
import torch

from evogen.connectome import Dimensions
from evogen.connectome.gcm import GCM
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


MASK = torch.from_numpy(np.float64(Key(0).child("mask").generator().random((ROWS, G, G)) < 0.5))


def one_gene_a_neuron(values):
    """Neurons of level 0 and 1 that express one gene each; W of their pair is P[:4] times Cbar."""
    eye = {"0.X": torch.eye(4, G).double(), "1.X": torch.eye(6, G).double()}
    return values | {name: part.repeat(ROWS, 1, 1) for name, part in eye.items()}


@pytest.mark.parametrize("scale", [1e-3, 0.3, 30.0])
def test_banded_rules_stay_on_their_side_of_one_half(scale):
    """(1/2, 1) where the mask is, (0, 1/2) elsewhere, by the equation; certain genes show P as W / Cbar."""
    wiring = SynaptoGen(mask="band")
    values = one_gene_a_neuron(draw()) | {"rule_mask": MASK, "genes": torch.full((ROWS,), 5.0).double()}
    values["O"] = scale * values["O"]
    W = weights(values, wiring=wiring)[0][:, :, :5]
    certain = values | {"rule_mask": torch.ones_like(MASK), "O": torch.full_like(values["O"], 1e3)}
    P = W / weights(certain, wiring=wiring)[0][:, :, :5]
    tau, inside = values["temperature"][:, None, None], MASK == 1
    expected = torch.where(
        inside,
        0.5 * torch.sigmoid((values["O"] + 3 / 5) / tau) + 0.5,
        0.5 * torch.sigmoid((values["O"] - 3 / 5) / tau),
    )
    torch.testing.assert_close(P, expected[:, :4], rtol=1e-9, atol=1e-12)
    inside = inside[:, :4]
    assert (P[inside] >= 0.5).all()
    assert (P[inside] <= 1 + 1e-12).all()
    assert (P[~inside] <= 0.5).all()
    assert (P[~inside] >= -1e-12).all()


@pytest.mark.parametrize("mask", ["forbid", "band"])
def test_no_rule_mask_is_one_that_holds_every_pair(mask):
    """Bit for bit, so that candidates without a mask may share a batch with others that have one."""
    values, wiring = draw() | {"genes": torch.full((ROWS,), 5.0).double()}, SynaptoGen(mask=mask)
    full = values | {"rule_mask": torch.ones_like(values["O"])}
    for W, V in zip(weights(values, wiring=wiring), weights(full, wiring=wiring), strict=True):
        assert torch.equal(W, V)


def test_the_band_of_39_genes_starts_as_in_the_reference():
    """About 0.84 within the rules and 0.16 without, at O = 0 and tau = 0.1."""
    wiring, own = SynaptoGen(mask="band"), draw(n=1, g=39)
    values = own | {"O": 0 * own["O"], "genes": torch.full((ROWS,), 39.0).double()}
    values["temperature"] = torch.full((ROWS,), 0.1).double()
    full, none = torch.ones_like(own["O"]), torch.zeros_like(own["O"])
    certain = values | {"O": full * 1e3, "rule_mask": full}
    for mask, chance in ((full, 0.84), (none, 0.16)):
        ratio = weights(values | {"rule_mask": mask}, wiring=wiring)[0] / weights(certain, wiring=wiring)[0]
        torch.testing.assert_close(ratio, torch.full_like(ratio, chance), rtol=0, atol=0.005)


def test_under_dales_law_the_strongest_transmitter_decides_every_sign_of_a_neuron():
    values = draw()
    for (pre, _), W in zip(PAIRS, weights(values, wiring=SynaptoGen(polarity="neuron")), strict=True):
        inhibits = values[f"{pre}.T"].argmax(-1) % 2 == 1
        assert torch.equal(W < 0, inhibits.unsqueeze(-1).expand(W.shape))
        assert (W != 0).all()


def test_under_dales_law_a_neuron_releases_by_its_own_kind_only():
    """With n = 3, neurons of the odd transmitter release it alone; the others share 0 and 2."""
    values, wiring = draw(), SynaptoGen(polarity="neuron")
    T, R = values["0.T"], torch.softmax(values["1.R"], -1)
    odd = T.argmax(-1, keepdim=True) == 1
    even = torch.softmax(T[..., [0, 2]], -1)
    shares = torch.where(
        odd,
        torch.tensor([0.0, 1, 0]).double(),
        torch.stack([even[..., 0], 0 * even[..., 0], even[..., 1]], -1),
    )
    C = torch.zeros(ROWS, N, 2 * N).double()
    for t in range(N):
        C[:, t, 2 * t : 2 * t + 2] = (-1) ** t * torch.sigmoid(values["c"][:, t, 2 * t : 2 * t + 2])
    x, y = values["0.X"] ** 2, values["1.X"] ** 2
    P = torch.sigmoid(values["O"] / values["temperature"][:, None, None])
    expected = (shares @ C @ R.mT) * (x @ P @ y.mT)
    torch.testing.assert_close(weights(values, wiring=wiring)[0], expected, rtol=1e-12, atol=1e-14)


def test_order_of_hidden_neurons_does_not_change_the_function():
    """Rows of X, T, R and b of level 1 together: the same output, through any activation."""
    values, order = draw(), torch.tensor([5, 2, 0, 1, 4, 3])
    moved = {name: part[:, order] if name.startswith("1.") else part for name, part in values.items()}

    def output(own):
        into, out_of, past = weights(own)
        x = torch.linspace(-1, 1, 4).double().expand(ROWS, 1, 4)
        hidden = torch.tanh(x @ into + own["1.b"].unsqueeze(1))
        return hidden @ out_of + x @ past + own["2.b"].unsqueeze(1)

    torch.testing.assert_close(output(values), output(moved), rtol=1e-12, atol=1e-14)


def test_doubling_a_gene_and_halving_its_expression_changes_nothing():
    """Duplication is a no-op if each copy keeps half of x^2."""
    values, half = draw(), math.sqrt(0.5)
    doubled = dict(values)
    for name, part in values.items():
        if name.endswith(".X"):
            doubled[name] = torch.cat([half * part[..., :1], part[..., 1:], half * part[..., :1]], -1)
    O = torch.cat([values["O"], values["O"][:, :1]], 1)
    assert_same_weights(values, doubled | {"O": torch.cat([O, O[:, :, :1]], 2)})


def test_gcm_weights_are_x_o_y():
    values = draw(wiring=GCM())
    for (pre, post), W in zip(PAIRS, GCM().weights(values, PAIRS), strict=True):
        x, y = values[f"{pre}.X"].numpy(), values[f"{post}.X"].numpy()
        np.testing.assert_allclose(W, x @ values["O"].numpy() @ y.swapaxes(1, 2), rtol=1e-12, atol=1e-14)
        assert W.min() < 0 < W.max()
    masked = GCM().weights(values | {"rule_mask": MASK}, PAIRS)
    for W, V in zip(masked, GCM().weights(values | {"O": values["O"] * MASK}, PAIRS), strict=True):
        assert torch.equal(W, V)


def test_gcm_innate_weights_have_mean_0_and_variance_4_over_g_squared():
    wiring, g = GCM(), 16
    specs = wiring.parameters(Dimensions((100, 100), g, 0), [(0, 1)])
    rng = Key(0).child("gcm").generator()
    X, Y = (rng.normal(0, specs[f"{level}.X"].deviation, (400, 100, g)) for level in (0, 1))
    O = rng.normal(0, 1 / g, (400, g, g))
    values = {name: torch.from_numpy(part) for name, part in {"0.X": X, "1.X": Y, "O": O}.items()}
    (W,) = wiring.weights(values, [(0, 1)])
    assert abs(W.mean()) < 4 * (2 / g) / math.sqrt(400 * 100)  # weights of one row of X are not independent
    assert W.var() == pytest.approx(4 / g**2, rel=0.02)
