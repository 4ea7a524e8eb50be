# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""Streams: a state that keys enter and queries read, in any number of steps, against the float64 oracle of the whole."""

import dataclasses
import math
from typing import Optional, Tuple

import numpy as np
import oracle
import polyattn
from harness import U32, Family, compile_for_tests, literal, main, output_rounding, round_to, widen

SECOND, FOURTH, FIRST = (1.0, 0.3, 0.5), (1.0, 0.2, 0.5, 0.05, 0.04), (1.0, 0.04)
# Roundings of one term: its features, weights, products and its share of the sums.
ROUNDINGS = 20


@dataclasses.dataclass(frozen=True)
class Case:
    sets: int = 1
    d: int = 8
    e: int = 8
    batch: Tuple[int, ...] = (2,)
    kv_heads: int = 2
    dtype: str = "f32"
    state: str = "f32"
    scale: float = 0.3
    kernel: Tuple[float, ...] = SECOND
    weighted: bool = False
    unnormalised: bool = False
    any_heads: bool = False  # their number is not in the types
    degree: Optional[int] = None  # of the state, if not the kernel's

    def kv_batch(self):
        return (*self.batch[:-1], self.kv_heads) if self.batch else ()

    def rank(self):
        return math.comb(self.d + (self.degree or len(self.kernel) - 1), self.d)

    def text(self):
        def tensor(*shape, dtype=self.dtype):
            return f"tensor<{''.join('?x' if s is None else f'{s}x' for s in shape)}{dtype}>"
        heads = [None] * len(self.batch) if self.any_heads else self.batch
        kv = [None] * len(self.batch) if self.any_heads else self.kv_batch()
        q, k, v = tensor(*heads, None, self.d), tensor(*kv, None, self.d), tensor(*kv, None, self.e)
        w, s = tensor(*kv, None, dtype="f32"), tensor(*kv, self.e + 1, self.rank(), dtype=self.state)
        o = tensor(*heads, None, self.e)

        def names(letter):
            return ", ".join(f"%{letter}{t}" for t in range(self.sets))

        def operands(letter, kind):
            return f"({names(letter)} : {', '.join([kind] * self.sets)})"
        arguments = ", ".join(f"%{letter}{t}: {kind}" for letter, kind in zip("kvws", (k, v, w, s)) for t in range(self.sets))
        read = (f"scale {literal(self.scale)} kernel poly<[{', '.join(map(literal, self.kernel))}]>"
                f"{' unnormalised' if self.unnormalised else ''} : {q}")
        results = ", ".join([o] + [s] * self.sets)
        updates = "".join(f"  %u{t} = attn.state_update %s{t}, %k{t}, %v{t} "
                          f"{f'key_weights(%w{t} : {w}) ' if self.weighted else ''}: {s}, {k}, {v}\n" for t in range(self.sets))
        states = ", ".join([s] * self.sets)
        weights = "key_weights" + operands("w", w) if self.weighted else ""
        return (f"func.func @step(%q: {q}, {arguments}) -> ({results}) {{\n"
                f"  %r:{self.sets + 1} = attn.state_step %q keys{operands('k', k)} values{operands('v', v)} {weights} "
                f"states{operands('s', s)} {read}\n  return {', '.join(f'%r#{i}' for i in range(self.sets + 1))} : {results}\n}}\n"
                f"func.func @update({arguments}) -> ({states}) {{\n{updates}  return {names('u')} : {states}\n}}\n"
                f"func.func @apply(%q: {q}, {', '.join(f'%s{t}: {s}' for t in range(self.sets))}) -> {o} {{\n"
                f"  %o = attn.state_apply %q states{operands('s', s)} {read}\n  return %o : {o}\n}}\n")


