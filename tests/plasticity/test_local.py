"""The family of local rules against each system of the literature, written out as plain loops."""

import numpy as np
import pytest
from plastic_lives import life, lives

from evogen.keys import Key
from evogen.plasticity.local import Local
from evogen.testing import contract

PRESETS = {
    "abcd": Local(("A", "B", "C", "D"), norm="max", eta=0.1, B=0.5, C=-0.3, D=0.2),
    "oja": Local(("A", "oja"), eta=0.05, A=1.0, oja=1.0),
    "bcm": Local(("A", "bcm"), eta=0.05, lam_theta=0.8),
    "stdp": Local(("A", "range"), factors="stdp", eta=0.1, A=0.5, kappa=1.2, low=-2.0, high=2.0),
    "reserve": Local(("A", "range", "reserve"), factors="stdp", eta=0.2, R_max=0.3, k_p=0.05, k_i=0.01),
    "backpropamine": Local(
        ("A", "eligibility", "clamp", "alpha"), modulator="global", eligible="before", eta=1.0, alpha=0.3
    ),
    "input": Local(("A", "eligibility"), modulator="input", eligible="before", gain=2.0, offset=0.1),
    "short": Local(("short",), Lam=0.7, Gam=0.2),
    "bionic": Local(("A", "homeostasis"), eta=0.01, eta_h=0.1, target=0.3),
    "error": Local(("A",), factors="error", eta=0.1),
    "traces": Local(("A", "C", "D", "eligibility", "oja"), factors="traces", norm="row", modulator="layer"),
}


@pytest.mark.parametrize(
    ("fact", "rule"),
    [
        pytest.param(fact, rule, id=f"{name}-{fact.__name__}")
        for name, rule in PRESETS.items()
        for fact in contract("rule", rule)
    ],
)
def test_every_choice_of_terms_keeps_the_contract(fact, rule):
    fact(rule)


def test_abcd_with_weights_divided_by_the_largest():
    """Najarro and Risi 2020: w += eta (A o_i o_j + B o_i + C o_j + D), then each layer by its largest |w|."""
    pre, post, w = life()
    found, _ = lives(PRESETS["abcd"], pre, post, w)
    w = w.copy()
    for t in range(len(pre)):
        for i in range(4):
            for j in range(3):
                w[i, j] += 0.1 * (pre[t, i] * post[t, j] + 0.5 * pre[t, i] - 0.3 * post[t, j] + 0.2)
        w /= np.abs(w).max()
        np.testing.assert_allclose(found[t], w, atol=1e-12)


def test_oja():
    """Oja 1982: w += eta y (x - y w)."""
    pre, post, w = life()
    found, _ = lives(PRESETS["oja"], pre, post, w)
    w = w.copy()
    for t in range(len(pre)):
        for i in range(4):
            for j in range(3):
                w[i, j] += 0.05 * post[t, j] * (pre[t, i] - post[t, j] * w[i, j])
        np.testing.assert_allclose(found[t], w, atol=1e-12)


def test_bcm():
    """Weights grow by eta x y (y - theta), theta the running mean of y^2 before this step."""
    pre, post, w = life()
    found, memories = lives(PRESETS["bcm"], pre, post, w)
    w, theta = w.copy(), np.zeros(3)
    for t in range(len(pre)):
        for i in range(4):
            for j in range(3):
                w[i, j] += 0.05 * pre[t, i] * post[t, j] * (post[t, j] - theta[j])
        theta = 0.8 * theta + 0.2 * post[t] ** 2
        np.testing.assert_allclose(found[t], w, atol=1e-12)
        np.testing.assert_allclose(memories[t]["theta"], theta, atol=1e-12)


def test_stdp_by_pair_traces():
    """Song, Miller and Abbott 2000, as traces: a post spike adds A+ x, a pre spike takes A- y."""
    pre, post, w = life(40, spikes=True)
    found, _ = lives(PRESETS["stdp"], pre, post, w)
    w, x, y = w.copy(), np.zeros(4), np.zeros(3)
    for t in range(len(pre)):
        x, y = 0.9 * x + pre[t], 0.9 * y + post[t]
        for i in range(4):
            for j in range(3):
                w[i, j] += 0.05 * x[i] * post[t, j] - 0.06 * pre[t, i] * y[j]
                w[i, j] = min(max(w[i, j], -2.0), 2.0)
        np.testing.assert_allclose(found[t], w, atol=1e-12)


