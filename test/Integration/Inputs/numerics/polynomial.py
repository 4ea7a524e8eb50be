# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""Polynomial kernels that come with a model, evaluated directly and through the state, against the oracle."""

import math

import inputs
import numpy as np
from exact import MASKS
from harness import Family, Program, Shape, U32, Variant, main, output_rounding, weight_rounding, widen

# Windows of several blocks of the state: keys before the query, after it, on both sides; longer than any sequence.
WINDOWS = [("sliding_window", options) for options in (
    (("left", 600), ("right", 0)), (("left", 0), ("right", 1100)), (("left", 450), ("right", 450)),
    (("left", 900), ("right", 200), ("align", "end")), (("left", 5000), ("right", 0)))]
# Scales of which some are chunks of their own, blocks cut in pieces among them, and some too small for that; equal ones
# by the dozen; one that is all.
SCALES = [("block_causal", options) for options in (
    (("scales", (1, 4, 9, 16, 25, 49, 81, 144, 256, 441, 729)),),
    (("scales", (1, 4, 9, 16, 25, 49, 81, 144, 256, 441, 729)), ("align", "end")),
    (("scales", (16,) * 50),), (("scales", (200, 3, 1300, 70, 65, 64, 1)), ("align", "end")),
    (("scales", (700,)), ("align", "end")))]
# Roundings that a term of the sums passes through, in effect: sums run over blocks of 64 features and 128 keys, whose
# roundings are as good as independent. The worst seen is 11.
ROUNDINGS = 20


def taylor(degree):
    return tuple(1.0 / math.factorial(t) for t in range(degree + 1))


def check(family, program, arrays, case):
    """Rounding is proportional to the terms without their signs, hence the amplification."""
    expected = {}
    for i, got in enumerate(program(*arrays)):
        variant = program.variants[i]
        key = (variant.mask, variant.kernel, variant.weighted, variant.scale)
        if key not in expected:
            expected[key] = program.oracle(i, arrays), amplification(program, i, arrays)
        want, amplified = expected[key]
        most = program.largest_value(arrays)
        relative = ROUNDINGS * U32 * amplified
        if variant.evaluate == "direct":
            relative = relative + weight_rounding(program.shape.dtype, arrays[0].shape[-2]) / 2 * amplified
        # Numerator and denominator err; where weights have both signs the result may exceed the values.
        allowed = np.where(relative < 0.5, 2 * relative, np.inf) * (most + np.abs(want))
        allowed = allowed + output_rounding(want, program.shape.dtype)
        family.add(f"{case} {variant.mask[0]} {variant.evaluate} g={len(variant.kernel) - 1}",
                   np.abs(widen(got, program.shape.dtype) - want), allowed, np.maximum(most, 1e-300), program.text())


def amplification(program, i, arrays):
    """sum_j w_j P_abs(scale sum_a |q_a k_ja|) / sum_j w_j P(s_ij) per row; 1 for rows without keys."""
    variant = program.variants[i]
    admitted = program.admitted(i, arrays)
    q, k = (widen(x, program.shape.dtype) for x in arrays[:2])
    with np.errstate(invalid="ignore"):
        scores = variant.scale * (q @ np.swapaxes(program.per_query_head(k), -1, -2))
    value = np.polynomial.polynomial.polyval(np.where(admitted, scores, 0.0), np.array(variant.kernel))
    terms = np.polynomial.polynomial.polyval(program.absolute_scores(i, arrays), np.abs(variant.kernel))
    w = 1.0
    if variant.weighted:
        w = program.per_query_head(np.broadcast_to(widen(arrays[3], program.shape.weight_dtype), k.shape[:-1])[..., None, :])
    total, absolute = ((np.where(admitted, x, 0.0) * w).sum(axis=-1, keepdims=True) for x in (value, terms))
    return np.divide(absolute, np.abs(total), out=np.ones_like(total), where=total != 0)


def scaled(rng, shape, n, m):
    """Vectors short enough for a polynomial of their scores to stay positive."""
    q, k, v = inputs.normal(rng, shape, n, m)
    return q / math.sqrt(shape.d), k, v


def both(**options):
    return [Variant(evaluate=evaluate, **options) for evaluate in ("direct", "state")]


def degrees(rng):
    family = Family("polynomial degrees")
    for d, e, highest in [(1, 1, 5), (3, 5, 5), (8, 16, 4), (17, 33, 3), (64, 64, 2), (100, 7, 1), (5, 256, 3)]:
        kernels = [taylor(highest), (0.7, -0.2, 0.9) if highest % 2 == 0 else taylor(1)]
        program = Program(Shape(d, e), [v for kernel in kernels for v in both(kernel=kernel, scale=0.3)])
        for n, m in [(1, 1), (2, 7), (65, 63), (129, 300), (1, 2000), (700, 3)]:
            check(family, program, program.arrays(*scaled(rng, program.shape, n, m)), f"d={d} e={e} n={n} m={m}")
    yield family


