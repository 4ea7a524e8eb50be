# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""Moment certificates: what is certified when a run-time check has measured second moments of centred scores."""

import math
import re

import numpy as np
import oracle
import polyattn
from certificate import CAUSAL, FULL, REAL, Certified, breed, direction, number
from guard import same
from harness import Family, Shape, literal, main, round_to, widen

CAUSAL_END = ("causal", (("align", "end"),))
PREFIX = ("prefix", (("length", 700),))
SCALES = ("block_causal", (("scales", tuple(side * side for side in range(1, 21))),))  # 2870 tokens


class ByMoments(Certified):
    """A program with an approximated version for inputs with small moments, one for those within the bound, and an
    exact one."""

    def __init__(self, shape, bound, rtol, moments=(), **options):
        super().__init__(shape, bound, rtol, moments=moments, **options)
        claim = re.search(f"moments = <second_moment = {REAL}, mean = {REAL}, quadratic = {REAL}>", self.program.ir)
        assert claim, f"no moment certificate:\n{self.program.ir}"
        self.second_moment, self.mean, self.quadratic = map(number, claim.groups())

    def check_error(self, family, arrays, case):
        """The certified error holds against softmax of the keys as given; returns the error relative to max|v|."""
        got, _ = self.program(*arrays)
        most = self.program.largest_value(arrays)
        error = np.abs(widen(got, self.shape.dtype) - self.program.oracle(0, arrays))
        family.add(f"{self.name()} {case}", error, self.output_error * most, most, self.program.text())
        return error / most

    def moments_of_rows(self, q, k, w=None, first=0):
        """Largest second moment and least mean of centred scores over query rows from `first` on, in float64."""
        q, k = np.float64(q), np.float64(k)
        w = np.ones(k.shape[:-1]) if w is None else np.float64(w)
        k = k - (w[..., None] * k).sum(axis=-2, keepdims=True) / w.sum(axis=-1)[..., None, None]
        k, w = self.program.per_query_head(k), self.program.per_query_head(w[..., None])[..., 0]
        scores = self.scale * q @ np.swapaxes(k, -1, -2)
        mask = oracle.mask_matrix(self.program.variants[0].oracle_mask(), q.shape[-2], k.shape[-2])
        w = (mask * w[..., None, :])[..., first:, :]
        scores = scores[..., first:, :]
        total = w.sum(axis=-1)
        return ((w * scores**2).sum(axis=-1) / total).max(), ((w * scores).sum(axis=-1) / total).min()


def isotropic(rng, c, n, m):
    """Directions at random, norms up to the bound."""
    s = c.shape
    r = c.radius()
    q = r * direction(rng, (*s.batch, n, s.d))
    k = r * direction(rng, (*s.kv_batch(), m, s.d))
    return q, k, rng.choice([-1.0, 1.0], (*s.kv_batch(), m, s.e))


def clustered(rng, c, n, m):
    """Keys in two opposite clusters: within the bound, but with the largest second moment there can be."""
    q, k, v = isotropic(rng, c, n, m)
    axis = c.radius() * direction(rng, c.shape.d) * 0.98
    sign = np.where(np.arange(m) % 2 == 0, 1.0, -1.0)
    return np.broadcast_to(axis, q.shape), np.broadcast_to(sign[:, None] * axis, k.shape), v


def covered(rng):
    """Isotropic inputs take the version certified by moments, and its error keeps to the certificate."""
    family, taken = Family("certified by moments", "of the certificate"), Family("moments are enough")
    for shape, bound, rtol, options, lengths in [
        (Shape(64, 16, (2,), 1), 0.6, 1e-2, {}, [(300, 5000), (70, 2100)]),
        (Shape(32, 8, (2,), 2), 0.8, 1e-2, {}, [(300, 4096)]),
        (Shape(33, 8, (1,), 1), 1.2, 1e-2, {}, [(150, 6000)]),
        (Shape(16, 8, (2,), 1), 0.8, 1.95e-2, {"weighted": True}, [(100, 3000)]),
        (Shape(64, 8, (2,), 1, n=3000, m=3000), 0.55, 1e-2, {"mask": CAUSAL}, [(3000, 3000)]),
        (Shape(64, 8, (2,), 1, n=900, m=2500), 0.55, 1e-2, {"mask": CAUSAL_END}, [(900, 2500)]),
        (Shape(64, 8, (1,), 1, n=2100, m=2000), 0.55, 1e-2, {"mask": PREFIX}, [(2100, 2000)]),
        (Shape(64, 64, (2,), 1, n=2870, m=2870), 0.55, 1e-2, {"mask": SCALES}, [(2870, 2870)]),
    ]:
        c = ByMoments(shape, bound, rtol, scale=-0.25, **options)
        for n, m in lengths:
            q, k, v = isotropic(rng, c, n, m)
            k = k + 0.02 * c.radius() * direction(rng, shape.d) if "mask" not in options else k
            k *= 0.98
            w = rng.uniform(0.5, 1.5, k.shape[:-1]) if options.get("weighted") else None
            arrays = c.program.arrays(q, k, v, w)
            c.check_error(family, arrays, f"n={n} m={m}")
            got, exact = c.program(*arrays)
            taken.expect(f"{c.name()} n={n} m={m}", not same(got, exact, shape.dtype),
                         f"moments {c.moments_of_rows(q, k, w, 512 if c.program.variants[0].mask in (CAUSAL, SCALES) else 0)} are within "
                         f"{c.second_moment}, {c.mean}, yet another version ran", c.program.text())
    yield family
    yield taken


