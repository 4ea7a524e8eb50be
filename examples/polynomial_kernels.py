# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""The layers of docs/polynomial-kernels.md, compiled, run, and compared with their formulas in float64."""

import pathlib
import re
import sys

import numpy as np
import polyattn

GUIDE = pathlib.Path(__file__).resolve().parent.parent / "docs" / "polynomial-kernels.md"


def formula(q, k, v, kernel):
    scores = np.float64(q) @ np.swapaxes(np.float64(k), 1, 2)
    weights = np.tril(kernel(scores))
    return weights @ np.float64(v) / weights.sum(-1, keepdims=True)


def main(tokens=700):
    rng = np.random.default_rng(0)
    layers = {"based": (16, 64, lambda s: 1 + s / 4 + (s / 4)**2 / 2), "power": (32, 32, lambda s: s**2)}
    texts = re.findall(r"```mlir\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    for text, (name, (d, e, kernel)) in zip(texts, layers.items()):
        q, k, v = (rng.standard_normal((16 if name == "based" else 8, tokens, columns), np.float32) for columns in (d, d, e))
        attention = polyattn.compile(polyattn.parse(text), name, "builtin.module(attn-schedule,attn-to-llvm)")
        error = np.abs(attention(q, k, v) - formula(q, k, v, kernel)).max() / np.abs(v).max()
        decision = next(r.message for r in attention.remarks if r.category.endswith("attn-schedule"))
        print(f"{name}: {decision}; error {error:.1e} of max|value|")
        if error > 1e-4:
            sys.exit(f"polynomial_kernels.py: {name} is wrong")


if __name__ == "__main__":
    main()
