# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""A block as PyTorch's exporter writes it, in float64 numpy: LayerNorm, projections, cosine attention, residual.

cosine_block.mlir is this module, with random weights, exported by torch.export and torch-mlir:

    class Block(nn.Module):  # heads = 2, head_dim = 16, D = 32
        def forward(self, x):
            b, t, _ = x.shape
            q, k, v = self.qkv(self.norm(x)).view(b, t, 3, heads, head_dim).permute(2, 0, 3, 1, 4)
            q = F.normalize(q, dim=-1) * torch.clamp(self.logit_scale, max=math.log(0.5)).exp()
            o = F.scaled_dot_product_attention(q, F.normalize(k, dim=-1), v, scale=1.0)
            return x + self.out(o.transpose(1, 2).reshape(b, t, D))
"""

import re

import numpy as np

import oracle

HEADS, HEAD_DIM, TOKENS = 2, 16, 16384


class Block:
    def __init__(self, text):
        blobs = dict(re.findall(r'(torch_tensor_\w+\.float32\w*): "0x04000000([0-9A-F]+)"', text))
        weight = lambda name, *shape: np.frombuffer(bytes.fromhex(blobs[f"torch_tensor_{name}"]), "<f4").reshape(shape).astype(float)
        dim = HEADS * HEAD_DIM
        self.gain, self.shift = weight("32_torch.float32", dim), weight("32_torch.float32_1", dim)
        self.qkv, self.qkv_bias = weight("96_32_torch.float32", 3 * dim, dim), weight("96_torch.float32", 3 * dim)
        self.out, self.out_bias = weight("32_32_torch.float32", dim, dim), weight("32_torch.float32_2", dim)
        self.logit_scale = weight("2_1_1_torch.float32", HEADS, 1, 1)

    def attention_inputs(self, x):
        """Query, key and value [heads, tokens, head_dim] of x [tokens, dim]."""
        x = x.astype(float)
        centred = x - x.mean(-1, keepdims=True)
        normed = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-5) * self.gain + self.shift
        q, k, v = (normed @ self.qkv.T + self.qkv_bias).reshape(len(x), 3, HEADS, HEAD_DIM).transpose(1, 2, 0, 3)
        unit = lambda a: a / np.maximum(np.linalg.norm(a, axis=-1, keepdims=True), 1e-12)
        return unit(q) * np.exp(np.minimum(self.logit_scale, np.log(0.5))), unit(k), v

    def rows(self, x, rows):
        """These rows of the block's output."""
        q, k, v = self.attention_inputs(x)
        o = oracle.attention(q[:, rows], k, v, 1.0)
        return x[rows] + o.transpose(1, 0, 2).reshape(len(rows), -1) @ self.out.T + self.out_bias

    def error_limit(self, x, attention_error):
        """What an error of attention, relative to max|value|, can do to the output, besides rounding."""
        value = np.abs(self.attention_inputs(x)[2]).max()
        return attention_error * value * np.abs(self.out).sum(1).max() + 1e-5
