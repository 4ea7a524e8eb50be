# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""Writes the inputs of @several to a folder; with "check", compares what polyattn-run left there."""

import os
import sys

import numpy as np

folder = sys.argv[1]
inputs = {"a": np.array([1.5, -2], np.float32), "b": np.array([5, -7, 9], np.int8),
          "s": np.array(-70000, np.int32), "h": np.array(0.25, np.float16)}
if len(sys.argv) == 2:
    os.makedirs(folder, exist_ok=True)
    for name, array in inputs.items():
        np.save(os.path.join(folder, name), array)
else:
    doubled = 2 * inputs["a"]
    expected = [doubled, inputs["b"][1], doubled, inputs["h"], inputs["b"], inputs["s"]]
    for index, want in enumerate(expected):
        got = np.load(os.path.join(folder, f"r{index}.npy"))
        assert got.dtype == want.dtype and got.shape == want.shape and (got == want).all(), (index, got, want)
