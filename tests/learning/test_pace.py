"""Genes that learn in their own way: frozen, slower or faster, or by plain gradient descent."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch_fakes import Layer, defaults, development, genome_of, plan_of, random_rules

from evogen.connectome.direct import Direct
from evogen.connectome.synaptogen import SynaptoGen
from evogen.grammar.plan import Learning
from evogen.learning.distill import Distill
from evogen.learning.dqn import DQN
from evogen.learning.ppo import PPO
from evogen.learning.snes import SNES, scales
from evogen.learning.supervised import Supervised
from evogen.phenotype import develop, embryo
from evogen.phenotype.pace import OWN
from evogen.testing import tiny

MODULES = {7: [Layer(6)], 8: [Layer(5, "relu")]}
LEARNERS = {
    "ppo": (PPO(iterations=2, horizon=12, environments=4, epochs=2), tiny.Walk()),
    "dqn": (DQN(steps=80, environments=2, starts=10, batch=8, train_every=4, buffer=32), tiny.Walk()),
    "snes": (SNES(steps=300), tiny.Walk()),
    "supervised": (Supervised(epochs=2, batch=8, weight_decay=0.1), tiny.Blobs()),
    "distill": (
        Distill(teacher=str(Path(__file__).parent / "teachers"), iterations=2, horizon=12, environments=4),
        tiny.Walk(),
    ),
}


def cohort(*asked, task, wiring=None):
    """Candidates with the same two modules, whose genes learn as each of `asked` says."""
    how = development(wiring or Direct(), dtype=torch.float32)
    plan = plan_of(MODULES, inputs=task.inputs, outputs=task.outputs)
    genomes = [genome_of(MODULES, rules=random_rules(seed=5) if how.wiring.genetic else None) for _ in asked]
    plans = [replace(plan, learning=learning) for learning in asked]
    return develop(how, [embryo(how, one, own) for one, own in zip(genomes, plans, strict=True)])


def taught(learner, task, *asked, wiring=None):
    found = cohort(*asked, task=task, wiring=wiring)
    keys = tiny.keys([0] * len(asked))
    fit = learner.fit(found, task, keys, defaults(learner, len(asked), torch.float32))
    return found, fit.flat


def owned(found, flat, row, gene):
    return found.expression(flat, row)[gene]


@pytest.mark.parametrize("wiring", [Direct(), SynaptoGen()], ids=["direct", "synaptogen"])
@pytest.mark.parametrize("name", LEARNERS)
def test_a_frozen_gene_keeps_every_bit_and_the_others_learn(name, wiring):
    learner, task = LEARNERS[name]
    found, flat = taught(learner, task, {7: Learning(0.0)}, {}, wiring=wiring)
    for gene, moves in ((7, False), (8, True)):
        born, tuned = owned(found, found.flat, 0, gene), owned(found, flat, 0, gene)
        assert born.keys() == tuned.keys()
        assert any((born[part] != tuned[part]).any() for part in born) == moves
    assert any(
        (owned(found, flat, 1, 7)[part] != born).any()
        for part, born in owned(found, found.flat, 1, 7).items()
    )


@pytest.mark.parametrize("name", LEARNERS)
def test_a_candidate_learns_in_company_what_it_learns_alone(name):
    learner, task = LEARNERS[name]
    asked = [{}, {7: Learning(0.0)}, {8: Learning(0.3, 0.9)}, {7: Learning(2.0), 8: Learning(0.1, 0.0)}]
    if name == "snes":
        asked = [{}, {7: Learning(0.0)}, {7: Learning(2.0), 8: Learning(0.3)}]
    _, together = taught(learner, task, *asked)
    for row, own in enumerate(asked):
        assert torch.equal(taught(learner, task, own)[1][0], together[row])


def test_genes_that_ask_for_nothing_share_one_row_of_paces():
    found = cohort({}, {}, task=tiny.Walk())
    assert found.pace.share.stride(0) == found.pace.momentum.stride(0) == 0
    assert (found.pace.momentum == OWN).all()


def test_a_pace_is_the_wirings_times_the_genes():
    found = cohort({7: Learning(0.5)}, {8: Learning(0.25, 0.9)}, task=tiny.Walk(), wiring=SynaptoGen())
    plain = cohort({}, task=tiny.Walk(), wiring=SynaptoGen()).pace.share[0]
    for row, (gene, rate, momentum) in enumerate([(7, 0.5, OWN), (8, 0.25, 0.9)]):
        share, method = plain.clone(), torch.full_like(plain, OWN)
        for slot in found.slots:
            part = slice(slot.start, slot.start + slot.size)
            for place in found.bodies[row].places:
                if (place.name, place.gene) == (slot.name, gene):
                    share[part].view(slot.shape)[place.index] *= rate
                    method[part].view(slot.shape)[place.index] = momentum
        assert torch.equal(found.pace.share[row], share)
        assert torch.equal(found.pace.momentum[row], method)
        assert not torch.equal(share, plain)


def test_a_search_takes_steps_in_proportion_to_the_rate():
    plain, count = scales(cohort({}, task=tiny.Walk()))
    halved, whole = scales(cohort({7: Learning(0.5), 8: Learning(0.5)}, task=tiny.Walk()))
    frozen, few = scales(cohort({7: Learning(0.0)}, task=tiny.Walk()))
    own = cohort({}, task=tiny.Walk())
    sizes = {place.gene: 0 for place in own.bodies[0].places}
    for place in own.bodies[0].places:
        sizes[place.gene] += own.trim(own.flat, 0)[place.name][place.index].size
    assert int(count - few) == sizes[7]
    assert torch.equal(whole, count)
    of_output = halved == plain
    assert ((2 * halved == plain) | of_output).all()
    assert int((of_output & (plain > 0)).sum()) == sizes[1]  # biases of the output belong to no module
    assert int((frozen == 0).sum() - (plain == 0).sum()) == sizes[7]


def test_a_search_of_nothing_but_the_output_stays_finite():
    learner, task = LEARNERS["snes"]
    found, flat = taught(learner, task, {7: Learning(0.0), 8: Learning(0.0)})
    assert flat.isfinite().all()
    assert not torch.equal(flat, found.flat)
