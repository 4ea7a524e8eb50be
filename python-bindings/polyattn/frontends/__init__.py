# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""Modules from other frameworks. What they need is imported only when they are used."""

from .jax import from_jax
from .mlir import from_mlir
from .torch import from_torch

__all__ = ["from_jax", "from_mlir", "from_torch"]
