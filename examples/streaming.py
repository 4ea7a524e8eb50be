# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""Decodes a long stream token by token, in memory that does not grow. Usage: streaming.py [TOKENS [HEADS [HEAD_DIM]]]

A prompt goes in at once, then one token after another; a few outputs are compared with attention over the whole
stream in float64."""

import resource
import sys
import time

import numpy as np
import polyattn

KERNEL, PROMPT = (1.0, 1.0, 0.5), 1000


def tokens_of(rng, heads, n, d):
    """Queries, keys and values; keys of one direction, so that attention has something to find."""
    q, k, v = (rng.standard_normal((heads, n, d), dtype=np.float32) for _ in range(3))
    return 0.5 * q, 0.5 * k + 0.3, v


def exact(q, keys, values, scale):
    """One query of one head over all keys up to its own, in float64."""
    weights = np.polynomial.polynomial.polyval(scale * (np.float64(keys) @ np.float64(q)), KERNEL)
    return weights @ np.float64(values) / weights.sum()


def main(tokens=100_000, heads=2, d=32):
    stream = polyattn.Stream(heads, d, KERNEL, state_dtype="f64", threads=1)
    rng, history = np.random.default_rng(0), []
    checked = sorted({t for t in (0, 9, PROMPT - 1, PROMPT, 9_999, 99_999, tokens - 1) if t < tokens})
    q, k, v = tokens_of(rng, heads, min(PROMPT, tokens), d)
    outputs = stream(q, k, v)
    history.append((k[0], v[0]))
    found = {t: (q[0, t], outputs[0, t]) for t in checked if t < q.shape[1]}
    print(f"state: {sum(s.nbytes for s in stream.states) / 2**20:.2f} MiB for {heads} heads of dimension {d}")
    print(f"{'tokens':>9} {'us/token':>9} {'peak MiB':>9}")
    done, seconds, report = q.shape[1], 0.0, 10 * PROMPT
    while done < tokens:
        count = min(1000, tokens - done)
        q, k, v = tokens_of(rng, heads, count, d)
        start = time.perf_counter()
        for i in range(count):
            o = stream(q[:, i:i + 1], k[:, i:i + 1], v[:, i:i + 1])
            if done + i in checked:
                found[done + i] = (q[0, i], o[0, 0])
        seconds += time.perf_counter() - start
        # For the comparison alone: the stream itself keeps none of them.
        history.append((k[0], v[0]))
        done += count
        if done >= min(report, tokens):
            kept = sum(a.nbytes + b.nbytes for a, b in history) / 2**20
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 - kept
            print(f"{done:>9} {1e6 * seconds / (done - PROMPT):>9.1f} {peak:>9.0f}", flush=True)
            report *= 10
    keys, values = (np.concatenate(part) for part in zip(*history))
    worst = max(np.abs(o - exact(q, keys[:t + 1], values[:t + 1], d**-0.5)).max() for t, (q, o) in found.items())
    print(f"at tokens {', '.join(f'{t + 1:,}' for t in found)}: error {worst:.1e}")
    if not worst < 1e-5:
        sys.exit("streaming.py: the stream is not what attention over all of it is")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
