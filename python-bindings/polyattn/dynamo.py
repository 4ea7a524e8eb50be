# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""The torch.compile backend "polyattn".

    import polyattn.dynamo  # Not needed where the package is installed.

    model = torch.compile(model, backend="polyattn")
    with torch.no_grad():
        y = model(x)
    for report in polyattn.dynamo.reports():
        print(report)

A graph that cannot be compiled runs in PyTorch; one line of the log "polyattn.dynamo" says why. docs/frontends.md has
the details.
"""

from __future__ import annotations

import collections
import dataclasses
import itertools
import logging
import threading
import time
from typing import Any, Deque, Dict, List, Optional, Sequence, Tuple

from . import _polyattn, explain
from ._polyattn import CheckError, Remark
from .frontends._optional import require

torch = require("torch", 'torch.compile(backend="polyattn")')

__all__ = ["GraphReport", "backend", "reports", "reset"]

_log = logging.getLogger("polyattn.dynamo")

#: Parameters and buffers of up to this size are constants for the compiler, by default.
SMALL_BYTES = 16 * 1024

#: A graph whose constants have changed this often is compiled without any.
_MAX_COMPILATIONS = 4


@dataclasses.dataclass
class GraphReport:
    """What became of one graph."""

    index: int
    #: The first place in the program that the graph comes from.
    location: str
    #: Ops in PyTorch's graph.
    num_ops: int
    #: Does it run compiled, or in PyTorch?
    compiled: bool = False
    #: Why it runs in PyTorch, or ''.
    reason: str = ""
    #: What the passes did, or did not do and why.
    remarks: List[Remark] = dataclasses.field(default_factory=list)
    #: Time of the last compilation: export, passes, code generation.
    compile_seconds: float = 0.0
    #: How often it was compiled; again where constants had changed.
    compilations: int = 0
    #: Parameters and buffers that are constants for the compiler.
    num_constants: int = 0

    def __str__(self) -> str:
        head = f"graph {self.index} ({self.location}, {self.num_ops} ops)"
        if not self.compiled:
            return f"{head}: runs in PyTorch: {self.reason}"
        lines = [f"{head}: compiled in {self.compile_seconds:.1f} s, {self.num_constants} constants"]
        return "\n  ".join(lines + explain(self).splitlines())


_reports: Deque[GraphReport] = collections.deque(maxlen=256)
_counter = itertools.count()
_lock = threading.RLock()


def reports() -> List[GraphReport]:
    """A report for each of the last 256 graphs, in the order of their compilation."""
    return list(_reports)


def reset() -> None:
    """Forgets all reports."""
    _reports.clear()


#===-- The backend -----------------------------------------------------------------------------------------------===#


@dataclasses.dataclass(frozen=True)
class _Options:
    pipeline: str = "attn-compile"
    constants: str = "small"
    threads: Optional[int] = None

    @staticmethod
    def parse(options: Optional[Dict[str, Any]], mode: Optional[str]) -> "_Options":
        if mode not in (None, "default"):
            raise ValueError(f"the backend polyattn has no mode {mode!r}")
        names = [field.name for field in dataclasses.fields(_Options)]
        for name in options or {}:
            if name not in names:
                raise ValueError(f"the backend polyattn has no option {name!r}, but {', '.join(names)}")
        parsed = _Options(**(options or {}))
        if parsed.constants not in ("none", "small", "all"):
            raise ValueError(f"option constants: expected 'none', 'small' or 'all', got {parsed.constants!r}")
        if parsed.threads is not None and (not isinstance(parsed.threads, int) or parsed.threads < 1):
            raise ValueError(f"option threads: expected a number of at least 1, got {parsed.threads!r}")
        return parsed


def backend(graph_module: Any, example_inputs: Sequence[Any], *, options: Optional[Dict[str, Any]] = None,
            mode: Optional[str] = None) -> Any:
    """What torch.compile calls with every graph.

    Options: `pipeline` ("attn-compile"); `constants`, which parameters and buffers are constants for the compiler:
    "small" (up to 16 KiB each), "all" or "none"; `threads`, instead of torch.get_num_threads().
    """
    settings = _Options.parse(options, mode)
    ops = [node for node in graph_module.graph.nodes if node.op.startswith("call_")]
    if not ops:
        return graph_module.forward
    report = GraphReport(next(_counter), _location(ops), len(ops))
    _reports.append(report)
    try:
        return _compile(graph_module, example_inputs, settings, report)
    except Exception as error:
        _fall_back(report, error)
        return graph_module.forward


def _compile(graph_module: Any, example_inputs: Sequence[Any], settings: _Options, report: GraphReport) -> Any:
    require("torch_mlir", "the compiler")
    from torch._dynamo.backends.common import aot_autograd
    from torch.utils._python_dispatch import _disable_current_modes

    from .frontends import fx

    if torch.is_grad_enabled() and any(isinstance(x, torch.Tensor) and x.requires_grad for x in example_inputs):
        raise fx.Unsupported("it needs gradients, which polyattn does not compute: call the model under "
                             "torch.no_grad() or torch.inference_mode()")
    fixed = _fixed_inputs(graph_module, example_inputs)
    promised = _promised_outputs(graph_module)

    def compile_graph(graph: Any, fake_inputs: Sequence[Any]) -> Any:
        # AOTAutograd calls this under modes in which tensors have no elements.
        with _disable_current_modes():
            return _Graph(graph, _frozen(fixed, fake_inputs, settings), promised, settings, report)

    compiler = aot_autograd(fw_compiler=compile_graph, inference_compiler=compile_graph,
                            decompositions=fx.decompositions())
    return compiler(graph_module, example_inputs)


def _fall_back(report: GraphReport, error: Exception) -> None:
    """Notes that a graph runs in PyTorch from now on, and why."""
    cause = getattr(error, "inner_exception", error)
    report.compiled = False
    report.reason = str(cause).strip() or type(cause).__name__
    _log.warning("graph %d (%s) runs in PyTorch: %s", report.index, report.location, report.reason)


def _location(nodes: Sequence[Any]) -> str:
    from .frontends import fx

    return next(filter(None, map(fx.location, nodes)), "unknown place")


def _promised_outputs(graph_module: Any) -> List[Any]:
    """The outputs as torch.compile describes them to the code around the graph."""
    (output,) = (node for node in graph_module.graph.nodes if node.op == "output")
    values = output.args[0] if isinstance(output.args[0], (list, tuple)) else [output.args[0]]
    return [value.meta.get("example_value") if isinstance(value, torch.fx.Node) else None for value in values]


#===-- Constants -------------------------------------------------------------------------------------------------===#


def _fixed_inputs(graph_module: Any, example_inputs: Sequence[Any]) -> List[Optional[Any]]:
    """For every input the tensor that it is, if it is a parameter or a buffer."""
    placeholders = [node for node in graph_module.graph.nodes if node.op == "placeholder"]
    if len(placeholders) != len(example_inputs):
        return []

    def is_fixed(node: Any, value: Any) -> bool:
        return isinstance(value, torch.nn.Parameter) or bool(
            (node.meta.get("tensor_dict") or {}).get("_dynamo_static_input_type"))

    return [value if is_fixed(node, value) else None for node, value in zip(placeholders, example_inputs)]


def _frozen(fixed: Sequence[Optional[Any]], inputs: Sequence[Any], settings: _Options) -> Dict[int, Any]:
    """The inputs of AOTAutograd's graph that shall be constants."""
    # It may have changed the list of inputs, where some are views of others.
    if settings.constants == "none" or len(fixed) != len(inputs):
        return {}
    frozen = {}
    for index, (tensor, fake) in enumerate(zip(fixed, inputs)):
        if tensor is None or not isinstance(fake, torch.Tensor):
            continue
        if tensor.shape != fake.shape or tensor.dtype != fake.dtype:
            return {}
        if settings.constants == "all" or _is_small(tensor):
            frozen[index] = tensor.detach()
    return frozen


