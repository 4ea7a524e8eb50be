# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""Exact attention and linear layers with low-rank adapters for training in PyTorch: compiled forward and backward passes
behind functions that PyTorch differentiates."""

from __future__ import annotations

import functools
import math
from typing import Any, List, Optional, Sequence, Tuple, Union

import torch

import polyattn

_DTYPES = {torch.float32: "f32", torch.float16: "f16", torch.bfloat16: "bf16"}
_INDICES = {torch.int32: "i32", torch.int64: "i64"}


def attention(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, *, is_causal: bool = False,
              scale: Optional[float] = None, key_weights: Optional[torch.Tensor] = None,
              threads: Optional[int] = None) -> torch.Tensor:
    """softmax(scale * query @ key^T) @ value, as torch.nn.functional.scaled_dot_product_attention computes it.

    query: [B..., Hq, n, d], key: [B..., Hk, m, d], value: [B..., Hk, m, e], on the CPU, of one type of f32, f16 and bf16;
    Hq is a multiple of Hk, whose heads are shared. With `is_causal` row i sees the keys 0 to i. `scale` is 1/sqrt(d) if
    not given. `key_weights`, nonnegative f32 of shape [B..., Hk, m] of which each batch dimension may be 1, multiplies the
    weights of keys before they are normalised: 0 is padding; it gets no gradient. Gradients of the other three are exact
    to rounding, and those that nobody asks for are not computed; neither pass takes memory for n x m numbers. Second
    derivatives are not there. Raises TypeError and ValueError.

    Forward and backward pass are compiled when a type, number of heads, head dimension or scale is met for the first time;
    lengths and batches may differ from call to call.
    """
    rows = (query, key, value)
    for name, x in zip(("query", "key", "value"), rows):
        _check_tensor(name, x, query)
        if x.dim() < 2 or x.dim() != query.dim():
            raise ValueError(f"query, key and value must have one rank, at least 2; {name} has shape {tuple(x.shape)}")
    scale = _finite("scale", 1 / math.sqrt(query.shape[-1]) if scale is None else scale)
    if key_weights is not None:
        if not isinstance(key_weights, torch.Tensor) or key_weights.dtype != torch.float32 or key_weights.requires_grad:
            raise TypeError("key_weights must be a torch.Tensor of float32 that needs no gradient")
        if key_weights.dim() != key.dim() - 1:
            raise ValueError(f"key_weights must have the shape of key without its last dimension, batch dimensions may be 1; "
                             f"found {tuple(key_weights.shape)} beside {tuple(key.shape)}")
    return _Attention.apply(query, key, value, key_weights, bool(is_causal), scale, threads)


def lora_linear(x: torch.Tensor, weight: torch.Tensor, a: torch.Tensor, b: torch.Tensor, bias: Optional[torch.Tensor] = None, *,
                scale: float = 1.0, adapters: Optional[torch.Tensor] = None, threads: Optional[int] = None) -> torch.Tensor:
    """x @ weight^T + scale * (x @ a^T) @ b^T + bias: a linear layer with a low-rank adapter, as PyTorch keeps its matrices.

    x: [..., in], weight: [out, in], a: [r, in], b: [out, r], bias: [out], on the CPU, of one type of f32, f16 and bf16.
    With `adapters`, i32 or i64 [...], a is [L, r, in] and b [L, out, r], and each row uses its own adapter; a negative
    number stands for none. Gradients of x, a, b and bias; the weight is frozen: TypeError if it wants one. Also raises
    ValueError.
    """
    for name, matrix in zip(("x", "weight", "a", "b", "bias"), (x, weight, a, b, bias)):
        if matrix is not None:
            _check_tensor(name, matrix, x)
    if weight.requires_grad:
        raise TypeError("weight is frozen: call requires_grad_(False) on it, and train a and b")
    if adapters is not None and (not isinstance(adapters, torch.Tensor) or adapters.dtype not in _INDICES):
        raise TypeError("adapters must be a torch.Tensor of int32 or int64")
    return _LoraLinear.apply(x, weight, a, b, bias, adapters, _finite("scale", scale), threads)


class _Attention(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, key_weights: Optional[torch.Tensor],
                is_causal: bool, scale: float, threads: Optional[int]) -> torch.Tensor:
        weights = [] if key_weights is None else [key_weights]
        how = (_attention_types(query, key, value, *weights), is_causal, scale, threads)
        output, sums = _call(_forward(*how), (query, key, value, *weights), threads)
        output = _as(output, query.dtype)
        ctx.save_for_backward(query, key, value, *weights, output, sums)
        ctx.how = how
        return output

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: torch.Tensor) -> Tuple[Optional[torch.Tensor], ...]:
        wanted = tuple(ctx.needs_input_grad[:3])
        found = iter(_call(_backward(*ctx.how, wanted), (*ctx.saved_tensors, gradient), ctx.how[-1]))
        return (*(_as(next(found), gradient.dtype) if want else None for want in wanted), None, None, None, None)


class _LoraLinear(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, weight: torch.Tensor, a: torch.Tensor, b: torch.Tensor, bias: Optional[torch.Tensor],
                adapters: Optional[torch.Tensor], scale: float, threads: Optional[int]) -> torch.Tensor:
        rows, indices = x.reshape(-1, x.shape[-1]), [] if adapters is None else [adapters.reshape(-1)]
        ctx.how = (_lora_types(rows, weight, a, b, *indices), scale, threads)
        arguments = (rows, weight, a, b, *indices, *([] if bias is None else [bias]))
        y, = _call(_lora_forward(*ctx.how, bias is not None), arguments, threads)
        ctx.save_for_backward(rows, weight, a, b, *indices)
        return _as(y, x.dtype).reshape(*x.shape[:-1], y.shape[-1])

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: torch.Tensor) -> Tuple[Optional[torch.Tensor], ...]:
        x, _, a, b, bias = ctx.needs_input_grad[:5]
        rows = gradient.reshape(-1, gradient.shape[-1])
        found = iter(())
        if x or a or b:
            found = iter(_call(_lora_backward(*ctx.how, (x, a, b)), (rows, *ctx.saved_tensors), ctx.how[-1]))
        dx, da, db = (_as(next(found), gradient.dtype) if want else None for want in (x, a, b))
        dx = None if dx is None else dx.reshape(*gradient.shape[:-1], dx.shape[-1])
        return dx, None, da, db, rows.sum(0) if bias else None, None, None, None


def _check_tensor(name: str, x: Any, like: torch.Tensor) -> None:
    if not isinstance(x, torch.Tensor) or x.device.type != "cpu":
        raise TypeError(f"{name} must be a torch.Tensor on the CPU")
    if x.dtype not in _DTYPES or x.dtype != like.dtype:
        raise TypeError(f"tensors must have one type of float32, float16 and bfloat16; {name} has {x.dtype}")


def _finite(name: str, value: float) -> float:
    if not math.isfinite(value):
        raise ValueError(f"{name} must be finite, got {value}")
    return float(value)


def _call(function: polyattn.Executable, tensors: Sequence[torch.Tensor], threads: Optional[int]) -> List[torch.Tensor]:
    return [torch.from_numpy(x) for x in function._call([x.detach() for x in tensors], threads or 0)]


def _as(x: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """bf16 comes as integers of the same bits."""
    return x if x.dtype == dtype else x.view(dtype)


def _literal(x: float) -> str:
    """A float as MLIR reads it: with a point before any exponent."""
    text = repr(x)
    return text if "." in text else text.replace("e", ".0e")


def _tensor(*sizes: Union[int, str], dtype: str) -> str:
    return f"tensor<{''.join(f'{size}x' for size in sizes)}{dtype}>"


def _attention_types(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, *weights: torch.Tensor) -> Tuple[str, ...]:
    """Those of query, key, value, output and normalizer, then of key weights; all but heads and dimensions is dynamic."""
    def heads(x: torch.Tensor, rows: int) -> List[Union[int, str]]:
        batch = x.dim() - rows
        return ["?"] * max(batch - 1, 0) + ([x.shape[batch - 1]] if batch else [])
    dtype, e = _DTYPES[query.dtype], value.shape[-1]
    return (_tensor(*heads(query, 2), "?", query.shape[-1], dtype=dtype), _tensor(*heads(key, 2), "?", key.shape[-1], dtype=dtype),
            _tensor(*heads(value, 2), "?", e, dtype=dtype), _tensor(*heads(query, 2), "?", e, dtype=dtype),
            _tensor(*heads(query, 2), "?", dtype="f32"), *(_tensor(*heads(w, 1), "?", dtype="f32") for w in weights))


def _lora_types(x: torch.Tensor, weight: torch.Tensor, a: torch.Tensor, b: torch.Tensor, *adapters: torch.Tensor) -> Tuple[str, ...]:
    """Those of x, weight, a, b and the result, then of indices; all but the number of rows is static."""
    dtype = _DTYPES[x.dtype]
    return (_tensor("?", x.shape[-1], dtype=dtype), *(_tensor(*m.shape, dtype=dtype) for m in (weight, a, b)),
            _tensor("?", weight.shape[0], dtype=dtype), *(_tensor("?", dtype=_INDICES[i.dtype]) for i in adapters))


def _how(types: Tuple[str, ...], is_causal: bool, scale: float) -> Tuple[str, str, str]:
    """Key weights as an argument and as an operand, and what comes after operands."""
    argument, operand = (f", %w: {types[5]}", f"key_weights(%w : {types[5]})") if len(types) > 5 else ("", "")
    return argument, operand, f"scale {_literal(scale)} mask {'causal' if is_causal else 'full'}"


@functools.lru_cache(maxsize=256)
def _forward(types: Tuple[str, ...], is_causal: bool, scale: float, threads: Optional[int]) -> polyattn.Executable:
    q, k, v, o, z = types[:5]
    argument, weights, how = _how(types, is_causal, scale)
    return _compile(f"""func.func @main(%q: {q}, %k: {k}, %v: {v}{argument}) -> ({o}, {z}) {{
  %o = attn.attention %q, %k, %v {weights} {how} : {q}, {k}, {v} -> {o}
  %z = attn.normalizer %q, %k {weights} {how} : {q}, {k} -> {z}
  return %o, %z : {o}, {z}
}}""", threads)


@functools.lru_cache(maxsize=256)
def _backward(types: Tuple[str, ...], is_causal: bool, scale: float, threads: Optional[int],
              wanted: Tuple[bool, ...]) -> polyattn.Executable:
    q, k, v, o, z = types[:5]
    argument, weights, how = _how(types, is_causal, scale)
    results = ", ".join(f"%g#{i}" for i in range(3) if wanted[i])
    result_types = ", ".join(kind for kind, want in zip((q, k, v), wanted) if want)
    return _compile(f"""func.func @main(%q: {q}, %k: {k}, %v: {v}{argument}, %o: {o}, %z: {z}, %do: {o}) -> ({result_types}) {{
  %g:{3 + bool(weights)} = attn.attention_grad %q, %k, %v {weights} output(%o) normalizer(%z : {z}) grad_output(%do) {how} : {q}, {k}, {v}, {o}
  return {results} : {result_types}
}}""", threads)


@functools.lru_cache(maxsize=256)
def _lora_forward(types: Tuple[str, ...], scale: float, threads: Optional[int], has_bias: bool) -> polyattn.Executable:
    x, w, a, b, y = types[:5]
    bias = _tensor(*y[len("tensor<"):-1].split("x")[1:-1], dtype=y[:-1].split("x")[-1])
    arguments = [f"%x: {x}", f"%w: {w}", f"%a: {a}", f"%b: {b}", *(f"%i: {i}" for i in types[5:]), *([f"%bias: {bias}"] if has_bias else [])]
    operands = (f"bias(%bias : {bias}) " if has_bias else "") + "".join(f"adapters(%i : {i}) " for i in types[5:])
    return _compile(f"""func.func @main({', '.join(arguments)}) -> {y} {{
  %y = attn.lora_linear %x, %w, %a, %b {operands}scale {_literal(scale)} transposed : {x}, {w}, {a}, {b}
  return %y : {y}
}}""", threads)


@functools.lru_cache(maxsize=256)
def _lora_backward(types: Tuple[str, ...], scale: float, threads: Optional[int], wanted: Tuple[bool, ...]) -> polyattn.Executable:
    x, w, a, b, y = types[:5]
    arguments = [f"%dy: {y}", f"%x: {x}", f"%w: {w}", f"%a: {a}", f"%b: {b}", *(f"%i: {i}" for i in types[5:])]
    names = [(name, kind) for name, kind, want in zip("xab", (x, a, b), wanted) if want]
    results, kinds = ", ".join(f"%d{name}" for name, _ in names), ", ".join(kind for _, kind in names)
    return _compile(f"""func.func @main({', '.join(arguments)}) -> ({kinds}) {{
  {results} = attn.lora_linear_grad %dy, %x, %w, %a, %b {''.join(f'adapters(%i : {i}) ' for i in types[5:])}scale {_literal(scale)} transposed
     : {y}, {x}, {w}, {a}, {b} -> {' '.join(f'{name}({kind})' for name, kind in names)}
  return {results} : {kinds}
}}""", threads)


def _compile(text: str, threads: Optional[int]) -> polyattn.Executable:
    try:
        return polyattn.compile(text, threads=threads)
    except polyattn.CompileError as error:
        raise ValueError(f"these shapes do not fit: {error}") from None
