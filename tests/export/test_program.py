"""The exported program against the network that evogen scores: whole lives, 1,000 observations in all."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from evogen.errors import EvogenError
from evogen.export import onnx
from evogen.export.checks import LIFE, difference, probes
from evogen.export.program import Step, pruned, quiet, traced
from evogen.keys import Key
from evogen.tasks.play import greedy

from .agents import LAYERS, STATIC, born, load


@pytest.mark.parametrize("kind", LAYERS)
def test_a_program_says_what_the_network_says_over_a_whole_life(tmp_path: Path, kind: str) -> None:
    pytest.importorskip("onnxruntime")
    network, sizes = born(load(tmp_path, LAYERS[kind]))
    step = Step(pruned(network, sizes), greedy)
    assert step.names, "the plastic readout at least remembers"
    program = traced(step)
    with quiet():
        torch.export.save(program, tmp_path / "agent.pt2")
        loaded = torch.export.load(tmp_path / "agent.pt2").module()
    onnx.write(program, step, tmp_path / "agent.onnx", about={"what": kind})
    seen = probes(network, Key(5), LIFE)
    assert seen.shape == (200, 5, 4)
    lively = torch.stack([network.step(row.unsqueeze(0), network.start(5))[0] for row in seen])
    assert lively.std() > 0.01, "an agent that says nothing shows nothing"
    assert difference(network, step, loaded, seen) < 1e-6
    assert difference(network, step, onnx.session(tmp_path / "agent.onnx"), seen) < 1e-6


def test_what_only_cohorts_need_is_left_out(tmp_path: Path) -> None:
    network, sizes = born(load(tmp_path, LAYERS["recurrent, leaky, plastic"]))
    small = pruned(network, sizes)
    assert [level.size for level in network.layout.levels] == [4, 64, 2]
    assert [level.size for level in small.layout.levels] == [4, *sizes[1:-1], 2]
    assert small.start(1)["0.abcd"].shape == (1, 1, 4, sizes[1])
    assert any(link.pre == link.post for link in small.layout.links)


def test_a_level_that_hears_nothing_keeps_a_link(tmp_path: Path) -> None:
    network, sizes = born(load(tmp_path, STATIC))
    silent = replace(network, weights=tuple(torch.zeros_like(W) for W in network.weights))
    small = pruned(silent, sizes)
    assert {link.post for link in small.layout.links} == {1, 2}
    seen = torch.ones(1, 3, 4)
    wanted, found = (one.step(seen, one.start(3))[0] for one in (silent, small))
    assert torch.equal(wanted, found)


def test_an_action_is_the_largest_output(tmp_path: Path) -> None:
    network, sizes = born(load(tmp_path, STATIC))
    step = Step(pruned(network, sizes), greedy)
    arguments = step.example(7)
    output, action, *_ = step(torch.ones_like(arguments[0]), *arguments[1:])
    assert output.shape == (7, 2)
    assert torch.equal(action, output.argmax(-1))


def test_what_torch_cannot_trace_is_refused(tmp_path: Path) -> None:
    network, sizes = born(load(tmp_path, STATIC))
    step = Step(pruned(network, sizes), lambda output: output if output.sum() > 0 else -output)
    with pytest.raises(EvogenError, match=r"torch\.export cannot trace this agent"):
        traced(step)
