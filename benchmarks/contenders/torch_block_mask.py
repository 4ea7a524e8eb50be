# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""PyTorch's fused attention with the boolean mask of next-scale attention, or with one of 0 and -inf, as VAR has it."""

import torch

from contenders import base
from contenders.torch_sdpa import TorchContender


class Contender(TorchContender):
    label = "SDPA, block mask"

    def variants(self, case, q, k, v):
        arguments = self.tensors(case, q, k, v)
        level = torch.repeat_interleave(torch.arange(len(case.scales)), torch.tensor(case.scales))
        seen = level[:, None] >= level[None, :]
        added = torch.where(seen, 0.0, -torch.inf).to(arguments[0].dtype)

        def build(mask):
            def run():
                return torch.nn.functional.scaled_dot_product_attention(*arguments, attn_mask=mask, scale=case.scale)
            return base.Runner(run, self.fetch)

        return {"boolean": lambda: build(seen), "additive": lambda: build(added)}
