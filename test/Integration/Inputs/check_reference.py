# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""Runs many reference-lowered attentions through mlir-runner and compares each with the oracle.

All cases become one module of dynamically or statically shaped functions plus a `main` that calls them on constants
and prints the results' bits. Usage: check_reference.py OPT RUNNER LIB_DIR [--family NAME]
"""

import argparse
import itertools
import subprocess
import sys

import numpy as np
import oracle

PIPELINE = (
    "builtin.module(attn-lower-to-reference{{compute-type={compute}}},canonicalize,cse,convert-elementwise-to-linalg,"
    "one-shot-bufferize{{bufferize-function-boundaries=1}},convert-linalg-to-loops,expand-strided-metadata,"
    "lower-affine,convert-scf-to-cf,arith-expand{{include-bf16=1}},convert-math-to-llvm,convert-math-to-libm,convert-to-llvm,"
    "reconcile-unrealized-casts)"
)
# Relative error of one rounding to the result type, plus that of the arithmetic on these small sizes.
TOLERANCE = {"f16": 2**-11 + 1e-5, "bf16": 2**-8 + 1e-5, "f32": 1e-5, "f64": 1e-13}
MASKS = {
    "full": ("full", {}),
    "causal": ("causal", {}),
    "causal_end": ("causal", {"align": "end"}),
    "window": ("sliding_window", {"left": 1, "right": 1}),
    "window_end": ("sliding_window", {"left": 2, "right": 0, "align": "end"}),
    "prefix": ("prefix", {"length": 3}),
    "prefix_end": ("prefix", {"length": 2, "align": "end"}),
    "scales": ("block_causal", {"scales": (1, 2, 2)}),
    "scales_end": ("block_causal", {"scales": (1, 1, 1, 1, 3), "align": "end"}),
}
POLY = [1.0, 1.0, 0.5]


def to_bits(x, dtype):
    """The nearest numbers of an element type, as bytes."""
    x = np.asarray(x, np.float64)
    if dtype != "bf16":
        return x.astype({"f16": "<f2", "f32": "<f4", "f64": "<f8"}[dtype]).tobytes()
    bits = x.astype("<f4").view("<u4").astype(np.uint64)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype("<u2").tobytes()


def round_to(x, dtype):
    data, shape = to_bits(x, dtype), np.shape(x)
    if dtype != "bf16":
        return np.frombuffer(data, {"f16": "<f2", "f32": "<f4", "f64": "<f8"}[dtype]).astype(np.float64).reshape(shape)
    bits = np.frombuffer(data, "<u2").astype("<u4") << 16
    return bits.astype("<u4").view("<f4").astype(np.float64).reshape(shape)


def tensor_type(shape, dtype, dynamic=False):
    return "tensor<" + "".join(f"{'?' if dynamic else d}x" for d in shape) + dtype + ">"


class Case:
    """One attention: inputs by operand name, attributes, and how its types are spelled."""

    def __init__(self, name, dtype, inputs, mask=("full", {}), kernel=None, scale=0.5, dynamic=False, weight_dtype=None):
        self.name, self.dtype, self.mask, self.kernel, self.scale = name, dtype, mask, kernel, scale
        self.dynamic = dynamic
        self.dtypes = {operand: weight_dtype or dtype if operand == "key_weights" else dtype for operand in inputs}
        self.inputs = {operand: round_to(x, self.dtypes[operand]) for operand, x in inputs.items()}
        q, v = self.inputs["q"], self.inputs["v"]
        self.result_shape = (*q.shape[:-1], v.shape[-1])

    def expected(self):
        extra = {name: self.inputs[name] for name in ("bias", "key_weights") if name in self.inputs}
        q, k, v = (self.inputs[name] for name in "qkv")
        return oracle.attention(q, k, v, self.scale, self.kernel, self.mask, **extra)

    def type_of(self, operand):
        x = self.inputs[operand]
        # A size of 1 that is repeated must be known.
        repeats = operand in ("bias", "key_weights") and 1 in x.shape
        return tensor_type(x.shape, self.dtypes[operand], self.dynamic and not repeats)

    def attention(self):
        kernel = f"kernel poly<[{', '.join(map(repr, self.kernel))}]> " if self.kernel else ""
        extra = "".join(f"{o}(%{o} : {self.type_of(o)}) " for o in ("bias", "key_weights") if o in self.inputs)
        types = ", ".join(self.type_of(o) for o in "qkv")
        result = tensor_type(self.result_shape, self.dtype, self.dynamic)
        return f"attn.attention %q, %k, %v {extra}scale {self.scale} {kernel}{oracle.mask_text(self.mask)} : {types} -> {result}"

    def functions(self):
        result = tensor_type(self.result_shape, self.dtype, self.dynamic)
        arguments = ", ".join(f"%{o}: {self.type_of(o)}" for o in self.inputs)
        return f"""
