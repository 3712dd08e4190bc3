import numpy as np
import pytest
import torch
from torch_fakes import Layer, defaults, evenly, genome_of, phenotype_of, random_rules

from evogen.connectome.synaptogen import SynaptoGen
from evogen.keys import Key
from evogen.learning.supervised import Supervised
from evogen.tasks.digits import Digits
from evogen.testing.tiny import Blobs

MODULES = {7: [Layer(32)]}


@pytest.fixture
def training_fold_only(monkeypatch):
    read = Digits.examples

    def guarded(self, fold):
        assert fold == "train", f"the inner loop read {fold}"
        return read(self, fold)

    monkeypatch.setattr(Digits, "examples", guarded)


def phenotype(rows=2, *, task=None, modules=MODULES, dtype=torch.float32):
    task = task or Blobs()
    genomes = [genome_of(modules, rules=random_rules(seed=row)) for row in range(rows)]
    candidates = [(genome, modules) for genome in genomes]
    return phenotype_of(*candidates, inputs=task.inputs, outputs=task.outputs, dtype=dtype)


def keys(rows):
    return [Key(5).child(row) for row in range(rows)]


def cross_entropy(found, flat, x, y):
    output, _ = found.network(flat).step(x.to(flat.dtype).expand(found.rows, -1, -1), {})
    return torch.nn.functional.cross_entropy(
        output.transpose(1, 2), y.expand(found.rows, -1), reduction="none"
    )


