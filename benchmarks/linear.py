# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""Is evaluation through a state linear in the length, in time and in memory?"""

import footprint
import timing
from cases import Case
from contenders.polyattn import compile_case, decision

SHORT, LONG = 16384, 65536
LINE = "{:<66}{:>10}{:>12}{:>12}"

CASES = [
    Case(1, SHORT, kind="degree 1"), Case(1, SHORT, causal=True, kind="degree 1"),
    Case(1, SHORT, 32, kind="degree 2"), Case(1, SHORT, kind="degree 2"), Case(1, SHORT, causal=True, kind="degree 2"),
]


def at(case, n):
    return Case(case.heads, n, case.d, case.dtype, case.causal, kind=case.kind)


def measure(case, threads):
    runs = {}
    for n in (SHORT, LONG):
        inputs, executable = at(case, n).inputs(), compile_case(at(case, n), threads)
        if decision(executable).kind != "passed":
            raise SystemExit(f"bench: {at(case, n).name} was not rewritten: {decision(executable).message}")
        runs[n] = lambda executable=executable, inputs=inputs: executable(*inputs)
    times = timing.interleaved(runs, rounds=5)
    return {"case": case.name, "seconds": times, "time_ratio": timing.median_ratio(times[LONG], times[SHORT]),
            "peak_mib": {n: footprint.peak_mib_of_process(at(case, n), threads) for n in (SHORT, LONG)}}


def run(threads):
    print(f"From {SHORT} to {LONG} tokens, 4 times as many; memory is that of a call beyond inputs and output.")
    print(LINE.format("case", "time x", f"MiB, {SHORT}", f"MiB, {LONG}"))
    records = []
    for case in CASES:
        records.append(measure(case, threads))
        r = records[-1]
        memory = (f"{mib:.1f}" for mib in r["peak_mib"].values())
        print(LINE.format(r["case"], f"{r['time_ratio']:.2f}", *memory), flush=True)
    return records