def _is_small(tensor: Any) -> bool:
    return tensor.numel() * tensor.element_size() <= SMALL_BYTES


class _Snapshot:
    """What a constant was when it was compiled: its bits, or of a large one only where it is and its version."""

    def __init__(self, tensor: Any) -> None:
        self._small = _is_small(tensor)
        self._kept = _bits(tensor.detach()).clone() if self._small else _version(tensor)

    def holds(self, tensor: Any) -> bool:
        return torch.equal(self._kept, _bits(tensor)) if self._small else self._kept == _version(tensor)


def _bits(tensor: Any) -> Any:
    """For comparisons: NaN is what it is."""
    tensor = tensor.detach()
    return tensor.contiguous().view(torch.uint8) if tensor.dtype.is_floating_point and tensor.dim() else tensor


def _version(tensor: Any) -> Tuple[int, int]:
    # Inference tensors cannot be written to outside inference mode, and have no version.
    return tensor.data_ptr(), 0 if tensor.is_inference() else tensor._version


#===-- One graph -------------------------------------------------------------------------------------------------===#


class _Graph:
    """A graph of ATen ops, compiled; called with the list of its inputs.

    Constants are compared with what is passed in every call: where a parameter was changed, the graph is compiled again.
    """

    _boxed_call = True  # AOTAutograd passes the inputs as one list, which is ours to empty.

    def __init__(self, graph: Any, frozen: Dict[int, Any], promised: Sequence[Any], settings: _Options,
                 report: GraphReport) -> None:
        self._graph = graph
        self._promised = promised
        self._settings = settings
        self._report = report
        self._build(frozen)

    def _build(self, frozen: Dict[int, Any]) -> None:
        from .frontends.program import Program

        start = time.perf_counter()
        self._program: Optional[Program] = Program(self._graph, frozen, self._settings.pipeline, self._promised)
        self._snapshots = {index: _Snapshot(tensor) for index, tensor in frozen.items()}
        report = self._report
        report.compiled, report.reason = True, ""
        report.compilations += 1
        report.num_constants = len(frozen)
        report.remarks = self._program.remarks
        report.compile_seconds = time.perf_counter() - start
        _log.info("%s", report)

    def __call__(self, inputs: List[Any]) -> List[Any]:
        arguments = list(inputs)
        inputs.clear()
        with _lock:
            program = self._current(arguments)
        if program is None:
            return list(self._graph(*arguments))
        try:
            return program(arguments, self._settings.threads or torch.get_num_threads())
        except CheckError:
            # Such as an index out of bounds: PyTorch has its own words for it.
            return list(self._graph(*arguments))
        except Exception as error:
            self._give_up(error)
            return list(self._graph(*arguments))

    def _current(self, inputs: Sequence[Any]) -> Optional[Any]:
        """The program for these inputs; None if PyTorch shall run the graph."""
        if self._program and not all(kept.holds(inputs[index]) for index, kept in self._snapshots.items()):
            often = self._report.compilations >= _MAX_COMPILATIONS
            try:
                self._build({} if often else {index: inputs[index] for index in self._snapshots})
            except Exception as error:
                self._give_up(error)
        return self._program

    def _give_up(self, error: Exception) -> None:
        _fall_back(self._report, error)
        self._program = None


def _register() -> None:
    """For torch.compile(backend="polyattn") where the package, with its entry point, is not installed."""
    from torch._dynamo import register_backend

    if "polyattn" not in torch._dynamo.list_backends(exclude_tags=()):
        register_backend(backend, name="polyattn")
    # PyTorch keeps what it has compiled, and the globals of that code, until the process has ended.
    _polyattn._set_leak_warnings(False)


_register()
