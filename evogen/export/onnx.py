"""The ONNX form of a program, and a session that runs it as torch's own form is run.

Inputs: `observation`, `state.NAME`; outputs: `output`, `action`, `next.NAME`; the first axis of each is named
`batch`. Made by torch's exporter of traced programs (`torch.onnx.export`, dynamo), operator set OPSET.
Sources: https://onnx.ai, https://onnxruntime.ai.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.export import ExportedProgram

from evogen.errors import EvogenError, SpecError
from evogen.export.program import Step, quiet

OPSET = 20


def write(program: ExportedProgram, step: Step, path: Path, *, about: Mapping[str, str]) -> None:
    """Write an .onnx file that needs no other beside it.

    Args:
        program: of the step.
        step: what was traced.
        path: of the new file.
        about: what the file says of itself, by name.

    Raises:
        SpecError: the extra `onnx` is not installed.
        EvogenError: something in it has no ONNX form.
    """
    require()
    import onnx

    taken = ["observation", *(f"state.{name}" for name in step.names)]
    given = ["output", "action", *(f"next.{name}" for name in step.names)]
    try:
        with quiet():
            made = torch.onnx.export(
                program,
                dynamo=True,
                opset_version=OPSET,
                verbose=False,
                input_names=taken,
                output_names=given,
            )
    except (RuntimeError, ValueError, NotImplementedError, TypeError) as error:
        first = str(error).strip().partition("\n")[0]
        raise EvogenError(f"this agent has no ONNX form ({first}): --without-onnx leaves it out") from error
    assert made is not None
    model = made.model_proto
    graph = model.graph
    for value in [*graph.input, *graph.output, *graph.value_info]:
        for size in value.type.tensor_type.shape.dim:
            if size.dim_param and size.dim_param.isidentifier():
                size.dim_param = "batch"
    onnx.helper.set_model_props(model, dict(about))
    onnx.checker.check_model(model)
    onnx.save_model(model, str(path))


def session(path: Path) -> Callable[..., tuple[Tensor, ...]]:
    """Return what runs a file on one thread, with tensors in and out as the step has them."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    opened = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    names = [each.name for each in opened.get_inputs()]

    def run(*arguments: Tensor) -> tuple[Tensor, ...]:
        given = {name: part.numpy() for name, part in zip(names, arguments, strict=True)}
        found: list[Any] = opened.run(None, given)
        return tuple(torch.from_numpy(np.asarray(part)) for part in found)

    return run


def require() -> None:
    """Import what writing and checking ONNX files takes.

    Raises:
        SpecError: one of the packages is missing.
    """
    try:
        import onnx
        import onnxruntime
        import onnxscript
    except ImportError as error:
        what = f"agent.onnx needs {error.name}: pip install 'evogen[onnx]', or leave it out: --without-onnx"
        raise SpecError(what) from None
    assert onnx, (onnxruntime, onnxscript)