class Stream:
    """The three functions, and what they should compute."""

    def __init__(self, case, pipeline="attn-to-llvm"):
        self.case = case
        self.run = {entry: compile_for_tests(polyattn.parse(case.text()), pipeline, entry) for entry in ("step", "update", "apply")}

    def arrays(self, rng, n, size=0.7):
        """Queries, and keys, values and weights of each set; keys of weight 0 hold no numbers."""
        case, kv = self.case, self.case.kv_batch()
        q = round_to(size * rng.standard_normal((*case.batch, n, case.d)), case.dtype)
        keys = [size * rng.standard_normal((*kv, n, case.d)) for _ in range(case.sets)]
        values = [rng.standard_normal((*kv, n, case.e)) for _ in range(case.sets)]
        weights = [rng.uniform(0.5, 2.0, (*kv, n)) * (rng.random((*kv, n)) >= 0.3) for _ in range(case.sets)]
        if case.weighted:
            for x, v, w in zip(keys, values, weights):
                x[w == 0] = math.nan
                v[w == 0] = math.inf
        return q, [[round_to(x, case.dtype) for x in group] for group in (keys, values)] + [[np.float32(w) for w in weights]]

    def nothing(self):
        case = self.case
        dtype = np.float64 if case.state == "f64" else np.float32
        return [np.zeros((*case.kv_batch(), case.e + 1, case.rank()), dtype) for _ in range(case.sets)]

    def step(self, q, groups, states):
        o, *states = self.run["step"](q, *groups[0], *groups[1], *groups[2], *states)
        return o, states

    def update(self, groups, states):
        result = self.run["update"](*groups[0], *groups[1], *groups[2], *states)
        return list(result) if isinstance(result, tuple) else [result]

    def expected(self, q, groups, causal):
        """The output, and what its error is measured by."""
        case = self.case
        keys, values = ([widen(x, case.dtype) for x in group] for group in groups[:2])
        weights = [np.asarray(w, np.float64) for w in groups[2]] if case.weighted else []
        q = widen(q, case.dtype)
        mask = [("causal", {})] * case.sets if causal else []
        largest = np.prod([np.max(np.abs(v), initial=0.0, where=np.isfinite(v)) for v in values])
        norms = [np.nanmax((np.abs(x)**2).sum(-1)**0.5, initial=0.0) for x in (q, *keys)]
        top = np.polynomial.polynomial.polyval(abs(case.scale) * np.prod(norms), np.abs(case.kernel))
        if case.unnormalised:
            # A sum of absolute values takes the place of a quotient.
            sums = unnormalised(q, keys[0], values[0], case.scale, case.kernel, causal)
            return sums, 2 * ROUNDINGS * U32 * top * largest * q.shape[-2]
        outputs = oracle.tensor_attention(q, keys, values, case.scale, case.kernel, mask, weights)
        return outputs, 2 * ROUNDINGS * case.sets * U32 * top * (largest + np.abs(outputs)) / case.kernel[0]


def unnormalised(q, k, v, scale, kernel, causal):
    group = q.shape[-3] // k.shape[-3]
    k, v = (np.repeat(x, group, axis=-3) for x in (k, v))
    weights = np.polynomial.polynomial.polyval(scale * q @ np.swapaxes(k, -1, -2), np.asarray(kernel))
    return (np.tril(weights) if causal else weights) @ v


def cut(groups, begin, end):
    return [[np.ascontiguousarray(x[..., begin:end, :]) for x in group] for group in groups[:2]] + \
        [[np.ascontiguousarray(w[..., begin:end]) for w in groups[2]]]


def check(family, stream, rng, n, cuts):
    """The stream in steps of `cuts` tokens; then as two states that are added, and read."""
    case = stream.case
    q, groups = stream.arrays(rng, n)
    states, outputs, begin = stream.nothing(), [], 0
    for length in cuts:
        part = np.ascontiguousarray(q[..., begin:begin + length, :])
        o, states = stream.step(part, cut(groups, begin, begin + length), states)
        outputs.append(widen(o, case.dtype))
        begin += length
    assert begin == n
    for causal, got in ((True, np.concatenate(outputs, axis=-2)), (False, None)):
        expected, allowed = stream.expected(q, groups, causal)
        if not causal:
            half = n // 2
            first, second = (stream.update(cut(groups, *at), stream.nothing()) for at in ((0, half), (half, n)))
            merged = [a + b for a, b in zip(first, second)]
            got = widen(stream.run["apply"](q, *merged), case.dtype)
            family.add(f"n={n} states", np.max([np.abs(a - b).max(initial=0.0) / max(1.0, np.abs(a).max(initial=0.0))
                                                for a, b in zip(states, merged)]), n * U32, 1.0, case.text())
        family.add(f"n={n} {'causal' if causal else 'full'} cuts={cuts[:3]}", np.abs(got - expected),
                   allowed + output_rounding(expected, case.dtype), np.maximum(np.abs(expected).max(initial=1e-300), 1e-300), case.text())


def cuts_of(rng, n):
    """One token at a time at first, then steps of any length, none at all among them."""
    cuts = [1] * min(n, 3) + [0]
    while (left := n - sum(cuts)) > 0:
        cuts.append(int(rng.integers(1, left + 1)))
    return cuts


def stream(rng):
    family = Family("stream")
    cases = [Case(), Case(d=5, e=3), Case(d=33, e=17), Case(kernel=FIRST, scale=0.1), Case(kernel=FOURTH, d=4),
             Case(kernel=(0.5, 0.3, 0.4, 0.01), d=6, e=20), Case(batch=(2, 6), kv_heads=3), Case(batch=(), kv_heads=1),
             Case(weighted=True, sets=2, batch=(6,)), Case(sets=3, d=4, e=5, batch=(4,)), Case(sets=4, d=3, e=2),
             Case(dtype="bf16", d=16, e=33), Case(dtype="f16", weighted=True), Case(state="f64"),
             Case(state="f64", sets=2, dtype="bf16", e=40), Case(unnormalised=True, batch=(4,), e=19),
             Case(any_heads=True, batch=(4,), kv_heads=2, scale=-0.3), Case(degree=3, d=4), Case(d=1, e=1),
             # Columns shared out among threads: long steps of few key heads.
             Case(batch=(), kv_heads=1, d=20, e=32), Case(batch=(3,), kv_heads=1, d=33, e=64), Case(sets=2, batch=(1,), kv_heads=1, d=24, e=32, weighted=True),
             Case(batch=(2,), kv_heads=1, d=16, e=96, state="f64", dtype="bf16")]
    for case in cases:
        program = Stream(case)
        for n in (1, 5, 16, 17, 330 if case.kv_heads == 1 and case.sets == 1 else {1: 150, 2: 60, 3: 20, 4: 9}[case.sets]):
            check(family, program, rng, n, cuts_of(rng, n))
    yield family


