# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""Full-length attention of order 3: every query weighs every pair of keys. Usage: tensor_attention.py [N ...]

Compiles for each number of tokens, runs, and compares a few rows with float64."""

import pathlib
import resource
import sys
import time

import numpy as np

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "benchmarks"))

import measure  # noqa: F401  threads that sleep when they have nothing to do
import polyattn
import tensor

DIM = 32


def main():
    print(f"{'tokens':>9} {'pairs of keys':>14} {'ms':>9} {'peak MiB':>9}  decision")
    for n in map(int, sys.argv[1:] or ("1024", "4096", "16384", "65536")):
        arrays = tensor.inputs(n, DIM)
        executable = tensor.program(n, DIM, low_rank=True)
        result = executable(*arrays)
        start = time.perf_counter()
        result = executable(*arrays)
        milliseconds = 1e3 * (time.perf_counter() - start)
        decision = next(r for r in executable.remarks if r.category.endswith("attn-approximate") and r.kind in ("passed", "missed"))
        certified = float(decision.args.get("OutputError", 1e-5))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        words = (f"degree {decision.args['Degree']}, rank {decision.args['Rank']}, certified error {certified:.2g}"
                 if decision.kind == "passed" else "exact")
        off = tensor.error(result, arrays)
        print(f"{n:>9} {n * n:>14.3g} {milliseconds:>9.4g} {peak:>9.0f}  {words}{'' if off != off else f', found {off:.1g}'}", flush=True)
        if off > certified:
            sys.exit(f"tensor_attention.py: the error {off:.3g} exceeds what was certified")


if __name__ == "__main__":
    main()
