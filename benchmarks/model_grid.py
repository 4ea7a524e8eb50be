# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""Is the cost model right? Polynomial attention with either evaluation order forced, beside what attn-schedule picks.

The grid is laid around each configuration's predicted crossover, where a decision is hardest, and reaches far from it.
"""

import dataclasses
import itertools
import statistics

import polyattn

import inputs
import timing

#: exp's Taylor polynomial. Positive on the inputs' scores, as a kernel must be.
COEFFICIENTS = (1.0, 1.0, 1 / 2, 1 / 6)
BOUND = 0.5

#: Lengths relative to the predicted crossover.
FACTORS = (0.2, 0.5, 0.7, 0.85, 1.0, 1.2, 1.5, 2.0, 4.0)
DTYPES, HEADS = ("f32", "bf16"), (4, 1, 12)

LINE = "{:>4}{:>7}  {:<7}{:>6} {:<5}{:>5}{:>8}{:>11}{:>11}{:>10}{:>10}  {:<7}{:>5}"

#: Multiplications that one call of a point may take, so that all of them take minutes.
MOST_WORK = 2e10


@dataclasses.dataclass(frozen=True)
class Point:
    n: int
    d: int
    degree: int
    causal: bool
    dtype: str
    heads: int
    threads: int

    def text(self, evaluate="", n=None):
        """With `evaluate` forced, or free."""
        tensor = f"tensor<{self.heads}x{n or self.n}x{self.d}x{self.dtype}>"
        kernel = ", ".join(f"{c:.17e}" for c in COEFFICIENTS[:self.degree + 1])
        return (f"func.func @main(%q: {tensor}, %k: {tensor}, %v: {tensor}) -> {tensor} {{\n"
                f"  %o = attn.attention %q, %k, %v scale {self.d ** -0.5!r} kernel poly<[{kernel}]>"
                f"{' mask causal' if self.causal else ''}{f' evaluate {evaluate}' if evaluate else ''}\n"
                f"     : {tensor}, {tensor}, {tensor} -> {tensor}\n  return %o : {tensor}\n}}\n")

    def schedule(self, n=None):
        """attn-schedule's remark for this length, or for '?'."""
        remarks = polyattn.parse(self.text(n=n)).run("attn-schedule")
        return next(r for r in remarks if "State" in r.name or "Direct" in r.name)

    @property
    def work(self):
        return self.heads * self.n**2 * self.d * (1 if self.causal else 2)


def grid(threads):
    """Points of every configuration at every factor; types, threads and heads change from point to point."""
    changing = list(itertools.product(DTYPES, sorted({1, threads}, reverse=True), HEADS))
    configurations = itertools.product((16, 32, 64, 128), (1, 2, 3), (False, True))
    for i, (d, degree, causal) in enumerate(configurations):
        crossover = Point(0, d, degree, causal, "f32", 4, threads).schedule("?").args.get("FromLength")
        for j, factor in enumerate(FACTORS if crossover else ()):
            dtype, used, heads = changing[(5 * i + j) % len(changing)]  # in time every factor meets all of them
            point = Point(round(factor * float(crossover)), d, degree, causal, dtype, heads, used)
            if point.work > MOST_WORK:
                point = dataclasses.replace(point, heads=1)
            if point.work <= MOST_WORK:
                yield point


def arguments(point):
    arrays = inputs.bounded_inputs(point.heads, point.n, point.d, BOUND)
    return [inputs.to_bf16_bits(x) for x in arrays] if point.dtype == "bf16" else arrays


def measure(point):
    """A record with times, predictions, and the loss: how many times as long as the faster one the picked one takes."""
    arrays = arguments(point)

    def compiled(evaluate):
        executable = polyattn.compile(point.text(evaluate), "main", "attn-schedule,attn-to-llvm", threads=point.threads)
        return lambda: executable(*arrays)

    runs = {evaluate: compiled(evaluate) for evaluate in ("direct", "state")}
    slow = timing.seconds_per_call(runs["direct"]) > 0.1
    times = timing.interleaved(runs, rounds=3 if slow else 7, least_seconds=0.02)
    remark = point.schedule()
    picked, other = ("state", "direct") if "State" in remark.name else ("direct", "state")
    return {**dataclasses.asdict(point), "seconds": times, "picked": picked,
            "loss": max(1.0, timing.median_ratio(times[picked], times[other])),
            "advantage": timing.median_ratio(times["direct"], times["state"]),
            "cycles": {"direct": float(remark.args["DirectCycles"]), "state": float(remark.args["StateCycles"])}}


def run(threads, write):
    """All points, with a line for each; `write` keeps what there is so far."""
    points = list(grid(threads))
    records = []
    print(f"{len(points)} points; advantage is the time of direct evaluation over that of the state")
    print(LINE.format("d", "degree", "mask", "n", "type", "heads", "threads", "direct ms", "state ms", "advantage",
                      "predicted", "picked", "loss"))
    for point in points:
        records.append(measure(point))
        print_point(records[-1])
        write(records)
    print_summary(records)
    return records


def predicted(record):
    return record["cycles"]["direct"] / record["cycles"]["state"]


def print_point(r):
    direct, state = (f"{1e3 * statistics.median(r['seconds'][name]):.3f}" for name in ("direct", "state"))
    mask = "causal" if r["causal"] else "full"
    ratios = (f"{x:.2f}" for x in (r["advantage"], predicted(r)))
    print(LINE.format(r["d"], r["degree"], mask, r["n"], r["dtype"], r["heads"], r["threads"], direct, state, *ratios,
                      r["picked"], f"{r['loss']:.2f}"), flush=True)


def print_summary(records):
    losses = [r["loss"] for r in records]
    near = sum(loss <= 1.1 for loss in losses)
    print(f"\nThe picked order takes at most 1.1 times as long as the faster one in {near} of {len(records)} points "
          f"({100 * near / len(records):.0f}%); at worst {max(losses):.2f} times.")
    print("Bias is the median of measured / predicted advantage: above 1, the state is better than predicted.")
    for key in ("degree", "causal", "dtype", "threads", "heads", "d"):
        for value in sorted({r[key] for r in records}):
            chosen = [r for r in records if r[key] == value]
            share = 100 * sum(r["loss"] <= 1.1 for r in chosen) / len(chosen)
            worst = max(r["loss"] for r in chosen)
            bias = statistics.median(r["advantage"] / predicted(r) for r in chosen)
            print(f"  {key + ' ' + str(value):<14}{share:4.0f}% of {len(chosen):<4} worst {worst:.2f}  bias {bias:.2f}")
