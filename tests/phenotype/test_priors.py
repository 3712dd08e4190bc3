"""Connectivity priors in developed networks, of module genes and of neuron genes."""

from dataclasses import replace

import neuron_fakes
import pytest
import torch
from torch_fakes import Layer, development, genome_of, plan_of

from evogen.connectome.direct import Direct
from evogen.connectome.priors.local import Local
from evogen.phenotype import develop, embryo

PRE, POST = 20, 12


def of_modules(prior, size=POST):
    """The mask of the first projection, and that of the readout."""
    modules = {7: [Layer(size)], 8: [Layer(3)]}
    plan = plan_of(modules, inputs=PRE)
    first = plan.projections[0]._replace(prior=prior, settings={"radius": 0.2} if prior else {})
    plan = replace(plan, projections=(first, *plan.projections[1:]))
    made = development(Direct())
    found = develop(made, [embryo(made, genome_of(modules), plan)])
    masks = dict(zip(found.layout.pairs, found.masks, strict=True))
    return masks[0, 1][0, :, :size], masks[0, 1][0, :, size : size + 3]


def of_neurons(prior, size=POST):
    cells = [neuron_fakes.Cell(70, size), neuron_fakes.Cell(80, 3)]
    plan = neuron_fakes.plan_of(cells, inputs=PRE, outputs=2)
    first = plan.projections[0]._replace(prior=prior, settings={"radius": 0.2} if prior else {})
    plan = replace(plan, projections=(first, *plan.projections[1:]))
    found = neuron_fakes.phenotype_of((neuron_fakes.genome_of(cells), plan))
    masks = dict(zip(found.layout.pairs, found.masks, strict=True))
    return masks[0, 1][0, :, :size], masks[0, 1][0, :, size : size + 3]


@pytest.mark.parametrize("masks", [of_modules, of_neurons])
def test_only_near_pairs_connect_and_the_control_has_as_many(masks):
    near, other = masks("local")
    assert torch.equal(near.double(), torch.from_numpy(Local(0.2).chances(PRE, POST)))
    assert other.all()
    control, _ = masks("shuffled-local")
    assert control.sum() == near.sum()
    assert not torch.equal(control, near)
    assert torch.equal(control, masks("shuffled-local")[0])


@pytest.mark.parametrize("masks", [of_modules, of_neurons])
def test_random_priors_are_drawn_by_the_gene(masks):
    drawn, _ = masks("small-world")
    near = torch.from_numpy(Local(0.2).chances(PRE, POST)).bool()
    assert drawn.bool()[near].float().mean() > 0.8
    assert 0 < drawn.bool()[~near].float().mean() < 0.2
    assert torch.equal(drawn, masks("small-world")[0])