def reference(rng):
    """The same through attn-lower-to-reference, and inputs in f64."""
    family = Family("reference")
    for case in (Case(sets=2, weighted=True, e=3), Case(batch=(4,), dtype="f16", state="f64", unnormalised=True),
                 Case(batch=(), kv_heads=1)):
        for n in (1, 9):
            check(family, Stream(case, "attn-lower-to-reference,attn-to-llvm"), rng, n, cuts_of(rng, n))
    yield family


def unusual(rng):
    """Nothing, and NaN, which shows in exactly the rows that see it."""
    empty, nan = Family("empty"), Family("NaN")
    for case in (Case(), Case(sets=2, batch=(4,)), Case(state="f64", e=3)):
        program = Stream(case)
        q, groups = program.arrays(rng, 12)
        empty.expect("nothing to read", not program.run["apply"](q, *program.nothing()).any(), "rows without keys are not 0")
        before = program.update(groups, program.nothing())
        o, after = program.step(q[..., :0, :], cut(groups, 0, 0), before)
        empty.expect("no token", o.size == 0 and all(a.tobytes() == b.tobytes() for a, b in zip(before, after)), "the state changed")
        kept = [s.copy() for s in before]
        program.step(q, groups, before)
        empty.expect("inputs", all(a.tobytes() == b.tobytes() for a, b in zip(before, kept)), "an input was written to")
        for operand in range(1 + case.sets):
            q, groups = program.arrays(rng, 40)
            (q if operand == 0 else groups[0][operand - 1])[0, 21, 2] = math.nan
            got, _ = program.step(q, groups, program.nothing())
            with np.errstate(invalid="ignore"):
                want, _ = program.expected(q, groups, causal=True)
            nan.expect(f"operand {operand} of {case}", np.array_equal(np.isnan(got), np.isnan(want)), "other rows are NaN")
    yield empty
    yield nan


def long(rng):
    """100,000 tokens: the stream is the batch, and a state of f64 does not drift."""
    family = Family("long")
    n, case = 100_000, Case(d=8, e=8, batch=(1,), kv_heads=1, scale=0.3)
    q, groups = Stream(case).arrays(rng, n)
    rows = np.array([0, 9, 999, 9_999, n - 1])
    exact = np.zeros((len(rows), case.e))
    k, v = (np.float64(x[0][0]) for x in groups[:2])
    for at, i in enumerate(rows):
        weights = np.polynomial.polynomial.polyval(case.scale * k[:i + 1] @ np.float64(q[0, i]), np.asarray(case.kernel))
        exact[at] = weights @ v[:i + 1] / weights.sum()
    for state in ("f32", "f64"):
        program = Stream(dataclasses.replace(case, state=state))
        whole, _ = program.step(q, groups, program.nothing())
        states, parts = program.nothing(), []
        for begin in range(0, n, 6_250):
            o, states = program.step(q[:, begin:begin + 6_250], cut(groups, begin, begin + 6_250), states)
            parts.append(o)
        # Rounding of f32 sums grows with the root of their length.
        allowed = 1e-7 + (U32 * math.sqrt(n) / 4 if state == "f32" else 0)
        family.add(f"{state} in one step", np.abs(whole[0, rows] - exact), allowed)
        family.add(f"{state} in 16 steps", np.abs(np.concatenate(parts, axis=1)[0, rows] - exact), allowed)
    yield family


def fuzz(rng, family):
    """One random stream (scripts/fuzz.py)."""
    sets, kv_heads = int(rng.choice([1, 1, 2, 3])), int(rng.integers(1, 4))
    case = Case(sets, int(rng.integers(1, 40)), int(rng.integers(1, 70)), (kv_heads * int(rng.integers(1, 4)),), kv_heads,
                str(rng.choice(["f32", "f32", "f16", "bf16"])), str(rng.choice(["f32", "f64"])),
                float(rng.choice([-1, 1]) * rng.uniform(0.05, 0.3)), weighted=bool(rng.random() < 0.5), any_heads=bool(rng.random() < 0.3))
    n = int(rng.integers(1, 60 if sets == 1 else 20))
    check(family, Stream(case), rng, n, cuts_of(rng, n))


if __name__ == "__main__":
    main({f.__name__: f for f in (stream, reference, unusual, long)})
