"""Whether what a module's neurons express reaches another module's output: never, where it should not."""

import pytest
import torch
from neuron_fakes import candidate_of, cells_of, genome_of, phenotype_of, plan_of
from torch_fakes import random_rules

from evogen.connectome.birth import Birth
from evogen.connectome.direct import Direct
from evogen.connectome.gcm import GCM
from evogen.connectome.synaptogen import SynaptoGen
from evogen.keys import Key

INTERFACE = 1
LAWS = {
    "average": None,
    "many": Birth(training="noise"),
    "few": Birth(degree=20.0, counts="poisson", conductance="drawn", training="noise"),
}
WIRINGS = {
    "direct": Direct(),
    "synaptogen": SynaptoGen(),
    "dale": SynaptoGen(polarity="neuron", tune_rules=False),
    "gcm": GCM(),
}
SEED = 4


def jacobian(structure, wiring, law):
    """The Jacobian (outputs, D) of the outputs' sums over observations, and each module's entries of D."""
    candidate = candidate_of(structure, SEED, genetic=wiring.genetic, count=14, outputs=4)
    found = phenotype_of(candidate, wiring=wiring, dtype=torch.float32, birth=law)
    flat = found.flat.clone().requires_grad_()
    network = found.network(flat, found.noise([Key(1)], 2))
    x = torch.from_numpy(Key(2).generator().normal(size=(1, 20, 4))).expand(network.rows, -1, -1)
    outputs = network.forward(x).sum((0, 1))
    rows = [torch.autograd.grad(output, flat, retain_graph=True)[0][0] for output in outputs]
    body, entries = found.bodies[0], {}
    modules = {group.gene: group.module for group in body.plan.groups if group.gene != INTERFACE}
    slots = {slot.name: slot for slot in found.slots}
    for place in body.places:
        if place.gene != INTERFACE:
            slot = slots[place.name]
            own = torch.zeros(slot.shape, dtype=torch.bool)
            own[place.index] = True
            mine = entries.setdefault(modules[place.gene], torch.zeros(len(flat[0]), dtype=torch.bool))
            mine[slot.start : slot.start + slot.size] |= own.ravel()
    return torch.stack(rows), entries


@pytest.mark.parametrize("law", LAWS.values(), ids=LAWS)
@pytest.mark.parametrize("wiring", WIRINGS.values(), ids=WIRINGS)
@pytest.mark.parametrize("structure", ["modules", "layered-modules"])
def test_no_output_depends_on_another_modules_neurons(structure, wiring, law):
    rows, entries = jacobian(structure, wiring, law)
    assert len(entries) == 4
    for module, mine in entries.items():
        for output, row in enumerate(rows):
            if output == module:
                assert row[mine].abs().max() > 0
            else:
                assert torch.equal(row[mine], torch.zeros_like(row[mine]))


@pytest.mark.parametrize("wiring", WIRINGS.values(), ids=WIRINGS)
@pytest.mark.parametrize("structure", ["coupled", "flat", "layered"])
def test_outputs_depend_on_neurons_elsewhere_in_other_structures(structure, wiring):
    rows, entries = jacobian(structure, wiring, None)
    reached = sum(
        bool(row[mine].any())
        for module, mine in entries.items()
        for output, row in enumerate(rows)
        if output != module
    )
    assert reached >= 3


@pytest.mark.parametrize("law", [LAWS["many"], LAWS["few"]], ids=["many", "few"])
def test_a_module_is_born_as_if_it_were_alone(law):
    """Its agents' weights have the variance that they have without the other modules, and are drawn by it.

    4.5 standard errors of a variance over 4000 agents, at kurtosis below 10.
    """
    wired, how = cells_of("modules", SEED, count=8, size=1)
    rules = random_rules(4, seed=1)
    own = [cell for cell in wired if cell.module == wired[0].module]
    found = []
    for each in (wired, own):
        candidate = genome_of(each, rules=rules), plan_of(each, **how)
        phenotype = phenotype_of(candidate, wiring=SynaptoGen(), birth=law)
        moments = phenotype.wiring.moments(
            phenotype.values(phenotype.flat), phenotype.layout.pairs, phenotype.masks, law
        )
        plan = candidate[1]
        rows = [at for at, group in enumerate(plan.groups) if group.gene in {cell.gene for cell in own}]
        places = [phenotype.bodies[0].rows(row).start for row in rows]
        variance = (moments[0].variance * phenotype.masks[0])[0][:, places]
        born = phenotype.agents(phenotype.flat, [Key(3)], Birth(**{**vars(law), "agents": 4000}))
        sampled = born.weights[0][:, :, places].var(0)
        found.append((variance, sampled))
    assert found[0][0].any()
    torch.testing.assert_close(found[0][0], found[1][0], rtol=1e-10, atol=0)
    for variance, sampled in found:
        assert ((sampled / variance - 1).abs()[variance > 0] <= 4.5 * (9 / 4000) ** 0.5).all()
