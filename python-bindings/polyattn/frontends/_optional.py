# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""Packages that only some users have."""

from __future__ import annotations

import importlib
from typing import Any

from .._polyattn import CompileError

#: What pip calls the package that has a module.
_DISTRIBUTIONS = {"torch_mlir": "torch-mlir"}


def require(module: str, feature: str) -> Any:
    """Imports `module`. ImportError says what `feature` lacks and how to get it."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        root = module.partition(".")[0]
        missing = getattr(error, "name", None) or root
        if missing.partition(".")[0] != root:
            # The package is there, but something that it imports is not, or does not load.
            raise ImportError(f"{feature} needs {root}, which cannot be imported: {error}", name=root) from error
        package = _DISTRIBUTIONS.get(root, root)
        raise ImportError(f"{feature} needs {package}, which is not installed: pip install {package} "
                          "(in the project's own tree: ./pa setup --with-frontends)", name=root) from error


def failure(message: str) -> CompileError:
    """A CompileError that is not about MLIR which this package has parsed."""
    error = CompileError(message)
    error.diagnostics = []
    return error
