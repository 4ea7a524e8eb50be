# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""Modules from JAX, through StableHLO and torch-mlir's passes for it."""

from __future__ import annotations

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
from typing import Any, Dict, List, Sequence, Tuple

import numpy as np

from .. import _polyattn
from .._polyattn import CompileError, Module
from ._optional import failure, require
from .mlir import STABLEHLO_PIPELINE, foreign_ops

FEATURE = "polyattn.from_jax"


def from_jax(function: Any, arguments: Sequence[Any], *, constants: Sequence[int] = ()) -> Module:
    """A JAX function as module.

    The function `main` takes the arrays of `arguments`, which may be pytrees and jax.ShapeDtypeStruct, in their
    flattened order, and returns those of the result. Arguments whose positions are in `constants`, such as a model's
    parameters, become constants of the module, as do arrays that the function has captured: copies. Raises ImportError
    where jax or torch-mlir is missing, and CompileError where the function does not lower.
    """
    jax = require("jax", FEATURE)
    tool = _torch_mlir_opt()
    if not isinstance(arguments, (tuple, list)):
        raise TypeError(f"arguments must be a tuple or a list, got {type(arguments).__name__}")
    for index in constants:
        if not 0 <= index < len(arguments):
            raise ValueError(f"constants: there is no argument {index}")
    text, frozen = _stablehlo(jax, function, tuple(arguments), set(constants))
    calls = sorted(set(re.findall(r"stablehlo\.custom_call @(\w+)", text)))
    if calls:
        raise failure(f"the function needs code that only JAX has: {', '.join(calls)} (linear algebra, sorting, a kernel "
                      "or a callback)")
    module = _parse(_run(tool, text))
    if frozen:
        module._freeze("main", frozen)
    return module


def _stablehlo(jax: Any, function: Any, arguments: Tuple[Any, ...], constants: Any) -> Tuple[str, Dict[int, Any]]:
    """The function's text, and the arguments of it that are constants.

    Captured arrays come first in its arguments: as text they would take twice their memory, and minutes.
    """
    closed = jax.make_jaxpr(function)(*arguments)
    captured = [np.asarray(value) for value in closed.consts]

    def flat(captured: List[Any], *leaves: Any) -> Any:
        return jax.core.eval_jaxpr(closed.jaxpr, captured, *leaves)

    leaves, frozen = [], dict(enumerate(map(_bits, captured)))
    for index, argument in enumerate(arguments):
        for leaf in jax.tree_util.tree_leaves(argument):
            if index in constants:
                if isinstance(leaf, jax.ShapeDtypeStruct):
                    raise TypeError(f"argument {index} shall be a constant, and needs values: got {leaf}")
                frozen[len(captured) + len(leaves)] = _bits(jax.numpy.asarray(leaf))
            leaves.append(leaf)
    module = jax.jit(flat, keep_unused=True).lower(captured, *leaves).compiler_ir("stablehlo")
    _prepare(module)
    return module.operation.get_asm(enable_debug_info=True), frozen


#: Ops of CHLO, for which torch-mlir-opt has no lowering, and which MLIR's math dialect has by the same name. That tool
#: does not read this dialect, either: they pass through it as calls of functions with this prefix.
_MATH = {f"chlo.{name}" for name in (
    "acos", "acosh", "asin", "asinh", "atan", "atanh", "cosh", "erf", "erfc", "sinh", "tan")}
_PREFIX = "polyattn_math_"
_CALL = re.compile(rf"(?:func\.)?call @{_PREFIX}([a-z]+)_\d+\((%[\w#]+)\) : \((tensor<[^>]*>)\) -> tensor<[^>]*>")


