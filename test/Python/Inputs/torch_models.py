# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""Small models with attention as people write it."""

import torch
import torch.nn.functional as F


class Block(torch.nn.Module):
    """A transformer's block: normalised input, attention by scaled_dot_product_attention, a residual."""

    def __init__(self, width=32, heads=4, kv_heads=None, causal=True):
        super().__init__()
        self.heads, self.kv_heads, self.causal = heads, kv_heads or heads, causal
        self.size = width // heads
        self.norm = torch.nn.LayerNorm(width)
        self.q = torch.nn.Linear(width, width)
        self.kv = torch.nn.Linear(width, 2 * self.kv_heads * self.size)
        self.out = torch.nn.Linear(width, width)

    def forward(self, x, mask=None):
        batch, length, width = x.shape
        h = self.norm(x)
        q = self.q(h).view(batch, length, self.heads, self.size).transpose(1, 2)
        k, v = self.kv(h).view(batch, length, 2, self.kv_heads, self.size).permute(2, 0, 3, 1, 4)
        o = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=self.causal and mask is None,
                                           enable_gqa=self.kv_heads != self.heads)
        return x + self.out(o.transpose(1, 2).reshape(batch, length, width))


class Tokens(torch.nn.Module):
    """Looks tokens up, with positions in a buffer that is not saved; takes and returns several things."""

    def __init__(self):
        super().__init__()
        self.table = torch.nn.Embedding(50, 16)
        self.register_buffer("positions", torch.randn(64, 16), persistent=False)

    def forward(self, ids, keep, scale=2.0, *, shift=None):
        x = self.table(ids) * scale + self.positions[:ids.shape[1]]
        if shift is not None:
            x = x + shift
        x = x.masked_fill(~keep[..., None], 0)
        return {"x": x, "kept": (keep.sum(1), keep & (ids > 3))}


def make(factory, *arguments, dtype=torch.float32, **options):
    torch.manual_seed(0)
    return factory(*arguments, **options).eval().to(dtype)