def versions(rng):
    """Moments too large: the bound's own certificate. Beyond the bound, or NaN: exact, to the last bit."""
    family = Family("versions")
    for shape, options in [(Shape(64, 8, (2,), 2), {}), (Shape(64, 8, (2,), 1, n=2700, m=2700), {"mask": CAUSAL})]:
        c = ByMoments(shape, 0.5, 1e-2, scale=0.25, **options)
        fallback = re.findall(r"kernel poly<\[([^\]]*)\]>", c.program.ir)[1]
        degree = fallback.count(",")
        family.expect("fallback", degree > c.degree, f"degree {degree} beside {c.degree}")
        n, m = 2700, 2700
        q, k, v = clustered(rng, c, n, m)
        got, exact = c.program(*c.program.arrays(q, k, v))
        error = np.abs(got - c.program.oracle(0, c.program.arrays(q, k, v))).max()
        family.expect(f"{c.name()} clustered", not same(got, exact, "f32"), "the exact version ran within the bound", c.program.ir)
        family.expect(f"{c.name()} clustered", error <= 1e-2, f"error {error}", c.program.ir)
        q, k, v = isotropic(rng, c, n, m)
        k = 0.98 * k
        got, exact = c.program(*c.program.arrays(q, k, v))
        family.expect(f"{c.name()} isotropic", not same(got, exact, "f32"), "the exact version ran")
        for row in (0, m // 2, m - 1):
            for factor in (1.5, 1000.0, np.nan, np.inf):
                longer = k.copy()
                longer[..., -1, row, :] *= factor
                got, exact = c.program(*c.program.arrays(q, longer, v))
                family.expect(f"{c.name()} key {row} times {factor}", same(got, exact, "f32"), "not the exact result", c.program.ir)
    yield family


def limits(rng):
    """attn.check_bound: true is a proof about moments; false is said only where they are close."""
    family = Family("check of moments")
    for d, heads, kv, weighted, mask, slack in [(64, 2, 1, False, FULL, 1.01), (20, 2, 2, True, FULL, 1.01),
                                                 (3, 1, 1, True, FULL, 1.01), (32, 2, 1, True, CAUSAL_END, 1.1),
                                                 (16, 1, 1, False, ("prefix", {"length": 600}), 1.1),
                                                 (32, 2, 1, True, ("block_causal", {"scales": (500, 129, 400, 47)}), 1.02)]:
        types = f"tensor<{heads}x?x{d}xf32>, tensor<{kv}x?x{d}xf32>".split(", ")
        w_type = f"tensor<{kv}x?xf32>"
        name, options = mask[0], dict(mask[1])
        n, m = (333, 1500) if "align" in options else (333, 1029) if mask == FULL else (1100, 1100)
        q = round_to(rng.standard_normal((heads, n, d)) * d**-0.5, "f32")
        k = round_to(rng.standard_normal((kv, m, d)) * d**-0.5 + 0.03, "f32")
        w = round_to(rng.random((kv, m)) * (rng.random((kv, m)) > 0.2) if weighted else np.ones((kv, m)), "f32")
        scale = -0.9
        scores = scale * np.float64(q) @ np.swapaxes(np.repeat(np.float64(k), heads // kv, 0), -1, -2)
        ends = oracle.mask_matrix((name, options), n, m)
        weights = ends * np.repeat(np.float64(w), heads // kv, 0)[:, None, :]
        total = weights.sum(-1)
        second, mean = ((weights * scores**2).sum(-1) / total).max(), -((weights * scores).sum(-1) / total).min()
        bound = 1.0001 * abs(scale) * np.linalg.norm(q, axis=-1).max() * np.linalg.norm(k, axis=-1).max()
        given = f"key_weights(%w : {w_type}) " if weighted else ""
        def run(pipeline, second, mean):
            return polyattn.compile(
                f"func.func @main(%q: {types[0]}, %k: {types[1]}, %w: {w_type}) -> i1 {{\n"
                f"  %ok = attn.check_bound %q, %k {given}scale {scale} bound {literal(bound)} max_norm 1.0e6 second_moment "
                f"{literal(second)} mean {literal(mean)} {oracle.mask_text(mask)} : {', '.join(types)}\n  return %ok : i1\n}}\n",
                pipeline=f"builtin.module({pipeline})")
        # Of a mask's rows the mean is made good for keys that some do not see.
        for pipeline, tight in [("attn-to-llvm", slack), ("attn-lower-to-reference,attn-to-llvm", 1 + 1e-6)]:
            room = max(mean, 1e-3) * (1 if tight < 1.01 or mask == FULL else 4)
            for s, u, want in [(second * tight, room + 0.02, True), (second * (1 - 1e-6), 1.0, False), (1.0, mean * 0.999, False)]:
                if want is False and u == mean * 0.999 and mean <= 0:
                    continue
                check = run(pipeline, s, max(u, 0.0))
                family.expect(f"d={d} {mask} {pipeline}", bool(check(q, k, w)) == want, f"moments {second}, {mean}; limits {s}, {u}: not {want}")
                if want:
                    for bad in (-1.0, np.nan):
                        spoiled = w.copy()
                        spoiled[0, m // 3] = bad
                        if weighted:
                            family.expect(f"d={d} {mask} {pipeline} weight {bad}", not check(q, k, spoiled), "says within")
    yield family


def centred(rng):
    """attn.center_keys: the mean of each head's rows is gone, to rounding."""
    family = Family("center_keys", "of rounding")
    for d, dtype, weighted in [(64, "f32", False), (5, "f32", True), (20, "bf16", False), (33, "f16", True), (1, "f32", False)]:
        k_type, w_type = f"tensor<2x3x?x{d}x{dtype}>", "tensor<2x1x?xf32>"
        given = f"key_weights(%w : {w_type}) " if weighted else ""
        for pipeline in ("attn-to-llvm", "attn-lower-to-reference,attn-to-llvm"):
            run = polyattn.compile(
                f"func.func @main(%k: {k_type}, %w: {w_type}) -> {k_type} {{\n"
                f"  %c = attn.center_keys %k {given}: {k_type}\n  return %c : {k_type}\n}}\n", pipeline=f"builtin.module({pipeline})")
            for m in (1, 15, 1025, 3000):
                k = round_to(rng.standard_normal((2, 3, m, d)) + 2, dtype)
                w = round_to(rng.random((2, 1, m)), "f32")
                wide = widen(k, dtype)
                weights = widen(w, "f32")[..., None] if weighted else np.ones((2, 1, m, 1))
                want = wide - (weights * wide).sum(-2, keepdims=True) / weights.sum(-2, keepdims=True)
                unit = {"f32": 2.0**-24, "f16": 2.0**-11, "bf16": 2.0**-8}[dtype]
                family.add(f"d={d} {dtype} m={m}", np.abs(widen(run(k, w), dtype) - want),
                           np.abs(want) * unit + (math.sqrt(m) + 4) * 2.0**-24 * np.abs(wide).max(), 1.0)
            none = run(k, 0 * w)
            family.expect(f"d={d} {dtype} no weight", same(none, k, dtype) or not weighted, "keys of weight 0 changed")
    yield family


def search(rng):
    """Hill climbing over scores and weights within the claim: the certificate holds, and is not a loose one."""
    family, tightness = Family("search within moments", "of the certificate"), Family("moment certificate's tightness")
    heads, points = 96, 4
    for bound, second, rtol in [(0.6, 0.007, 1e-2), (1.1, 0.02, 1e-2), (1.0, 0.06, 3e-2), (0.5, 0.012, 2e-2)]:
        shape = Shape(1, 1, (heads,), heads)
        c = ByMoments(shape, bound, rtol, (bound, second), scale=1.0, weighted=True, max_keys=1024)
        x, mass = rng.uniform(-bound, bound, (heads, points)), rng.uniform(-6, 0, (heads, points))
        sign = rng.choice([-1.0, 1.0], (heads, points))
        best, found = (x, mass, sign), np.full(heads, -1.0)
        for step in range(40):
            weights = np.exp(mass)
            x = x - (weights * x).sum(-1, keepdims=True) / weights.sum(-1, keepdims=True)
            moment = (weights * x * x).sum(-1, keepdims=True) / weights.sum(-1, keepdims=True)
            x = x * np.minimum(1, np.sqrt(0.995 * c.second_moment / np.maximum(moment, 1e-12)))
            x = x * np.minimum(1, 0.995 * bound / np.abs(x).max(-1, keepdims=True))
            arrays = c.program.arrays(np.full((heads, 1, 1), math.sqrt(bound)), x[..., None] / math.sqrt(bound), sign[..., None], weights)
            error = c.check_error(family, arrays, "search").reshape(heads)
            best, found = breed(best, found, (x, mass, sign), error)
            size = 0.6 * 0.9**step
            x = np.clip(best[0] + size * bound * rng.standard_normal(x.shape), -bound, bound)
            mass = np.clip(best[1] + 3 * size * rng.standard_normal(x.shape), -9, 1)
            sign = np.where(rng.random(x.shape) < 0.2 * size, -best[2], best[2])
        worst = float(found.max())
        print(f"  B={bound} second moment {c.second_moment:.4g} degree {c.degree}: certified {c.output_error:.3e}, found {worst:.3e}: "
              f"{c.output_error / worst:.2f} times the worst")
        tightness.expect(c.name(), c.output_error <= 5 * worst, f"certified {c.output_error}, worst found {worst}")
    yield family
    yield tightness


FAMILIES = {f.__name__: f for f in (covered, versions, limits, centred, search)}

if __name__ == "__main__":
    main(FAMILIES)
