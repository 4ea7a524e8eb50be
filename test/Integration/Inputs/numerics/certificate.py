# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""What attn-approximate certifies, against exact softmax in float64, on inputs chosen to make the error large."""

import math
import re
import struct

import numpy as np
import oracle
import polyattn
from harness import Family, Program, Shape, Variant, main, widen

REAL = r"([-+0-9.xa-fA-F]+)"
CAUSAL = ("causal", ())
WINDOW = ("sliding_window", (("left", 450), ("right", 100)))
FULL = ("full", ())
SCALES = ("block_causal", (("scales", (1, 4, 9, 16, 25, 36, 64, 100, 169, 256)),))


class NothingApproximated(Exception):
    pass


def number(text):
    """A float as MLIR prints it: in decimal, or its bits where decimals would not do."""
    return struct.unpack(">d", bytes.fromhex(text[2:]))[0] if text.startswith("0x") else float(text)


class Certified:
    """A program with an approximated and an exact version of the same attention, and what was certified of it."""

    def __init__(self, shape, bound, rtol, mask=FULL, scale=0.5, weighted=False, source="declared", max_keys=8192, moments=None):
        """`moments`: centred bound and second moment, or () to let the pass expect them; none are used without."""
        known = f", moments = <centred_bound = {moments[0]}, second_moment = {moments[1]}>" if moments else ""
        approximated = Variant(mask, None, scale, bound=(bound, source + known), weighted=weighted)
        exact = Variant(mask, None, scale, weighted=weighted)
        prepare = f"attn-approximate{{rtol={rtol} max-keys={max_keys} force moments={str(moments is not None).lower()}}},attn-verify-certificates,attn-schedule"
        self.program = Program(shape, [approximated, exact], "attn-to-llvm", prepare)
        self.bound, self.scale, self.shape = bound, scale, shape
        ir = self.program.ir
        found = re.search(r"kernel poly<\[([^\]]*)\]>.*?certificate <([^>]*)>", ir)
        if not found:
            raise NothingApproximated(f"{self.program.prepare_remarks}\n{ir}")
        self.kernel = [number(c.strip()) for c in found[1].split(",")]
        for name in ("score_bound", "kernel_error", "weight_change", "rounding_error", "output_error"):
            setattr(self, name, number(re.search(f"{name} = {REAL}", found[2])[1]))
        assert self.output_error <= rtol, f"{self.output_error} is certified where {rtol} was asked for:\n{ir}"
        moment = re.search(f"second_moment = {REAL}, mean", found[2])
        self.second_moment = number(moment[1]) if moment else None
        norm = re.search(f"max_norm {REAL}", ir)
        self.max_norm = number(norm[1]) if norm else None

    @property
    def degree(self):
        return len(self.kernel) - 1

    def name(self):
        return f"B={self.bound} d={self.shape.d} g={self.degree} {self.program.variants[0].mask[0]}"

    def radius(self):
        """Queries and keys of this norm have scores of up to the bound."""
        return math.sqrt(self.bound / abs(self.scale))

    def check(self, family, rounding, arrays, case):
        """The certified error holds, and its rounding term alone holds against the polynomial; returns the error."""
        got, exact = self.program(*arrays)
        dtype = self.shape.dtype
        got = widen(got, dtype)
        v = np.abs(widen(arrays[2], dtype)).max(axis=-2, keepdims=True, initial=0.0)
        most = np.maximum(self.program.per_query_head(v), 1e-300)
        error = np.abs(got - self.program.oracle(0, arrays))
        name = f"{self.name()} {case}"
        text = f"certificate {self.output_error} kernel {self.kernel}\n{self.program.text()}"
        family.add(name, error, self.output_error * most, most, text)
        apart = np.abs(got - self.program.oracle(0, arrays, kernel=self.kernel))
        rounding.add(name, apart, self.rounding_error * most, most, text)
        return error / most


def direction(rng, shape):
    """Unit vectors in the given shape."""
    x = rng.standard_normal(shape)
    return x / np.sqrt((x * x).sum(axis=-1, keepdims=True))


def ball(rng, c, n, m):
    q, k, v = sphere(rng, c, n, m)
    return (q * rng.random((*q.shape[:-1], 1)) ** (1 / c.shape.d), k * rng.random((*k.shape[:-1], 1)) ** (1 / c.shape.d),
            rng.standard_normal(v.shape))


def sphere(rng, c, n, m):
    """Norms whose product meets the bound; values of size 1."""
    s = c.shape
    q = c.radius() * direction(rng, (*s.batch, n, s.d))
    k = c.radius() * direction(rng, (*s.kv_batch(), m, s.d))
    return q, k, rng.choice([-1.0, 1.0], (*s.kv_batch(), m, s.e))


