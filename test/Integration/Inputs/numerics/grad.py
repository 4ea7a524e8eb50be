# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""Gradients of attention and what they know of rows, against the float64 oracle, which finite differences check."""

import dataclasses
import math
import os
from typing import Optional, Tuple

import inputs
import numpy as np
import oracle
import polyattn
from exact import MASKS
from harness import EXACT, U32, Family, Shape, Variant, compile_for_tests, literal, main, output_rounding, round_to, widen

LENGTHS = [(1, 1), (2, 7), (15, 16), (65, 63), (129, 200), (1, 300), (300, 3), (0, 3), (3, 0)]
RESULTS = ("dq", "dk", "dv", "db", "dw")
#: Half a unit in the last place, relative.
UNIT = {"f32": U32, "f16": 2.0**-11, "bf16": 2.0**-8}


@dataclasses.dataclass(frozen=True)
class Case:
    """An attention, its normalizer and its gradients in one function. `wanted` are the gradients that it returns."""
    shape: Shape
    variant: Variant
    bias: Optional[Tuple] = None  # its dimensions
    nan_rows: bool = False
    alone: bool = False  # the normalizer has no attention beside it
    wanted: Tuple[str, ...] = ("dq", "dk", "dv")

    def text(self):
        shape, variant = self.shape, self.variant
        q, k, v, w, o = shape.types()
        z = f"tensor<{''.join('?x' if s is None else f'{s}x' for s in (*shape.batch, shape.n))}f32>"
        bias = f"tensor<{''.join('?x' if s is None else f'{s}x' for s in self.bias)}{shape.dtype}>" if self.bias else q
        of = ((f"bias(%b : {bias}) " if self.bias else "") + (f"key_weights(%w : {w}) " if variant.weighted else ""))
        kernel = f"kernel poly<[{', '.join(map(literal, variant.kernel))}]> " if variant.kernel else ""
        how = f"scale {literal(variant.scale)} {kernel}{oracle.mask_text(variant.mask)}"
        types = dict(zip(RESULTS, (q, k, v, bias, w)))
        names = ["dq", "dk", "dv"] + ["db"] * bool(self.bias) + ["dw"] * variant.weighted
        results = "".join(f", %g#{names.index(name)}" for name in self.wanted)
        result_types = "".join(f", {types[name]}" for name in self.wanted)
        row = "%q2" if self.alone else "%q"
        return (f"func.func @main(%q: {q}, %k: {k}, %v: {v}, %do: {o}, %w: {w}, %b: {bias}) -> ({o}, {z}{result_types}) {{\n"
                # A cast keeps the two apart.
                f"  %any = tensor.cast %q : {q} to {self.any(q)}\n  %q2 = tensor.cast %any : {self.any(q)} to {q}\n"
                f"  %o = attn.attention %q, %k, %v {of}{how} {'nan_rows ' if self.nan_rows else ''}: {q}, {k}, {v} -> {o}\n"
                f"  %z = attn.normalizer {row}, %k {of}{how} : {q}, {k} -> {z}\n"
                f"  %g:{len(names)} = attn.attention_grad %q, %k, %v {of}output(%o) normalizer(%z : {z}) grad_output(%do)\n"
                f"     {how} : {q}, {k}, {v}, {o}\n  return %o, %z{results} : {o}, {z}{result_types}\n}}\n")

    @staticmethod
    def any(tensor):
        *dims, dtype = tensor[len("tensor<"):-1].split("x")
        return f"tensor<{'?x' * len(dims)}{dtype}>"


