# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""Compiles attention with the polyattn package and compares what runs with the float64 oracle.

One `Program` is one function that evaluates several variants (masks, kernels, evaluation orders) of attention on the
same arrays of dynamic length, so that one compilation serves many cases.
"""

import argparse
import dataclasses
import math
import os
import sys
from typing import Optional, Sequence, Tuple

import numpy as np
import oracle
import polyattn

U32 = 2.0**-24  # unit roundoff of f32
EXACT = 2e-6  # tolerance of f32 evaluation, relative to max|v|


# ===-- element types -------------------------------------------------------===#


def round_to(x, dtype):
    """`x` rounded to an element type, held in an array that the package takes."""
    if dtype == "f16":
        return np.asarray(x, np.float16)
    x = np.ascontiguousarray(x, np.float32)
    if dtype == "f32":
        return x
    bits = x.view(np.uint32).astype(np.uint64)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)


def widen(x, dtype):
    """The float64 values of such an array."""
    x = np.asarray(x)
    if dtype == "bf16":
        if x.dtype != np.uint16:  # ml_dtypes.bfloat16
            x = x.view(np.uint16)
        x = (x.astype(np.uint32) << 16).view(np.float32)
    return x.astype(np.float64)


def output_rounding(expected, dtype):
    """Half a unit in the last place of the result type."""
    relative, least = {"f32": (0.0, 2.0**-149), "f16": (2.0**-11, 2.0**-25), "bf16": (2.0**-8, 2.0**-134)}[dtype]
    return relative * np.abs(expected) + least


def literal(x):
    """A float as MLIR reads it: with a point before any exponent."""
    text = repr(float(x))
    return text if "." in text else text.replace("e", ".0e")


# ===-- programs ------------------------------------------------------------===#


@dataclasses.dataclass(frozen=True)
class Variant:
    """The attributes of one attention."""

    mask: Tuple = ("full", ())
    kernel: Optional[Tuple[float, ...]] = None  # None is exp
    scale: float = 0.5
    evaluate: Optional[str] = None
    bound: Optional[Tuple[float, str]] = None
    weighted: bool = False

    def text(self, types):
        weights = f"key_weights(%w : {types[3]}) " if self.weighted else ""
        kernel = f"kernel poly<[{', '.join(map(literal, self.kernel))}]> " if self.kernel else ""
        bound = f"bound <{literal(self.bound[0])}, {self.bound[1]}> " if self.bound else ""
        evaluate = f"evaluate {self.evaluate} " if self.evaluate else ""
        return (f"attn.attention %q, %k, %v {weights}scale {literal(self.scale)} {kernel}"
                f"{oracle.mask_text(self.mask)} {bound}{evaluate}: {', '.join(types[:3])} -> {types[4]}")

    def oracle_mask(self):
        return self.mask[0], dict(self.mask[1])


@dataclasses.dataclass(frozen=True)
class Shape:
    """`batch` are all dimensions before rows; the last of it counts heads, of which keys have `kv_heads`."""

    d: int
    e: int
    batch: Tuple[int, ...] = ()
    kv_heads: int = 1
    dtype: str = "f32"
    n: Optional[int] = None  # static lengths, if given
    m: Optional[int] = None
    weight_shape: Optional[Tuple] = None  # of key_weights; None in it is m
    weight_dtype: str = "f32"

    def kv_batch(self):
        return (*self.batch[:-1], self.kv_heads) if self.batch else ()

    def weights(self):
        return (*self.kv_batch(), self.m) if self.weight_shape is None else self.weight_shape

    def types(self):
        def tensor(shape, dtype=self.dtype):
            return f"tensor<{''.join('?x' if s is None else f'{s}x' for s in shape)}{dtype}>"
        kv = self.kv_batch()
        return [tensor((*self.batch, self.n, self.d)), tensor((*kv, self.m, self.d)), tensor((*kv, self.m, self.e)),
                tensor(self.weights(), self.weight_dtype), tensor((*self.batch, self.n, self.e))]


def compile_for_tests(module, pipeline="attn-schedule,attn-to-llvm", entry="main"):
    """For this machine, or the lesser one that POLYATTN_TEST_CPU names."""
    return polyattn.compile(module, entry, f"builtin.module({pipeline})", cpu=os.environ.get("POLYATTN_TEST_CPU", "host"))


class Program:
    def __init__(self, shape: Shape, variants: Sequence[Variant], pipeline="attn-schedule,attn-to-llvm", prepare=None):
        """`prepare` is a pipeline that runs first; its result stays readable in `ir`."""
        self.shape, self.variants = shape, list(variants)
        module = polyattn.parse(self.text())
        self.prepare_remarks = module.run(f"builtin.module({prepare})") if prepare else []
        self.ir = str(module)
        self.run_compiled = compile_for_tests(module, pipeline)

    def text(self):
        types = self.shape.types()
        ops = [f"  %o{i} = {v.text(types)}" for i, v in enumerate(self.variants)]
        results = ", ".join(f"%o{i}" for i in range(len(ops)))
        result_types = ", ".join([types[4]] * len(ops))
        body = "\n".join(ops)
        return (f"func.func @main(%q: {types[0]}, %k: {types[1]}, %v: {types[2]}, %w: {types[3]}) -> ({result_types}) {{\n"
                f"{body}\n  return {results} : {result_types}\n}}\n")

    def arrays(self, q, k, v, w=None):
        """The inputs in the element types of the program."""
        dtype = self.shape.dtype
        if w is None:
            w = np.ones([k.shape[-2] if s is None else s for s in self.shape.weights()])
        return [round_to(q, dtype), round_to(k, dtype), round_to(v, dtype), round_to(w, self.shape.weight_dtype)]

    def __call__(self, *arrays, threads=None):
        """One result per variant. Fails if the call wrote to its inputs."""
        kept = [a.copy() for a in arrays]
        run = self.run_compiled
        if threads:
            run = polyattn.Executable(run._executable, run.remarks, threads)
        results = run(*arrays)
        for before, after in zip(kept, arrays):
            assert before.tobytes() == after.tobytes(), f"an input was written to:\n{self.text()}"
        return list(results) if isinstance(results, tuple) else [results]

    def oracle(self, index, arrays, kernel="same"):
        variant, shape = self.variants[index], self.shape
        q, k, v = (widen(x, shape.dtype) for x in arrays[:3])
        w = widen(arrays[3], shape.weight_dtype) if variant.weighted else None
        kernel = variant.kernel if kernel == "same" else kernel
        return oracle.attention(q, k, v, variant.scale, kernel, variant.oracle_mask(), key_weights=w)

    def largest_value(self, arrays):
        """max|v| of the head that each output entry belongs to, in the output's shape up to broadcasting."""
        v = np.abs(widen(arrays[2], self.shape.dtype))
        most = v.max(axis=(-2, -1), keepdims=True, initial=0.0)
        return self.per_query_head(most)

    def per_query_head(self, x):
        if not self.shape.batch:
            return x
        return np.repeat(x, self.shape.batch[-1] // self.shape.kv_heads, axis=-3)

    def admitted(self, index, arrays):
        """[B..., Hq, n, m]: which key takes part in which row."""
        variant, q, k = self.variants[index], arrays[0], arrays[1]
        mask = oracle.mask_matrix(variant.oracle_mask(), q.shape[-2], k.shape[-2])
        if variant.weighted:
            kv_shape = k.shape[:-1]
            present = np.broadcast_to(widen(arrays[3], self.shape.weight_dtype), kv_shape)[..., None, :] != 0
            mask = mask & self.per_query_head(present)
        return np.broadcast_to(mask, (*q.shape[:-1], k.shape[-2]))

    def absolute_scores(self, index, arrays):
        """|scale| sum_a |q_a k_a|, what rounding of scores is proportional to; 0 where a key takes no part."""
        q, k = (np.abs(widen(x, self.shape.dtype)) for x in arrays[:2])
        with np.errstate(invalid="ignore"):
            sums = q @ np.swapaxes(self.per_query_head(k), -1, -2)
        return np.where(self.admitted(index, arrays), abs(self.variants[index].scale) * sums, 0.0)


# ===-- comparing -----------------------------------------------------------===#


class Family:
    """A group of cases and the worst of them."""

    def __init__(self, name, unit="of the tolerance"):
        self.name, self.unit = name, unit
        self.cases, self.failures = 0, []
        self.worst, self.worst_case, self.worst_error = 0.0, "", 0.0

    def add(self, case, error, allowed, scale=1.0, reproducer=""):
        """error <= allowed must hold in every entry; a NaN fails. `scale` makes the reported error relative."""
        self.cases += 1
        error, allowed, scale = np.broadcast_arrays(error, allowed, scale)
        if not error.size:
            return
        with np.errstate(all="ignore"):
            ratio = np.where(error == 0, 0.0, error / allowed)
            relative = np.where(error == 0, 0.0, error / scale)
        ratio = np.where(np.isnan(ratio), np.inf, ratio)
        self.worst_error = max(self.worst_error, float(np.nanmax(relative, initial=0.0)))
        worst = float(ratio.max())
        if worst > self.worst:
            self.worst, self.worst_case = worst, case
        if worst > 1:
            at = np.unravel_index(int(ratio.argmax()), ratio.shape)
            self.fail(case, f"at {tuple(map(int, at))} error {error[at]:.3e} > {allowed[at]:.3e}", reproducer)

    def expect(self, case, condition, what, reproducer=""):
        self.cases += 1
        if not condition:
            self.fail(case, what, reproducer)

    def fail(self, case, what, reproducer=""):
        self.failures.append(case)
        if len(self.failures) <= 5:
            print(f"FAILED {self.name}: {case}: {what}\n{reproducer}", file=sys.stderr)

    def report(self):
        if not self.cases:
            self.fail("", "no case ran")
        print(f"{self.name}: {self.cases} cases, worst error {self.worst_error:.2e} of max|v|, "
              f"{self.worst:.3f} {self.unit}{f' ({self.worst_case})' if self.worst_case else ''}"
              f"{f', {len(self.failures)} FAILED' if self.failures else ''}", flush=True)
        return not self.failures


def check_direct(family, program, index, arrays, got, case):
    """Direct evaluation of exp: 2e-6 of max|v|, and what rounding of large scores adds (docs/testing.md).

    bf16 weights may be rounded to bf16 where a matrix unit takes them.
    """
    expected = program.oracle(index, arrays)
    most = program.largest_value(arrays)
    scores = program.absolute_scores(index, arrays).max(axis=-1, keepdims=True, initial=0.0)
    # Whatever the scores, the result is an average of values.
    exact = EXACT + weight_rounding(program.shape.dtype, arrays[0].shape[-2])
    allowed = most * np.minimum(exact + score_rounding(program.shape.d) * scores, 2.0)
    error = np.abs(widen(got, program.shape.dtype) - expected)
    family.add(case, error, allowed + output_rounding(expected, program.shape.dtype), np.maximum(most, 1e-300),
               program.text())


def weight_rounding(dtype, n):
    """Of a bf16 matrix unit, which takes more than a few queries."""
    tiles = dtype == "bf16" and n > 5 and "POLYATTN_TEST_CPU" not in os.environ
    return 2.0**-8 if tiles else 0.0


def score_rounding(d):
    """Of sum_a |q_a k_a|: d roundings that are as good as independent, the scale and the difference to the maximum."""
    return (math.sqrt(d) + 3) * U32


# ===-- running -------------------------------------------------------------===#


def main(families):
    """Runs the families named on the command line, or all. A family is a function of a random generator."""
    parser = argparse.ArgumentParser()
    parser.add_argument("families", nargs="*", choices=[[], *families], help="which to run; all if none is named")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    good = True
    for name in options.families or families:
        for family in families[name](np.random.default_rng(options.seed)):
            good &= family.report()
    sys.exit(not good)
