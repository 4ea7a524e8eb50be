# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""PyTorch's fused attention, and what every contender on PyTorch needs."""

import torch

from contenders import base


class TorchContender(base.Contender):
    version = torch.__version__

    def __init__(self, threads):
        torch.set_num_threads(threads)
        torch.set_grad_enabled(False)
        torch.inference_mode().__enter__()  # for the life of the process

    @staticmethod
    def tensors(case, *arrays):
        """[1, heads, n, d], contiguous."""
        dtype = {"f32": torch.float32, "bf16": torch.bfloat16}[case.dtype]
        return [torch.from_numpy(x)[None].to(dtype).contiguous() for x in arrays]

    @staticmethod
    def fetch(result):
        return result[0].float().numpy()


class Contender(TorchContender):
    label = "PyTorch SDPA"

    def variants(self, case, q, k, v):
        q, k, v = self.tensors(case, q, k, v)

        def run():
            return torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=case.causal, scale=case.scale)

        return {"scaled_dot_product_attention": lambda: base.Runner(run, self.fetch)}
