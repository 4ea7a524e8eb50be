# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""Runs every function of examples/next_scale.mlir as it is compiled by default: next-scale attention of low rank keeps to
its certificate, and to the exact result where an input exceeds the bound."""

import re
import sys

import numpy as np
import oracle
import polyattn


def unit_rows(rng, shape):
    x = rng.standard_normal(shape, np.float32)
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


def inputs(rng, heads, n, d):
    """Rows along a few directions and their opposites, so that scores fill the bound; values go with the keys."""
    directions = unit_rows(rng, (heads, 3, d))
    def rows():
        which = rng.integers(6, size=n)
        x = np.where(which < 3, 1, -1).astype(np.float32)[:, None] * directions[:, which % 3] + 0.1 * unit_rows(rng, (heads, n, d))
        return 0.999 * x / np.linalg.norm(x, axis=-1, keepdims=True), which
    (q, _), (k, which) = rows(), rows()
    return q, k, rng.uniform(-1, 1, (6, d)).astype(np.float32)[which] * np.ones((heads, 1, 1), np.float32)


def worst_error(q, k, v, scale, scales, output):
    """Relative to max|value|: at the borders of scales and between, in the first and last head."""
    ends = np.cumsum(scales)
    rows = np.unique(np.concatenate([[0], ends - 1, ends[:-1], (ends[:-1] + ends[1:]) // 2]))
    heads = [0, len(q) - 1]
    error = 0.0
    for i in rows:
        _, end = oracle.key_range(("block_causal", {"scales": scales}), i, ends[-1], ends[-1])
        want = oracle.attention(q[heads][:, [i]], k[heads, :end], v[heads, :end], scale)
        error = max(error, np.abs(output[heads][:, [i]] - want).max())
    return error / np.abs(v).max()


def check(text, name, rng):
    body = re.search(rf"func\.func @{name}\(.*?\n}}\n", text, re.S)[0]
    heads, n, d = map(int, re.search(r"tensor<(\d+)x(\d+)x(\d+)xf32>", body).groups())
    sides = re.search(r"scales = \[([^\]]*)\]", body)[1].split(", ")
    scales = tuple(int(a) * int(b) for a, b in (side.split("x") for side in sides))
    assert sum(scales) == n, f"{name}: {sum(scales)} tokens in scales, {n} in types"
    run = polyattn.compile(body, name)
    remark = next(r for r in run.remarks if r.name == "Approximated")
    certified, scale = float(remark.args["OutputError"]), float(re.search(r"scale (\S+)", body)[1])
    q, k, v = inputs(rng, heads, n, d)
    error = worst_error(q, k, v, scale, scales, run(q, k, v))
    assert 1e-5 < error <= certified, f"{name}: error {error}, certified {certified}"
    q[heads - 1, n - 1] *= 3
    error = worst_error(q, k, v, scale, scales, run(q, k, v))
    assert error < 1e-5, f"{name}: error {error} beyond the bound"
    print(f"{name}: {n} tokens, degree {remark.args['Degree']}, within what is certified; beyond the bound exact")


def main():
    text = open(sys.argv[1]).read()
    for name in re.findall(r"func\.func @(\w+)", text):
        check(text, name, np.random.default_rng(1))


main()
