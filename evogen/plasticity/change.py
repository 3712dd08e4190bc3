"""Change: what one step of the family of local rules does to eligibility and F; see `local`.

The sum over terms is put together from products of small factors, so that every synapse is gone through as
seldom as possible: F (1 - delta - ...) once, and once for each product that is added.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

from torch import Tensor

from evogen.plasticity import FAST, Seen, State, Values
from evogen.plasticity.sums import begun, faded, plus, raised


class Terms(Protocol):
    """The settings of a rule, see `evogen.plasticity.local.Local`."""

    @property
    def terms(self) -> tuple[str, ...]:
        """What the rule is made of."""
        ...

    @property
    def factors(self) -> str:
        """The pair (p, q)."""
        ...

    @property
    def modulator(self) -> str:
        """What m listens to."""
        ...

    @property
    def eligible(self) -> str:
        """Which eligibility m meets."""
        ...

    @property
    def hebbian(self) -> bool:
        """Whether F follows activity."""
        ...


class Change(NamedTuple):
    """One step: the rule, what was and is remembered, what is seen, the coefficients and the pair (p, q)."""

    rule: Terms
    state: State
    new: State
    seen: Seen
    v: Values
    p: Tensor
    q: Tensor

    @property
    def own(self) -> bool:
        """Whether F may be written over: nobody asks for the old one, nor do later terms."""
        later = {"oja", "eligibility"} <= {*self.rule.terms} and self.rule.eligible == "before"
        return self.seen.spent and not later and "reserve" not in self.rule.terms

    def eligibility(self) -> Tensor:
        """Return e, (P, B, pre, post)."""
        e = faded(self.state["eligibility"], self.v["lam_e"], own=self.seen.spent)
        for one, other in self._products(None):
            e = plus(e, one, other)
        if "oja" in self.rule.terms:
            pull = -self.v["oja"] * self.q * self.q
            e = plus(plus(e, self.seen.born, pull), self.state[FAST], pull)
        flat = self._flat(None)
        return e if flat is None else raised(e, flat)

    def fast(self) -> Tensor:
        """Return F before norm and bounds, (P, B, pre, post), fresh or written over the old one."""
        rule, v, terms, fast = self.rule, self.v, self.rule.terms, self.state[FAST]
        keep: Tensor | None = 1 - v["delta"] if "decay" in terms else None
        products: list[tuple[Tensor, Tensor]] = []
        flat = rate = None
        if rule.hebbian:
            rate = v["eta"] if (m := self._modulator()) is None else v["eta"] * m
        if rate is not None and "eligibility" in terms:
            products.append(((self.state if rule.eligible == "before" else self.new)["eligibility"], rate))
        elif rate is not None:
            products += self._products(rate)
            flat = self._flat(rate)
            if "oja" in terms:
                pull = -rate * v["oja"] * self.q * self.q
                keep = pull + (1 if keep is None else keep)
                products.append((self.seen.born, pull))
        if "homeostasis" in terms:
            pull = v["eta_h"] * (v["target"] - self.new["rate"])
            keep = pull + (1 if keep is None else keep)
            products.append((self.seen.born, pull))
        if keep is not None:
            fast = faded(fast, keep, own=self.own)
        elif products:
            fast = begun(fast, *products.pop(0), own=self.own)
        else:
            fast = fast.clone()
        for one, other in products:
            fast = plus(fast, one, other)
        return fast if flat is None else raised(fast, flat)

    def _products(self, rate: Tensor | None) -> list[tuple[Tensor, Tensor]]:
        """Return the pairs whose products, summed, are rate (A p q' + B p), and what stdp takes off."""
        v, found, ends = self.v, [], None
        if "A" in self.rule.terms:
            ends = v["A"] * (self.q if "bcm" not in self.rule.terms else self._driven())
        if "B" in self.rule.terms:
            ends = v["B"] if ends is None else ends + v["B"]
        if ends is not None:
            found.append((self.p, _times(rate, ends)))
        if self.rule.factors == "stdp":
            found.append((self.seen.pre, _times(rate, -v["A"] * v["kappa"] * self.new["post"])))
        return found

    def _flat(self, rate: Tensor | None) -> Tensor | None:
        """Return rate (C q' + D), the same for all synapses of a neuron; None without such terms."""
        v, found = self.v, None
        if "C" in self.rule.terms:
            found = v["C"] * (self.q if "bcm" not in self.rule.terms else self._driven())
        if "D" in self.rule.terms:
            found = v["D"] if found is None else found + v["D"]
        return None if found is None else _times(rate, found)

    def _driven(self) -> Tensor:
        return self.q * (self.q - self.state["theta"])

    def _modulator(self) -> Tensor | None:
        m = self.seen.modulator
        if self.rule.modulator == "none" or m is None:
            return None
        return self.v["gain"] * m + self.v["offset"] if self.rule.modulator == "input" else m


def _times(rate: Tensor | None, part: Tensor) -> Tensor:
    return part if rate is None else rate * part