def test_digits_are_read_after_twenty_epochs_of_the_training_fold(training_fold_only):
    modules, learner = {7: [Layer(64)]}, Supervised(epochs=20, learning_rate=0.05)
    genomes = [genome_of(modules, rules=random_rules(16, 3, seed=row)) for row in range(2)]
    candidates = [(genome, modules) for genome in genomes]
    found = phenotype_of(*candidates, inputs=64, outputs=10, dtype=torch.float32)
    fit = learner.fit(found, Digits(), keys(2), defaults(learner, 2, torch.float32))
    x, y = Digits().examples("train")
    output, _ = found.network(fit.flat).step(x.expand(2, -1, -1), {})
    assert ((output.argmax(-1) == y).double().mean(-1) > 0.9).all()
    assert fit.curve.shape == (2, 20)
    assert (fit.curve[:, 0] < 0.5).all()
    assert (fit.curve[:, -1] > 0.9).all()
    assert fit.steps.tolist() == [20 * 64 * (len(x) // 64)] * 2


def test_whole_fold_batches_are_torchs_adam_on_the_mean_cross_entropy():
    """With one batch an epoch the order of examples does not matter; the rate falls linearly to zero."""
    epochs, clip, rates = 6, 0.05, torch.tensor([0.05, 0.01]).double()
    found, learner = evenly(phenotype(dtype=torch.float64)), Supervised(epochs=epochs, batch=48, clip=clip)
    fit = learner.fit(found, Blobs(), keys(2), defaults(learner, 2) | {"learning_rate": rates})
    x, y = Blobs().examples("train")
    rows = [torch.nn.Parameter(row.clone()) for row in found.flat]
    optimisers = [torch.optim.Adam([row]) for row in rows]
    for epoch in range(epochs):
        flat = torch.stack([row.detach() for row in rows]).requires_grad_()
        (gradient,) = torch.autograd.grad(cross_entropy(found, flat, x, y).mean(1).sum(), flat)
        for row, own, rate, optimiser in zip(rows, gradient, rates, optimisers, strict=True):
            row.grad = own * min(1.0, clip / float(own.norm()))
            optimiser.param_groups[0]["lr"] = float(rate) * (1 - epoch / epochs)
            optimiser.step()
    torch.testing.assert_close(fit.flat, torch.stack([row.detach() for row in rows]), rtol=1e-6, atol=1e-7)


def test_every_epoch_shows_every_example_once_and_noise_has_its_deviation(monkeypatch):
    """Watched through the network: what it is shown are the training examples, plus N(0, noise)."""
    shown = []
    found = phenotype()
    network = type(found.network(found.flat))
    step = network.step

    def watched(self, observation, *rest, **more):
        shown.append(observation.detach().clone())
        return step(self, observation, *rest, **more)

    monkeypatch.setattr(network, "step", watched)
    values = defaults(Supervised(), 2, torch.float32) | {"noise": torch.tensor([0.0, 0.3])}
    Supervised(epochs=2, batch=16).fit(found, Blobs(), keys(2), values)
    x, _ = Blobs().examples("train")
    rows = torch.stack([torch.cat(shown[:3], 1), torch.cat(shown[3:], 1)])  # (epoch, P, 48, 6)
    clean, noisy = rows[:, 0], rows[:, 1]
    for epoch in clean:
        assert np.array_equal(np.unique(epoch.numpy(), axis=0), np.unique(x.numpy(), axis=0))
    assert not torch.equal(*clean)
    distance = torch.cdist(noisy.flatten(0, 1), x).min(1)
    noise = noisy.flatten(0, 1) - x[distance.indices]
    assert abs(float(noise.std()) - 0.3) < 0.06
    assert len(noise.unique()) > 500


def test_rules_stay_as_they_are_when_the_inner_loop_may_not_tune_them():
    rules = random_rules()
    tuned = []
    for tune in (True, False):
        found = phenotype_of(
            (genome_of(MODULES, rules=rules), MODULES),
            wiring=SynaptoGen(tune_rules=tune),
            inputs=6,
            outputs=3,
        )
        fit = Supervised(epochs=2).fit(found, Blobs(), keys(1), defaults(Supervised(), 1))
        tuned.append(found.trim(fit.flat, 0))
        assert not np.array_equal(tuned[-1]["1.X"], found.trim(found.flat, 0)["1.X"])
    assert not np.allclose(tuned[0]["O"], rules.O, atol=1e-3)
    assert not np.allclose(tuned[0]["c"], rules.c, atol=1e-3)
    assert np.array_equal(np.float32(tuned[1]["O"]), rules.O)
    assert np.array_equal(np.float32(tuned[1]["c"]), rules.c)


def test_weight_decay_is_that_of_torchs_adamw_and_leaves_biases_and_other_candidates_alone():
    epochs, rates, decays = 6, torch.tensor([0.05, 0.01]).double(), torch.tensor([2.0, 0.0]).double()
    found, learner = evenly(phenotype(dtype=torch.float64)), Supervised(epochs=epochs, batch=48, clip=1e6)
    values = defaults(learner, 2) | {"learning_rate": rates}
    fit = learner.fit(found, Blobs(), keys(2), values | {"weight_decay": decays})
    assert torch.equal(fit.flat[1], learner.fit(found, Blobs(), keys(2), values).flat[1])
    x, y = Blobs().examples("train")
    biases = torch.zeros_like(found.flat[0], dtype=torch.bool)
    for slot in found.slots:
        biases[slot.start : slot.start + slot.size] = slot.name.endswith(".b")
    assert biases.any()
    parts = [torch.nn.Parameter(found.flat[0][members].clone()) for members in (~biases, biases)]
    groups = [
        {"params": [part], "weight_decay": decay} for part, decay in zip(parts, (2.0, 0.0), strict=True)
    ]
    optimiser = torch.optim.AdamW(groups)
    for epoch in range(epochs):
        flat = found.flat.clone()
        flat[0, ~biases], flat[0, biases] = (part.detach() for part in parts)
        flat.requires_grad_()
        (gradient,) = torch.autograd.grad(cross_entropy(found, flat, x, y).mean(1).sum(), flat)
        for part, members, group in zip(parts, (~biases, biases), optimiser.param_groups, strict=True):
            part.grad = gradient[0][members]
            group["lr"] = float(rates[0]) * (1 - epoch / epochs)
        optimiser.step()
    for part, members in zip(parts, (~biases, biases), strict=True):
        torch.testing.assert_close(fit.flat[0][members], part.detach(), rtol=1e-6, atol=1e-7)
