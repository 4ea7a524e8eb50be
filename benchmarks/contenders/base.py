# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""What a contender is."""

from typing import Any, Callable, Dict, NamedTuple

import numpy as np

#: Whoever keeps all scores in memory may need two or three times this.
MOST_SCORE_BYTES = 1 << 31

class Unsupported(Exception):
    """The contender cannot do this case; the message says why."""


class Runner(NamedTuple):
    """A function without arguments to be timed, and its result as f32 [heads, n, d]."""

    run: Callable[[], Any]
    fetch: Callable[[Any], np.ndarray]
    #: What is worth knowing about it.
    note: str = ""
    #: Largest error that is accepted; 0 stands for that of a peer.
    tolerance: float = 0.0


class Contender:
    """One library. `variants` are its ways to compute a case; the fastest that is right stands for it."""

    label: str
    version: str

    def __init__(self, threads: int) -> None:
        """Loads the library and gives it that many threads."""
        raise NotImplementedError

    def variants(self, case, q, k, v) -> Dict[str, Callable[[], Runner]]:
        """By name; compiled only when called. Arrays are f32 [heads, n, d], exact in the case's type."""
        raise NotImplementedError


def tolerance(case):
    """Largest error of a peer, relative to max|value|: some may sum the keys one after another in f32, or round
    weights, too, to bf16."""
    return 1e-5 + 1e-9 * case.keys + (2e-2 if case.dtype == "bf16" else 0)


def needs_all_scores(case):
    if case.score_bytes > MOST_SCORE_BYTES:
        raise Unsupported(f"it would keep {case.score_bytes >> 30} GiB of scores")
