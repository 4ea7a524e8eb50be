# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""Certificates by the million: every head of a call is a trial, a row problem with its own query, keys, values and key
weights, whose error in float64 must be within what was certified."""

import dataclasses
import math
import time

import numpy as np
import oracle
from certificate import Certified, NothingApproximated, direction, relative_error
from guard import same
from harness import Family, Shape, main, widen

#: Largest dimension at which a degree's rank keeps a call short.
MOST_DIM = {1: 64, 2: 64, 3: 16, 4: 9, 5: 6}
#: Relative rounding of one entry, doubled: by so much inputs keep away from the bound.
SHORTER = {"f32": 0.0, "f16": 2.0**-10, "bf16": 2.0**-7}
PREFIX_KEYS = 512  # the fewest keys of a row that moments are certified for under a mask


def attention_rows(q, k, v, w, scale, admitted, kernel=None):
    """Attention in float64 with exp or a polynomial, one head after the other: q [H, n, d], k [H, m, d], v [H, m, e],
    w [H, m], admitted [n, m]."""
    scores = scale * np.matmul(q, np.swapaxes(k, 1, 2))
    counted = admitted & (w != 0)[:, None, :]
    if kernel is None:
        top = np.where(counted, scores, -np.inf).max(axis=-1, keepdims=True)
        p = np.exp(np.where(counted, scores - np.where(np.isfinite(top), top, 0.0), 0.0))
    else:
        p = np.polynomial.polynomial.polyval(scores, kernel)
    p = np.where(counted, p, 0.0) * w[:, None, :]
    total = p.sum(axis=-1, keepdims=True)
    return np.matmul(p, v) / np.where(total == 0, 1.0, total)


def centred(k, w):
    return k - (w[..., None] * k).sum(axis=1, keepdims=True) / w.sum(axis=1)[:, None, None]


@dataclasses.dataclass
class Problem:
    """What a program is asked to certify, and how large its calls are."""

    shape: Shape
    n: int
    m: int
    bound: float
    rtol: float
    mask: tuple
    scale: float
    second_moment: float = 0.0  # 0: the bound alone


def pick(rng, choices):
    return choices[int(rng.integers(len(choices)))]


def bound_for(degree, error):
    """About the score bound at which a polynomial of this degree has this relative error: Chebyshev's estimate."""
    return (math.factorial(degree + 1) * 2**degree * error) ** (1 / (degree + 1))


def draw_size(rng, degree):
    """Dimension and number of heads: small dimensions are as likely as large ones, and larger ranks have fewer heads."""
    d = int(round(MOST_DIM[degree] ** rng.random()))
    rank = math.comb(d + degree, degree)
    return d, 1024 if rank < 40 else 512 if rank < 200 else 128


def draw_problem(rng):
    """A problem for the bound alone."""
    degree = int(rng.integers(1, 6))
    dtype = pick(rng, ["f32"] * 4 + ["f16", "bf16"])
    error = 10 ** rng.uniform({"f32": -3, "f16": -2.5, "bf16": -2}[dtype], -1.2)
    d, heads = draw_size(rng, degree)
    shape = Shape(d, pick(rng, [1, 1, 3]), (heads,), heads, dtype)
    mask = pick(rng, [("full", ()), ("full", ()), ("causal", ()), ("block_causal", (("scales", (1, 2, 3, 5)),)),
                      ("sliding_window", (("left", int(rng.integers(1, 5))), ("right", int(rng.integers(0, 3)))))])
    m = int(rng.integers(2, 12))
    # The second row of any mask here sees two keys: of one alone every kernel makes the same.
    n = 1 if mask[0] == "full" else int(rng.integers(2, m + 1))
    rtol = 1.2 * error + {"f32": 2e-4, "f16": 2e-3, "bf16": 6e-3}[dtype]
    return Problem(shape, n, m, bound_for(degree, error), rtol, mask, float(rng.choice([-1, 1]) * rng.uniform(0.05, 1)))


