import math
from dataclasses import replace

import pytest
import torch
from torch_fakes import Layer, Readout, defaults, genome_of, phenotype_of, random_rules

from evogen.connectome.birth import Birth
from evogen.connectome.synaptogen import SynaptoGen
from evogen.errors import SpecError
from evogen.keys import Key
from evogen.learning.batch import Batch, parts
from evogen.learning.distill import Distill, imitation
from evogen.learning.rollout import regroup
from evogen.phenotype import Phenotype
from evogen.tasks import Fold, TaskKind
from evogen.tasks.cartpole import CartPole
from evogen.testing import tiny
from evogen.testing.tiny import Drift, Walk

from .hand_made import FOLDER, hand_made
from .plain_ppo import Recorded, first_steps

STATIC = {7: [Layer(6)], 8: [Layer(3, "selu")]}
PLASTIC = {7: [Layer(6, "tanh", rule="abcd"), Readout(1.0, "abcd", (("oja", 0.5), ("decay", 0.1)))]}
BOTH = {7: [Layer(6, "tanh", "leaky", 2.5, rule="abcd"), Layer(4, rule="abcd")], 8: [Layer(3, "selu")]}
NETWORKS = {"static": STATIC, "plastic": PLASTIC, "both": BOTH}
NOISY = Birth(degree=30.0, counts="poisson", conductance="drawn", training="noise")
WALK = str(FOLDER / "Walk.safetensors")
SHORT = Distill(teacher=str(FOLDER), iterations=3, environments=4, horizon=11, epochs=2, minibatches=2)
TASKS = {"walk": Walk(), "drift": Drift()}


def keys(rows):
    return [Key(5).child(row) for row in range(rows)]


def phenotype(modules, rows, *, inputs=2, dtype=torch.float64):
    genomes = [
        genome_of(modules, rules=random_rules(seed=row), plasticity={"rule.abcd.eta": 0.3})
        for row in range(rows)
    ]
    return phenotype_of(*((one, modules) for one in genomes), inputs=inputs, dtype=dtype)


def test_the_loss_of_a_choice_is_the_cross_entropy_to_the_teachers_tempered_softmax():
    """By hand: z = (0, ln 3), so that softmax(z) = (1/4, 3/4); t = (0, ln 4), so that p = (1/5, 4/5).

    At tau = 0.5, p = (1/17, 16/17).
    """
    output = torch.tensor([[[0.0, math.log(3)]]] * 2, dtype=torch.float64)
    answer = torch.tensor([[[0.0, math.log(4)]]] * 2, dtype=torch.float64)
    loss = imitation(TaskKind.CONTROL, output, answer, torch.tensor([1.0, 0.5]).double())
    expected = [-(p * math.log(1 / 4) + (1 - p) * math.log(3 / 4)) for p in (1 / 5, 1 / 17)]
    assert loss.tolist() == pytest.approx(expected, abs=1e-12)


def test_the_loss_of_real_values_is_half_the_mean_squared_error():
    output = torch.tensor([[[1.0, 2.0], [0.0, -1.0]]])
    answer = torch.tensor([[[0.0, 2.0], [0.0, 2.0]]])
    assert imitation(TaskKind.CONTINUOUS, output, answer, torch.ones(1)).tolist() == [(1 + 0 + 0 + 9) / 4 / 2]


def lived(found, row, x, memory, steps, first):
    """Return (T, B, outputs) and the state after the steps of one candidate with parameters x (D,)."""
    rows = found.flat.clone()
    rows[row] = x
    network = found.network(rows)
    memory = network.start(first.shape[1]) if memory is None else memory
    outputs = []
    for begins, (state, _, _) in zip(first, steps, strict=True):
        keep = {name: (~begins).reshape(-1, *[1] * (part.ndim - 2)) for name, part in memory.items()}
        memory = {name: part * keep[name] for name, part in memory.items()}
        seen = Walk().observe(state)[row].expand(found.rows, -1, -1)
        output, memory = network.step(seen, memory)
        outputs.append(output[row])
    return torch.stack(outputs), memory