def masks(rng):
    """Masks by key weights, keys shared by heads; lengths around the blocks of 128 keys and the chunks of queries."""
    family = Family("polynomial masks")
    shape = Shape(6, 8, batch=(4,), kv_heads=2, weight_shape=(1, None))
    for weighted, masks in [(False, MASKS), (True, MASKS[:4])]:
        variants = [Variant(mask, taylor(2), 0.4, "state", weighted=weighted) for mask in masks]
        variants += [Variant(MASKS[3], taylor(2), -0.4, "direct", weighted=weighted)]
        program = Program(shape, variants)
        for n, m in [(1, 1), (128, 128), (129, 127), (1000, 1000), (300, 900), (900, 300), (3, 0), (0, 3)]:
            w = inputs.weights(rng, shape, m)
            check(family, program, program.arrays(*scaled(rng, shape, n, m), w), f"n={n} m={m}")
    yield family


def shapes(rng):
    family = Family("polynomial shapes")
    for shape in [Shape(16, 8), Shape(8, 16, (2, 4), 1, weight_shape=(2, 1, None)),
                  Shape(8, 3, (2, 1, 4), 4, weight_shape=(1, 1, 4, None)), Shape(12, 24, (33,), 11, weight_shape=(1, None)),
                  Shape(20, 20, (2,), 2, n=1, m=300), Shape(8, 8, n=200, m=140),
                  Shape(8, 8, (2,), 1, dtype="f16"), Shape(8, 24, (2,), 1, dtype="bf16", weight_dtype="bf16")]:
        program = Program(shape, [Variant(("causal", (("align", "end"),)), taylor(2), 0.5, "state", weighted=True),
                                  Variant(("full", ()), (1.0, 0.8), 0.25, "state", weighted=True)])
        for n, m in [(1, 1), (600, 500)] if shape.n is None else [(shape.n, shape.m)]:
            arrays = program.arrays(*scaled(rng, shape, n, m), inputs.weights(rng, shape, m, zeros=0.1))
            check(family, program, arrays, f"batch={shape.batch} {shape.dtype} n={n} m={m}")
    yield family


def linear(rng):
    """Degree 1 in dimensions of whole vectors, which has code of its own: around its blocks of 64 keys, its register
    blocks and panels of queries, with keys of weight 0 that hold NaN."""
    family = Family("polynomial degree 1")
    lengths = [(1, 1), (2, 7), (48, 64), (49, 65), (300, 577), (577, 300), (3, 0), (0, 3), (5, 3000)]
    options = dict(kernel=(1.0, 0.8), scale=0.25, evaluate="state")
    every = [Variant(**options), Variant(MASKS[1], **options), Variant(weighted=True, **options)]
    more = [Variant(WINDOWS[0], **options), Variant(("causal", (("align", "end"),)), weighted=True, **options)]
    for shape, variants in [(Shape(64, 64), every + more), (Shape(16, 16, (4,), 2, weight_shape=(1, None)), every),
                            (Shape(32, 80, (2, 2), 1), every[:1]), (Shape(144, 128), every[1:2]),
                            (Shape(32, 48, (2,), 2, dtype="bf16"), every[:2]), (Shape(64, 64, (4,), 4, n=1000, m=1000), every)]:
        program = Program(shape, variants)
        for n, m in lengths if shape.n is None else [(shape.n, shape.m)]:
            q, k, v = scaled(rng, shape, n, m)
            w = inputs.weights(rng, shape, m, zeros=0.1)
            case = f"{shape.d} {shape.e} {shape.dtype} n={n} m={m}"
            check(family, program, program.arrays(q, k, v, w), case)
    program = Program(Shape(32, 32), [Variant(weighted=True, **options)])
    q, k, v = scaled(rng, program.shape, 100, 200)
    w = inputs.weights(rng, program.shape, 200, zeros=0.3)
    k[w == 0, ::2] = np.nan
    check(family, program, program.arrays(q, k, v, w), "NaN in absent keys")
    yield family