def draw_moment_problem(rng):
    """A problem whose tolerance the bound alone would not meet at the degree that second moments allow."""
    degree = int(rng.integers(1, 4))
    bound = float(rng.uniform(0.3, {1: 0.9, 2: 1.3, 3: 1.6}[degree]))
    second = bound**2 * float(10 ** rng.uniform(-2.5, -0.7))
    # What P leaves of e^x is about x^2/2, x^3/6 or x^4/24 at most.
    error = 2 * second * bound ** (degree - 1) / math.factorial(degree + 1)
    d, heads = draw_size(rng, degree)
    mask, n, m = ("full", ()), 1, int(rng.integers(2, 12))
    if rng.random() < 0.25:
        # Rows that see fewer keys are computed exactly: the first row here sees just enough.
        n, m, heads = 3, PREFIX_KEYS + 2, 64
        mask = pick(rng, [("causal", (("align", "end"),)), ("prefix", (("length", PREFIX_KEYS),)),
                         ("block_causal", (("scales", (PREFIX_KEYS, 2)),))])
    masked = mask[0] != "full"
    shape = Shape(d, 1, (heads,), heads, n=n if masked else None, m=m if masked else None)
    return Problem(shape, n, m, bound, 1.4 * error + 1e-3, mask, float(rng.choice([-1, 1]) * rng.uniform(0.05, 1)), second)