def plain(learner, found, row, values, played):
    """One candidate's training with torch's optimiser, over what a task recorded while the learner played.

    Whole rollouts are the only minibatches, and networks with memory are lived through again from the state
    in which the rollout began.
    """
    x, memory = torch.nn.Parameter(found.flat[row].clone()), None
    optimiser = torch.optim.Adam([x], lr=1.0)
    (group,) = optimiser.param_groups
    rate, temperature = (float(values[name][row]) for name in ("learning_rate", "temperature"))
    begins = first_steps(played, row)
    for iteration in range(learner.iterations):
        own = slice(iteration * learner.horizon, (iteration + 1) * learner.horizon)
        steps, first = played[own], begins[own]
        acted, after = lived(found, row, x.detach(), memory, steps, first)
        assert torch.equal(acted.argmax(-1), torch.stack([action[row] for _, action, _ in steps]))
        seen = torch.stack([Walk().observe(state)[row] for state, _, _ in steps]).double()
        chances = torch.softmax(hand_made("Walk").answer(seen) / temperature, -1)
        group["lr"] = rate * (1 - iteration / learner.iterations)
        for _ in range(learner.epochs):
            optimiser.zero_grad()
            output, _ = lived(found, row, x, memory, steps, first)
            torch.nn.functional.cross_entropy(output.flatten(0, 1), chances.flatten(0, 1)).backward()
            torch.nn.utils.clip_grad_norm_([x], learner.clip)
            optimiser.step()
        memory = after
    return x.detach()


@pytest.mark.parametrize("name", NETWORKS)
def test_training_equals_a_straightforward_imitation_of_each_candidate(name):
    """Greedy rollout, labels, replay, gradient, clipping, decay and Adam together, over three iterations."""
    found, task = phenotype(NETWORKS[name], 2), Recorded()
    found = replace(found, slots=tuple(replace(slot, pace=1.0) for slot in found.slots))
    learner = Distill(
        teacher=WALK, iterations=3, environments=3, horizon=12, epochs=2, minibatches=1, clip=0.1
    )
    values = {
        "learning_rate": torch.tensor([0.02, 0.05]).double(),
        "temperature": torch.tensor([1.0, 0.3]).double(),
    }
    fit = learner.fit(found, task, keys(2), values)
    assert len(task.played) == 3 * 12
    for row in range(2):
        expected = plain(learner, found, row, values, task.played)
        torch.testing.assert_close(fit.flat[row], expected, rtol=1e-6, atol=1e-6)
        assert not torch.allclose(fit.flat[row], found.flat[row], atol=1e-3)
    assert fit.steps.tolist() == [3 * 12 * 3] * 2


@pytest.mark.parametrize("rule", ["none", "abcd"])
@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
def test_a_candidate_learns_through_the_noise_alone_as_in_company_and_beside_nan(task, rule):
    def noisy(numbers):
        return replace(tiny.phenotype(task, numbers, wiring=SynaptoGen(), rule=rule), birth=NOISY)

    def fit(found, numbers):
        return SHORT.fit(found, task, tiny.keys(numbers), defaults(SHORT, len(numbers), torch.float32))

    company = noisy((0, 1, 2))
    together, alone = fit(company, (0, 1, 2)), fit(noisy([1]), [1])
    flat = company.flat.clone()
    flat[0] = torch.nan
    beside = fit(replace(company, flat=flat), (0, 1, 2))
    assert torch.equal(together.flat[1], alone.flat[0])
    assert torch.equal(together.curve[1], alone.curve[0])
    assert torch.equal(together.flat[1:], beside.flat[1:])
    assert not beside.flat[0].isfinite().all()
    assert together.flat.isfinite().all()