def _prepare(module: Any) -> None:
    """Rewrites what torch-mlir-opt does not lower to ops that have the same meaning and that it does."""
    from jaxlib.mlir import ir

    found: List[Any] = []

    def collect(op: Any) -> Any:
        found.append(op)
        return ir.WalkResult.ADVANCE

    def create(name: str, result: Any, operands: Sequence[Any], before: Any, **attributes: Any) -> Any:
        return ir.Operation.create(name, results=[result], operands=operands, attributes=attributes,
                                   loc=before.location, ip=ir.InsertionPoint(before)).results[0]

    def declare(op: Any) -> str:
        name = f"{_PREFIX}{op.name.partition('.')[2]}_{len(module.body.operations)}"
        type_ = ir.TypeAttr.get(ir.FunctionType.get([op.operands[0].type], [op.results[0].type]))
        ir.Operation.create("func.func", regions=1, loc=op.location, ip=ir.InsertionPoint(module.body), attributes={
            "sym_name": ir.StringAttr.get(name), "function_type": type_, "sym_visibility": ir.StringAttr.get("private")})
        return name

    with module.context:
        module.operation.walk(collect)
        for op in found:
            if op.name == "stablehlo.dot_general":
                _widen(op, create, ir)
            elif op.name == "chlo.square" or op.name in _MATH:
                operands, type_ = list(op.operands), op.results[0].type
                new = (create("stablehlo.multiply", type_, operands * 2, op) if op.name == "chlo.square" else
                       create("func.call", type_, operands, op, callee=ir.FlatSymbolRefAttr.get(declare(op))))
                op.results[0].replace_all_uses_with(new)
                op.erase()


def _widen(dot: Any, create: Any, ir: Any) -> None:
    """Products of bf16 and f16 are sums in f32: in linalg they would be sums in the type of the result."""
    small = (ir.BF16Type, ir.F16Type)
    result = ir.RankedTensorType(dot.results[0].type)
    operands = [ir.RankedTensorType(operand.type) for operand in dot.operands]
    if not any(type_.element_type.typeid == t.static_typeid for type_ in (result, *operands) for t in small):
        return
    with dot.location:
        single = ir.F32Type.get()
        wide = [create("stablehlo.convert", ir.RankedTensorType.get(type_.shape, single), [operand], dot)
                for type_, operand in zip(operands, dot.operands)]
        attributes = {name: dot.attributes[name] for name in dot.attributes if name != "algorithm"}
        new = ir.Operation.create("stablehlo.dot_general", results=[ir.RankedTensorType.get(result.shape, single)],
                                  operands=wide, attributes=attributes, ip=ir.InsertionPoint(dot)).results[0]
        dot.results[0].replace_all_uses_with(create("stablehlo.convert", result, [new], dot))
    dot.erase()


def _bits(value: Any) -> np.ndarray:
    array = np.ascontiguousarray(np.asarray(value)).reshape(np.shape(value))
    return array.view(np.uint16) if array.dtype.name == "bfloat16" else array


def _torch_mlir_opt() -> str:
    package = require("torch_mlir", FEATURE)
    folders = [pathlib.Path(sys.executable).parent, *(pathlib.Path(p, "_mlir_libs") for p in package.__path__)]
    path = os.pathsep.join([*map(str, folders), os.environ.get("PATH", "")])
    tool = shutil.which("torch-mlir-opt", path=path)
    if not tool:
        raise ImportError(f"{FEATURE} needs torch-mlir-opt, which the installed torch-mlir lacks: pip install "
                          "--upgrade torch-mlir, or put the tool in PATH", name="torch_mlir")
    return tool


def _run(tool: str, text: str) -> str:
    """StableHLO to linalg."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = pathlib.Path(folder, "jax.mlir"), pathlib.Path(folder, "linalg.mlir")
        source.write_text(text)
        done = subprocess.run([tool, f"--pass-pipeline={STABLEHLO_PIPELINE}", "--mlir-print-debuginfo", str(source), "-o",
                               str(target)], stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode:
            lines = [line for line in done.stderr.splitlines() if "error:" in line] or done.stderr.splitlines()
            raise failure("torch-mlir-opt does not lower the function from StableHLO: " +
                          (lines[0].replace(f"{source}:", "") if lines else f"exit status {done.returncode}"))
        return _CALL.sub(r"math.\1 \2 : \3", target.read_text())


def _parse(text: str) -> Module:
    try:
        return _polyattn.parse(text, "<jax>")
    except CompileError as error:
        ops = foreign_ops(text)
        if ops:
            raise failure(f"these ops have no lowering to linalg: {', '.join(ops)}") from error
        raise failure(f"MLIR 22 cannot read what this torch-mlir wrote: {error}") from error
