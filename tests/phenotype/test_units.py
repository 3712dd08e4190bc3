"""The grammar of all neuron kinds: what it can say lives, and it says every kind that it is for."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from evogen.connectome.direct import Direct
from evogen.experiment.grammars import samples
from evogen.genome import Gene, Genome
from evogen.grammar import load
from evogen.keys import Key
from evogen.phenotype import Development, develop, embryo
from evogen.registry import known
from evogen.space import ArchitectureSpace

GRAMMAR = load(Path(__file__).parents[2] / "grammars" / "units.bnf")
STARTS = ("unit", "in-time", "regulatory", "short-term", "dendritic", "sensory")


def plans(start):
    space = ArchitectureSpace(grammar=GRAMMAR, start=start, inputs=3, outputs=2)
    return list(samples(replace(space, max_modules=2)))


@pytest.mark.parametrize("start", STARTS)
def test_what_the_grammar_says_lives(start):
    how = Development(Direct(), {}, Key(0).child("innate"))
    for plan in plans(start)[:6]:
        ids = {group.gene for group in plan.groups[1:-1]}
        genome = Genome(None, Gene(plan.groups[0].gene, ()), tuple(Gene(number, ()) for number in ids))
        found = develop(how, [embryo(how, genome, plan)])
        network = found.network(found.flat)
        output, state = network.step(torch.ones(1, 2, 3), network.start(2))
        output, state = network.step(-torch.ones(1, 2, 3), state)
        assert output.shape == (1, 2, 2)
        assert output.isfinite().all()


def test_the_grammar_says_every_kind():
    said = {group.neuron for start in STARTS for plan in plans(start) for group in plan.groups}
    assert set(known("neuron")) - said == {"lif"}  # modules.bnf says it