def test_stdp_with_a_protein_reserve():
    pre, post, w = life(60, spikes=True)
    w = np.abs(w).clip(0, 1)
    found, memories = lives(PRESETS["reserve"], pre, post, w)
    w, x, y, r = w.copy(), np.zeros(4), np.zeros(3), np.zeros(3)
    R, integral, paid = np.full(3, 0.3), np.zeros(3), 0
    for t in range(len(pre)):
        x, y, r = 0.9 * x + pre[t], 0.9 * y + post[t], 0.99 * r + 0.01 * post[t]
        for j in range(3):
            dw = [0.2 * (x[i] * post[t, j] - pre[t, i] * y[j]) for i in range(4)]
            dw = [min(max(w[i, j] + d, 0.0), 1.0) - w[i, j] for i, d in enumerate(dw)]
            need, given = sum(d for d in dw if d > 0), -sum(d for d in dw if d < 0)
            share = min(1.0, R[j] / need) if need else 1.0
            paid += share < 1
            for i in range(4):
                w[i, j] += dw[i] * share if dw[i] > 0 else dw[i]
            integral[j] += 0.1 - r[j]
            supply = max(0.0, 0.05 * (0.1 - r[j]) + 0.01 * integral[j])
            R[j] = min(R[j] - need * share + 0.5 * given + supply, 0.3)
        np.testing.assert_allclose(found[t], w, atol=1e-12)
        np.testing.assert_allclose(0.3 - memories[t]["spent"], R, atol=1e-12)
    assert paid > 10


def test_backpropamine():
    """Miconi et al. 2019: P <- clip(P + m E), E <- (1 - eta) E + eta pre post, effective W + alpha P."""
    pre, post, w = life()
    m = np.tanh(pre.sum(1))
    found, _ = lives(PRESETS["backpropamine"], pre, post, w, modulator=m)
    P, E = np.zeros((4, 3)), np.zeros((4, 3))
    for t in range(len(pre)):
        for i in range(4):
            for j in range(3):
                P[i, j] = min(max(P[i, j] + m[t] * E[i, j], -1.0), 1.0)
                E[i, j] = 0.9 * E[i, j] + pre[t, i] * post[t, j]
        np.testing.assert_allclose(found[t], w + 0.3 * P, atol=1e-12)


def test_reward_modulated_stdp():
    """Weights grow by eta m e, e <- lam e + x_pre s_post - kappa s_pre y_post, m the reward as it is said."""
    rule = Local(
        ("A", "eligibility"), factors="stdp", modulator="input", eta=0.1, lam_e=0.8, gain=1.5, offset=-0.2
    )
    pre, post, w = life(30, spikes=True)
    reward = life(30, seed=1)[0][:, 0]
    found, _ = lives(rule, pre, post, w, modulator=reward)
    w, x, y, e = w.copy(), np.zeros(4), np.zeros(3), np.zeros((4, 3))
    for t in range(len(pre)):
        x, y = 0.9 * x + pre[t], 0.9 * y + post[t]
        for i in range(4):
            for j in range(3):
                e[i, j] = 0.8 * e[i, j] + x[i] * post[t, j] - pre[t, i] * y[j]
                w[i, j] += 0.1 * (1.5 * reward[t] - 0.2) * e[i, j]
        np.testing.assert_allclose(found[t], w, atol=1e-12)


def test_short_term_part():
    """STPN's update without its norm: F <- Lam F + Gam pre post beside weights that are trained outside."""
    pre, post, w = life()
    found, memories = lives(PRESETS["short"], pre, post, w)
    F = np.zeros((4, 3))
    for t in range(len(pre)):
        for i in range(4):
            for j in range(3):
                F[i, j] = 0.7 * F[i, j] + 0.2 * pre[t, i] * post[t, j]
        np.testing.assert_allclose(found[t], w + F, atol=1e-12)
        assert not memories[t]["fast"].any()


def test_hebb_with_homeostasis():
    """BioNIC's pair of terms (form ours): a Hebbian one, and weights scaled toward a target rate."""
    pre, post, w = life()
    found, _ = lives(PRESETS["bionic"], pre, post, w)
    w, r = w.copy(), np.zeros(3)
    for t in range(len(pre)):
        r = 0.99 * r + 0.01 * post[t]
        for i in range(4):
            for j in range(3):
                w[i, j] += 0.01 * pre[t, i] * post[t, j] + 0.1 * (0.3 - r[j]) * w[i, j]
        np.testing.assert_allclose(found[t], w, atol=1e-12)


def test_error_rules_are_the_delta_rule():
    """Feedback alignment and predictive coding: w += eta pre d, d made elsewhere; CHL is it twice."""
    pre, post, w = life()
    error = life(seed=2)[1]
    found, _ = lives(PRESETS["error"], pre, post, w, error=error)
    w = w.copy()
    for t in range(len(pre)):
        for i in range(4):
            for j in range(3):
                w[i, j] += 0.1 * pre[t, i] * error[t, j]
        np.testing.assert_allclose(found[t], w, atol=1e-12)


