# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""Guards by the ten thousand: one row of one head goes beyond a limit, by as little as one unit in the last place, and the
result is that of exact attention, bit by bit; or nothing is beyond what was declared, and it is not."""

import math
import time

import numpy as np
from certificate import Certified, direction
from harness import Family, Shape, main, round_to, widen

ULP = {"f32": 2.0**-23, "f16": 2.0**-10, "bf16": 2.0**-7}
#: Declared of scores of keys as given: no polynomial does for it, so that where moments fail only exact attention is left.
HOPELESS = 40.0
#: Keys of moment cases are multiples of 2^-BITS, so that sums of some thousand are exact in f32 in any order, and keys
#: that cancel have a mean of 0.
BITS = 9


def special(number, dtype):
    """A NaN or infinity as an entry of an array of that type."""
    return np.uint16(np.float32(number).view(np.uint32) >> 16) if dtype == "bf16" else number


def enlarge(x, index, dtype):
    """The entry at the index, one unit in the last place further from 0."""
    if dtype == "bf16":
        x[index] += 1  # of its bits
    else:
        x[index] = np.nextafter(x[index], x.dtype.type(np.copysign(np.inf, x[index])))


def raise_above(row, dtype, measure, gradient, limit, power):
    """The row rescaled so that measure(row), homogeneous of this degree, exceeds the limit by as little as its type can."""
    below = 1 - 2 * ULP[dtype]
    wide = widen(row, dtype)
    row = round_to(wide * below * float(limit / measure(wide)) ** (1 / power), dtype)
    index = int((widen(row, dtype) * gradient(wide)).argmax())
    while measure(widen(row, dtype)) <= limit:
        enlarge(row, index, dtype)
    return row


def norm(x):
    """In extended precision: off by some 2^-60, where one unit of f32 is 2^-24."""
    x = x.astype(np.longdouble)
    return np.sqrt((x * x).sum(axis=-1))


def longest_to(x, length):
    """The rows of each head shortened or lengthened so that the longest has this length."""
    return x * length / np.linalg.norm(x, axis=-1).max(axis=-1)[:, None, None]


def pick(rng, choices):
    return choices[int(rng.integers(len(choices)))]


class Cases:
    """Inputs of one program. `arrays` are q, k, v as numbers of its type; keys are shared by two heads each."""

    def __init__(self, certified):
        self.c, self.dtype = certified, certified.shape.dtype
        self.heads = certified.shape.batch[-1]

    def scale(self):
        return np.longdouble(abs(self.c.scale))

    def product(self, q, k):
        """|scale| max|q| max|k| of each query head, in extended precision."""
        group = self.heads // self.c.shape.kv_heads
        norms = [norm(widen(x, self.dtype)).max(axis=-1) for x in (q, k)]
        return self.scale() * norms[0] * np.repeat(norms[1], group)

    def somewhere(self, rng, x):
        """A head and a row, at the edges as likely as within."""
        rows = x.shape[1]
        return int(rng.integers(x.shape[0])), int(pick(rng, [0, rows - 1, rng.integers(rows)]))

    def spoil(self, rng, q, k):
        x = pick(rng, [q, k])
        bad = special(pick(rng, [np.nan, -np.nan, np.inf, -np.inf]), self.dtype)
        x[(*self.somewhere(rng, x), int(rng.integers(x.shape[2])))] = bad

    def run(self, family, kind, exact_wanted, arrays):
        got, exact = self.c.program(*arrays)
        exact_ran = got.tobytes() == exact.tobytes()
        family.judge(kind, f"{self.c.name()} {self.dtype}", exact_ran == exact_wanted, exact_wanted, self.c.program.text())


class BoundCases(Cases):
    """Of a bound alone. Every head's own norms count, so heads differ in how they share the bound."""

    def __init__(self, rng):
        dtype = pick(rng, ["f32"] * 3 + ["f16", "bf16"])
        d = int(round(64 ** rng.random()))
        mask = pick(rng, [("full", ()), ("causal", ()), ("sliding_window", (("left", 20), ("right", 5)))])
        bound = float(rng.uniform(0.15 if dtype == "f32" else 0.25, 0.35))
        scale = float(rng.choice([-1, 1]) * rng.uniform(0.05, 1))
        super().__init__(Certified(Shape(d, 4, (4,), 2, dtype), bound, 3e-2, mask, scale, max_keys=2048))

    def inside(self, rng):
        """Rows whose longest meet the declared bound, or 0.1% or 10% less, in every head."""
        s, c = self.c.shape, self.c
        # In few results of 16 bits an approximation's error may be lost, and with it what tells versions apart.
        n, m = rng.integers(2, pick(rng, [8, 50, 50, 300]), 2) + (0 if self.dtype == "f32" else 40)
        stretch = rng.choice([0.5, 1.0, 2.0], (s.kv_heads, 1, 1))
        share = math.sqrt(pick(rng, [1.0, 1.0, 0.999, 0.9]))
        q, k = (direction(rng, (heads, rows, s.d)) * rng.uniform(0.3, 1, (heads, rows, 1)) for heads, rows in ((4, n), (2, m)))
        q, k = longest_to(q, c.radius() * share * np.repeat(stretch, 2, 0)), longest_to(k, c.radius() * share / stretch)
        q, k = round_to(q, self.dtype), round_to(k, self.dtype)
        # Rounding may have lengthened what met the bound.
        while (most := float((self.product(q, k) / c.bound).max())) > 1:
            k = round_to(widen(k, self.dtype) * (1 - ULP[self.dtype]) / most, self.dtype)
        return q, k, rng.standard_normal((s.kv_heads, m, 4))

    def beyond(self, rng, q, k, times):
        """One row so long that its head's product is just above, or `times`, the bound that the check states."""
        x, other = (q, k) if rng.random() < 0.5 else (k, q)
        head, row = self.somewhere(rng, x)
        norms = norm(widen(other, self.dtype)).max(axis=-1)
        longest = norms[head // 2] if x is q else norms[2 * head:2 * head + 2].max()
        limit = np.longdouble(self.c.score_bound) / (self.scale() * longest)
        x[head, row] = raise_above(x[head, row], self.dtype, norm, lambda r: r, limit, 1)
        if times != 1:
            x[head, row] = round_to(widen(x[head, row], self.dtype) * times, self.dtype)

    def too_long(self, rng, q, k):
        """A norm beyond max_norm, although products stay within the bound."""
        head, row = self.somewhere(rng, q)
        q[head, row] = raise_above(q[head, row], self.dtype, norm, lambda r: r, np.longdouble(self.c.max_norm), 1)
        k[...] = 0

    def case(self, rng, family):
        q, k, v = self.inside(rng)
        kind = pick(rng, ["within", "1 ulp beyond", "1% beyond", "1000 times", "NaN or infinite", "norm 1 ulp too long"])
        if kind == "NaN or infinite":
            self.spoil(rng, q, k)
        elif kind == "norm 1 ulp too long" and self.dtype == "f32":
            self.too_long(rng, q, k)
        elif kind != "within":
            times = {"1% beyond": 1.01, "1000 times": 1000.0}.get(kind, 1)
            kind = kind if times != 1 else "1 ulp beyond"
            self.beyond(rng, q, k, times)
        w = np.ones(k.shape[:2], np.float32)
        self.run(family, f"bound, {kind}", kind != "within", [q, k, round_to(v, self.dtype), w])


class MomentCases(Cases):
    """Of second moments and the bound of centred scores."""

    def __init__(self, rng):
        d = int(round(64 ** rng.random()))
        self.centred_bound = float(rng.uniform(0.4, 0.8))
        self.second = self.centred_bound**2 * float(rng.uniform(0.02, 0.05))
        self.mask, self.n, self.m = ("full", ()), None, None
        if rng.random() < 0.3:
            self.n, self.m = 4, 516
            self.mask = pick(rng, [("causal", (("align", "end"),)), ("prefix", (("length", 512),)),
                                    ("block_causal", (("scales", (512, 4)),))])
        shape = Shape(d, 4, (4,), 2, n=self.n, m=self.m)
        scale = float(rng.choice([-1, 1]) * rng.uniform(0.05, 1))
        super().__init__(Certified(shape, HOPELESS, 1.4 * self.second + 1e-3, self.mask, scale, max_keys=2048,
                                   moments=(self.centred_bound, self.second)))
        assert self.c.second_moment, f"no moment certificate:\n{self.c.program.ir}"

    def keys(self, rng, m):
        """Keys with their opposites, in few dimensions, on a grid; and one pair that is long among short ones."""
        d = self.c.shape.d
        few = min(d, 3)
        half = direction(rng, (2, m // 2, few)) @ direction(rng, (2, few, d))
        long_one = rng.random() < 0.5
        if long_one:
            half *= 0.05
            half[:, rng.integers(m // 2)] = direction(rng, (2, d))
        half = np.round(half * 2**BITS) / 2**BITS
        pairs = np.stack([half, -half], axis=2).reshape(2, m, d)
        return pairs[:, rng.permutation(m)]

    def visible(self, row, n, m):
        if self.mask[0] == "full":
            return m
        return m - n + row + 1 if self.mask[0] == "causal" else min(m, max(512, row + 1))

    def form(self, k, head, row, n):
        """The second moment of a query's scores is q^T form q; in extended precision."""
        keys = k[head // 2, :self.visible(row, n, k.shape[1])].astype(np.longdouble)
        return self.scale() ** 2 * (keys.T @ keys) / len(keys)

    def moment_limits(self, q, k, bound, second):
        """Of each query, the factor at which it meets the first of the two limits, and which one that is."""
        norms = norm(q) * np.repeat(norm(k).max(axis=-1), 2)[:, None] * self.scale() / bound
        scores = self.scale() * (q @ np.swapaxes(np.repeat(k, 2, 0), 1, 2))
        n, m = q.shape[1], k.shape[1]
        moments = np.stack([(scores[:, i, :self.visible(i, n, m)] ** 2).mean(axis=-1) for i in range(n)], axis=1)
        return norms, np.sqrt(moments / second)

    def inside(self, rng):
        """Queries that meet the declared bound or the declared second moment, whichever is first."""
        n = self.n or int(rng.integers(1, 40))
        m = self.m or 2 * int(rng.integers(60, 300))
        k = self.keys(rng, m)
        q = direction(rng, (4, n, self.c.shape.d)) + 3 * np.repeat(k, 2, 0)[:, rng.integers(0, m, n)]
        most = np.maximum(*self.moment_limits(q, k, self.centred_bound, self.second))
        q = round_to(q / most[..., None] * pick(rng, [1 - 2.0**-20, 0.999, 0.9]), "f32")
        return q, round_to(k, "f32"), rng.standard_normal((2, m, 4))

    def beyond(self, rng, q, k, times):
        """One query just above, or `times`, the first of the limits that the check states; returns which."""
        head, row = self.somewhere(rng, q)
        product, second = self.moment_limits(q.astype(np.float64), k.astype(np.float64), self.c.score_bound, self.c.second_moment)
        form = self.form(k, head, row, q.shape[1])
        if second[head, row] > product[head, row]:
            what, measure, gradient, limit, power = "moment", (lambda r: r @ form @ r), (lambda r: form @ r), self.c.second_moment, 2
        else:
            limit = np.longdouble(self.c.score_bound) / (self.scale() * norm(k[head // 2]).max())
            what, measure, gradient, power = "bound", norm, (lambda r: r), 1
        q[head, row] = raise_above(q[head, row], "f32", measure, gradient, np.longdouble(limit), power)
        q[head, row] *= np.float32(times)
        return what

    def case(self, rng, family):
        q, k, v = self.inside(rng)
        kind = pick(rng, ["within", "1 ulp beyond", "1% beyond", "1000 times", "NaN or infinite"])
        if kind == "NaN or infinite":
            self.spoil(rng, q, k)
        elif kind != "within":
            what = self.beyond(rng, q, k, {"1% beyond": 1.01, "1000 times": 1000.0}.get(kind, 1))
            kind = f"{kind} the {what}" if "beyond" in kind else kind
        self.run(family, f"moments, {kind}", kind != "within", [q, k, round_to(v, "f32"), np.ones(k.shape[:2], np.float32)])


class GuardFamily(Family):
    """Counts cases of each kind."""

    def __init__(self):
        super().__init__("guard cases")
        self.kinds, self.programs = {}, 0

    def judge(self, kind, case, right, exact_wanted, reproducer):
        wanted = "exact" if exact_wanted else "low rank"
        self.expect(f"{kind}: {case}", right, f"not the {wanted} result", reproducer)
        count, wrong = self.kinds.get((kind, wanted), (0, 0))
        self.kinds[kind, wanted] = count + 1, wrong + (not right)

    def report(self):
        print(f"{self.name}: {self.cases:,} cases in {self.programs} programs, {len(self.failures)} decided wrongly")
        for (kind, wanted), (count, wrong) in sorted(self.kinds.items()):
            print(f"  {kind:<36}{wanted:>9} in {count - wrong:,} of {count:,}")
        return not self.failures and self.cases > 0


def run_program(rng, family, seconds, least=60, most=300):
    """Cases of one program that is drawn, for so long."""
    cases = pick(rng, [BoundCases, MomentCases])(rng)
    family.programs += 1
    until, step = time.monotonic() + seconds, 0
    while (step < least or step < most and time.monotonic() < until) and not family.failures:
        cases.case(rng, family)
        step += 1


def sample(rng):
    """A few hundred of the cases that scripts/fuzz.py runs by the ten thousand."""
    family = GuardFamily()
    for make in (BoundCases, MomentCases, MomentCases):
        cases = make(rng)
        family.programs += 1
        for _ in range(120):
            cases.case(rng, family)
    yield family


FAMILIES = {f.__name__: f for f in (sample,)}

if __name__ == "__main__":
    main(FAMILIES)
