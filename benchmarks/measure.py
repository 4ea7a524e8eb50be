# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""Inputs, the peer, and times that can be compared."""

import os
import statistics
import time

# Our threads sleep as soon as they have nothing to do, so that they do not take
# the cores from whoever is measured next.
os.environ.setdefault("KMP_BLOCKTIME", "0")

import numpy as np

try:
    import torch
except ImportError:
    torch = None

THREADS = 2


def bounded_inputs(heads, n, d, bound, seed=0):
    """q, k, v [heads, n, d] whose scores at scale 1/sqrt(d) fill [-bound, bound], and whose values go with the keys.

    Rows lie around a few directions and their opposites: of directions that have nothing in common all scores would be
    close to 0, and so would be the difference that a kernel makes.
    """
    random = np.random.default_rng(seed)
    directions = random.standard_normal((heads, 3, d))
    norm = np.sqrt(0.999 * bound * np.sqrt(d))
    mean_values = random.standard_normal((6, d))

    def rows():
        which = random.integers(6, size=n)
        sign = np.where(which < 3, 1, -1)[:, None]
        x = sign * directions[:, which % 3] + 0.1 * random.standard_normal((heads, n, d))
        return (norm * x / np.linalg.norm(x, axis=-1, keepdims=True)).astype(np.float32), which

    (q, _), (k, which) = rows(), rows()
    v = mean_values[which] + 0.1 * random.standard_normal((heads, n, d))
    return q, k, v.astype(np.float32)


def torch_attention(q, k, v, scale, causal=False):
    """PyTorch's attention on these arrays, as a function without arguments; None without PyTorch."""
    if torch is None:
        return None
    torch.set_num_threads(THREADS)
    q, k, v = (torch.from_numpy(x)[None].contiguous() for x in (q, k, v))

    def run():
        with torch.no_grad():
            return torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=causal, scale=scale)

    return run


def interleaved(contenders, rounds, least_seconds=0.1):
    """Seconds per call of each named function, one list entry per round.

    Each round runs all of them one after another, so that what else the machine does meets all alike; short ones are
    repeated within a round.
    """
    repeats = {name: max(1, int(least_seconds / _warm(run))) for name, run in contenders.items()}
    times = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, run in contenders.items():
            start = time.perf_counter()
            for _ in range(repeats[name]):
                run()
            times[name].append((time.perf_counter() - start) / repeats[name])
            time.sleep(0.02)
    return times


def _warm(run):
    """Seconds of a warm call; a long one is taken as it comes."""
    for _ in range(2):
        start = time.perf_counter()
        run()
        seconds = time.perf_counter() - start
        if seconds > 0.5:
            break
    return seconds


def median_ratio(numerator, denominator):
    """Median over rounds of the ratio within each round."""
    return statistics.median(a / b for a, b in zip(numerator, denominator))
