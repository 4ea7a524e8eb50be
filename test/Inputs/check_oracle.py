# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""Checks oracle.py: against a triple loop, across block borders, and against PyTorch where there is one."""

import itertools
import math

import numpy as np
import oracle


def level(position, scales):
    """Of a token, counted out; -1 before the first one, the last one has no end."""
    ids = [s for s, tokens in enumerate(scales) for _ in range(tokens)]
    return -1 if position < 0 else ids[position] if position < len(ids) else len(scales) - 1


def admits(mask, i, j, n, m):
    name, options = mask
    position = i + (m - n if options.get("align") == "end" else 0)
    return {
        "full": lambda: True,
        "causal": lambda: j <= position,
        "sliding_window": lambda: position - options["left"] <= j <= position + options["right"],
        "prefix": lambda: j <= position or j < options["length"],
        "block_causal": lambda: level(position, options["scales"]) >= level(j, options["scales"]),
    }[name]()


def one_row(q, k, v, scale, kernel, mask, bias, weights, h, i):
    """Output row i of query head h, as the definition reads."""
    n, m, kv = q.shape[1], k.shape[1], h // (q.shape[0] // k.shape[0])
    top, bottom = np.zeros(v.shape[2]), 0.0
    for j in range(m):
        if not admits(mask, i, j, n, m) or weights[kv, j] == 0:
            continue
        score = scale * sum(a * b for a, b in zip(q[h, i], k[kv, j])) + bias[h, i, j]
        weight = math.exp(score) if kernel is None else sum(c * score**t for t, c in enumerate(kernel))
        top += weight * weights[kv, j] * v[kv, j]
        bottom += weight * weights[kv, j]
    return top / bottom if bottom else top * 0


def check_definition(rng):
    masks = [("full", {})] + [(name, {**options, "align": align}) for align in ("start", "end") for name, options in
                              (("causal", {}), ("sliding_window", {"left": 1, "right": 2}), ("prefix", {"length": 3}),
                               ("block_causal", {"scales": (1, 2, 2)}), ("block_causal", {"scales": (2, 3, 4)}))]
    for mask, kernel, (n, m) in itertools.product(masks, (None, [1.0, 0.5, 0.25]), ((4, 6), (6, 4))):
        q, k, v = rng.standard_normal((4, n, 3)), rng.standard_normal((2, m, 3)), rng.standard_normal((2, m, 2))
        bias, weights = rng.standard_normal((4, n, m)), rng.random((2, m)) * (rng.random((2, m)) < 0.7)
        found = oracle.attention(q, k, v, 0.7, kernel, mask, bias, weights)
        expected = [[one_row(q, k, v, 0.7, kernel, mask, bias, weights, h, i) for i in range(n)] for h in range(4)]
        np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-11)


def check_blocks(rng):
    """Many small blocks and one large give the same."""
    q, k, v = rng.standard_normal((3, 50, 8)), rng.standard_normal((3, 70, 8)), rng.standard_normal((3, 70, 5))
    whole = oracle.attention(q, k, v, 0.3, mask=("causal", {"align": "end"}))
    size, oracle.BLOCK_ENTRIES = oracle.BLOCK_ENTRIES, 7 * 70
    np.testing.assert_allclose(oracle.attention(q, k, v, 0.3, mask=("causal", {"align": "end"})), whole, rtol=1e-12)
    oracle.BLOCK_ENTRIES = size


def check_torch(rng):
    try:
        import torch
    except ImportError:
        return
    arrays = [rng.standard_normal(s) for s in ((2, 4, 9, 8), (2, 2, 9, 8), (2, 2, 9, 8))]
    bias = rng.standard_normal((1, 4, 9, 9))
    q, k, v, b = (torch.from_numpy(x) for x in (*arrays, bias))
    sdpa = torch.nn.functional.scaled_dot_product_attention
    np.testing.assert_allclose(oracle.attention(*arrays, 0.2, mask="causal"),
                               sdpa(q, k, v, is_causal=True, scale=0.2, enable_gqa=True), rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(oracle.attention(*arrays, 0.2, bias=bias),
                               sdpa(q, k, v, attn_mask=b, scale=0.2, enable_gqa=True), rtol=1e-12, atol=1e-13)


for check in (check_definition, check_blocks, check_torch):
    check(np.random.default_rng(4))