def windows(rng):
    """Sliding windows; lengths around chunks of 64 queries and blocks of 128 keys, and many times a window's."""
    family = Family("polynomial windows")
    shape = Shape(6, 8, batch=(4,), kv_heads=2, weight_shape=(1, None))
    for weighted, masks in [(False, WINDOWS), (True, WINDOWS[:4:3])]:
        program = Program(shape, [Variant(mask, taylor(2), 0.4, "state", weighted=weighted) for mask in masks])
        for n, m in [(1, 1), (1, 2000), (640, 640), (641, 639), (2500, 2500), (1500, 400), (400, 1500), (1000, 1700),
                     (3, 0), (0, 3)]:
            w = inputs.weights(rng, shape, m)
            check(family, program, program.arrays(*scaled(rng, shape, n, m), w), f"n={n} m={m}")
    for shape in [Shape(16, 16, (2,), 1, dtype="f16"), Shape(16, 16, (2,), 1, dtype="bf16"), Shape(8, 8, n=1000, m=1300)]:
        program = Program(shape, [Variant(WINDOWS[2], taylor(2), 0.4, "state")])
        check(family, program, program.arrays(*scaled(rng, shape, 1000, 1300)), f"{shape.dtype} n=1000 m=1300")
    yield family


def scales(rng):
    """Next-scale attention: lengths that end inside of scales, at their borders and beyond all; queries before all keys
    and at the end of many; degree 1, which has code of its own, with key weights of 0 and in whole vectors."""
    family = Family("polynomial scales")
    lengths = [(1, 1), (104, 104), (1026, 1026), (1027, 1025), (1755, 1755), (2500, 2500), (256, 1026), (1500, 400),
               (1900, 130), (400, 1500), (3, 0), (0, 3)]
    shape = Shape(6, 8, batch=(4,), kv_heads=2, weight_shape=(1, None))
    for weighted, masks in [(False, SCALES), (True, SCALES[:2])]:
        program = Program(shape, [Variant(mask, taylor(2), 0.4, "state", weighted=weighted) for mask in masks])
        for n, m in lengths:
            w = inputs.weights(rng, shape, m)
            check(family, program, program.arrays(*scaled(rng, shape, n, m), w), f"n={n} m={m}")
    options = dict(kernel=(1.0, 0.8), scale=0.25, evaluate="state")
    for shape, weighted, masks in [(Shape(32, 48, (4,), 2), False, SCALES[:4]), (Shape(64, 64, weight_shape=(None,)), True, SCALES[::2]),
                                   (Shape(64, 64, (2,), 2, dtype="bf16"), False, SCALES[:1]), (Shape(5, 7, (2,), 1), False, SCALES[3:])]:
        program = Program(shape, [Variant(mask, weighted=weighted, **options) for mask in masks])
        for n, m in lengths:
            w = inputs.weights(rng, shape, m, zeros=0.1)
            check(family, program, program.arrays(*scaled(rng, shape, n, m), w), f"{shape.d} {shape.e} {shape.dtype} n={n} m={m}")
    for n, m in [(1755, 1755), (300, 1755)]:
        shape = Shape(64, 64, (2,), 1, n=n, m=m)
        program = Program(shape, [Variant(SCALES[1], taylor(degree), 0.25, "state") for degree in (1, 2)] + [Variant(SCALES[1], taylor(2), 0.25, "direct")])
        check(family, program, program.arrays(*scaled(rng, shape, n, m)), f"static n={n} m={m}")
    yield family


def batches(rng):
    """States so large that only a few fit the memory: sums are carried from batch to batch of chunks."""
    family = Family("polynomial batches")
    causal, end = ("causal", ()), ("causal", (("align", "end"),))
    window = ("sliding_window", (("left", 1500), ("right", 500)))
    steps = ("block_causal", (("scales", (300, 300, 1200, 64, 400, 500)),))
    for d, e, degree, masks, n, m in [(10, 256, 5, [causal, window, steps], 3000, 3000), (24, 40, 4, [causal], 1700, 1700),
                                      (16, 256, 5, [causal, steps], 700, 700), (64, 64, 2, [window], 7000, 7000),
                                      (12, 40, 4, [end, window], 800, 6000)]:
        shape = Shape(d, e, batch=(2,), kv_heads=1)
        program = Program(shape, [Variant(mask, taylor(degree), 0.3, "state") for mask in masks])
        check(family, program, program.arrays(*scaled(rng, shape, n, m)), f"d={d} e={e} n={n} m={m}")
    yield family


def absent(rng):
    """What stands in keys that no query admits must not matter, whatever it is."""
    family = Family("polynomial absent keys")
    shape = Shape(8, 8)
    n, m, first = 1000, 1300, 1000
    masked = [dict(weighted=True), dict(mask=("causal", ())), dict(mask=WINDOWS[0])]
    program = Program(shape, [v for options in masked for v in both(kernel=taylor(2), **options)])
    q, k, v = scaled(rng, shape, n, m)
    w = (np.arange(m) < first).astype(float)
    for bad in (np.nan, np.inf, -np.inf, 3e38):
        k[first:, ::2] = bad
        check(family, program, program.arrays(q, k, v, w), f"{bad}")
    yield family


FAMILIES = {f.__name__: f for f in (degrees, masks, windows, scales, shapes, linear, batches, absent)}

if __name__ == "__main__":
    main(FAMILIES)
