# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""torch.compile: its fused attention op, and the formula, in which it recognises attention without a mask."""

import torch

from contenders import base
from contenders.torch_sdpa import TorchContender


class Contender(TorchContender):
    label = "torch.compile"

    def variants(self, case, q, k, v):
        arguments = self.tensors(case, q, k, v)

        def sdpa(q, k, v):
            return torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=case.causal, scale=case.scale)

        def formula(q, k, v):
            return torch.softmax(q @ k.transpose(-1, -2) * case.scale, -1) @ v

        def build(function):
            torch._dynamo.reset()  # or what it compiled for other sizes counts against its limit
            compiled = torch.compile(function, mode="max-autotune", dynamic=False)
            return base.Runner(lambda: compiled(*arguments), self.fetch)

        found = {"SDPA": lambda: build(sdpa)}
        if not case.causal and case.score_bytes <= base.MOST_SCORE_BYTES:
            found["formula"] = lambda: build(formula)
        return found