@pytest.mark.parametrize("rule", ["none", "abcd"])
def test_rollout_and_updates_of_an_iteration_share_their_noise(monkeypatch, rule):
    used, made = [], Phenotype.network

    def remembered(self, flat, noise=None):
        used.append(noise)
        return made(self, flat, noise)

    monkeypatch.setattr(Phenotype, "network", remembered)
    found = replace(tiny.phenotype(Walk(), wiring=SynaptoGen(), rule=rule), birth=NOISY)
    SHORT.fit(found, Walk(), tiny.keys(), defaults(SHORT, 3, torch.float32))
    size = 1 + SHORT.epochs * SHORT.minibatches
    assert len(used) == SHORT.iterations * size
    for number, noise in enumerate(used):
        assert noise is used[number - number % size]
    firsts = used[::size]
    assert not torch.equal(firsts[0][0], firsts[1][0])
    copies = SHORT.environments // (1 if rule == "none" else SHORT.minibatches)
    assert all(eps.shape[:2] == (3, copies) for noise in firsts for eps in noise)


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
def test_what_the_teacher_does_is_learnt(task):
    """It walks to 0.5, not to the middle, which no reward would teach."""
    found = tiny.phenotype(task)
    learner = Distill(teacher=str(FOLDER), iterations=40, horizon=32)
    fit = learner.fit(found, task, tiny.keys(), defaults(learner, 3, torch.float32))
    x = torch.linspace(-1, 1.2, 23).unsqueeze(1)
    seen = torch.cat([x, torch.ones_like(x)], 1).expand(3, -1, -1)
    output, answer = found.network(fit.flat).forward(seen), hand_made(type(task).__name__).answer(seen)
    clear = ((x.squeeze(1) - 0.5).abs() > 0.15).expand(3, -1)
    for part in range(2):
        same = (output[..., part] > output.mean(-1)) == (answer[..., part] > answer.mean(-1))
        pushed = output[..., part].sign() == answer[..., part].sign()
        assert (same if task.kind is TaskKind.CONTROL else pushed)[clear].double().mean() > 0.95


def test_agents_born_with_few_synapses_balance_as_their_teacher_does():
    """Four candidates of 4-64-2 with g = 16 and d = 100, twenty agents each; untaught ones fall at once."""
    rows, modules, task = 4, {7: [Layer(64, "selu")]}, CartPole(episodes=2)
    genomes = [genome_of(modules, rules=random_rules(16, 3, seed=row)) for row in range(rows)]
    found = phenotype_of(*((one, modules) for one in genomes), dtype=torch.float32)
    law = Birth(degree=100.0, counts="poisson", conductance="drawn", training="noise", agents=20)
    found = replace(found, birth=law)
    learner = Distill(iterations=16)
    fit = learner.fit(found, task, keys(rows), defaults(learner, rows, torch.float32))
    starts = [key.child(agent) for key in keys(rows) for agent in range(law.agents)]
    scores = {}
    for name, flat in (("innate", found.flat), ("taught", fit.flat)):
        agents = found.agents(flat, [key.child("born") for key in keys(rows)])
        scores[name] = task.score(agents, starts, Fold.SEARCH).reshape(rows, -1).mean(1)
    assert (scores["innate"] < 100).all()
    assert (scores["taught"] > 400).all()


def batch(lives, memory):
    """A batch whose steps are numbered (row, step, life)."""
    number = torch.arange(2 * 6 * lives).reshape(2, 6, lives)
    state = {"1.leaky": number[:, 0, :, None].double()} if memory else {}
    return Batch(number.unsqueeze(-1), number, number, number, number, number, state)


def test_a_pass_looks_at_every_step_once_in_an_order_of_its_rows_own():
    passes = list(parts(batch(4, memory=False), keys(2), epochs=2, minibatches=3))
    assert len(passes) == 6
    for number in range(2):
        seen = torch.cat([part.target for part in passes[3 * number : 3 * number + 3]], 1)
        assert torch.equal(seen.sort(1).values, torch.arange(48).reshape(2, 24))
        assert not torch.equal(seen[0], seen[1] - 24)
    assert not torch.equal(passes[0].target, passes[3].target)


def test_with_memory_a_part_is_made_of_whole_lives_that_begin_where_they_began():
    for part in parts(batch(4, memory=True), keys(2), epochs=3, minibatches=2):
        steps = regroup(part.target.unsqueeze(-1), 2).reshape(2, 6, 2)
        assert torch.equal(steps, steps[:, :1] + 4 * torch.arange(6)[:, None])
        assert torch.equal(part.memory["1.leaky"].squeeze(-1).long(), steps[:, 0])


def test_a_task_that_nobody_can_teach_is_refused():
    assert Distill().check(CartPole()) is None
    with pytest.raises(SpecError, match=r"there is no teacher .* for the task 'Walk'"):
        Distill().check(Walk())


@pytest.mark.parametrize("name", ["environments", "horizon"])
def test_fewer_environments_or_steps_than_minibatches_are_refused(name):
    with pytest.raises(ValueError, match=f"{name} 3: wanted at least minibatches 4"):
        Distill(**{name: 3})
