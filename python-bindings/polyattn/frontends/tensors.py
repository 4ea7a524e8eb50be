# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""PyTorch's tensors and numpy's arrays: the same memory wherever it can be."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch


def to_numpy(tensor: torch.Tensor) -> np.ndarray:
    """The tensor's own memory, or that of a copy if it is not contiguous; bf16 as its bits in uint16."""
    tensor = tensor.detach()
    if tensor.is_neg():
        tensor = tensor.resolve_neg()
    tensor = tensor.contiguous()
    return tensor.view(torch.uint16).numpy() if tensor.dtype is torch.bfloat16 else tensor.numpy()


def to_torch(array: np.ndarray, dtype: torch.dtype) -> torch.Tensor:
    """The array's memory as a tensor of `dtype`, which has the array's number of bits."""
    tensor = torch.from_numpy(array)
    return tensor if tensor.dtype is dtype else tensor.view(dtype)
