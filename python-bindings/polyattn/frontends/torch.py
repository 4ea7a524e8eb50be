# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""Modules from PyTorch, through torch.export and torch-mlir."""

from __future__ import annotations

import warnings
from typing import Any, Dict, List, Optional, Sequence, Tuple

from .._polyattn import Module
from ._optional import failure, require

FEATURE = "polyattn.from_torch"


def from_torch(module: Any, example_inputs: Sequence[Any], example_kwargs: Optional[Dict[str, Any]] = None, *,
               dynamic_shapes: Any = None) -> Module:
    """The forward function of a torch.nn.Module, a function on tensors, or a torch.export.ExportedProgram.

    The function `main` takes the tensors of `example_inputs` and `example_kwargs` in their flattened order, and returns
    those of the result. Parameters and buffers become constants: a copy, as they are now. `dynamic_shapes` is
    torch.export's. Registers the torch.compile backend "polyattn", too. Raises ImportError where torch or torch-mlir is
    missing, and CompileError, which names op and line, where PyTorch or torch-mlir cannot export the module.
    """
    torch = require("torch", FEATURE)
    require("torch_mlir", FEATURE)
    from .. import dynamo  # Registers the backend.
    from . import fx

    assert dynamo.backend
    if isinstance(module, torch.export.ExportedProgram):
        program = module
    else:
        program = _export(torch, module, example_inputs, example_kwargs, dynamic_shapes)
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # PyTorch's, about itself.
        program = program.run_decompositions(fx.decompositions())
    try:
        fx.check(program.graph)
        return fx.lower(*_lifted_graph(torch, program))
    except fx.Unsupported as error:
        raise failure(f"torch-mlir cannot lower the module: {error}") from error


def _export(torch: Any, module: Any, inputs: Sequence[Any], kwargs: Optional[Dict[str, Any]], dynamic: Any) -> Any:
    if not isinstance(module, torch.nn.Module):
        if not callable(module):
            raise TypeError(f"expected a torch.nn.Module or a function, got {type(module).__name__}")
        module = _wrap(torch, module)
    if not isinstance(inputs, (tuple, list)):
        raise TypeError(f"example_inputs must be a tuple or a list, got {type(inputs).__name__}")
    try:
        with torch.no_grad():
            return torch.export.export(module, tuple(inputs), kwargs or {}, dynamic_shapes=dynamic, strict=False)
    except Exception as error:
        raise failure(f"torch.export cannot export the module: {error}") from error


def _wrap(torch: Any, function: Any) -> Any:
    class Function(torch.nn.Module):
        def forward(self, *arguments: Any, **kwargs: Any) -> Any:
            return function(*arguments, **kwargs)

    return Function()


def _lifted_graph(torch: Any, program: Any) -> Tuple[Any, Dict[int, Any]]:
    """The program's graph module with every tensor as an argument, and the tensors of those that are no inputs."""
    from torch.export.graph_signature import ConstantArgument, InputKind, OutputKind

    for spec in program.graph_signature.output_specs:
        if spec.kind != OutputKind.USER_OUTPUT:
            raise failure(f"the module writes to {spec.target or spec.arg.name} "
                          f"({spec.kind.name.lower().replace('_', ' ')}): polyattn computes results only; call "
                          "module.eval(), or take the writes out of forward")
    tensors: List[Optional[Any]] = []
    dropped = set()
    for spec in program.graph_signature.input_specs:
        if isinstance(spec.arg, ConstantArgument):
            dropped.add(spec.arg.name)
        elif spec.kind == InputKind.USER_INPUT:
            tensors.append(None)
        else:
            persistent = spec.kind == InputKind.PARAMETER or spec.kind == InputKind.BUFFER and spec.persistent
            tensors.append((program.state_dict if persistent else program.constants)[spec.target])
    frozen = {index: tensor for index, tensor in enumerate(tensors) if tensor is not None}
    return _without_placeholders(torch, program.graph_module, dropped), frozen


def _without_placeholders(torch: Any, graph_module: Any, names: Any) -> Any:
    """A copy of a graph module without arguments that torch.export has made constants of."""
    graph = torch.fx.Graph()
    graph.output(graph.graph_copy(graph_module.graph, {}))
    for node in list(graph.nodes):
        if node.op == "placeholder" and node.target in names or node.op == "placeholder" and node.name in names:
            graph.erase_node(node)
    return torch.fx.GraphModule(graph_module, graph)
