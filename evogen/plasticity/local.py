"""The family of local rules: settings choose the terms, evolvable fields are their coefficients.

    x <- lam_x x + a_pre         y <- lam_y y + a_post         r <- lam_r r + (1 - lam_r) a_post
    (p, q)  rates: (a_pre, a_post)   traces: (x, y)   stdp: (x, a_post)   error: (a_pre, d_post)
    bcm:    q' = q (q - theta),  theta <- lam_theta theta + (1 - lam_theta) q^2          else q' = q
    h   = A p q' + B p + C q' + D - O q^2 w      stdp: - A kappa a_pre y beside A p q'
    e   <- lam_e e + h           g = m e, of this step's e or the one before; without eligibility g = m h
    F   <- F + eta g - delta F + eta_h (r* - r) w            w = W + F
    then: norm of w (row: length 1 a neuron; max: largest magnitude 1 a link), |F| <= bound, low <= w <= high,
    and growth paid from a protein reserve (`reserve`)
    f   <- Lam f + Gam p q
    effective weight  W + alpha F + f

W is the born weight, to which `decay` returns. A term that is not chosen costs nothing; its coefficients are
not there. What the formula of a source calls alpha f is alpha Gam here. The modulator m is 1 unless chosen:
`layer` and `global` are learned, tanh(w_m . a); `input` is gain a_in + offset of the last input neuron.
Traces, rates, thresholds and pools belong to neurons: where the synapses of one differ in a coefficient of
theirs, that of the largest magnitude counts.

Sources of the terms: Niv et al. 2002, Najarro and Risi 2020 (ABCD, norm max); Oja 1982; Bienenstock, Cooper
and Munro 1982, with the threshold of Intrator and Cooper 1992 (textbook); Song, Miller and Abbott 2000 (pair
STDP by traces, textbook); Miconi et al. 2019 (eligibility of the step before, learned modulator, alpha); the
protein reserve is ours, after Nikitin et al. 2021. Time constants are factors a step.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from torch import Tensor

from evogen.errors import near
from evogen.plasticity import FAST, Extent, Granularity, Seen, State, Values
from evogen.plasticity.change import Change
from evogen.plasticity.reserve import pay
from evogen.plasticity.sums import divided, faded, length, longest, of_post, of_pre, plus, raised, within
from evogen.registry import choice, evolvable, register, setting

Term = Literal[
    "A", "B", "C", "D", "oja", "bcm", "eligibility", "decay", "homeostasis", "clamp", "range", "reserve",
    "short", "alpha",
]  # fmt: skip
TERMS: tuple[str, ...] = get_args(Term)
_OF_TERM: Mapping[str, tuple[str, ...]] = {
    "A": ("A",),
    "B": ("B",),
    "C": ("C",),
    "D": ("D",),
    "oja": ("oja",),
    "bcm": ("lam_theta",),
    "eligibility": ("lam_e",),
    "decay": ("delta",),
    "homeostasis": ("eta_h", "target", "lam_r"),
    "clamp": ("bound",),
    "range": ("low", "high"),
    "reserve": ("R_max", "rho", "k_p", "k_i", "target", "lam_r"),
    "short": ("Lam", "Gam"),
    "alpha": ("alpha",),
}
_OF_FACTORS: Mapping[str, tuple[str, ...]] = {
    "rates": (),
    "traces": ("lam_x", "lam_y"),
    "stdp": ("lam_x", "lam_y", "kappa"),
    "error": (),
}
_HEBBIAN = frozenset({"A", "B", "C", "D", "oja"})


@register("rule", "local")
@dataclass(frozen=True)
class Local:
    """A rule put together from terms: ABCD, Oja, BCM, STDP, eligibility, modulator, reserve, short-term."""

    terms: tuple[Term, ...] = setting(
        ("A", "clamp"), doc=f"what the rule is made of, among {', '.join(TERMS)}"
    )
    factors: Literal["rates", "traces", "stdp", "error"] = setting("rates", doc="the pair (p, q)")
    modulator: Literal["none", "layer", "global", "input"] = setting("none", doc="what m listens to")
    eligible: Literal["now", "before"] = setting("now", doc="which eligibility m meets: of h, or before")
    norm: Literal["none", "row", "max"] = setting("none", doc="what w is divided by after each step")
    granularity: Literal["global", "layer", "neuron", "synapse"] = choice(
        "layer", names=tuple(Granularity), doc="who has a tuned coefficient of its own"
    )
    tuned: dict[str, float] = dataclasses.field(
        default_factory=dict,
        metadata={"doc": "coefficients that learners tune, and the deviation of their innate draws"},
    )
    eta: float = evolvable(0.01, low=-10.0, high=10.0, doc="learning rate")
    A: float = evolvable(1.0, low=-10.0, high=10.0, doc="weight of p q")
    B: float = evolvable(0.0, low=-10.0, high=10.0, doc="weight of p")
    C: float = evolvable(0.0, low=-10.0, high=10.0, doc="weight of q")
    D: float = evolvable(0.0, low=-10.0, high=10.0, doc="constant drift")
    oja: float = evolvable(1.0, low=0.0, high=10.0, doc="O, weight of q^2 w")
    kappa: float = evolvable(1.0, low=-10.0, high=10.0, doc="depression by potentiation, of stdp")
    lam_x: float = evolvable(0.9, low=0.0, high=1.0, doc="what a presynaptic trace keeps a step")
    lam_y: float = evolvable(0.9, low=0.0, high=1.0, doc="what a postsynaptic trace keeps a step")
    lam_theta: float = evolvable(0.9, low=0.0, high=1.0, doc="what BCM's threshold keeps a step")
    lam_e: float = evolvable(0.9, low=0.0, high=1.0, doc="what eligibility keeps a step")
    lam_r: float = evolvable(0.99, low=0.0, high=1.0, doc="what the running rate keeps a step")
    gain: float = evolvable(1.0, low=-100.0, high=100.0, doc="of modulator input")
    offset: float = evolvable(0.0, low=-100.0, high=100.0, doc="of modulator input")
    delta: float = evolvable(0.01, low=0.0, high=1.0, doc="fraction of F lost a step")
    eta_h: float = evolvable(0.01, low=0.0, high=1.0, doc="rate of homeostatic scaling")
    target: float = evolvable(0.1, low=-1.0, high=1.0, doc="r*, wanted mean activity")
    bound: float = evolvable(1.0, low=0.0, high=100.0, doc="largest |F| and |f|")
    low: float = evolvable(0.0, low=-100.0, high=100.0, doc="smallest w")
    high: float = evolvable(1.0, low=-100.0, high=100.0, doc="largest w")
    R_max: float = evolvable(1.0, low=0.0, high=1000.0, doc="protein of a full pool")
    rho: float = evolvable(0.5, low=0.0, high=1.0, doc="what a shrinking synapse returns to the pool")
    k_p: float = evolvable(0.1, low=0.0, high=100.0, doc="supply by what the rate falls short of its target")
    k_i: float = evolvable(0.0, low=0.0, high=100.0, doc="supply by the sum of it over time")
    Lam: float = evolvable(0.9, low=0.0, high=1.0, doc="what the short-term part keeps a step")
    Gam: float = evolvable(0.01, low=-10.0, high=10.0, doc="growth of the short-term part, by p q")
    alpha: float = evolvable(1.0, low=-10.0, high=10.0, doc="share of F that is felt")

    def __post_init__(self) -> None:
        for name, deviation in self.tuned.items():
            if name not in self.coefficients:
                raise ValueError(
                    f"tuned: '{name}' is no coefficient of these terms{near(name, self.coefficients)}: "
                    f"wanted some of {', '.join(self.coefficients)}"
                )
            if not 0 <= deviation < math.inf:
                raise ValueError(f"tuned: {name}: wanted a deviation from 0 on, found {deviation:g}")

    @property
    def memory(self) -> Mapping[str, Extent]:
        """F, and what the terms need beside it."""
        found = {FAST: Extent.SYNAPSE}
        found |= {"short": Extent.SYNAPSE} if "short" in self.terms else {}
        found |= {"eligibility": Extent.SYNAPSE} if "eligibility" in self.terms else {}
        found |= {"pre": Extent.PRE} if "lam_x" in self.coefficients else {}
        found |= {"post": Extent.POST} if "lam_y" in self.coefficients else {}
        found |= {"theta": Extent.POST} if "bcm" in self.terms else {}
        found |= {"rate": Extent.POST} if "lam_r" in self.coefficients else {}
        found |= {"spent": Extent.POST, "integral": Extent.POST} if "reserve" in self.terms else {}
        return found

    @property
    def coefficients(self) -> tuple[str, ...]:
        """Those of the chosen terms, in the order of the fields."""
        used = {name for term in self.terms for name in _OF_TERM[term]} | {*_OF_FACTORS[self.factors]}
        used |= {"eta"} if self.hebbian else set()
        used |= {"A"} if self.factors == "stdp" and self.hebbian else set()
        used |= {"gain", "offset"} if self.modulator == "input" else set()
        return tuple(item.name for item in dataclasses.fields(self) if item.name in used)

    @property
    def taught(self) -> bool:
        """Whether it follows errors, which somebody must tell."""
        return self.factors == "error"

    @property
    def hebbian(self) -> bool:
        """Whether F follows activity."""
        return not _HEBBIAN.isdisjoint(self.terms)

    @property
    def changing(self) -> bool:
        """Whether F changes at all."""
        return self.hebbian or self.norm != "none" or not {"homeostasis", "range"}.isdisjoint(self.terms)

    def added(self, state: State, born: Tensor, values: Values) -> Tensor:  # noqa: ARG002
        """Return alpha F + f."""
        fast = state[FAST] if "alpha" not in self.terms else values["alpha"] * state[FAST]
        if "short" not in self.terms:
            return fast
        return fast + state["short"] if self.changing else state["short"]

    def step(self, state: State, seen: Seen, values: Values) -> State:
        """Return what is remembered after one step of the equations above."""
        v, new = values, dict(state)
        if "pre" in state:
            new["pre"] = of_pre(v["lam_x"]) * state["pre"] + seen.pre
        if "post" in state:
            new["post"] = of_post(v["lam_y"]) * state["post"] + seen.post
        if "rate" in state:
            new["rate"] = _running(of_post(v["lam_r"]), state["rate"], seen.post)
        p, q = self._factors(new, seen)
        if "theta" in state:
            new["theta"] = _running(of_post(v["lam_theta"]), state["theta"], q * q)
        step = Change(self, state, new, seen, v, p, q)
        fast = state[FAST]
        if self.eligible == "before" and self.changing:  # by the eligibility before it is written over
            fast = step.fast()
        if "eligibility" in state:
            new["eligibility"] = step.eligibility()
        if self.eligible == "now" and self.changing:
            fast = step.fast()
        if self.changing:
            fast = self._limited(fast, seen.born, v)
        if "reserve" in self.terms:
            own = {name: of_post(v[name]) for name in _OF_TERM["reserve"]}
            missing = own["target"] - new["rate"]
            paid = pay(state[FAST], fast, state["spent"], state["integral"], missing, own)
            fast, new["spent"], new["integral"] = paid
        if "short" in state:
            short = plus(faded(state["short"], v["Lam"], own=seen.spent), p, v["Gam"] * q)
            new["short"] = within(short, -v["bound"], v["bound"]) if "clamp" in self.terms else short
        return {**new, FAST: fast}

    def _factors(self, new: State, seen: Seen) -> tuple[Tensor, Tensor]:
        if self.factors == "rates":
            return seen.pre, seen.post
        if self.factors == "traces":
            return new["pre"], new["post"]
        if self.factors == "stdp":
            return new["pre"], seen.post
        return seen.pre, 0.0 * seen.post if seen.error is None else seen.error

    def _limited(self, fast: Tensor, born: Tensor, v: Values) -> Tensor:
        """Return F with norm and bounds; `fast` is fresh."""
        if self.norm != "none":
            weight = raised(fast, born)
            fast = divided(weight, born, longest(weight) if self.norm == "max" else length(weight))
        if "clamp" in self.terms:
            fast = within(fast, -v["bound"], v["bound"])
        if "range" in self.terms:
            fast = within(fast, v["low"] - born, v["high"] - born)
        return fast


def _running(keep: Tensor, mean: Tensor, part: Tensor) -> Tensor:
    return keep * mean + (1 - keep) * part
