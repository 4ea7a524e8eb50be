# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""Runs every program of docs/frontends.md with the names that it supposes."""

import os
import pathlib
import re
import sys

import numpy as np
import torch

import polyattn

from torch_models import Block, make

document, folder = map(pathlib.Path, sys.argv[1:])
text = document.read_text()
folder.mkdir(parents=True, exist_ok=True)
os.chdir(folder)
model = make(Block)
x, mask = torch.randn(2, 24, 32), torch.ones(24, 24, dtype=torch.bool).tril()
with torch.no_grad():
    attended = model(x, mask).numpy()
values = np.random.rand(3).astype("f4")
weights = np.random.rand(3, 3).astype("f4")
pathlib.Path("model.mlir").write_text("func.func @main(%x: tensor<3xf32>) -> tensor<3xf32> {\n"
                                      "  %0 = arith.addf %x, %x : tensor<3xf32>\n  return %0 : tensor<3xf32>\n}")

# Names for each program in turn, and its y.
programs = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
cases = [({"model": model, "x": x, "mask": mask}, attended), ({"model": model, "x": x, "mask": mask, "torch": torch}, attended),
         ({"forward": lambda p, x: x @ p, "parameters": weights, "x": values}, values @ weights),
         ({"x": values}, 2 * values)]
assert len(programs) == len(cases)
for program, (names, expected) in zip(programs, cases):
    exec(compile(program, str(document), "exec"), names)
    assert np.abs(np.asarray(names["y"]) - expected).max() < 2e-6, program
    assert "report" not in names or names["report"].compiled
assert polyattn.explain(names["function"]) == "no attention was found"
attention = polyattn.compile("func.func @main(%q: tensor<1x8x4xf32>) -> tensor<1x8x4xf32> {\n  %o = attn.attention %q, %q, %q "
                             "scale 1.0 : tensor<1x8x4xf32>, tensor<1x8x4xf32>, tensor<1x8x4xf32> -> tensor<1x8x4xf32>\n"
                             "  return %o : tensor<1x8x4xf32>\n}")
assert "polyattn:attn-approximate:" in polyattn.explain(attention)
(line,) = [line for line in polyattn.explain(attention).splitlines() if "attn-approximate" in line]
attention.remarks *= 3
assert line + " (3 times)" in polyattn.explain(attention).splitlines()
print("ok")