class Gradients:
    def __init__(self, case, pipeline="attn-to-llvm"):
        self.case = case
        self.run = compile_for_tests(case.text(), pipeline)

    def check(self, family, arrays, name):
        """`arrays`: q, k, v, do, w, b, in the element types of the program."""
        case, (shape, variant) = self.case, (self.case.shape, self.case.variant)
        q, k, v, do = (widen(x, shape.dtype) for x in arrays[:4])
        bias = widen(arrays[5], shape.dtype) if case.bias else None
        weights = widen(arrays[4], shape.weight_dtype) if variant.weighted else None
        o, z, *found = self.run(*arrays)
        want = oracle.attention_grad(q, k, v, do, variant.scale, variant.kernel, variant.oracle_mask(), bias, weights,
                                     o=widen(o, shape.dtype))
        scores = abs(variant.scale) * np.abs(q) @ np.swapaxes(np.abs(np.repeat(k, q.shape[-3] // k.shape[-3], -3) if q.ndim > 2 else k), -1, -2)
        scores = scores.max(initial=0.0) + (np.abs(bias[np.isfinite(bias)]).max(initial=0.0) if bias is not None else 0.0)
        sizes = np.abs(want["z"][np.isfinite(want["z"])]).max(initial=0.0)
        # What scores lose before exp, and the logarithm of their sum.
        lost = (math.sqrt(shape.d) + 4) * U32 * scores + (4 * U32 * sizes if not variant.kernel else 0.0)
        if shape.dtype == "bf16" and "POLYATTN_TEST_CPU" not in os.environ:
            lost += 2.0**-13  # of powers on their way to a matrix unit
        relative = EXACT + lost + math.sqrt(max(q.shape[-2], k.shape[-2])) * U32
        if variant.kernel is None:
            with np.errstate(invalid="ignore"):
                error = np.where(want["z"] == z, 0.0, np.abs(widen(z, "f32") - want["z"]))
            family.add(f"{name} z", error, EXACT + lost + 0 * error, 1.0, case.text())
        for result, got in zip(case.wanted, found):
            dtype = shape.weight_dtype if result == "dw" else shape.dtype
            exact, most = want[result], want[f"|{result}|"]
            family.add(f"{name} {result}", np.abs(widen(got, dtype) - exact), relative * most + output_rounding(exact, dtype) + 1e-37,
                       np.maximum(most, 1e-300), case.text())
        return found

    def arrays(self, rng, n, m, make=inputs.normal, zeros=0.2):
        shape, case = self.case.shape, self.case
        q, k, v = make(rng, shape, n, m)
        do = rng.standard_normal((*shape.batch, n, shape.e))
        sizes = {"n": n, "m": m}
        weights = inputs.weights(rng, shape, m, zeros=zeros) if self.case.variant.weighted else np.ones(
            [m if s is None else s for s in shape.weights()])
        bias = rng.standard_normal([sizes.get(s, s) for s in self.dims(n, m)]) if case.bias else q
        return [round_to(x, shape.dtype) for x in (q, k, v, do)] + [round_to(weights, shape.weight_dtype), round_to(bias, shape.dtype)]

    def dims(self, n, m):
        *batch, rows, columns = self.case.bias
        return [*batch, n if rows is None else rows, m if columns is None else columns]


def sizes(rng):
    """Head dimensions that do and do not fill vectors, one tile and several."""
    family = Family("gradients, sizes")
    for d, e in [(1, 1), (3, 5), (17, 33), (64, 64), (100, 7), (5, 130)]:
        program = Gradients(Case(Shape(d, e, (2,), 2), Variant(("causal", ()), scale=d**-0.5)))
        for n, m in LENGTHS:
            program.check(family, program.arrays(rng, n, m), f"d={d} e={e} n={n} m={m}")
    yield family


def masks(rng):
    """Every mask, with and without key weights, keys shared by heads; rows without any key."""
    family = Family("gradients, masks")
    for weighted in (False, True):
        for mask in MASKS:
            case = Case(Shape(8, 16, (6,), 2, weight_shape=(1, None)), Variant(mask, scale=0.7, weighted=weighted), nan_rows=weighted)
            program = Gradients(case)
            for n, m in [(1, 1), (64, 64), (90, 40), (40, 90), (200, 150), (3, 0)]:
                arrays = program.arrays(rng, n, m)
                if m == 40:
                    arrays[4][...] = 0
                program.check(family, arrays, f"{mask} weighted={weighted} n={n} m={m}")
    yield family


def shapes(rng):
    """Ranks 2 to 5, static lengths, one key head and more threads than heads, a normalizer alone."""
    family = Family("gradients, shapes")
    for alone in (False, True):
        for shape in [Shape(16, 8), Shape(16, 8, (6,), 1), Shape(8, 16, (2, 4), 2), Shape(8, 3, (2, 1, 3), 3),
                      Shape(24, 24, (2,), 2, n=1, m=100), Shape(24, 24, (3,), 1, n=37, m=64), Shape(32, 32, n=400, m=300)]:
            program = Gradients(Case(shape, Variant(("causal", (("align", "end"),)), scale=-0.3), alone=alone))
            for n, m in [(1, 1), (70, 50), (300, 300)] if shape.n is None else [(shape.n, shape.m)]:
                program.check(family, program.arrays(rng, n, m), f"batch={shape.batch} kv={shape.kv_heads} n={n} m={m}")
    yield family


def wanted(rng):
    """Only some of the gradients: the others take no part in the code, and change nothing."""
    family = Family("gradients, only some")
    for wanted in [("dq",), ("dk",), ("dv",), ("dq", "dv"), ("dk", "dv")]:
        for kernel in (None, (1.0, 0.6, 0.3)):
            program = Gradients(Case(Shape(16, 24, (4,), 2), Variant(scale=0.2, kernel=kernel), wanted=wanted))
            program.check(family, program.arrays(rng, 100, 90), f"{wanted} {kernel}")
    yield family


def polynomial(rng):
    """Kernels that are polynomials, whose derivative is another one."""
    family = Family("gradients of polynomial kernels")
    for kernel in [(1.0, 0.4), (1.0, 1.0, 0.5), (1.0, 0.2, 0.5, 0.05, 0.04)]:
        for mask in MASKS[:4]:
            program = Gradients(Case(Shape(16, 24, (4,), 2), Variant(mask, kernel=kernel, scale=0.1, weighted=mask[0] == "causal")))
            for n, m in [(70, 70), (129, 200)]:
                program.check(family, program.arrays(rng, n, m), f"{kernel} {mask} n={n} m={m}")
    yield family


def biased(rng):
    """Biases of every broadcast shape; their own gradient, and that of key weights, by the reference lowering."""
    family = Family("gradients with a bias")
    for dims in [(2, 4, None, None), (1, 1, None, None), (2, 1, 1, None), (1, 4, None, 1)]:
        for wanted in [("dq", "dk", "dv"), ("dq", "dk", "dv", "db", "dw")]:
            case = Case(Shape(16, 24, (2, 4), 2, weight_shape=(2, 1, None)), Variant(("causal", ()), scale=0.3, weighted=True),
                        bias=dims, wanted=wanted)
            program = Gradients(case)
            for n, m in [(33, 47), (70, 70)]:
                program.check(family, program.arrays(rng, n, m, zeros=0.0 if "dw" in wanted else 0.2), f"{dims} {wanted} n={n} m={m}")
    yield family


def narrow(rng):
    family = Family("gradients in 16 bits")
    for dtype in ("f16", "bf16"):
        for d, e in [(16, 16), (33, 20), (64, 64)]:
            case = Case(Shape(d, e, (4,), 2, dtype=dtype), Variant(("causal", ()), scale=d**-0.5, weighted=d == 33))
            program = Gradients(case)
            for n, m in [(1, 1), (65, 63), (100, 300)]:
                program.check(family, program.arrays(rng, n, m), f"{dtype} d={d} n={n} m={m}")
    yield family


def adversarial(rng):
    """Large scores, one winner, equal keys: what softmax saturates at."""
    family = Family("gradients, adversarial")
    program = Gradients(Case(Shape(16, 16, (2,), 2), Variant(("causal", ()), scale=0.5)))
    for make in (inputs.equal, inputs.one_hot, inputs.tiny, inputs.mixed, inputs.rising, inputs.falling):
        for n, m in [(33, 150), (150, 150)]:
            program.check(family, program.arrays(rng, n, m, make), f"{make.__name__} n={n} m={m}")
    yield family


def reference(rng):
    """The reference lowering, in f32."""
    family = Family("gradients by the reference lowering")
    for dtype in ("f32", "bf16"):
        for mask, kernel in zip(MASKS, [None, (1.0, 1.0, 0.5)] * 5):
            case = Case(Shape(8, 6, (2, 4), 2, dtype=dtype, weight_shape=(1, 1, None)), Variant(mask, kernel, 0.2, weighted=True),
                        bias=(1, 4, None, None), wanted=RESULTS)
            program = Gradients(case, "attn-lower-to-reference,attn-to-llvm")
            for n, m in [(1, 1), (20, 30), (30, 20)]:
                program.check(family, program.arrays(rng, n, m, zeros=0.0), f"{dtype} {mask} {kernel} n={n} m={m}")
    yield family


def same_again(rng):
    """Sums are taken in one order, however many threads there are."""
    family = Family("gradients, threads")
    program = Gradients(Case(Shape(32, 32, (3,), 1), Variant(("causal", ()), scale=0.2)))
    arrays = program.arrays(rng, 700, 700)
    results = [polyattn.Executable(program.run._executable, program.run.remarks, threads)(*arrays) for threads in (1, 2, 2)]
    for name, *same in zip(("o", "z", *RESULTS), *results):
        family.expect(name, all(np.array_equal(same[0], x) for x in same), "differs")
    yield family


def differences(rng):
    """The oracle itself, by central differences of the oracle of attention."""
    family = Family("the oracle of gradients", "of what central differences lose")
    for mask in [(name, dict(options)) for name, options in MASKS[:4]]:
        for kernel in (None, (1.0, 0.8, 0.5)):
            x = {"q": rng.standard_normal((4, 5, 3)), "k": rng.standard_normal((2, 6, 3)), "v": rng.standard_normal((2, 6, 2)),
                 "b": rng.standard_normal((1, 5, 6)), "w": 0.5 + rng.random((1, 6))}
            do = rng.standard_normal((4, 5, 2))

            def loss(x):
                o = oracle.attention(x["q"], x["k"], x["v"], 0.7, kernel, mask, bias=x["b"], key_weights=x["w"])
                return float((do * o).sum())

            grad = oracle.attention_grad(x["q"], x["k"], x["v"], do, 0.7, kernel, mask, x["b"], x["w"])
            for name in "qkvbw":
                numeric = np.zeros_like(x[name])
                for at in np.ndindex(*numeric.shape):
                    step = np.zeros_like(numeric)
                    step[at] = 1e-6
                    numeric[at] = (loss({**x, name: x[name] + step}) - loss({**x, name: x[name] - step})) / 2e-6
                family.add(f"d{name} {mask} {kernel}", np.abs(numeric - grad[f"d{name}"]), 1e-8 + 1e-8 * np.abs(numeric))
    yield family


if __name__ == "__main__":
    main({f.__name__: f for f in (differences, sizes, masks, shapes, wanted, polynomial, biased, narrow, adversarial, reference, same_again)})
