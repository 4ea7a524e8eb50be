# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""Direct evaluation of softmax attention, as native code, against the oracle."""

import math
import os

import inputs
import numpy as np
import oracle
from harness import EXACT, Family, Program, Shape, Variant, check_direct, compile_for_tests, main, output_rounding, round_to, weight_rounding, widen

LENGTHS = [(1, 1), (2, 7), (15, 16), (63, 65), (65, 63), (129, 200), (1, 513), (300, 3)]
LONG = [(1, 5000), (5000, 1), (1023, 1025), (2000, 2049)]
SIZES = [(1, 1), (3, 5), (17, 33), (64, 64), (100, 7), (5, 256), (256, 40)]
MASKS = [
    ("full", ()), ("causal", ()), ("causal", (("align", "end"),)),
    ("sliding_window", (("left", 3), ("right", 2))), ("sliding_window", (("left", 70), ("right", 0), ("align", "end"))),
    ("prefix", (("length", 20),)), ("prefix", (("length", 5), ("align", "end"))),
    ("block_causal", (("scales", (1, 4, 9, 16, 25, 36)),)), ("block_causal", (("scales", (3, 3, 3, 30, 2, 2, 2)), ("align", "end"))),
]


def check_all(family, program, arrays, case):
    for i, got in enumerate(program(*arrays)):
        check_direct(family, program, i, arrays, got, f"{case} {program.variants[i].mask[0]}")


def sizes(rng):
    """Head dimensions that do and do not fill vectors; lengths short and long."""
    family = Family("exact sizes")
    for d, e in SIZES:
        program = Program(Shape(d, e), [Variant(scale=d**-0.5), Variant(("causal", ()), scale=d**-0.5)])
        for n, m in LENGTHS + (LONG if d * e < 100 else []):
            check_all(family, program, program.arrays(*inputs.normal(rng, program.shape, n, m)), f"d={d} e={e} n={n} m={m}")
    yield family


def masks(rng):
    """Every mask, with and without key weights, keys shared by heads; also no rows and no keys at all."""
    family = Family("exact masks")
    shape = Shape(8, 16, batch=(4,), kv_heads=2, weight_shape=(1, None))
    for weighted in (False, True):
        program = Program(shape, [Variant(mask, scale=0.7, weighted=weighted) for mask in MASKS])
        for n, m in [(1, 1), (64, 64), (90, 40), (40, 90), (200, 150), (3, 0), (0, 3)]:
            w = inputs.weights(rng, shape, m)
            if m == 40:
                w[...] = 0  # all padding: rows are 0
            check_all(family, program, program.arrays(*inputs.normal(rng, shape, n, m), w), f"n={n} m={m}")
    yield family


def shapes(rng):
    """Ranks 2 to 5, shared keys, weights shared by heads and batches, static lengths."""
    family = Family("exact shapes")
    for shape in [Shape(16, 8), Shape(16, 8, (6,), 2, weight_shape=(1, None)),
                  Shape(8, 16, (2, 4), 1, weight_shape=(2, 1, None)), Shape(8, 3, (2, 1, 4), 4, weight_shape=(1, 1, 4, None)),
                  Shape(24, 24, (2,), 2, n=1, m=100), Shape(24, 24, (3,), 1, n=37, m=64), Shape(8, 8, n=130, m=1)]:
        program = Program(shape, [Variant(weighted=True), Variant(("causal", (("align", "end"),)))])
        for n, m in [(1, 1), (70, 50)] if shape.n is None else [(shape.n, shape.m)]:
            arrays = program.arrays(*inputs.normal(rng, shape, n, m), inputs.weights(rng, shape, m, zeros=0.1))
            check_all(family, program, arrays, f"batch={shape.batch} kv={shape.kv_heads} n={n} m={m}")
    yield family


