# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""Rows without any key: 0, or NaN with nan_rows, from every evaluation order and lowering; all other rows alike."""

import itertools

import numpy as np

import polyattn

M, D, E = 37, 8, 5
PIPELINES = {"vector": "attn-to-llvm", "reference": "attn-lower-to-reference,attn-to-llvm"}
KERNELS = {"exp": "", "direct": "kernel poly<[1.0, 1.0, 0.5]> evaluate direct",
           "state": "kernel poly<[1.0, 1.0, 0.5]> evaluate state",
           "linear": "kernel poly<[1.0, 1.0]> evaluate state"}


def function(name, n, kernel, hides, flag):
    types = [f"tensor<2x{n}x{D}xf32>", f"tensor<2x{M}x{D}xf32>", f"tensor<2x{M}x{E}xf32>"]
    hidden = {"bias": f"tensor<2x{n}x{M}xf32>", "key_weights": f"tensor<2x{M}xf32>"}[hides]
    evaluate = kernel.split(" evaluate ")
    rest = (f"scale 0.3 {evaluate[0]} " + (f"evaluate {evaluate[1]} " if len(evaluate) > 1 else "") + flag)
    result = f"tensor<2x{n}x{E}xf32>"
    return f"""func.func @{name}(%q: {types[0]}, %k: {types[1]}, %v: {types[2]}, %h: {hidden}) -> {result} {{
  %o = attn.attention %q, %k, %v {hides}(%h : {hidden}) {rest} : {", ".join(types)} -> {result}
  return %o : {result}
}}"""


def main():
    rng = np.random.default_rng(3)
    checked = 0
    for (kernel, text), hides, n in itertools.product(KERNELS.items(), ("bias", "key_weights"), (1, 3, 40)):
        if hides == "bias" and kernel != "exp":
            continue
        q, k, v = (0.3 * rng.standard_normal(s).astype(np.float32) for s in ((2, n, D), (2, M, D), (2, M, E)))
        if hides == "bias":
            hidden = np.zeros((2, n, M), np.float32)
            hidden[1, n // 2] = -np.inf
            rows = np.zeros((2, n), bool)
            rows[1, n // 2] = True
        else:
            hidden = np.ones((2, M), np.float32)
            hidden[1] = 0
            rows = np.broadcast_to(np.array([[False], [True]]), (2, n))
        for lowering, pipeline in PIPELINES.items():
            results = [polyattn.compile(function("main", n, text, hides, flag), pipeline=pipeline)(q, k, v, hidden)
                       for flag in ("", "nan_rows")]
            where = (kernel, hides, n, lowering)
            assert np.array_equal(results[0][~rows], results[1][~rows]), where
            assert np.isfinite(results[0]).all() and (results[0][rows] == 0).all(), where
            assert np.isnan(results[1][rows]).all(), where
            checked += 1
    print("checked", checked)


main()