def clusters(rng, c, n, m):
    """Scores of exactly plus and minus the bound, values that differ by cluster."""
    s = c.shape
    axis = direction(rng, s.d)
    q = c.radius() * axis * rng.choice([-1.0, 1.0], (*s.batch, n, 1))
    side = rng.choice([-1.0, 1.0], (*s.kv_batch(), m, 1))
    return q, c.radius() * axis * side, np.broadcast_to(side, (*s.kv_batch(), m, s.e))


def lopsided(rng, c, n, m):
    """Queries as long as the guard lets pass, and keys as short as that asks for."""
    q, k, v = sphere(rng, c, n, m)
    stretch = 0.99 * c.max_norm / c.radius()
    return q * stretch, k / stretch, v


def relative_error(c, x):
    return np.polynomial.polynomial.polyval(x, np.array(c.kernel)) * np.exp(-x) - 1


def extremal(rng, c, n, m):
    """The distribution that attains the bound of weights' change: all scores where the kernel's relative error is
    largest, some above and the others below, values +1 and -1 by its sign, mass as docs/certificates.md derives."""
    x = np.linspace(-c.bound, c.bound, 20001)
    error = relative_error(c, x)
    up, down = x[error.argmax()], x[error.argmin()]
    eps = np.abs(error).max()
    mass = (eps - 1 + math.sqrt(1 - eps * eps)) / (2 * eps)
    side = np.arange(m) % 2 == 0
    scores = np.where(side, up, down)
    w = np.where(side, mass, 1 - mass) * np.exp(-scores)
    s = c.shape
    axis = direction(rng, s.d)
    q = np.broadcast_to(axis * c.radius() * np.sign(c.scale), (*s.batch, n, s.d))
    k = scores[:, None] * axis / (c.radius() * abs(c.scale))
    v = np.where(side, 1.0, -1.0)[:, None]
    return q, np.broadcast_to(k, (*s.kv_batch(), m, s.d)), np.broadcast_to(v, (*s.kv_batch(), m, s.e)), np.broadcast_to(w, (*s.kv_batch(), m))


def breed(best, found, candidates, error):
    """One step of hill climbing, a candidate per head: the better half so far twice, to be changed a little, and its errors."""
    better = error > found
    found = np.where(better, error, found)
    best = tuple(np.where(better[:, None], new, old) for new, old in zip(candidates, best))
    order = np.argsort(-found)
    half = len(found) // 2
    kept = tuple(b[order][:half] for b in best)
    return tuple(np.concatenate([k, k]) for k in kept), np.concatenate([found[order][:half], np.full(half, -1.0)])


def search(rng, c, family, rounding, steps=25, points=6):
    """Hill climbing over scores, weights and signs of values, one candidate per head; returns the largest error."""
    heads = c.shape.batch[-1]
    x = rng.uniform(-c.bound, c.bound, (heads, points))
    mass, sign = rng.uniform(-3, 3, (heads, points)), rng.choice([-1.0, 1.0], (heads, points))
    best, found = (x, mass, sign), np.full(heads, -1.0)
    for step in range(steps):
        r = c.radius()
        arrays = c.program.arrays(np.full((heads, 1, 1), r), x[..., None] / (r * c.scale), sign[..., None], np.exp(mass))
        error = c.check(family, rounding, arrays, "search").reshape(heads)
        best, found = breed(best, found, (x, mass, sign), error)
        size = 0.5 * 0.85**step
        x = np.clip(best[0] + size * c.bound * rng.standard_normal(x.shape), -c.bound, c.bound)
        mass = np.clip(best[1] + 3 * size * rng.standard_normal(x.shape), -8, 8)
        sign = np.where(rng.random(x.shape) < 0.1 * size, -best[2], best[2])
    return float(found.max())


def families():
    return Family("certified output error", "of the certificate"), Family("certified rounding", "of its certificate")


def random(rng):
    """Bounds, dimensions, degrees, lengths, masks, shared keys."""
    family, rounding = families()
    for bound, d, rtol in [(0.05, 64, 1e-2), (0.2, 33, 3e-2), (0.6, 16, 1e-2), (0.6, 8, 1e-3), (1.0, 8, 1e-2),
                           (1.5, 4, 1e-2), (1.5, 3, 2e-3)]:
        for mask in (FULL, CAUSAL, WINDOW, SCALES):
            scale = -0.5 if d == 33 else d**-0.5
            c = Certified(Shape(d, 16 if d != 33 else 20, batch=(2,)), bound, rtol, mask, scale)
            for n, m in [(1, 2), (65, 129), (600, 600)]:
                for make in (ball, sphere, clusters, lopsided):
                    c.check(family, rounding, c.program.arrays(*make(rng, c, n, m)), f"{make.__name__} n={n} m={m}")
    yield family
    yield rounding