def few(rng):
    """Few enough queries to be rows of the code instead of lanes."""
    family = Family("exact few queries")
    for shape in [Shape(64, 64, (8,), 2, n=1), Shape(33, 7, (4,), 1, n=3, weight_shape=(1, None)), Shape(16, 200, n=5),
                  Shape(128, 128, (2, 2), 2, n=4), Shape(3, 1, (2,), 2, n=2, dtype="f16"),
                  Shape(40, 40, (4,), 2, n=2, dtype="bf16", weight_dtype="bf16")]:
        scale = shape.d**-0.5
        program = Program(shape, [Variant(scale=scale), Variant(("causal", (("align", "end"),)), scale=-scale, weighted=True),
                                  Variant(MASKS[4], scale=scale, weighted=True),
                                  Variant(("prefix", (("length", 70),)), scale=scale)])
        for m in (0, 1, 5, 64, 200, 1000):
            arrays = program.arrays(*inputs.normal(rng, shape, shape.n, m), inputs.weights(rng, shape, m, zeros=0.3))
            check_all(family, program, arrays, f"d={shape.d} e={shape.e} n={shape.n} m={m}")
    yield family


def bounded(rng):
    """Proved bounds of scores, for which code is simpler: a plain polynomial, and powers within a known range."""
    family = Family("exact with a proved bound")
    for bound in (1e-3, 0.4, 1.0, 3.0, 15.0, 22.0, 40.0):
        for shape in (Shape(16, 24, (2,)), Shape(32, 32, (2,), n=2)):
            variants = [Variant(mask, scale=scale, bound=(bound, "proved"), weighted=weighted)
                        for mask, scale, weighted in [(MASKS[0], 0.25, False), (MASKS[1], -0.25, True), (MASKS[4], 0.25, False)]]
            program = Program(shape, variants)
            for n, m in [(1, 1), (70, 150), (300, 300)] if shape.n is None else [(shape.n, 90)]:
                q, k, v = inputs.normal(rng, shape, n, m)
                q, k = (x / np.linalg.norm(x, axis=-1, keepdims=True) * math.sqrt(0.999 * bound / 0.25) for x in (q, k))
                k[..., 0, :] = q[..., 0, :][..., : k.shape[-3], :]  # the bound is reached
                check_all(family, program, program.arrays(q, k, v, inputs.weights(rng, shape, m)), f"bound={bound} n={n} m={m}")
    yield family


def scales(rng):
    """Tiles that end where scales do: lengths at their borders and inside, rows before all keys, few queries, 16 bits."""
    family = Family("exact scales")
    sides = (1, 4, 9, 16, 25, 36, 64, 100, 169, 256)  # of squares up to 16
    scales = [("block_causal", options) for options in ((("scales", sides),), (("scales", sides), ("align", "end")),
                                                        (("scales", (16,) * 30),), (("scales", (100, 1, 1, 200, 30, 300)), ("align", "end")))]
    for shape in [Shape(16, 24, (4,), 2), Shape(64, 64), Shape(16, 16, (2,), 1, dtype="bf16"), Shape(64, 64, n=680, m=680),
                  Shape(32, 32, n=256, m=680), Shape(32, 32, (8,), 2, n=3, m=680), Shape(16, 16, n=300, m=20)]:
        program = Program(shape, [Variant(mask, scale=shape.d**-0.5, weighted=i % 2 == 1) for i, mask in enumerate(scales)])
        lengths = [(1, 1), (55, 55), (680, 680), (679, 681), (900, 1000), (256, 680), (700, 100), (2, 300), (0, 3), (3, 0)]
        for n, m in lengths if shape.n is None else [(shape.n, shape.m)]:
            arrays = program.arrays(*inputs.normal(rng, shape, n, m), inputs.weights(rng, shape, m, zeros=0.1))
            check_all(family, program, arrays, f"d={shape.d} {shape.dtype} n={n} m={m}")
    yield family


def biased_program(shape, bias_shape, mask, kernel, weighted):
    q, k, v, w, o = shape.types()
    bias = f"tensor<{''.join('?x' if s is None else f'{s}x' for s in bias_shape)}{shape.dtype}>"
    kernel = f"kernel poly<[{', '.join(map(repr, kernel))}]> " if kernel else ""
    return (f"func.func @main(%q: {q}, %k: {k}, %v: {v}, %b: {bias}, %w: {w}) -> {o} {{\n"
            f"  %o = attn.attention %q, %k, %v bias(%b : {bias}) {f'key_weights(%w : {w}) ' if weighted else ''}scale 0.3 {kernel}"
            f"{oracle.mask_text(mask)} : {q}, {k}, {v} -> {o}\n  return %o : {o}\n}}\n")


