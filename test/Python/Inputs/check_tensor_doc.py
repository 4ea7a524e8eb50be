# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""Runs the programs of docs/tensor-attention.md, as they are and for few tokens, where frameworks can follow."""

import pathlib
import re
import sys

import numpy as np

import polyattn

document = pathlib.Path(sys.argv[1])
for program in re.findall(r"```python\n(.*?)```", document.read_text(), re.DOTALL):
    for tokens in ("4096", "48"):
        names = {}
        exec(compile(program.replace("4096", tokens), str(document), "exec"), names)
        said = polyattn.explain(names["function"])
        assert "raised to attn.tensor_attention" in said and "score bound 0.5 (proved)" in said, said
        assert f"{tokens} x {tokens} keys" in said and "certified error 0.005" in said, said
    expected = np.asarray(names["forward"](*names["x"]))
    values = [np.abs(np.asarray(x)).max(axis=-2, keepdims=True) for x in names["x"][3:]]
    error = np.abs(np.asarray(names["y"]) - expected) / (values[0] * values[1])
    print(f"{'torch' if 'torch' in names else 'jax'}: {error.max():.1e} of the largest product of values")
    assert 0 < error.max() < 0.006
