# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""A graph of ATen ops as a compiled function on PyTorch's tensors."""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Sequence, Tuple

import torch

from .. import Executable, compile as compile_module
from . import fx
from .tensors import to_torch


class Program:
    """Called with a graph's inputs, it returns the list of its outputs.

    Inputs are read where they lie. Outputs own their memory, save those that are inputs, and have the strides that
    PyTorch gives them.
    """

    def __init__(self, graph_module: torch.fx.GraphModule, frozen: Dict[int, torch.Tensor], pipeline: str,
                 promised: Sequence[Any] = ()) -> None:
        """`promised`, if it has as many outputs as the graph, has their strides: taking ops apart changes those."""
        graph_module, self._outputs, self._results = _computed(graph_module)
        if len(promised) == len(self._outputs):
            for (source, index), value in zip(self._outputs, promised):
                if source == "result" and _agree(value, self._results[index]):
                    self._results[index] = value
        self._frozen = frozenset(frozen)
        self._executable: Optional[Executable] = None
        if self._results:
            self._executable = compile_module(fx.lower(graph_module, frozen), pipeline=pipeline)

    @property
    def remarks(self) -> List[Any]:
        return self._executable.remarks if self._executable else []

    def __call__(self, inputs: Sequence[Any], threads: int) -> List[Any]:
        arrays: List[Any] = []
        if self._executable:
            # The executable knows what to do with tensors.
            arguments = [value for index, value in enumerate(inputs) if index not in self._frozen]
            arrays = self._executable._call(arguments, threads)
        results = [_result(array, node) for array, node in zip(arrays, self._results)]
        sources = {"input": inputs, "result": results}
        return [value if source == "constant" else sources[source][value] for source, value in self._outputs]


def _computed(graph_module: torch.fx.GraphModule) -> Tuple[torch.fx.GraphModule, List[Tuple[str, Any]], List[Any]]:
    """A copy that returns each computed value once; where each output comes from; the values' descriptions.

    An output is ("input", index), ("result", index) or ("constant", value).
    """
    graph, mapping = torch.fx.Graph(), {}
    outputs = graph.graph_copy(graph_module.graph, mapping)
    inputs = [node for node in graph.nodes if node.op == "placeholder"]
    results: List[torch.fx.Node] = []
    plan: List[Tuple[str, Any]] = []
    for output in outputs if isinstance(outputs, (list, tuple)) else [outputs]:
        if not isinstance(output, torch.fx.Node):
            plan.append(("constant", output))
        elif output in inputs:
            plan.append(("input", inputs.index(output)))
        else:
            if output not in results:
                results.append(output)
            plan.append(("result", results.index(output)))
    graph.output(tuple(results))
    return torch.fx.GraphModule(graph_module, graph), plan, [node.meta.get("val") for node in results]


def _agree(promised: Any, computed: Any) -> bool:
    tensors = [value for value in (promised, computed) if isinstance(value, torch.Tensor)]
    static = all(isinstance(size, int) for tensor in tensors for size in tensor.shape)
    return len(tensors) == 2 and static and promised.shape == computed.shape and promised.dtype == computed.dtype


def _result(array: Any, described: Any) -> Any:
    if not isinstance(described, torch.Tensor):
        return array[()].item()
    tensor = to_torch(array, described.dtype)
    strides = described.stride()
    if all(isinstance(stride, int) for stride in strides) and not described.is_contiguous():
        return _with_strides(tensor, strides)
    return tensor


def _with_strides(tensor: torch.Tensor, strides: Sequence[int]) -> torch.Tensor:
    """Such as PyTorch's own result has them: code after the graph may count on it."""
    if 0 in strides:  # An expanded view: its copy is as good.
        return tensor
    return torch.empty_strided(tensor.shape, strides, dtype=tensor.dtype).copy_(tensor)