def biased(rng):
    """Additive biases: of every broadcast shape, with -inf and the most negative number where masks would put them."""
    family = Family("exact with a bias")
    lowest = {"f32": -3.4028235e38, "bf16": -3.3895314e38, "f16": -65504.0}
    for i, (dtype, n, m, static) in enumerate([("f32", 70, 150, False), ("f32", 2, 90, True), ("f32", 130, 131, False),
                                               ("bf16", 70, 150, False), ("bf16", 3, 33, True), ("f16", 20, 64, False)]):
        for j, dims in enumerate([(2, 4, n, m), (1, 1, n, m), (2, 1, 1, m), (1, 4, n, 1)]):
            shape = Shape(16, 24, (2, 4), 2, dtype=dtype, n=n if static else None, m=m if static else None)
            mask, kernel, weighted = MASKS[(i + j) % len(MASKS)], [None, None, (1.0, 1.0, 0.5)][(i + j) % 3], j % 2 == 1
            bias_shape = [None if size > 4 and not static else size for size in dims]
            text = biased_program(shape, bias_shape, mask, kernel, weighted)
            bias = rng.standard_normal(dims)
            if not kernel:
                bias[rng.random(dims) < 0.2] = -np.inf
                bias[rng.random(dims) < 0.2] = lowest[dtype]
                bias[..., :1, :] = lowest[dtype]  # all alike: the average of all values
            q, k, v = inputs.normal(rng, shape, n, m)
            arrays = [round_to(x, dtype) for x in (0.5 * q, 0.5 * k, v, bias)] + [
                round_to(inputs.weights(rng, shape, m, zeros=0.2), shape.weight_dtype)]
            got = widen(compile_for_tests(text)(*arrays), dtype)
            q, k, v, bias = (widen(x, dtype) for x in arrays[:4])
            want = oracle.attention(q, k, v, 0.3, kernel, (mask[0], dict(mask[1])), bias=bias,
                                    key_weights=widen(arrays[4], shape.weight_dtype) if weighted else None)
            most = np.abs(v).max()
            # f32 sums of a score and such a bias keep that many digits of the score; beyond 1e30 none, in f64 neither.
            scores = 2.0**-23 * np.abs(bias[np.abs(bias) < 1e30]).max(initial=0.0)
            allowed = most * (1e-5 + scores + weight_rounding(dtype, n)) + output_rounding(want, dtype)
            family.add(f"{dtype} {dims} {mask[0]} {kernel}", np.abs(got - want), allowed, most, text)
    yield family


def ones(rng):
    """Sizes that turn out to be 1 only at run time are repeated, of biases and of key weights."""
    family = Family("exact with sizes of 1 that the type does not tell")
    for batch in ("2x4x", "?x?x"):
        tensor = f"tensor<{batch}?x16xf32>"
        text = (f"func.func @main(%q: {tensor}, %k: {tensor}, %v: {tensor}, %b: tensor<?x?x?x?xf32>, %w: tensor<?x?x?xf32>) -> {tensor} {{\n"
                f"  %o = attn.attention %q, %k, %v bias(%b : tensor<?x?x?x?xf32>) key_weights(%w : tensor<?x?x?xf32>) scale 0.25\n"
                f"     : {tensor}, {tensor}, {tensor} -> {tensor}\n  return %o : {tensor}\n}}\n")
        run = compile_for_tests(text)
        for n, m, bias, weights in [(50, 70, (2, 4, 50, 70), (2, 4)), (50, 70, (1, 1, 1, 1), (1, 1)), (3, 70, (1, 4, 1, 70), (1, 4)),
                                    (50, 70, (2, 1, 50, 1), (2, 1)), (3, 1, (2, 4, 3, 1), (1, 1)), (50, 70, (2, 1, 1, 70), (1, 4))]:
            q, k, v, b = (rng.standard_normal(s).astype(np.float32) for s in [(2, 4, n, 16), (2, 4, m, 16), (2, 4, m, 16), bias])
            w = rng.random((*weights, m)).astype(np.float32)
            want = oracle.attention(q, k, v, 0.25, None, ("full", {}), bias=b, key_weights=w)
            most = np.abs(v).max()
            family.add(f"batch={batch} n={n} m={m} bias={bias} weights={weights}", np.abs(run(q, k, v, b, w) - want),
                       2 * EXACT * most + 0 * want, most, text)
    yield family


