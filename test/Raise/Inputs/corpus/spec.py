# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""What a case of the corpus is: a function, its inputs, and what raising must make of it."""

import dataclasses
import math
import re


@dataclasses.dataclass(frozen=True)
class Input:
    """An argument. `kind` says what check_raise.py fills it with: normal, small (weights of a model), positive, mask
    (booleans, a few rows all false), keep (booleans, no row all false), additive (0 and a large negative number),
    or ids<N> (integers below N). `dynamic` are the dimensions that are exported with unknown size."""
    shape: tuple
    dtype: str = "f32"
    kind: str = "normal"
    dynamic: tuple = ()

    def text(self):
        return self.kind + ("<" + "x".join(map(str, self.shape)) + ">" if self.dynamic else "")


@dataclasses.dataclass
class Case:
    name: str
    comment: str
    function: object
    inputs: list
    framework: str  # torch or jax
    routes: tuple  # linalg, tosa; torch-mlir, iree
    checks: list  # lines of FileCheck; empty for what must not be raised
    overflows: bool = False  # exp without a maximum subtracted: NaN for large scores


CASES = []


def T(*shape, dtype="f32", kind="normal", dynamic=()):
    return Input(shape, dtype, kind, tuple(dynamic))


def qkv(b=1, h=2, n=6, m=None, d=4, e=None, hk=None, dtype="f32", layout="bhsd", dynamic=()):
    """Queries, keys and values; `layout` is one of bhsd, bshd, bsd (heads among the batch) and sd."""
    m, e, hk = m or n, e or d, hk or h
    order = {"bhsd": lambda h, s, w: (b, h, s, w), "bshd": lambda h, s, w: (b, s, h, w),
             "bsd": lambda h, s, w: (b * h, s, w), "sd": lambda h, s, w: (s, w)}[layout]
    return [T(*order(heads, rows, width), dtype=dtype, dynamic=dynamic)
            for heads, rows, width in ((h, n, d), (hk, m, d), (hk, m, e))]


def scale_pattern(scale):
    """The number as MLIR prints it, which a few roundings in f32 may have moved."""
    digits = len(str(int(scale))) + 5
    near = {repr(scale * (1 + error))[:digits].replace(".", "\\.") + "[0-9]*" for error in (-3e-6, 3e-6)}
    return "{{(" + "|".join(sorted(near) + [f"{scale:.6e}".replace(".", "\\.").replace("+", "\\+")]) + ")}}"


#: A window that is as long as all keys is causal.
MASKS = {"causal at the end": "{{causal<align = end>|sliding_window<left = [0-9]+, right = [0-9]>}}"}


def expected(scale, mask, bias, key_weights, types, count, op="attn.attention"):
    """The FileCheck lines of `count` equal attentions. A mask of "" is none or any."""
    line = f"{op} {{{{.*}}}}"
    line += "bias({{.*}}" if bias else ""
    line += "key_weights({{.*}}" if key_weights else ""
    line += f"scale {scale_pattern(scale)}" if scale else ""
    if mask is None and scale:
        line += "{{( nan_rows)?}} :"
    elif mask:
        line += f" mask {MASKS.get(mask, mask)}"
    line += f"{{{{.*}}}}{types}" if types else ""
    return [line] * count


def accept(comment, inputs, *, scale=None, mask=None, bias=False, key_weights=False, types="", count=1,
           routes=None, name=None, framework=None, overflows=False, op="attn.attention"):
    def register(function):
        own = framework or function.__module__.split("_")[0]
        CASES.append(Case(
            (name or function.__name__).strip("_").replace("_", "-"), comment, function, inputs, own,
            routes or ("linalg",) if own != "jax" else routes or ("torch-mlir",),
            expected(scale, mask, bias, key_weights, types, count, op), overflows=overflows))
        return function
    return register


def reject(comment, inputs, *, routes=None, name=None, framework=None):
    def register(function):
        own = framework or function.__module__.split("_")[0]
        CASES.append(Case(
            (name or function.__name__).strip("_").replace("_", "-"), comment, function, inputs, own,
            routes or ("linalg",) if own != "jax" else routes or ("torch-mlir",), []))
        return function
    return register


def root(d):
    return 1 / math.sqrt(d)
