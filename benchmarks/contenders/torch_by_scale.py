# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""Next-scale attention without a mask: PyTorch's fused attention of each scale's queries with all keys up to its end,
nothing of which is hidden. What one would write who knows the mask."""

import torch

from contenders import base
from contenders.torch_sdpa import TorchContender


class Contender(TorchContender):
    label = "SDPA by scale"

    def variants(self, case, q, k, v):
        q, k, v = self.tensors(case, q, k, v)
        ends = [sum(case.scales[:i + 1]) for i in range(len(case.scales))]
        parts = [(slice(end - tokens, end), end) for tokens, end in zip(case.scales, ends)]

        def attend(rows, end):
            return torch.nn.functional.scaled_dot_product_attention(q[:, :, rows], k[:, :, :end], v[:, :, :end], scale=case.scale)

        def in_place():
            output = torch.empty_like(q)
            for rows, end in parts:
                output[:, :, rows] = attend(rows, end)
            return output

        def run():
            return torch.cat([attend(rows, end) for rows, end in parts], 2)

        return {"concatenated": lambda: base.Runner(run, self.fetch), "in place": lambda: base.Runner(in_place, self.fetch)}
