"""The trial of stable lifetimes: do plastic rate networks fail beyond the lifetime they were evolved for?

Networks of 8 hidden units are evolved on CartPole with a horizon H, all seeds in one batch, by the learner
`snes`: it searches the born weights and, of plastic arms, one coefficient of each kind a synapse. The
synapses from input to hidden units are plastic; the readout is not, because its units are linear, and a
Hebbian rule on unbounded activity diverges whatever the claim. What the search ends with lives 10 H steps of
Gymnasium's physics on starts that no search saw, and only a fall ends a life.

The published claim has two halves: plastic rate networks become unstable, and spikes cure it. Beside spikes
stand the cheap cures: a clamp, division by the largest weight, homeostasis, Oja's decay, a protein pool. And
beside every plastic arm the static one, which need not survive either.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch

from evogen.learning.snes import SNES
from evogen.metrics.horizon import live, slope
from evogen.plasticity.local import Local
from evogen.studies.small import Net, grown, roots, values
from evogen.studies.trials import Contrast, Effort, Measure, Trial, trial
from evogen.tasks.cartpole import CartPole

UNITS = {"rate": ("rate", "tanh"), "lif": ("lif-step", "identity")}
WIDE = {"A": 0.5, "B": 0.5, "C": 0.5, "D": 0.5}  # deviations of a synapse's innate coefficients
ABCD = Local(
    terms=("A", "B", "C", "D"), granularity="synapse", tuned=WIDE, A=0.0, B=0.0, C=0.0, D=0.0, eta=0.02
)
STDP = Local(
    terms=("A",), factors="stdp", granularity="synapse", tuned={"A": 0.5, "kappa": 0.5}, A=0.0, kappa=1.0,
    eta=0.02, lam_x=0.8, lam_y=0.8,
)  # fmt: skip
RULES: Mapping[str, Local | None] = {
    "static": None,
    "abcd": ABCD,
    "clamp": replace(ABCD, terms=(*ABCD.terms, "clamp"), bound=1.0),
    "max-norm": replace(ABCD, norm="max"),
    "homeostasis": replace(ABCD, terms=(*ABCD.terms, "homeostasis"), eta_h=0.02, target=0.1, lam_r=0.95),
    "oja": Local(terms=("A", "oja"), granularity="synapse", tuned={"A": 0.5}, A=0.0, oja=1.0, eta=0.02),
    "stdp": STDP,
    "reserve": replace(
        STDP, terms=(*STDP.terms, "reserve"), R_max=1.0, rho=0.5, k_p=0.02, target=0.1, lam_r=0.95
    ),
}
SAYS = {
    "static": "weights stay as they are born",
    "abcd": "dw = eta (A pre post + B pre + C post + D), coefficients a synapse, unbounded",
    "clamp": "abcd, what is learned within +-1",
    "max-norm": "abcd, each layer divided by its largest weight every step",
    "homeostasis": "abcd with scaling to a mean activity of 0.1",
    "oja": "dw = eta (A pre post - post^2 w)",
    "stdp": "pairs of traces, A and the share of depression a synapse, unbounded",
    "reserve": "stdp, growth paid from a protein pool that the rate refills",
}
SPIKING = ("static", "abcd", "oja", "stdp", "reserve")
ARMS = {f"rate-{name}": f"tanh units: {says}" for name, says in SAYS.items()} | {
    f"lif-{name}": f"spiking units: {SAYS[name]}" for name in SPIKING
}
FACTOR = 10
OVERFLOW = 38.5  # log10 of what float32 cannot hold


def measure(task: str, arm: str, seeds: Sequence[int], sizes: Mapping[str, float]) -> dict[str, list[float]]:
    """Evolve one network a seed, all in one batch, and let each live ten times its horizon."""
    horizon = int(sizes["horizon"])
    played, keys = CartPole(horizon=horizon, normalised=False), roots("lifetime", task, seeds)
    body = grown(net(arm), played, keys)
    learner = SNES(steps=int(sizes["steps"]), population=16, episodes=2, sigma=0.5)
    fit = learner.fit(body, played, [key.child("learn") for key in keys], values(learner, len(seeds)))
    agents = body.network(fit.flat).detach()
    marks = (horizon, FACTOR * horizon)
    course = live(
        played.lasting(FACTOR * horizon),
        agents,
        keys=[key.child("fresh") for key in keys],
        lives=int(sizes["lives"]),
        steps=FACTOR * horizon,
        marks=marks,
    )
    grew = (course.weight[..., -1] / course.weight[..., 0]).log10().mean(1)
    within = course.lasted.clamp(max=horizon).double().mean(1) / horizon
    whole = course.survived.double().mean(1)
    return {
        "within": listed(100 * within),
        "beyond": listed(100 * whole),
        "kept": listed(100 * whole / (course.lasted >= horizon).double().mean(1)),  # 0 / 0 is NaN
        "steps": listed(course.lasted.double().mean(1)),
        "slope": listed(horizon * slope(course.reward[..., horizon:].nan_to_num())),
        "growth": listed(grew.nan_to_num(nan=OVERFLOW, posinf=OVERFLOW)),
    }


def net(arm: str) -> Net:
    """Return the network of an arm."""
    unit, _, name = arm.partition("-")
    neuron, activation = UNITS[unit]
    rule = RULES[name]
    if rule is None:
        return Net(8, neuron, activation)
    return Net(8, neuron, activation, rule="local", rules={"local": rule})


def listed(each: torch.Tensor) -> list[float]:
    """Return (P,) numbers as a list."""
    return [float(one) for one in each]


def _survives(arm: str, against: str, expected: str, published: str = "", *, ours: bool = False) -> Contrast:
    return Contrast("cartpole", "kept", arm, against, expected, published=published, ours=ours)


STUDY = trial(
    Trial(
        name="lifetime",
        title="Stable lifetimes: what plastic networks do beyond the lifetime they were evolved for",
        claim=(
            "Plastic rate networks fail beyond the lifetime that they were evolved for, and spiking neurons "
            "cure it."
        ),
        source="Schmidgall and Hays 2021, arXiv 2111.04113",
        published="reward collapses or states end early in plastic rate networks, not in spiking ones; no "
        "figure readable",
        arms=ARMS,
        tasks={"cartpole": "CartPole, evolved with a horizon of 200 steps, lived for 2,000"},
        measures={
            "within": Measure("share of the steps within the horizon that are lived", "%", "more", 1),
            "beyond": Measure("lives that last ten horizons", "%", "more", 1),
            "kept": Measure("lives that last ten horizons, of those that last one", "%", "more", 1),
            "steps": Measure("steps lived", "", "more", 0),
            "slope": Measure("change of the reward a step, per horizon, beyond it", "", "more", 3),
            "growth": Measure("powers of ten by which the weights grow beyond the horizon", "", "less", 2),
        },
        contrasts=(
            _survives("rate-abcd", "rate-static", "less", "plastic fails"),
            _survives("rate-oja", "rate-static", "less", "plastic fails"),
            _survives("rate-stdp", "rate-static", "less"),
            _survives("lif-abcd", "rate-abcd", "more", "spikes cure it"),
            _survives("lif-oja", "rate-oja", "more", "spikes cure it"),
            _survives("lif-stdp", "rate-stdp", "more", "spikes cure it"),
            _survives("rate-clamp", "rate-abcd", "more", ours=True),
            _survives("rate-max-norm", "rate-abcd", "more", ours=True),
            _survives("rate-homeostasis", "rate-abcd", "more", ours=True),
            _survives("rate-reserve", "rate-stdp", "more", ours=True),
        ),
        full=Effort(seeds=10, sizes={"horizon": 200, "steps": 200_000, "lives": 40}),
        quick=Effort(seeds=2, sizes={"horizon": 60, "steps": 6_000, "lives": 5}),
        work=measure,
        notes=(
            "Rival cures and the reserve are questions of ours; the paper names none of them.",
            "Contrasts are on `kept`, so that an arm that learns badly does not count as unstable.",
            "Only synapses from input to hidden units are plastic. All arms have 200,000 steps, in which the "
            "ABCD arms have five times as many numbers to search; in pilots the survival of static nets grew "
            "with the length of training. Sizes were set after pilots of four seeds on other streams.",
            "A static network need not survive either: its own row is the rate of failure to expect.",
        ),
    )
)
