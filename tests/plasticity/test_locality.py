"""The label of each rule, found by perturbation, against what its formula says."""

from dataclasses import dataclass
from typing import ClassVar

import pytest

from evogen.plasticity import FAST, Extent
from evogen.plasticity.abcd import ABCD
from evogen.plasticity.local import Local
from evogen.plasticity.locality import locality, sentence
from evogen.plasticity.none import NoRule

ENDS = ("pre", "post")


@pytest.mark.parametrize(
    ("rule", "label"),
    [
        (NoRule(), ()),
        (ABCD(), (*ENDS, "weight")),
        (Local(("A",)), ENDS),
        (Local(("B",)), ("pre",)),
        (Local(("C",)), ("post",)),
        (Local(("D",)), ()),
        (Local(("A", "oja")), (*ENDS, "weight")),
        (Local(("A", "bcm")), ENDS),
        (Local(("A",), factors="stdp"), ENDS),
        (Local(("homeostasis",)), ("post", "weight")),
        (Local(("A",), factors="error"), ("pre", "error")),
        (Local(("A", "eligibility"), modulator="layer"), (*ENDS, "modulator")),
        (Local(("A", "reserve")), (*ENDS, "siblings")),
        (Local(("A",), norm="row"), (*ENDS, "weight", "siblings")),
        (Local(("A",), norm="max"), (*ENDS, "weight", "siblings", "layer")),
    ],
    ids=str,
)
def test_a_label_is_what_the_formula_says(rule, label):
    assert locality(rule) == label


@dataclass(frozen=True)
class Spying:
    """A rule that claims nothing and follows the sum over its whole link."""

    memory: ClassVar = {FAST: Extent.SYNAPSE}
    coefficients: ClassVar = ()

    def step(self, state, seen, values):
        return {FAST: state[FAST] + (seen.pre * seen.post).sum((2, 3), keepdim=True)}

    def added(self, state, born, values):
        return state[FAST]


def test_a_rule_that_is_not_local_is_found_out():
    assert locality(Spying()) == (*ENDS, "siblings", "layer")


def test_a_label_can_be_read():
    assert sentence(NoRule()) == "a synapse follows nothing"
    assert sentence(Local(("B",))) == "a synapse follows its presynaptic neuron"
    assert sentence(ABCD()).endswith("its presynaptic neuron, its postsynaptic neuron and its own weight")