func.func private @{self.name}({arguments}) -> {result} attributes {{no_inline}} {{
  %o = {self.attention()}
  return %o : {result}
}}
func.func private @call_{self.name}() {{
{self.constants()}
{self.printed()}
  return
}}
"""

    def printed(self):
        """Prints the bits of the result as f64: decimal printing would round."""
        if 0 in self.result_shape:
            return ""
        result = tensor_type(self.result_shape, self.dtype, self.dynamic)
        wide, bits = result.replace(self.dtype, "f64"), result.replace(self.dtype, "i64")
        widen = "%w = arith.bitcast %o" if self.dtype == "f64" else "%w = arith.extf %o"
        return f"""  {widen} : {result} to {wide}
  %b = arith.bitcast %w : {wide} to {bits}
  %u = tensor.cast %b : {bits} to tensor<*xi64>
  call @printMemrefI64(%u) : (tensor<*xi64>) -> ()"""

    def constants(self):
        lines, names = [], []
        for operand, x in self.inputs.items():
            static, wanted = tensor_type(x.shape, self.dtypes[operand]), self.type_of(operand)
            data = f'"0x{to_bits(x, self.dtypes[operand]).hex().upper()}"' if x.size else ""
            lines.append(f"  %c_{operand} = arith.constant dense<{data}> : {static}")
            lines.append(f"  %{operand} = tensor.cast %c_{operand} : {static} to {wanted}")
            names.append(f"%{operand}")
        types = ", ".join(self.type_of(o) for o in self.inputs)
        result = tensor_type(self.result_shape, self.dtype, self.dynamic)
        return "\n".join(lines) + f"\n  %o = call @{self.name}({', '.join(names)}) : ({types}) -> {result}"


def random_inputs(rng, batch, kv_batch, n, m, d=4, e=3):
    return {
        "q": rng.standard_normal((*batch, n, d)),
        "k": rng.standard_normal((*kv_batch, m, d)),
        "v": rng.uniform(-1, 1, (*kv_batch, m, e)),
    }


def product_cases(dtype):
    """Every mask with and without shared heads, weights and bias; more queries than keys, so some rows are empty."""
    rng = np.random.default_rng(1)
    masks = MASKS if dtype == "f32" else ["full", "causal_end", "window", "prefix"]
    for index, (mask, shared, weighted, biased) in enumerate(itertools.product(masks, *[(False, True)] * 3)):
        heads, kv_heads = (4, 2) if shared else (2, 2)
        inputs = random_inputs(rng, (2, heads), (2, kv_heads), n=6, m=4)
        if biased:
            inputs["bias"] = rng.standard_normal((1, heads, 6, 4))
        if weighted:
            inputs["key_weights"] = rng.uniform(0.1, 2, (2, kv_heads, 4)) * (rng.random((2, kv_heads, 4)) < 0.5)
        kernel = POLY if index % 3 == 2 else None
        name = f"{dtype}_{mask}_{shared:d}{weighted:d}{biased:d}"
        yield Case(name, dtype, inputs, MASKS[mask], kernel, dynamic=index % 2 == 1)


def shape_cases(dtype):
    """Ranks, empty sizes, broadcast and unequal lengths."""
    rng = np.random.default_rng(2)
    shapes = {
        "rank2": ((), (), 3, 5), "heads_only": ((6,), (2,), 3, 5), "deep": ((2, 1, 3, 4), (2, 1, 3, 2), 2, 3),
        "one_kv_head": ((2, 4), (2, 1), 3, 4), "one_query": ((2, 2), (2, 2), 1, 5), "no_query": ((2,), (2,), 0, 3),
        "no_key": ((2,), (1,), 3, 0), "no_batch": ((0, 2), (0, 2), 3, 3),
    }
    for (name, shape), dynamic in itertools.product(shapes.items(), (False, True)):
        yield Case(f"{name}_{dynamic:d}", dtype, random_inputs(rng, *shape), MASKS["causal_end"], dynamic=dynamic)
    for i, bias in enumerate([(1, 1, 1, 1), (2, 1, 3, 1), (1, 4, 1, 5), (2, 4, 3, 5)]):
        inputs = random_inputs(rng, (2, 4), (2, 2), 3, 5)
        inputs["bias"] = rng.standard_normal(bias)
        inputs["key_weights"] = rng.uniform(0.5, 2, [(1, 1, 5), (2, 1, 5), (1, 2, 5), (2, 2, 5)][i])
        for dynamic in (False, True):
            yield Case(f"broadcast{i}_{dynamic:d}", dtype, inputs, dynamic=dynamic)
    inputs = random_inputs(rng, (), (), 3, 5)
    inputs["key_weights"] = rng.uniform(0.5, 2, 5)
    yield Case("rank2_weights", dtype, inputs, kernel=POLY)


def edge_cases(dtype):
    """Scores and values that naive evaluation turns into NaN."""
    rng = np.random.default_rng(3)
    inf, nan = np.inf, np.nan

    def case(name, change, **options):
        inputs = random_inputs(rng, (2,), (2,), 4, 4)
        inputs["key_weights"] = np.ones((2, 4))
        inputs["bias"] = np.zeros((2, 4, 4))
        change(inputs)
        return Case(name, dtype, inputs, **options)

    def fill(operand, index, value):
        def change(inputs):
            inputs[operand][index] = value
        return change

    def padded(value):
        def change(inputs):
            inputs["k"][:, 2:], inputs["v"][:, 2:], inputs["key_weights"][:, 2:] = value, value, 0
        return change

    last = np.s_[:, 3]
    yield case("all_bias_minus_inf", fill("bias", np.s_[:, 1], -inf))
    yield case("some_bias_minus_inf", fill("bias", np.s_[:, :, 1:3], -inf))
    yield case("no_weight", fill("key_weights", np.s_[:], 0))
    for value, kernel in itertools.product((inf, nan), (None, POLY)):
        suffix = f"{value}_{'poly' if kernel else 'exp'}"
        yield case(f"padded_{suffix}", padded(value), kernel=kernel)
        yield case(f"masked_key_{suffix}", fill("k", last, value), mask=MASKS["causal"], kernel=kernel)
        yield case(f"masked_value_{suffix}", fill("v", last, value), mask=MASKS["causal"], kernel=kernel)
    yield case("nan_weight", fill("key_weights", last, nan))
    yield case("nan_query", fill("q", np.s_[0, 1, 2], nan))
    yield case("large_scores", fill("q", np.s_[:], 200.0))
    yield case("exp_underflows_unshifted", fill("bias", np.s_[:], -120.0))
    narrow = random_inputs(rng, (2,), (2,), 4, 4)
    narrow["key_weights"] = rng.uniform(0, 1, (2, 4))
    yield Case("f32_weights", dtype, narrow, weight_dtype="f32")


FAMILIES = {"product": product_cases, "shape": shape_cases, "edge": edge_cases}


def run(cases, args):
    module = "func.func private @printMemrefI64(tensor<*xi64>)\n" + "".join(case.functions() for case in cases)
    calls = "".join(f"  call @call_{case.name}() : () -> ()\n" for case in cases)
    module += f"func.func @main() {{\n{calls}  return\n}}\n"
    passes = f"--pass-pipeline={PIPELINE.format(compute=args.compute_type)}"
    lowered = subprocess.run([args.opt, passes, "-"], input=module, text=True, check=True, stdout=subprocess.PIPE).stdout
    libraries = ",".join(f"{args.lib_dir}/lib{name}.so" for name in ("mlir_runner_utils", "mlir_c_runner_utils"))
    command = [args.runner, "-e", "main", "--entry-point-result=void", f"--shared-libs={libraries}", "-O0", "-"]
    text = subprocess.run(command, input=lowered, text=True, check=True, stdout=subprocess.PIPE).stdout
    results = [part.split("data =", 1)[1] for part in text.split("Unranked Memref")[1:]]
    shown = [case for case in cases if 0 not in case.result_shape]
    if len(results) != len(shown):
        sys.exit(f"expected {len(shown)} results, found {len(results)}")
    for case, result in zip(shown, results):
        numbers = [int(x) for x in result.replace("[", " ").replace("]", " ").replace(",", " ").split()]
        yield case, np.array(numbers, np.int64).view(np.float64).reshape(case.result_shape)


def difference(case, found):
    """Largest error relative to the largest finite value, or infinity where only one side is NaN or infinite."""
    expected = case.expected()
    odd = ~np.isfinite(expected)
    if not np.array_equal(odd, ~np.isfinite(found)):
        return np.inf
    zero = expected == 0
    if np.any(found[zero] != 0):
        return np.inf
    values = case.inputs["v"]
    largest = np.abs(values[np.isfinite(values)]).max(initial=0.0)
    return np.abs(np.where(odd, 0, found) - np.where(odd, 0, expected)).max(initial=0.0) / max(largest, 1e-30)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("opt")
    parser.add_argument("runner")
    parser.add_argument("lib_dir")
    parser.add_argument("--family", choices=FAMILIES, required=True)
    parser.add_argument("--dtype", choices=TOLERANCE, required=True)
    parser.add_argument("--compute-type", default="auto")
    args = parser.parse_args()
    tolerance = TOLERANCE[args.dtype]
    if args.compute_type == "f64":  # nothing left but the rounding of the result
        tolerance = {"f16": 2**-11, "bf16": 2**-8, "f32": 2**-24, "f64": 0}[args.dtype] * (1 + 1e-9) + 1e-13
    cases = list(FAMILIES[args.family](args.dtype))
    worst, failed = 0.0, 0
    for case, found in run(cases, args):
        error = difference(case, found)
        worst = max(worst, error)
        if not error <= tolerance:
            failed += 1
            print(f"{case.name}: error {error:.3g} > {tolerance:.3g}\nfound {found}\nexpected {case.expected()}")
    print(f"{args.family} {args.dtype}: {len(cases)} cases, {failed} failed, worst error {worst:.3g}")
    sys.exit(failed != 0)


if __name__ == "__main__":
    main()
