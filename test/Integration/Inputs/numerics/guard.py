# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""Run-time guards: inputs that a certificate does not cover get exact attention, to the last bit; others do not.

Also that calls are repeatable: the same bits from every run and any number of threads.
"""

import math

import inputs
import numpy as np
import polyattn
from certificate import CAUSAL, FULL, Certified, ball, direction, sphere
from harness import Family, Program, Shape, Variant, main, round_to, widen


def same(a, b, dtype):
    return np.array_equal(widen(a, dtype), widen(b, dtype), equal_nan=True)


def expect_exact(family, c, arrays, case):
    got, exact = c.program(*arrays)
    family.expect(f"{c.name()} {case}", same(got, exact, c.program.shape.dtype), "the input is not covered, yet the result is not the exact one",
                  c.program.text())


def expect_approximated(family, c, arrays, case):
    got, exact = c.program(*arrays)
    family.expect(f"{c.name()} {case}", not same(got, exact, c.program.shape.dtype), "the input is covered, yet the exact version ran",
                  c.program.text())


def uncovered(rng, c, q, k, n, m):
    """Names and inputs just outside the guard, all of them by one row of one head, at places that loops could miss."""
    for name, factor in [("0.1% beyond", 1.001), ("1% beyond", 1.01), ("1000 times", 1000.0)]:
        for row in sorted({0, m // 2, m - 1}):
            longer = k.copy()
            longer[..., -1, row, :] *= factor
            yield f"{name}, key {row}", q, longer
        longer = q.copy()
        longer[..., -1, n - 1, :] *= factor
        yield f"{name}, last query", longer, k
    for bad in (np.nan, -np.nan, np.inf, -np.inf):
        for column in (0, c.shape.d - 1):
            spoiled = k.copy()
            spoiled[..., 0, m - 1, column] = bad
            yield f"{bad} in a key", q, spoiled
            spoiled = q.copy()
            spoiled[..., -1, rng.integers(n), column] = bad
            yield f"{bad} in a query", spoiled, k
    if c.shape.dtype == "f32":
        longer = q.copy()
        longer[..., 0, 0, :] *= 1.01 * c.max_norm / c.radius()
        yield "norm beyond the limit", longer, 0 * k


def guards(rng):
    family = Family("guards")
    for shape, bound, mask in [(Shape(16, 8, (4,), 2), 0.3, FULL), (Shape(17, 8, (2, 2), 1), 0.3, CAUSAL), (Shape(5, 3, (3,), 3), 0.6, FULL),
                               (Shape(16, 16, (2,), 2, dtype="bf16"), 0.3, FULL), (Shape(16, 16, (2,), 1, dtype="f16"), 0.3, FULL)]:
        c = Certified(shape, bound, 2e-2, mask, scale=-0.25)
        fit = 1.0 if shape.dtype == "f32" else 0.995  # rounding must not lengthen anything beyond the bound
        for n, m in [(1, 3), (40, 1027)]:
            q, k, v = sphere(rng, c, n, m)
            q, k = fit * q, fit * k
            # One row, causal, has one key, which is all there is to average.
            if n > 1:
                expect_approximated(family, c, c.program.arrays(q, k, v), f"covered n={n} m={m}")
            for name, uq, uk in uncovered(rng, c, q / fit, k / fit, n, m):
                if shape.dtype != "f32" and "0.1%" in name:
                    continue
                expect_exact(family, c, c.program.arrays(uq, uk, v), f"{shape.dtype} {name} n={n} m={m}")
    yield family


def lengths(rng):
    """More keys than the certificate covers."""
    family = Family("guards of length")
    for source in ("declared", "proved"):
        c = Certified(Shape(8, 8), 0.4, 1e-2, source=source, max_keys=500)
        for n, m in [(600, 500), (7, 499)]:
            expect_approximated(family, c, c.program.arrays(*sphere(rng, c, n, m)), f"n={n} m={m}")
        for n, m in [(7, 501), (600, 1000)]:
            expect_exact(family, c, c.program.arrays(*sphere(rng, c, n, m)), f"n={n} m={m}")
    yield family


def checks(rng):
    """attn.check_bound by itself: true is a proof, and false is said only where it is close."""
    family = Family("check_bound")
    for d, dtype in [(1, "f32"), (7, "f32"), (64, "f32"), (100, "f16"), (33, "bf16")]:
        q_type, k_type = f"tensor<4x?x{d}x{dtype}>", f"tensor<2x?x{d}x{dtype}>"
        # A scale and a bound that no float holds exactly.
        scale, bound = 0.3, 0.7
        run = polyattn.compile(
            f"func.func @main(%q: {q_type}, %k: {k_type}) -> i1 {{\n"
            f"  %ok = attn.check_bound %q, %k scale {scale} bound {bound} max_norm 4.0 : {q_type}, {k_type}\n"
            "  return %ok : i1\n}\n", pipeline="builtin.module(attn-to-llvm)")
        for step in range(60):
            n, m = rng.integers(1, 40), rng.integers(1, 2000 if step % 10 == 0 else 40)
            target = math.sqrt(bound / scale) * (1 + rng.choice([0, 1e-7, -1e-7, 1e-3, -1e-3, -0.1, 2.0]))
            # Every head has norms of its own; their products are what counts.
            stretch = rng.choice([1.0, 1.5, 3.0], (2, 1, 1))
            q = round_to(direction(rng, (4, n, d)) * target * np.repeat(stretch, 2, 0), dtype)
            k = round_to(direction(rng, (2, m, d)) * target / stretch, dtype)
            norms = [np.sqrt((widen(x, dtype).astype(np.longdouble) ** 2).sum(axis=-1).max(axis=-1)) for x in (q, k)]
            product, within = scale * (norms[0] * np.repeat(norms[1], 2)).max(), bool(run(q, k))
            largest = max(norms[0].max(), norms[1].max())
            close = product <= bound * (1 - d * 2.0**-23) and largest <= 4.0 * (1 - d * 2.0**-23)
            family.expect(f"d={d} {dtype}", not within or (product <= bound and largest <= 4.0), f"says within: {product}, {norms}")
            family.expect(f"d={d} {dtype}", within or not close, f"says beyond: {product}, {norms}")
    yield family


def repeatable(rng):
    family = Family("repeatable")
    n, m = 700, 900
    shape = Shape(16, 24, (6,), 2)
    poly = (1.0, 1.0, 0.5)
    program = Program(shape, [Variant(CAUSAL, scale=0.25), Variant(scale=0.25, weighted=True),
                              Variant(CAUSAL, poly, 0.05, "state"), Variant(FULL, poly, 0.05, "state")])
    arrays = program.arrays(*inputs.normal(rng, shape, n, m), inputs.weights(rng, shape, m))
    first = program(*arrays)
    for threads in (None, 1, 2, 3):
        for got, want in zip(program(*arrays, threads=threads), first):
            family.expect(f"threads={threads}", got.tobytes() == want.tobytes(), "other bits than in the first run", program.text())
    c = Certified(Shape(8, 8, (2,), 2), 0.4, 1e-2)
    arrays = c.program.arrays(*ball(rng, c, n, m))
    first = c.program(*arrays)
    for threads in (1, 2):
        for got, want in zip(c.program(*arrays, threads=threads), first):
            family.expect(f"certified, threads={threads}", got.tobytes() == want.tobytes(), "other bits than in the first run")
    yield family


FAMILIES = {f.__name__: f for f in (guards, lengths, checks, repeatable)}

if __name__ == "__main__":
    main(FAMILIES)
