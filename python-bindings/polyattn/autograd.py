# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""Exact attention for training in PyTorch: compiled forward and backward passes behind one differentiable function."""

from __future__ import annotations

import functools
import math
from typing import Any, Optional, Tuple

import torch

import polyattn

_DTYPES = {torch.float32: "f32", torch.float16: "f16", torch.bfloat16: "bf16"}


def attention(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, *, is_causal: bool = False,
              scale: Optional[float] = None, threads: Optional[int] = None) -> torch.Tensor:
    """softmax(scale * query @ key^T) @ value, as torch.nn.functional.scaled_dot_product_attention computes it.

    query: [B..., Hq, n, d], key: [B..., Hk, m, d], value: [B..., Hk, m, e], on the CPU, of one type of f32, f16 and bf16;
    Hq is a multiple of Hk, whose heads are shared. With `is_causal` row i sees the keys 0 to i. `scale` is 1/sqrt(d) if
    not given. Gradients of all three are exact to rounding, and those that nobody asks for are not computed; neither pass
    takes memory for n x m numbers. Second derivatives are not there. Raises TypeError and ValueError.

    Forward and backward pass are compiled when a type, number of heads, head dimension or scale is met for the first time;
    lengths and batches may differ from call to call.
    """
    rows = (query, key, value)
    for name, x in zip(("query", "key", "value"), rows):
        if not isinstance(x, torch.Tensor) or x.device.type != "cpu":
            raise TypeError(f"{name} must be a torch.Tensor on the CPU")
        if x.dtype not in _DTYPES or x.dtype != query.dtype:
            raise TypeError(f"query, key and value must have one type of float32, float16 and bfloat16; {name} has {x.dtype}")
        if x.dim() < 2 or x.dim() != query.dim():
            raise ValueError(f"query, key and value must have one rank, at least 2; {name} has shape {tuple(x.shape)}")
    scale = 1 / math.sqrt(query.shape[-1]) if scale is None else float(scale)
    if not math.isfinite(scale):
        raise ValueError(f"scale must be finite, got {scale}")
    return _Attention.apply(query, key, value, bool(is_causal), scale, threads)


class _Attention(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, is_causal: bool, scale: float,
                threads: Optional[int]) -> torch.Tensor:
        how = (_types(query, key, value), is_causal, scale, threads)
        output, sums = (torch.from_numpy(x) for x in _forward(*how)._call([x.detach() for x in (query, key, value)], threads or 0))
        output = _as(output, query.dtype)
        ctx.save_for_backward(query, key, value, output, sums)
        ctx.how = how
        return output

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: torch.Tensor) -> Tuple[Optional[torch.Tensor], ...]:
        wanted = tuple(ctx.needs_input_grad[:3])
        types, is_causal, scale, threads = ctx.how
        arguments = [x.detach() for x in (*ctx.saved_tensors, gradient)]
        found = iter(_backward(types, is_causal, scale, threads, wanted)._call(arguments, threads or 0))
        grads = [_as(torch.from_numpy(next(found)), gradient.dtype) if want else None for want in wanted]
        return (*grads, None, None, None)


def _as(x: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """bf16 comes as integers of the same bits."""
    return x if x.dtype == dtype else x.view(dtype)


def _types(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> Tuple[str, str, str, str, str]:
    """Those of query, key, value, output and normalizer; all but heads and dimensions is dynamic."""
    def kind(x: torch.Tensor, dims: Tuple[int, ...]) -> str:
        batch = x.dim() - 2
        heads = [f"{x.shape[-3]}"] if batch else []
        sizes = ["?"] * max(batch - 1, 0) + heads + ["?"] + [str(d) for d in dims]
        return "x".join(sizes)
    dtype, e = _DTYPES[query.dtype], value.shape[-1]
    return (f"tensor<{kind(query, query.shape[-1:])}x{dtype}>", f"tensor<{kind(key, key.shape[-1:])}x{dtype}>",
            f"tensor<{kind(value, (e,))}x{dtype}>", f"tensor<{kind(query, (e,))}x{dtype}>", f"tensor<{kind(query, ())}xf32>")


def _how(is_causal: bool, scale: float) -> str:
    text = repr(scale)
    text = text if "." in text else text.replace("e", ".0e")
    return f"scale {text} mask {'causal' if is_causal else 'full'}"


@functools.lru_cache(maxsize=256)
def _forward(types: Tuple[str, ...], is_causal: bool, scale: float, threads: Optional[int]) -> polyattn.Executable:
    q, k, v, o, z = types
    how = _how(is_causal, scale)
    return _compile(f"""func.func @main(%q: {q}, %k: {k}, %v: {v}) -> ({o}, {z}) {{
  %o = attn.attention %q, %k, %v {how} : {q}, {k}, {v} -> {o}
  %z = attn.normalizer %q, %k {how} : {q}, {k} -> {z}
  return %o, %z : {o}, {z}
}}""", threads)


@functools.lru_cache(maxsize=256)
def _backward(types: Tuple[str, ...], is_causal: bool, scale: float, threads: Optional[int],
              wanted: Tuple[bool, ...]) -> polyattn.Executable:
    q, k, v, o, z = types
    results = ", ".join(f"%g#{i}" for i in range(3) if wanted[i])
    result_types = ", ".join(kind for kind, want in zip((q, k, v), wanted) if want)
    return _compile(f"""func.func @main(%q: {q}, %k: {k}, %v: {v}, %o: {o}, %z: {z}, %do: {o}) -> ({result_types}) {{
  %g:3 = attn.attention_grad %q, %k, %v output(%o) normalizer(%z : {z}) grad_output(%do) {_how(is_causal, scale)} : {q}, {k}, {v}, {o}
  return {results} : {result_types}
}}""", threads)


def _compile(text: str, threads: Optional[int]) -> polyattn.Executable:
    try:
        return polyattn.compile(text, pipeline="attn-to-llvm", threads=threads)
    except polyattn.CompileError as error:
        raise ValueError(f"these shapes are no attention: {error}") from None
