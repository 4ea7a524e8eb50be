# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""Modules from MLIR that another tool wrote."""

from __future__ import annotations

import os
import re
from typing import Dict, List, Optional, Union

from .. import _polyattn
from .._polyattn import CompileError, Module
from ._optional import failure

#: torch-mlir-opt's passes from StableHLO to linalg.
STABLEHLO_PIPELINE = ("builtin.module(func.func(stablehlo-aggressive-simplification),stablehlo-legalize-to-linalg,"
                      "inline,canonicalize,cse)")

_STABLEHLO = f"convert it first: torch-mlir-opt --pass-pipeline='{STABLEHLO_PIPELINE}', or call polyattn.from_jax"
_TORCH = ("convert it first: torch-mlir-opt --pass-pipeline='builtin.module("
          "torch-backend-to-linalg-on-tensors-backend-pipeline)' for torch-mlir's backend form, or call "
          "polyattn.from_torch")

#: What to do about ops of dialects that MLIR itself does not have.
_ADVICE: Dict[str, str] = {
    "stablehlo": _STABLEHLO, "chlo": _STABLEHLO, "vhlo": "deserialize it to StableHLO, then " + _STABLEHLO,
    "mhlo": "convert it to StableHLO (mhlo-opt --hlo-legalize-to-stablehlo), then " + _STABLEHLO,
    "torch": _TORCH, "torch_c": _TORCH,
    "tm_tensor": "torch-mlir lowers cumsum, sort, scatter and the like to these ops of its own; keep them out of the "
                 "module",
    "onnx": "convert it first: torch-mlir-import-onnx, then " + _TORCH,
    "tf": "convert it first, with TensorFlow's tf-to-tosa-pipeline", "tfl": "convert it first to TOSA",
    "util": "iree-compile writes this: ask it for --compile-to=input and rename util.func and util.return to func.func "
            "and return",
}

#: Upstream's way from TOSA to linalg and arith on tensors.
_TOSA_PIPELINE = ("builtin.module(tosa-attach-target{profiles=pro_int,pro_fp extensions="
                  "int16,int4,bf16,fp8e4m3,fp8e5m2,fft,variable,controlflow,doubleround,inexactround,dynamic "
                  "specification_version=1.1.draft level=none},"
                  "func.func(tosa-optional-decompositions,canonicalize,tosa-infer-shapes,tosa-make-broadcastable,"
                  "tosa-to-linalg-named,canonicalize,tosa-layerwise-constant-fold,tosa-make-broadcastable),"
                  "func.func(tosa-to-linalg,tosa-to-arith{include-apply-rescale=true},tosa-to-scf,tosa-to-tensor),"
                  "canonicalize,cse)")

#: An op where one can stand; the name of an attribute has an equals sign behind it.
_OP = re.compile(r"(?:^|=|\{|\})\s*\"?(([a-z][a-z0-9_]*)\.[A-Za-z_][\w.]*)(?![\w.]|\"?\s*=)", re.MULTILINE)


def from_mlir(source: Union[str, "os.PathLike[str]"]) -> Module:
    """A module from MLIR in linalg on tensors, TOSA, `attn`, or a mixture of them.

    `source` is the text, or the path of a file of text or bytecode; a string without a line break that names a file is a
    path. TOSA becomes linalg. Raises CompileError for anything else, and says how to convert IR of StableHLO, torch and
    other dialects that MLIR does not have.
    """
    path = _path(source)
    try:
        module = _polyattn._parse_file(path) if path is not None else _polyattn.parse(str(source))
    except CompileError as error:
        _explain_parse_error(error, path, source)
        raise
    return lower_tosa(module)


def _path(source: Union[str, "os.PathLike[str]"]) -> Optional[str]:
    """The path that `source` is, or None if it is text."""
    if not isinstance(source, str):
        return os.fspath(source)
    return None if "\n" in source or "{" in source else source


def _explain_parse_error(error: CompileError, path: Optional[str], source: Union[str, "os.PathLike[str]"]) -> None:
    """Raises a better error where the module holds another tool's dialects."""
    text = str(source) if path is None else _read(path)
    ops = foreign_ops(text)
    if ops:
        dialect = ops[0].partition(".")[0]
        name = "the text" if path is None else f"'{path}'"
        raise failure(f"{name} has ops of the dialect '{dialect}', which MLIR itself does not have: "
                      f"{_ADVICE[dialect]}\n{_first_line(error)}") from None


def _read(path: str) -> str:
    try:
        with open(path, errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]


def foreign_ops(text: str) -> List[str]:
    """The ops in `text` from dialects outside MLIR that we know, each once."""
    return list(dict.fromkeys(match[1] for match in _OP.finditer(text) if match[2] in _ADVICE))


def lower_tosa(module: Module) -> Module:
    """Turns TOSA, if there is any, to linalg."""
    if "tosa" in module.dialects:
        module.run(_TOSA_PIPELINE)
        if "tosa" in module.dialects:
            raise failure("some TOSA ops have no lowering to linalg in MLIR: " + ", ".join(
                sorted(set(re.findall(r"tosa\.[a-z_0-9]+", module.summary())))))
    return module
