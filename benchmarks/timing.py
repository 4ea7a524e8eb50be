# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""Times that can be compared although the machine's speed changes: contenders take turns in rounds."""

import os
import statistics
import time

#: All cores that this process may use.
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def seconds_per_call(run):
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def median_call(run, calls):
    """Seconds of the median call: what else the machine does hits some calls, not most."""
    return statistics.median(seconds_per_call(run) for _ in range(calls))


def warm_seconds(run):
    """Seconds of a warm call; a long one is taken as it comes."""
    seconds = seconds_per_call(run)
    return seconds if seconds > 0.5 else min(seconds_per_call(run) for _ in range(3))


def interleaved(contenders, rounds, least_seconds=0.1):
    """Seconds per call of each named function of this process, one list entry per round.

    Each round runs all of them one after another, so that what else the machine does meets all alike; short ones are
    repeated within a round.
    """
    calls = {name: max(1, int(least_seconds / warm_seconds(run))) for name, run in contenders.items()}
    times = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, run in contenders.items():
            times[name].append(median_call(run, calls[name]))
            time.sleep(0.02)
    return times


def median_ratio(numerator, denominator):
    """Median over rounds of the ratio within each round."""
    return statistics.median(a / b for a, b in zip(numerator, denominator))
