# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""Certified low-rank attention on MLIR, from Python.

    import numpy, polyattn

    attention = polyattn.compile(polyattn.parse_file("attention.mlir"), entry="main")
    o = attention(q, k, v)
    for remark in attention.remarks:
        print(remark)
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any, Dict, Iterable, List, Optional, Sequence, Tuple, Union

import numpy as np

from . import _polyattn
from ._polyattn import CheckError, CompileError, Diagnostic, Module, Remark, ValueSpec, parse
from .frontends import from_jax, from_mlir, from_torch
from .streaming import Stream

try:
    from ml_dtypes import bfloat16 as _bfloat16
except ImportError:
    _bfloat16 = None

__all__ = ["CheckError", "CompileError", "Diagnostic", "Executable", "Module", "Remark", "Stream", "ValueSpec", "compile", "explain", "from_jax",
           "from_mlir", "from_torch", "parse", "parse_file", "profile"]

_SCALAR_TYPES = {"bool": np.bool_, "f16": np.float16, "f32": np.float32, "f64": np.float64,
                 "i8": np.int8, "i16": np.int16, "i32": np.int32, "i64": np.int64}


def parse_file(path: Union[str, "os.PathLike[str]"]) -> Module:
    """Parses a module from a file."""
    return _polyattn._parse_file(os.fspath(path))


def compile(module: Union[str, Module], entry: str = "main", pipeline: str = "attn-compile", *,
            threads: Optional[int] = None, cpu: str = "host", opt_level: int = 3) -> "Executable":
    """Compiles function `entry` of a module, or of its text, to machine code.

    `pipeline` takes the module, of which it gets a copy, to the LLVM dialect. `threads` is the number of OpenMP
    threads of a call; None leaves it to OpenMP. Raises CompileError.
    """
    if threads is not None and threads < 1:
        raise ValueError(f"threads must be at least 1, got {threads}")
    if isinstance(module, str):
        module = parse(module)
    return Executable(*module._compile(entry, pipeline, cpu, opt_level), threads or 0)


def profile(module: Union[str, Module], calls: Iterable[Sequence[Any]], entry: str = "main",
            pipeline: Optional[str] = None, *, path: Union[str, "os.PathLike[str]", None] = None,
            merge: bool = False, threads: Optional[int] = None) -> Dict[str, Any]:
    """Calls function `entry` with each of `calls`, sequences of arguments, and records what attention sees.

    Returns the profile, which docs/profiles.md describes, and writes it to `path`, if one is given, for the pass
    attn-apply-profile; with `merge` it is added to what the file holds. `pipeline` takes the module to the LLVM dialect;
    None evaluates everything exactly. Recording is one table for the whole process, so do not run two profiles at once.
    Raises ValueError where inputs hold NaN or infinity, and CompileError.
    """
    executable = compile(module, entry, _polyattn._profiling_pipeline(pipeline or ""), threads=threads)
    try:
        for arguments in calls:
            executable(*arguments)
    except BaseException:
        _drop_profile()
        raise
    return json.loads(_polyattn._take_profile(os.fspath(path) if path is not None else "", merge))


def explain(compiled: Any) -> str:
    """What was decided about attention, and why, a line each: of what compile returns, or of a dynamo.GraphReport.

    What is the same for several layers is one line. Everything else that passes report is in `compiled.remarks`, too.
    """
    counts: Dict[str, int] = {}
    for remark in compiled.remarks:
        if remark.category.startswith("polyattn:attn-"):
            counts[str(remark)] = counts.get(str(remark), 0) + 1
    lines = [line if count == 1 else f"{line} ({count} times)" for line, count in counts.items()]
    return "\n".join(lines) or "no attention was found"


def _drop_profile() -> None:
    try:
        _polyattn._take_profile("", False)
    except ValueError:
        pass