def adversarial(rng):
    family = Family("exact adversarial")
    shape = Shape(16, 16, batch=(2,), kv_heads=2)
    program = Program(shape, [Variant(), Variant(("causal", ()), scale=-0.7), Variant(scale=0.0, weighted=True),
                              Variant(("causal", ()), scale=0.0), Variant(("causal", ()), scale=1e-44),
                              Variant(("sliding_window", (("left", 9), ("right", 4))), weighted=True)])
    for make in inputs.ADVERSARIAL:
        for n, m in [(1, 1), (33, 150), (150, 150)]:
            arrays = program.arrays(*make(rng, shape, n, m), inputs.weights(rng, shape, m))
            check_all(family, program, arrays, f"{make.__name__} n={n} m={m}")
    yield family


def absent(rng):
    """What stands in keys that no query admits must not matter, whatever it is."""
    family = Family("exact absent keys")
    shape = Shape(8, 8)
    program = Program(shape, [Variant(weighted=True), Variant(("causal", ())), Variant(("prefix", (("length", 7),)))])
    n, m, first = 50, 90, 50
    q, k, v = inputs.normal(rng, shape, n, m)
    w = (np.arange(m) < first).astype(float)
    few = Program(Shape(8, 8, n=4), [Variant(weighted=True), Variant(("prefix", (("length", 7),)))])
    for bad in (np.nan, np.inf, -np.inf, 3e38):
        k[first:, ::2] = bad
        check_all(family, program, program.arrays(q, k, v, w), f"{bad}")
        check_all(family, few, few.arrays(q[:4], k, v, w), f"{bad}, few queries")
    yield family


def narrow(rng):
    for dtype in ("f16", "bf16"):
        family = Family(f"exact {dtype}")
        for d, e in [(16, 16), (33, 20), (64, 64)]:
            weight_dtype = dtype if d == 16 else "f32"
            shape = Shape(d, e, batch=(2,), kv_heads=1, dtype=dtype, weight_dtype=weight_dtype)
            program = Program(shape, [Variant(scale=d**-0.5), Variant(("causal", ()), scale=d**-0.5, weighted=True)])
            for n, m in [(1, 1), (65, 63), (100, 300)]:
                arrays = program.arrays(*inputs.normal(rng, shape, n, m), inputs.weights(rng, shape, m))
                check_all(family, program, arrays, f"d={d} n={n} m={m}")
        shape = Shape(72, 48, batch=(2,), kv_heads=2, dtype=dtype)
        program = Program(shape, [Variant(mask, scale=0.1, weighted=weighted) for mask in MASKS for weighted in (False, True)]
                          + [Variant(("causal", ()), (1.0, 1.0, 0.5), 0.05, "direct")])
        # 1100 queries are several groups of tiles that take turns on a matrix unit.
        for n, m in [(50, 300), (300, 290), (1100, 500), (0, 3), (3, 0), (50, 0)]:
            arrays = program.arrays(*inputs.normal(rng, shape, n, m), inputs.weights(rng, shape, m, zeros=0.2))
            check_all(family, program, arrays, f"n={n} m={m}")
        yield family


def real(rng, files=()):
    """Arrays of a trained model, of which no tolerance but 2e-6 is granted."""
    here = os.path.dirname(__file__)
    for file in files or [os.path.join(here, "../../../../data/minilm_layer5.npz")]:
        yield real_file(file)


def real_file(file):
    family = Family(f"exact {os.path.basename(file)}")
    data = np.load(file)
    for prefix in sorted(name[:-1] for name in data.files if name.endswith("q")):
        q, k, v = (data[prefix + x].astype(np.float32) for x in "qkv")
        shape = Shape(q.shape[-1], v.shape[-1], q.shape[:-2], k.shape[-3] if k.ndim > 2 else 1)
        scale = float(q.shape[-1]) ** -0.5
        program = Program(shape, [Variant(scale=scale), Variant(("causal", ()), scale=scale)])
        arrays = program.arrays(q, k, v)
        for i, got in enumerate(program(*arrays)):
            most = program.largest_value(arrays)
            family.add(f"{prefix}{i}", np.abs(widen(got, "f32") - program.oracle(i, arrays)), EXACT * most, most)
    return family


FAMILIES = {f.__name__: f for f in (sizes, masks, scales, shapes, few, bounded, biased, ones, adversarial, absent, narrow, real)}

if __name__ == "__main__":
    main(FAMILIES)
