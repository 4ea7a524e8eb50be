# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""From graphs of ATen ops, as torch.export and AOTAutograd make them, to modules."""

from __future__ import annotations

import os
import pathlib
import re
from typing import Any, Dict, List

import torch

from .. import _polyattn
from .._polyattn import CompileError, Module
from .mlir import foreign_ops
from .tensors import to_numpy

_TO_LINALG = ("builtin.module(func.func(torch-match-quantized-custom-ops),"
              "torchdynamo-export-to-torch-backend-pipeline{extra-library=},"
              "torch-backend-to-linalg-on-tensors-backend-pipeline{allow-non-finites=true})")

_DTYPES = {torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.bool, torch.int8, torch.int16,
           torch.int32, torch.int64}


class Unsupported(Exception):
    """Why a graph cannot be compiled, in words for its user."""


def decompositions() -> Dict[Any, Any]:
    """Ops to be taken apart before torch-mlir sees them: what it asks for, and what it would do otherwise.

    Its own gelu(approximate="tanh") has 0.797724 for sqrt(2 / pi), which is 0.797885.
    """
    from torch._decomp import get_decompositions
    from torch_mlir.extras.fx_decomp_util import get_decomposition_table

    table = dict(get_decomposition_table())
    table.update(get_decompositions([torch.ops.aten.gelu.default,
                                     torch.ops.aten._scaled_dot_product_flash_attention_for_cpu.default]))
    return table


def lower(graph_module: torch.fx.GraphModule, frozen: Dict[int, torch.Tensor]) -> Module:
    """The graph as function `main` on linalg. Arguments in `frozen`, by position, become constants: copies.

    Raises Unsupported.
    """
    check(graph_module.graph)
    text = _to_linalg(graph_module)
    try:
        module = _polyattn.parse(text, "<torch>")
    except CompileError as error:
        ops = [op for op in foreign_ops(text) if op != "tm_tensor.yield"]
        raise Unsupported(f"torch-mlir lowers something in it (cumsum, sort, topk, scatter and the like) to "
                          f"{', '.join(ops)}, an op of its own that MLIR 22 does not have" if ops else
                          f"MLIR 22 cannot read what this torch-mlir wrote: {error}") from error
    if frozen:
        module._freeze("main", {index: to_numpy(tensor) for index, tensor in frozen.items()})
    return module


def check(graph: torch.fx.Graph) -> None:
    """Raises Unsupported for what torch-mlir would refuse less clearly, or lower to something else."""
    for node in graph.nodes:
        for value in _values(node):
            if value.device.type != "cpu":
                raise Unsupported(f"{_describe(node)} is on device {value.device}: polyattn compiles for the CPU")
            if value.layout is not torch.strided:
                raise Unsupported(f"{_describe(node)} is a {value.layout} tensor")
            if value.dtype not in _DTYPES:
                raise Unsupported(f"{_describe(node)} has elements of {value.dtype}, which polyattn does not compile")
        if isinstance(node.target, torch._ops.HigherOrderOperator):
            inner = ", ".join(str(arg) for arg in node.args if isinstance(arg, torch._ops.OpOverload))
            raise Unsupported(f"{_describe(node)}{' of ' if inner else ''}{inner} is an op around others, which "
                              "torch-mlir does not import")
        tags = getattr(node.target, "tags", ())
        if torch.Tag.nondeterministic_seeded in tags:
            raise Unsupported(f"{_describe(node)} draws random numbers, and must draw PyTorch's: is the module in "
                              "training mode?")


def location(node: torch.fx.Node) -> str:
    """The innermost place in the program that a node comes from, or ''."""
    places = re.findall(r'File "([^"]+)", line ([0-9]+)', _own_trace(node.meta.get("stack_trace") or ""))
    return f"{places[-1][0]}:{places[-1][1]}" if places else ""


#: The folders of PyTorch and of this package.
_INNER = [str(folder) + os.sep for folder in (pathlib.Path(torch.__file__).parent, pathlib.Path(__file__).parent)]


