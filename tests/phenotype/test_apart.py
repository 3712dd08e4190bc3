"""Functions that see their own neurons alone, against all functions on all neurons."""

import pytest
import torch

from evogen.neurons.activations import ACTIVATIONS
from evogen.phenotype.firing import LANES, _apart


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("rows", [1, 3])
def test_each_neuron_has_the_bits_of_its_own_function_and_its_gradient(dtype, rows):
    functions = tuple(ACTIVATIONS)
    generator = torch.Generator().manual_seed(1)
    which = torch.randint(len(functions) + 1, (rows, 1, 64), generator=generator)  # the last: padding
    masks = tuple(which == number for number in range(len(functions)))
    potential = torch.randn(rows, 2 * LANES, 64, generator=generator, dtype=dtype).requires_grad_()
    slopes = torch.randn(potential.shape, generator=generator, dtype=dtype)
    found = _apart(functions, masks, potential)
    wanted = ACTIVATIONS[functions[0]](potential)
    for name, mask in zip(functions[1:], masks[1:], strict=True):
        wanted = torch.where(mask, ACTIVATIONS[name](potential), wanted)
    assert torch.equal(found, wanted)
    gradients = [torch.autograd.grad(each, potential, slopes)[0] for each in (found, wanted)]
    assert torch.equal(*gradients)


def test_the_gradient_is_laid_out_in_order_so_that_products_behind_it_keep_their_bits():
    generator = torch.Generator().manual_seed(2)
    inputs, W = (torch.randn(shape, generator=generator) for shape in ((2, LANES, 4), (2, 4, 64)))
    masks = tuple(part.expand(2, 1, 64) for part in (torch.arange(64) < 32, torch.arange(64) >= 32))
    both, alone = W.clone().requires_grad_(), W[:1].clone().requires_grad_()
    for weights in (both, alone):
        rows = len(weights)
        drive = torch.baddbmm(torch.zeros(rows, 1, 64), inputs[:rows], weights)
        drive.register_hook(lambda gradient: torch.testing.assert_close(gradient.is_contiguous(), True))
        _apart(("relu", "tanh"), tuple(mask[:rows] for mask in masks), drive).square().sum().backward()
    assert both.grad is not None
    assert alone.grad is not None
    assert torch.equal(both.grad[:1], alone.grad)
