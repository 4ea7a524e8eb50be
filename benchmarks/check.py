# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""Is an output right? Times of wrong results are worth nothing."""

import pathlib
import sys

import numpy as np

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "test"))

import oracle  # noqa: E402


def error(case, arrays, output):
    """Largest error of the output [heads, n, d] on some rows, against exact attention in float64, relative to
    max|value|. NaN where the output is NaN."""
    q, k, v = arrays
    if output.shape != q.shape:
        raise ValueError(f"output is {output.shape}, not {q.shape}")
    heads = sorted({0, case.heads - 1})
    rows = np.unique(np.linspace(0, case.n - 1, 6).astype(int))
    worst = 0.0
    for i in rows:
        begin, end = oracle.key_range(case.mask, i, case.n, case.keys)
        right = oracle.attention(q[heads][:, [i]], k[heads, begin:end], v[heads, begin:end], case.scale)
        worst = np.maximum(worst, np.abs(output[heads][:, [i]] - right).max())  # keeps NaN, unlike max()
    return float(worst / np.abs(v).max())