def _own_trace(trace: str) -> str:
    """A stack trace without PyTorch's own frames and ours, if others remain."""
    frames = re.split(r'^(?=\s*File ")', trace, flags=re.MULTILINE)
    own = [frame for frame in frames if not any(f'File "{folder}' in frame for folder in _INNER)]
    return "".join(own) if any("File" in frame for frame in own) else trace


def _values(node: torch.fx.Node) -> List[torch.Tensor]:
    value = node.meta.get("val")
    values = value if isinstance(value, (list, tuple)) else [value]
    return [v for v in values if isinstance(v, torch.Tensor)]


def _describe(node: torch.fx.Node) -> str:
    what = f"argument {node.name}" if node.op == "placeholder" else str(node.target)
    place = location(node)
    return f"{what} ({place})" if place else what


#===-- torch-mlir ------------------------------------------------------------------------------------------------===#


def _to_linalg(graph_module: torch.fx.GraphModule) -> str:
    from torch_mlir import ir
    from torch_mlir.dialects import torch as torch_dialect
    from torch_mlir.extras.fx_importer import FxImporter
    from torch_mlir.passmanager import PassManager

    context = ir.Context()
    torch_dialect.register_dialect(context)
    importer = FxImporter(context=context)
    try:
        # It may rewrite the graph: ours is a copy.
        importer.import_stateless_graph(_copy(graph_module).graph, func_name="main")
    except Exception as error:
        raise Unsupported(f"torch-mlir cannot import it: {_first_line(error)}") from error
    try:
        with context:
            PassManager.parse(_TO_LINALG).run(importer.module.operation)
    except Exception as error:
        raise Unsupported(_reason(graph_module.graph, error)) from error
    return importer.module.operation.get_asm(enable_debug_info=True)


def _copy(graph_module: torch.fx.GraphModule) -> torch.fx.GraphModule:
    """A copy with the places that `location` gives: they become those of MLIR's ops."""
    graph = torch.fx.Graph()
    graph.output(graph.graph_copy(graph_module.graph, {}))
    for node in graph.nodes:
        if node.meta.get("stack_trace"):
            node.meta["stack_trace"] = _own_trace(node.meta["stack_trace"])
    return torch.fx.GraphModule(graph_module, graph)


def _first_line(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".partition("\n")[0]


def _reason(graph: torch.fx.Graph, error: Exception) -> str:
    """Op, place and message, from what torch-mlir diagnosed."""
    diagnostics = getattr(error, "error_diagnostics", ())
    if not diagnostics:
        return f"torch-mlir failed: {_first_line(error)}"
    where, message = str(diagnostics[0].location), str(diagnostics[0].message)
    ops = _ops_in(message) or _ops_at(graph, where)
    reason = (f"torch-mlir does not lower {' or '.join(ops) or 'an op'}{_place(where)}: "
              f"{message.partition(chr(10))[0].partition(': %')[0]}")
    if any(op in _FAST_PATHS for op in ops):
        reason += "; after torch.backends.mha.set_fastpath_enabled(False) PyTorch spells it out"
    return reason


#: Whole layers as one op, which torch.nn's modules call where nothing needs gradients.
_FAST_PATHS = {"aten._transformer_encoder_layer_fwd", "aten._native_multi_head_attention"}


def _ops_in(message: str) -> List[str]:
    """Ops of PyTorch that a message names."""
    named = re.findall(r'<\{name = "torch\.([\w.]+)"', message) if "'torch.operator'" in message else []
    return named or [f"aten.{name}" for name in re.findall(r"'torch\.aten\.([\w.]+)'", message)]


def _place(where: str) -> str:
    match = re.search(r'"([^"]+)":([0-9]+)', where)
    return f" ({match[1]}:{match[2]})" if match else ""


def _ops_at(graph: torch.fx.Graph, where: str) -> List[str]:
    place = _place(where)
    return list(dict.fromkeys(str(node.target) for node in graph.nodes
                              if node.op == "call_function" and place and f" ({location(node)})" == place))
