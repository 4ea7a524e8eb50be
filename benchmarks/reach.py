# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""How large may scores be? The bounds up to which the compiler, left to itself, takes low rank, by the bound alone and by
second moments; executed there, whether that version really runs and what its error is. And what the check costs."""

import numpy as np
import polyattn

import timing

TOLERANCE = 1e-2
DIM = 64
SCALE = DIM**-0.5
STEP = 0.001  # bounds are multiples of it
SAMPLE = 64  # rows that are compared with float64
RANKS = {"65": "rank 65", "2145": "rank 2,145"}
LINE = "| {:<34} | {} | {} | {} |"


# ===-- inputs: unit vectors, which are then scaled to a bound ---------------===#


def unit(x):
    return (x / np.linalg.norm(x, axis=-1, keepdims=True)).astype(np.float32)


def anywhere(rng, n):
    return [unit(rng.standard_normal((n, DIM))) for _ in range(2)]


def around_pairs(rng, n):
    """Around three directions and their opposites, queries as well as keys."""
    axes = rng.standard_normal((3, DIM))
    return [unit(axes[rng.integers(3, size=n)] * rng.choice([-1, 1], (n, 1)) + 0.1 * rng.standard_normal((n, DIM))) for _ in range(2)]


def in_subspace(dimensions):
    def make(rng, n):
        basis = rng.standard_normal((dimensions, DIM))
        return [unit(rng.standard_normal((n, dimensions)) @ np.linalg.qr(basis.T)[0].T) for _ in range(2)]
    return make


#: Keys, and whether moments are declared, as a profile would: of directions at random the compiler expects them itself.
KEYS = [("random directions", anywhere, False), ("3 opposite pairs of directions", around_pairs, True)]
KEYS += [(f"a subspace of {s} dimensions", in_subspace(s), True) for s in (4, 8, 16)]


def record(q, k):
    """Centred bound and second moment that unit vectors have at bound 1."""
    q, k = np.float64(q), np.float64(k)
    k = k - k.mean(axis=0)
    form = k.T @ k / len(k)
    return np.linalg.norm(k, axis=1).max() * np.linalg.norm(q, axis=1).max(), ((q @ form) * q).sum(axis=1).max()


# ===-- what the compiler decides --------------------------------------------===#


def attention_text(n, bound=None, moments=None):
    t = f"tensor<1x{n}x{DIM}xf32>"
    known = f", moments = <centred_bound = {moments[0] * bound:.17e}, second_moment = {moments[1] * bound**2:.17e}>" if moments else ""
    bound = f" bound <{bound!r}, declared{known}>" if bound else ""
    return (f"func.func @main(%q: {t}, %k: {t}, %v: {t}) -> {t} {{\n  %o = attn.attention %q, %k, %v scale {SCALE!r}{bound}\n"
            f"     : {t}, {t}, {t} -> {t}\n  return %o : {t}\n}}\n")


def options(by_moments):
    return f"{{rtol={TOLERANCE} moments={str(by_moments).lower()}}}"


def decided(remarks):
    """What was decided of the attention, as (rank, certified error); None if it stayed exact."""
    taken = next((r for r in remarks if r.kind == "passed" and r.name == "Approximated"), None)
    return (taken.args["Rank"], float(taken.args["OutputError"])) if taken else None


def approximated(n, bound, moments, by_moments):
    """The module after the decision, and its remarks."""
    module = polyattn.parse(attention_text(n, bound, moments))
    return module, module.run(f"builtin.module(attn-approximate{options(by_moments)})")


def decide(n, bound, moments, by_moments):
    return decided(approximated(n, bound, moments, by_moments)[1])


def checks_moments(n, bound, moments):
    """Is it moments, rather than the bound alone, that low rank is certified by?"""
    return " mean " in str(approximated(n, bound, moments, True)[0])


def reach(n, rank, moments, by_moments):
    """The largest bound at which this rank, or a lower one, is taken; 0 if there is none."""
    low, high = 0, int(4 / STEP)
    while high - low > 1:
        middle = (low + high) // 2
        found = decide(n, middle * STEP, moments, by_moments)
        low, high = (middle, high) if found and int(found[0]) <= int(rank) else (low, middle)
    found = low and decide(n, low * STEP, moments, by_moments)
    return low * STEP if found and found[0] == rank else 0


# ===-- what happens there ---------------------------------------------------===#


def exact_rows(q, k, v, rows):
    scores = SCALE * np.float64(q[rows]) @ np.float64(k).T
    weights = np.exp(scores - scores.max(axis=1, keepdims=True))
    return weights @ np.float64(v) / weights.sum(axis=1, keepdims=True)


class Execution:
    """Runs low-rank and exact attention of unit vectors that are scaled to a bound."""

    def __init__(self, q, k, rng, threads):
        self.q, self.k, self.threads = q, k, threads
        # Values that go with the keys: errors of weights do not cancel.
        self.v = (np.sign(k) + np.float32(0.1) * rng.standard_normal(k.shape).astype(np.float32))[None]
        self.rows = np.sort(rng.choice(len(q), min(SAMPLE, len(q)), replace=False))
        self.exact = self.compile(attention_text(len(q)), True)

    def compile(self, text, by_moments):
        passes = f"attn-approximate{options(by_moments)},attn-verify-certificates,attn-schedule,attn-to-llvm"
        return polyattn.compile(text, pipeline=passes, threads=self.threads)

    def at(self, bound, moments, by_moments):
        """(does the version run that was decided for, error relative to max|v|, what is certified of it)"""
        text, norm = attention_text(len(self.q), bound, moments), np.float32(np.sqrt(bound / SCALE))
        arrays = (norm * self.q)[None], (norm * self.k)[None], self.v
        run = self.compile(text, by_moments)
        got, others = run(*arrays), [self.exact(*arrays)]
        if by_moments and checks_moments(len(self.q), bound, moments):
            others.append(self.compile(text, False)(*arrays))  # where moments fail, the bound may still do
        taken = not any(np.array_equal(got, other) for other in others)
        v = self.v[0]
        error = np.abs(got[0, self.rows] - exact_rows(arrays[0][0], arrays[1][0], v, self.rows))
        return taken, float((error / np.abs(v).max(axis=0)).max()), decided(run.remarks)[1]


def measure(name, make, declared, by_moments, n, threads):
    rng = np.random.default_rng(1)
    q, k = make(rng, n)
    moments = record(q, k) if declared and by_moments else None
    execution = Execution(q, k, rng, threads)
    result = {"keys": name, "certificate": "moments" if by_moments else "bound", "reach": {}}
    for rank in RANKS:
        bound = reach(n, rank, moments, by_moments)
        result["reach"][rank] = {"bound": bound}
        if bound:
            taken, error, certified = execution.at(bound, moments, by_moments)
            result["reach"][rank] = {"bound": bound, "taken": taken, "error": error, "certified": certified}
    return result


def cell(at):
    if not at["bound"]:
        return "-"
    return f"{at['bound']:.3f}, error {at['error']:.1e}" if at["taken"] else f"{at['bound']:.3f}, turned down"


# ===-- what the check costs -------------------------------------------------===#


def check_text(heads, n, mask):
    t = f"tensor<{heads}x{n}x{DIM}xf32>"
    return (f"func.func @main(%q: {t}, %k: {t}) -> i1 {{\n  %c = attn.center_keys %k : {t}\n"
            f"  %ok = attn.check_bound %q, %c scale {SCALE!r} bound 100.0 max_norm 1.0e9 second_moment 1.0e3 mean 1.0e3 mask {mask} : {t}, {t}\n"
            "  return %ok : i1\n}\n")


def check_cost(mask, threads, heads, n):
    """Seconds of exact attention and of the check of moments, which passes, keys centred for it included."""
    rng = np.random.default_rng(0)
    q, k, v = (0.2 * rng.standard_normal((heads, n, DIM)).astype(np.float32) for _ in range(3))
    t = f"tensor<{heads}x{n}x{DIM}xf32>"
    exact = polyattn.compile(
        f"func.func @main(%q: {t}, %k: {t}, %v: {t}) -> {t} {{\n  %o = attn.attention %q, %k, %v scale {SCALE!r} mask {mask} : {t}, {t}, {t} -> {t}\n"
        f"  return %o : {t}\n}}\n", pipeline="attn-schedule,attn-to-llvm", threads=threads)
    check = polyattn.compile(check_text(heads, n, mask), pipeline="attn-to-llvm", threads=threads)
    if not check(q, k):
        raise SystemExit("bench: the check turned down what is within its limits")
    times = timing.interleaved({"check": lambda: check(q, k), "exact": lambda: exact(q, k, v)}, rounds=9)
    return {"mask": mask, "seconds": times, "share": timing.median_ratio(times["check"], times["exact"])}


def run(threads, n=16384, check_shape=(4, 4096)):
    print(f"Largest score bounds for a tolerance of {TOLERANCE}: {n} queries and keys, d = {DIM}, scale 1/8, f32. Errors: largest of")
    print(f"{min(SAMPLE, n)} rows against float64, relative to max|v|; certified are {TOLERANCE} at most.")
    print(LINE.format("keys (and queries)", "certified", *(f"{name} up to" for name in RANKS.values())))
    print(LINE.format(*["---"] * 4))
    results = [measure("random directions", anywhere, False, False, n, threads)]
    print_reach(results[-1])
    for name, make, declared in KEYS:
        results.append(measure(name, make, declared, True, n, threads))
        print_reach(results[-1])
    wrong = [r["keys"] for r in results for at in r["reach"].values() if at["bound"] and at["error"] > at["certified"]]
    costs = []
    for mask in ("full", "causal"):
        costs.append(check_cost(mask, threads, *check_shape))
        print(f"check of moments, {mask}, {check_shape[0]} x {check_shape[1]} x {DIM}: {costs[-1]['share']:.1%} of exact attention", flush=True)
    if wrong:
        raise SystemExit(f"bench: errors exceed what is certified: {wrong}")
    return {"reach": results, "check": costs}


def print_reach(result):
    by = "by moments" if result["certificate"] == "moments" else "by bound"
    print(LINE.format(result["keys"], by, *(cell(result["reach"][rank]) for rank in RANKS)), flush=True)