class Trials:
    """One program, its oracle and the inputs that it is tried on."""

    def __init__(self, rng, problem):
        self.rng, self.problem, self.shape = rng, problem, problem.shape
        moments = (problem.bound, problem.second_moment) if problem.second_moment else None
        self.c = Certified(problem.shape, problem.bound, problem.rtol, problem.mask, problem.scale, weighted=True,
                           max_keys=max(64, 2 * problem.m), moments=moments)
        self.by_moments = self.c.second_moment is not None
        self.admitted = oracle.mask_matrix((problem.mask[0], dict(problem.mask[1])), problem.n, problem.m)
        self.elite = None

    def features(self):
        """What trials are counted by."""
        certificate = "moments" if self.by_moments else "bound"
        d = self.shape.d
        return [f"{certificate}, degree {self.c.degree}", f"{certificate}, {self.problem.mask[0]}", self.shape.dtype,
                "d = 1" if d == 1 else "d = 2 to 8" if d <= 8 else "d = 9 to 64"]

    # Scores, logarithms of weights and values of each head: what inputs are made of.

    def fresh(self):
        """From random and adversarial distributions, another one for each call."""
        rng, m, bound = self.rng, self.problem.m, self.problem.bound
        size = (self.shape.batch[0], m)
        make = pick(rng, [self.uniform, self.gaussian, self.clusters, self.outlier, self.few_points, self.extremal])
        x, mass = make(size)
        sign = rng.choice([-1.0, 1.0], (*size, self.shape.e))
        if rng.random() < 0.5:  # values go with scores
            sign[..., 0] = np.where(x >= np.median(x, axis=-1, keepdims=True), 1.0, -1.0)
        if rng.random() < 0.2:
            sign *= rng.random(sign.shape)
        return make.__name__, (np.clip(x, -bound, bound), mass, sign)

    def masses(self, size):
        return self.rng.uniform(-pick(self.rng, [0.0, 1.0, 4.0]), 0, size)

    def uniform(self, size):
        return self.rng.uniform(-1, 1, size) * self.problem.bound, self.masses(size)

    def gaussian(self, size):
        return self.rng.standard_normal(size) * self.problem.bound * self.rng.uniform(0.05, 1), self.masses(size)

    def clusters(self, size):
        return self.rng.choice([-1.0, 1.0], size) * self.problem.bound, self.masses(size)

    def outlier(self, size):
        """One key at the bound, of little or much weight, and the others close to 0."""
        x, mass = 0.02 * self.problem.bound * self.rng.standard_normal(size), self.masses(size)
        x[:, self.rng.integers(size[1])] = pick(self.rng, [-1, 1]) * self.problem.bound
        mass[:, 0] += self.rng.uniform(-3, 3, size[0])
        return x, mass

    def few_points(self, size):
        """Two or three scores a head. For moments: mean 0 and the second moment that is allowed, exactly."""
        bound, heads = self.problem.bound, size[0]
        if not self.by_moments:
            points = self.rng.uniform(-bound, bound, (heads, 3))
            return np.take_along_axis(points, self.rng.integers(pick(self.rng, [2, 3]), size=size), 1), self.masses(size)
        second = min(self.c.second_moment, bound**2) * 0.99
        if self.problem.mask[0] != "full":
            return self.few_far(size, second)
        far = bound * self.rng.uniform(math.sqrt(second) / bound, 1, (heads, 1)) * self.rng.choice([-1.0, 1.0], (heads, 1))
        near, which = -second / far, np.arange(size[1]) % 2 == 0
        counts = np.where(which, which.sum(), size[1] - which.sum())
        weight = np.where(which, np.abs(near), np.abs(far)) / counts
        return np.where(which, far, near), np.log(weight / weight.max(axis=-1, keepdims=True))

    def few_far(self, size, second):
        """The same of equal weights: of many keys, which all rows see, some lie far off."""
        share = (1 + (self.rng.random((size[0], 1)) * size[1] / 2).astype(int)) / size[1]
        far = np.minimum(np.sqrt(second * (1 - share) / share), self.problem.bound)
        which = np.arange(size[1]) < share * size[1] - 0.5
        scores = np.where(which, far, -far * share / (1 - share)) * self.rng.choice([-1.0, 1.0], (size[0], 1))
        return scores, np.zeros(size)

    def extremal(self, size):
        """Scores where the polynomial's relative error is largest on either side, with mass near the worst one."""
        x = np.linspace(-self.problem.bound, self.problem.bound, 4001)
        error = relative_error(self.c, x)
        up = self.rng.random(size) < 0.5
        scores = np.where(up, x[error.argmax()], x[error.argmin()])
        return scores, np.maximum(-scores + 0.1 * self.rng.standard_normal(size), -9)

    def climbed(self, step):
        """The worst heads so far, changed a little."""
        rng = self.rng
        (x, mass, sign), _ = self.elite
        size = 0.5 * 0.9 ** (step % 40)
        x = np.clip(x + size * self.problem.bound * rng.standard_normal(x.shape), -self.problem.bound, self.problem.bound)
        mass = np.clip(mass + 2 * size * rng.standard_normal(x.shape), -9, 3)
        return "climb", (x, mass, np.where(rng.random(sign.shape) < 0.2 * size, -sign, sign))

    def remember(self, scores, error):
        """Keeps the worst half of all heads seen, twice."""
        kept = [(*scores, error)] if self.elite is None else [(*scores, error), (*self.elite[0], self.elite[1])]
        joined = [np.concatenate(parts) for parts in zip(*kept)]
        heads = len(error)
        order = np.argsort(-joined[3])[:max(1, heads // 2)]
        order = np.resize(order, heads)
        self.elite = (tuple(part[order] for part in joined[:3]), joined[3][order])

    # From scores to queries and keys.

    def within_moments(self, x, mass):
        """Centred scores whose moments are allowed, in each head and each row; light keys where a mask hides some."""
        if self.problem.mask[0] != "full":
            mass = np.clip(mass, -0.5, 0)
        w = np.exp(mass)
        x = x - (w * x).sum(-1, keepdims=True) / w.sum(-1, keepdims=True)
        rows = self.admitted * w[:, None, :]
        second = ((rows * (x * x)[:, None, :]).sum(-1) / rows.sum(-1)).max(-1)[:, None]
        slack = 0.995 if self.problem.mask[0] == "full" else 0.97
        x = x * np.minimum(1, np.sqrt(slack * self.c.second_moment / np.maximum(second, 1e-30)))
        return x * np.minimum(1, 0.995 * self.problem.bound / np.maximum(np.abs(x).max(-1, keepdims=True), 1e-30)), mass

    def arrays(self, x, mass, sign):
        """Keys along one direction of each head with the scores asked for; in some calls the rest of their norm lies
        across it, or norms are as far apart as the guard allows, or all keys are moved by one vector."""
        rng, s, c, (heads, m) = self.rng, self.shape, self.c, x.shape
        if self.by_moments:
            x, mass = self.within_moments(x, mass)
        w = np.exp(mass)
        r = c.radius() * (1 - SHORTER[s.dtype])
        axis = direction(rng, (heads, 1, s.d))
        along = x / (r * abs(c.scale)) * (1 - SHORTER[s.dtype]) ** 2
        k = along[..., None] * axis
        if s.d > 1 and rng.random() < 0.5:
            k = k + self.across(axis, along, w, r)
        q = np.sign(c.scale) * r * axis * np.ones((1, self.problem.n, 1))
        limit = min(0.5 * c.max_norm / r, {"f32": 1e6, "f16": 8.0, "bf16": 8.0}[s.dtype])
        stretch = limit ** rng.uniform(-1, 1) if limit > 1 and rng.random() < 0.3 else 1.0
        if self.by_moments and rng.random() < 0.5:
            k = k + 0.1 * r * direction(rng, (heads, 1, s.d))
        return c.program.arrays(q * stretch, k / stretch, sign, w)

    def across(self, axis, along, w, r):
        """Vectors orthogonal to the query that make keys as long as the bound lets them be."""
        other = self.rng.standard_normal((*along.shape, self.shape.d))
        other -= (other * axis).sum(-1, keepdims=True) * axis
        room = np.sqrt(np.maximum(0.99 * r * r - along * along, 0))[..., None]
        if self.by_moments:
            other -= (w[..., None] * other).sum(1, keepdims=True) / w.sum(1)[:, None, None]
            norm = np.linalg.norm(other, axis=-1, keepdims=True)
            return 0.99 * other * (room / np.maximum(norm, 1e-30)).min(axis=1, keepdims=True)
        return other * room / np.linalg.norm(other, axis=-1, keepdims=True)

    # One call.

    def call(self, family, step):
        name, scores = self.climbed(step) if self.elite and step % 2 else self.fresh()
        arrays = self.arrays(*scores)
        got, exact = self.c.program(*arrays)
        case, text = f"{self.c.name()} {self.shape.dtype} {name} n={self.problem.n} m={self.problem.m}", self.c.program.text()
        if same(got, exact, self.shape.dtype):
            # In 16 bits an error may be lost in a few results that are close to 1; such calls do not count.
            if self.shape.dtype == "f32":
                family.fail(case, "the inputs are covered, yet the exact version ran", text)
            return
        got = widen(got, self.shape.dtype)
        q, k, v = (widen(x, self.shape.dtype) for x in arrays[:3])
        w = widen(arrays[3], "f32")
        most = np.maximum(np.abs(v).max(axis=1, keepdims=True), 1e-300)
        error = np.abs(got - attention_rows(q, k, v, w, self.c.scale, self.admitted))
        family.add(case, error, self.c.output_error * most, most, text)
        # Another version, or none, would keep to the certificate, too.
        own = attention_rows(q, centred(k, w) if self.by_moments else k, v, w, self.c.scale, self.admitted, self.c.kernel)
        if not (np.abs(got - own) <= self.c.rounding_error * most).all():
            family.fail(case, "the result is not that of the certified polynomial", text)
        worst = (error / most).max(axis=(1, 2))
        self.remember(scores, worst)
        family.count(self.features(), len(worst), worst.max() / self.c.output_error)


class TrialFamily(Family):
    """Counts heads; of every kind of certificate, how many and the worst of them."""

    def __init__(self):
        super().__init__("certificate trials", "of the certificate")
        self.trials, self.programs, self.kinds = 0, 0, {}

    def count(self, features, trials, worst):
        self.trials += trials
        for feature in features:
            count, most = self.kinds.get(feature, (0, 0.0))
            self.kinds[feature] = count + trials, max(most, worst)

    def report(self):
        good = super().report()
        print(f"  {self.trials:,} certificate trials in {self.programs} programs, {len(self.failures)} violations; "
              f"worst error {self.worst:.4f} of the certificate")
        for feature, (count, worst) in sorted(self.kinds.items()):
            print(f"  {feature:<24}{count:>12,} trials, worst {worst:.4f}")
        return good and self.trials > 0


def run_program(rng, family, seconds, least=10, most=80):
    """Trials of one program that is drawn, for so long, within so many calls."""
    problem = draw_moment_problem(rng) if rng.random() < 0.4 else draw_problem(rng)
    try:
        trials = Trials(rng, problem)
    except NothingApproximated:
        return  # no certificate of that accuracy: refusing is right
    family.programs += 1
    until, step = time.monotonic() + seconds, 0
    while (step < least or step < most and time.monotonic() < until) and not family.failures:
        trials.call(family, step)
        step += 1


def reference(rng):
    """The oracle of trials is that of all other tests."""
    family = Family("the trials' oracle", "of rounding")
    for mask in [("full", {}), ("causal", {}), ("causal", {"align": "end"}), ("sliding_window", {"left": 1, "right": 0})]:
        q, k, v = rng.standard_normal((5, 4, 3)), rng.standard_normal((5, 6, 3)), rng.standard_normal((5, 6, 2))
        w = rng.random((5, 6)) * (rng.random((5, 6)) < 0.7)
        for kernel in (None, (1.0, 1.0, 0.5)):
            got = attention_rows(q, k, v, w, -0.7, oracle.mask_matrix(mask, 4, 6), kernel)
            want = oracle.attention(q, k, v, -0.7, kernel, mask, key_weights=w)
            family.add(f"{mask[0]} {kernel}", np.abs(got - want), 1e-12)
    yield family


def sample(rng):
    """A few thousand of the trials that scripts/fuzz.py runs by the million."""
    family = TrialFamily()
    for _ in range(6):
        run_program(rng, family, 0.0, 12)
    yield family


FAMILIES = {f.__name__: f for f in (reference, sample)}

if __name__ == "__main__":
    main(FAMILIES)