class Executable:
    """A compiled function. Calls may come from several threads at once."""

    def __init__(self, executable: Any, remarks: List[Remark], threads: int) -> None:
        self._executable = executable
        self._threads = threads
        #: What the passes did, or did not do and why.
        self.remarks = remarks
        #: The types of arguments and results.
        self.arguments: List[ValueSpec] = executable.arguments
        self.results: List[ValueSpec] = executable.results
        # What most calls get and give needs no conversion, and no questions to the specs.
        self._plain_types = [_plain_type(spec) for spec in self.arguments]
        self._takes_plain = None not in self._plain_types
        self._plain_results = all(_plain_type(spec) is not None for spec in self.results)

    @property
    def compile_seconds(self) -> float:
        """Time that passes and code generation took."""
        return self._executable.seconds

    def __call__(self, *arguments: Any) -> Union[np.ndarray, Tuple[np.ndarray, ...], None]:
        """Calls the function with arrays, and with numbers where it takes scalars.

        Returns an array, a tuple if there are several results, None if there is none; scalar results are numpy
        scalars. Tensor arguments are read only; one that is not contiguous is copied first. A memref argument is
        passed as it is, so it must be contiguous and writable. bf16 arrays have the type ml_dtypes.bfloat16, or
        uint16 with the same bits. PyTorch's tensors on the CPU are taken as arrays of their own memory. Raises
        TypeError or ValueError for arguments that do not fit, and CheckError, a ValueError, where an assertion of the
        program fails.
        """
        results = tuple(self._call(arguments, self._threads))
        if not self._plain_results:
            results = tuple(map(_from_array, results, self.results))
        return results if len(results) > 1 else results[0] if results else None

    def _call(self, arguments: Sequence[Any], threads: int) -> List[np.ndarray]:
        """The results as they come: scalars in arrays, bf16 as uint16."""
        if self._takes_plain:
            # Arrays of the right kind need no questions; what is not one fails before anything runs.
            try:
                return self._executable.call(arguments, self._threads)
            except TypeError:
                pass
        if len(arguments) == len(self._plain_types):
            arguments = tuple(
                argument if plain is not None and type(argument) is np.ndarray and argument.dtype == plain and argument.flags.c_contiguous
                else _to_array(argument, self.arguments[index], index)
                for index, (argument, plain) in enumerate(zip(arguments, self._plain_types)))
        return self._executable.call(arguments, threads)

    def dump_object(self, path: Union[str, "os.PathLike[str]"]) -> None:
        """Writes the machine code as an object file, for a disassembler."""
        self._executable.dump_object(os.fspath(path))


def _plain_type(spec: ValueSpec) -> Optional[np.dtype]:
    """The type of arrays that pass as they are; none of scalars and of bf16."""
    return None if spec.is_scalar or spec.dtype not in _SCALAR_TYPES else np.dtype(_SCALAR_TYPES[spec.dtype])


def _to_array(argument: Any, spec: ValueSpec, index: int) -> np.ndarray:
    if spec.is_scalar and isinstance(argument, (bool, int, float)) and spec.dtype in _SCALAR_TYPES:
        array = _to_scalar(argument, spec, index)
    else:
        array = np.asanyarray(_tensor_memory(argument))
    if array.dtype == _bfloat16 and _bfloat16 is not None:
        if spec.dtype != "bf16":
            raise TypeError(f"argument {index}: wrong element type: expected {spec}, got bfloat16")
        array = array.view(np.uint16)
    if spec.is_memref or array.flags.c_contiguous:
        return array
    return np.array(array, order="C")


def _tensor_memory(argument: Any) -> Any:
    torch = sys.modules.get("torch")
    if torch is None or not isinstance(argument, getattr(torch, "Tensor", ())):
        return argument
    from .frontends.tensors import to_numpy
    return to_numpy(argument)


def _to_scalar(argument: Union[bool, int, float], spec: ValueSpec, index: int) -> np.ndarray:
    kind = np.dtype(_SCALAR_TYPES[spec.dtype]).kind
    exact = {"b": bool, "i": int}.get(kind, (int, float))
    if not isinstance(argument, exact) or (kind != "b" and isinstance(argument, bool)):
        raise TypeError(f"argument {index}: expected {spec}, got {type(argument).__name__} {argument!r}")
    try:
        return np.array(argument, dtype=_SCALAR_TYPES[spec.dtype])
    except OverflowError:
        raise ValueError(f"argument {index}: {argument} does not fit {spec}") from None


def _from_array(array: np.ndarray, spec: ValueSpec) -> Any:
    if spec.dtype == "bf16" and _bfloat16 is not None:
        array = array.view(_bfloat16)
    return array[()] if spec.is_scalar else array