def test_contrastive_hebbian_learning_is_the_hebbian_term_twice():
    """Clamped with rate eta, free with -eta."""
    pre, post, w = life()
    free = life(seed=3)[:2]
    clamped, _ = lives(Local(("A",), eta=0.1), pre[:1], post[:1], w)
    found, _ = lives(Local(("A",), eta=-0.1), free[0][:1], free[1][:1], clamped[0])
    change = 0.1 * (np.outer(pre[0], post[0]) - np.outer(free[0][0], free[1][0]))
    np.testing.assert_allclose(found[0], w + change, atol=1e-12)


def test_decay_row_norm_and_traces():
    rule = Local(
        ("A", "B", "C", "D", "decay"), factors="traces", norm="row", eta=0.1, B=0.2, C=0.1, D=-0.1, delta=0.3
    )
    pre, post, born = life()
    found, _ = lives(rule, pre, post, born)
    w, x, y = born.copy(), np.zeros(4), np.zeros(3)
    for t in range(len(pre)):
        x, y = 0.9 * x + pre[t], 0.9 * y + post[t]
        w = w + 0.1 * (np.outer(x, y) + 0.2 * x[:, None] + 0.1 * y - 0.1) - 0.3 * (w - born)
        w = w / np.sqrt((w**2).sum(0))
        np.testing.assert_allclose(found[t], w, atol=1e-12)


@pytest.mark.parametrize("dt", range(-8, 9))
def test_the_window_of_one_pair_of_spikes(dt):
    """It is A lam^dt where the postsynaptic spike follows, -A kappa lam^-dt where it comes first."""
    rule = Local(("A",), factors="stdp", eta=1.0, A=0.01, kappa=1.2, lam_x=0.8, lam_y=0.7)
    pre, post = np.zeros((20, 1)), np.zeros((20, 1))
    pre[10], post[10 + dt] = 1.0, 1.0
    found, _ = lives(rule, pre, post, np.zeros((1, 1)))
    wanted = 0.01 * 0.8**dt if dt > 0 else -0.012 * 0.7**-dt
    assert found[-1, 0, 0] == pytest.approx(wanted if dt else 0.01 - 0.012, abs=1e-15)


def test_bcm_changes_sign_at_its_threshold():
    """Under constant y it is y^2, so that weights grow with y below 1, shrink above and rest at 1."""
    rule = Local(("A", "bcm"), lam_theta=0.5, eta=0.1)
    for y, sign in ((0.5, 1), (1.0, 0), (2.0, -1)):
        found, memories = lives(rule, np.ones((60, 1)), np.full((60, 1), y), np.zeros((1, 1)))
        assert memories[-1]["theta"] == pytest.approx(y**2)
        assert np.sign(round(float(found[-1, 0, 0] - found[-2, 0, 0]), 12)) == sign


def test_oja_finds_the_first_principal_component():
    rng = Key(1).child("oja").generator()
    axes, _ = np.linalg.qr(rng.normal(size=(5, 5)))
    data = (rng.normal(size=(6000, 5)) * np.sqrt([3.0, 1.0, 0.5, 0.5, 0.2])) @ axes.T
    rule = Local(("A", "oja"), eta=0.002)
    w = 0.1 * rng.normal(size=(5, 1))
    for x in data:
        w = lives(rule, x[None], (x @ w)[None], w)[0][-1]
    assert np.linalg.norm(w) == pytest.approx(1, abs=0.02)
    assert abs(axes[:, 0] @ w[:, 0]) > 0.99


def test_growth_never_takes_more_than_the_reserve_has():
    """What grows is paid: the reserve is less by it after a step, but for what came back and supply."""
    rule = Local(("A", "B", "reserve"), eta=0.5, R_max=0.2, rho=0.0, k_p=0.0)
    pre, post, w = life(50)
    found, memories = lives(rule, pre, post, w)
    growth = np.diff(np.concatenate([w[None], found]), axis=0).clip(0).sum(1)  # (T, post)
    spent = np.stack([each["spent"] for each in memories])
    np.testing.assert_allclose(np.diff(spent, axis=0, prepend=0), growth, atol=1e-12)
    assert (spent <= 0.2 + 1e-12).all()
    assert spent[-1] == pytest.approx(0.2)


def test_rules_that_follow_errors_learn_nothing_where_nobody_tells_any():
    rule, (pre, post, w) = PRESETS["error"], life()
    assert rule.taught
    assert not Local().taught
    found, _ = lives(rule, pre, post, w)
    np.testing.assert_array_equal(found, np.broadcast_to(w, found.shape))


def test_only_coefficients_in_use_can_be_tuned():
    with pytest.raises(ValueError, match="'alpha' is no coefficient"):
        Local(("A",), tuned={"alpha": 0.1})


@pytest.mark.parametrize("deviation", [-0.1, float("nan"), float("inf")])
def test_what_is_tuned_has_a_deviation_to_be_drawn_with(deviation):
    with pytest.raises(ValueError, match="eta: wanted a deviation from 0 on, found"):
        Local(("A",), tuned={"eta": deviation})