def narrow(rng):
    """16-bit inputs are what is bounded, after their rounding; the certificate counts the output's rounding."""
    family, rounding = families()
    for dtype in ("f16", "bf16"):
        c = Certified(Shape(16, 16, batch=(2,), dtype=dtype), 0.3, 2e-2, scale=0.25)
        for make in (ball, clusters):
            q, k, v = make(rng, c, 200, 300)
            c.check(family, rounding, c.program.arrays(0.98 * q, 0.98 * k, v), f"{dtype} {make.__name__}")
    yield family
    yield rounding


def tight(rng):
    """The worst inputs known come close to what is certified: the certificate is not a loose one."""
    family, rounding = families()
    tightness = Family("certificate's tightness")
    for bound, rtol in [(0.05, 1e-2), (0.2, 3e-2), (0.6, 1e-2), (0.6, 1e-3), (1.0, 1e-2), (1.0, 1e-3), (1.5, 2e-3)]:
        heads = 128
        c = Certified(Shape(1, 1, (heads,), heads), bound, rtol, scale=1.0, weighted=True, max_keys=1024)
        attained = max(float(c.check(family, rounding, c.program.arrays(*extremal(rng, c, 1, m)), "extremal").max())
                       for m in (2, 64))
        searched = search(rng, c, family, rounding)
        worst = max(attained, searched)
        print(f"  B={bound} degree {c.degree}: certified {c.output_error:.3e} (weights {c.weight_change:.3e}, rounding "
              f"{c.rounding_error:.1e}), attained {attained:.3e}, by search {searched:.3e}: "
              f"{c.output_error / worst:.2f} times the worst")
        tightness.expect(c.name(), c.output_error <= 10 * worst, f"certified {c.output_error}, worst found {worst}")
        tightness.expect(c.name(), c.weight_change <= 1.05 * worst + 2e-6, f"weights {c.weight_change}, worst found {worst}")
    yield family
    yield rounding
    yield tightness


def aligned(rng):
    """The extremal distribution along one direction of many, also under masks, and long sums of equal terms."""
    family, rounding = families()
    for bound, d, rtol, mask in [(0.2, 64, 3e-2, FULL), (0.6, 16, 1e-2, CAUSAL), (0.6, 16, 1e-2, WINDOW), (1.0, 8, 1e-2, FULL),
                                 (0.2, 64, 3e-2, SCALES), (0.6, 16, 1e-2, SCALES)]:
        c = Certified(Shape(d, 4), bound, rtol, mask, scale=-d**-0.5, weighted=True)
        for n, m in [(1, 2), (900, 1000), (3, 8192)]:
            c.check(family, rounding, c.program.arrays(*extremal(rng, c, n, m)), f"extremal n={n} m={m}")
    yield family
    yield rounding


def pipeline(rng):
    """attn-compile by itself, as a user calls it: proved and declared bounds, the error within rtol."""
    family = Family("attn-compile", "of rtol")
    n, d = 2048, 16
    t = f"tensor<4x{n}x{d}xf32>"
    for source, rtol in [("proved", 1e-2), ("declared", 1e-3)]:
        text = (f"func.func @main(%q: {t}, %k: {t}, %v: {t}) -> {t} {{\n"
                f"  %o = attn.attention %q, %k, %v scale 0.25 bound <0.2, {source}> : {t}, {t}, {t} -> {t}\n"
                f"  return %o : {t}\n}}\n")
        run = polyattn.compile(text, pipeline=f"builtin.module(attn-compile{{rtol={rtol}}})")
        taken = any(r.kind == "passed" and r.name == "Approximated" for r in run.remarks)
        family.expect(source, taken, f"nothing was approximated: {run.remarks}", text)
        radius = math.sqrt(0.2 / 0.25)
        q, k = (np.float32(radius * direction(rng, (4, n, d))) for _ in range(2))
        v = np.float32(np.sign(k[..., :1] * q[:, :1, :1]) * np.ones(d))
        want = oracle.attention(q, k, v, 0.25)
        error = np.abs(run(q, k, v) - want)
        family.add(source, error, rtol, 1.0, text)
        family.expect(source, error.max() > 1e-5, "the result is exact softmax: the polynomial was not taken")
    yield family


FAMILIES = {f.__name__: f for f in (random, narrow, tight, aligned, pipeline)}

if __name__ == "__main__":
    main(FAMILIES)
