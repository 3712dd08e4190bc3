import numpy as np
import torch
from neuron_lives import seen

from evogen.neurons.dendrites import SEGMENTS, Dendrites, gate, responses

P, B, N, I = 2, 3, 4, 5


def drawn(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed)).double()


def numbers(**changed):
    found = {"segments": 10.0, "context": 0.0, "share": 1.0} | changed
    return {name: torch.full((P, 1, N), value).double() for name, value in found.items()}


def by_hand(drive, context, u, segments, allowed):
    """The equations, neuron by neuron; `allowed` are the inputs that segments see."""
    y = np.zeros((P, B, N))
    for p, b, n in np.ndindex(P, B, N):
        d = [sum(float(u[p, j, i, n] * context[p, b, i]) for i in allowed) for j in range(segments)]
        strongest = d[int(np.argmax(np.abs(d)))]
        y[p, b, n] = float(drive[p, b, n]) / (1 + np.exp(-strongest))
    return y


def test_the_strongest_segment_scales_the_drive():
    drive, inputs, u = drawn(P, B, N), drawn(P, B, I, seed=1), drawn(P, SEGMENTS, I, N, seed=2)
    for segments, context in ((10, 0), (3, 0), (1, 2), (SEGMENTS, 4)):
        found, _ = Dendrites().step(
            seen(drive, inputs), {}, numbers(segments=float(segments), context=float(context)) | {"u": u}
        )
        allowed = range(I - context if context else 0, I)
        np.testing.assert_allclose(found, by_hand(drive, inputs, u, segments, allowed), rtol=1e-12)


def test_a_context_that_no_segment_knows_halves_the_drive():
    drive, u = drawn(P, B, N), drawn(P, SEGMENTS, I, N)
    found, _ = Dendrites().step(seen(drive, torch.zeros(P, B, I).double()), {}, numbers() | {"u": u})
    torch.testing.assert_close(found, drive / 2)


def test_of_ten_neurons_those_speak_whose_dendrites_know_the_context():
    """One segment for each of two contexts; the drive is the same for all."""
    u = torch.zeros(1, SEGMENTS, 2, 10).double()
    u[0, 0, 0, :5], u[0, 0, 0, 5:] = 4, -4
    u[0, 1, 1, :5], u[0, 1, 1, 5:] = -4, 4
    values = {name: part[:1, :, :1].expand(1, 1, 10) for name, part in numbers(share=0.5).items()}
    found, _ = Dendrites().step(
        seen(torch.ones(1, 2, 10).double(), torch.eye(2).double()[None]), {}, values | {"u": u}
    )
    assert (found[0] != 0).tolist() == [[True] * 5 + [False] * 5, [False] * 5 + [True] * 5]


def test_gradients_equal_finite_differences():
    context, segments = drawn(P, B, I, seed=1), drawn(P, 3, I, N, seed=2)
    counts = torch.full((P, 1, N), 3.0).double()
    assert torch.autograd.gradcheck(
        lambda c, u: gate(responses(c, u), counts), (context.requires_grad_(), segments.requires_grad_())
    )
