# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""The low-rank attention that one would write in PyTorch: features, products of matrices, no fusion."""

import numpy as np
import torch

from contenders import base
from contenders.torch_sdpa import TorchContender

#: A polynomial that is not certified, so no better promise than the user's.
TOLERANCE = 1.5e-2


class Contender(TorchContender):
    label = "PyTorch low rank"

    def variants(self, case, q, k, v):
        q, k, v = (x[0].float() for x in self.tensors(case, q, k, v))
        # Rows of features are products of rows, which is the fastest way to make them.
        q, k = (case.scale * q).mT.contiguous(), k.mT.contiguous()
        v = torch.cat([v, torch.ones_like(v[..., :1])], -1)  # the last column sums the weights
        coefficients = polynomial(case)
        dtype = {"f32": torch.float32, "bf16": torch.bfloat16}[case.dtype]
        tolerance = TOLERANCE + base.tolerance(case)

        def build(block):
            return base.Runner(lambda: attention(q, k, v, coefficients, block, case.causal).to(dtype),
                               lambda result: result.float().numpy(), tolerance=tolerance)

        return {f"blocks of {block}": lambda block=block: build(block) for block in (256, 1024)}


def polynomial(case):
    """Of the kind's degree, close to exp in relative error on [-bound, bound]: least squares at Chebyshev points."""
    x = case.bound * np.cos(np.pi * (np.arange(64) + 0.5) / 64)
    powers = x[:, None] ** np.arange(case.degree + 1)
    return np.linalg.lstsq(powers * np.exp(-x)[:, None], np.ones_like(x), rcond=None)[0].tolist()


def features(x, degree):
    """All products of at most `degree` entries of each column of x [heads, d, n], degree 1 or 2."""
    squares = [x[:, a:a + 1] * x[:, a:] for a in range(x.shape[1])] if degree == 2 else []
    return torch.cat([torch.ones_like(x[:, :1]), x, *squares], 1)


def feature_weights(d, coefficients):
    """So that their sum with the products of features is the polynomial of q . k."""
    squares = []
    if len(coefficients) == 3:  # a product of different entries occurs twice
        squares = [coefficients[2] * torch.tensor([1.0] + [2.0] * (d - a - 1)) for a in range(d)]
    return torch.cat([torch.tensor(coefficients[:1]), torch.full([d], coefficients[1]), *squares])[:, None]


def attention(q, k, v, coefficients, block, causal):
    """In blocks of tokens whose features fit in cache; with a causal mask the state is a running sum over blocks."""
    degree, weights = len(coefficients) - 1, feature_weights(q.shape[1], coefficients)
    blocks = list(zip(q.split(block, 2), k.split(block, 2), v.split(block, 1)))
    outputs = []
    state = 0 if causal else weights * sum(features(keys, degree) @ values for _, keys, values in blocks)
    for queries, keys, values in blocks:
        total = direct(queries, keys, values, coefficients) if causal else 0
        if not causal or outputs:
            total = total + features(queries, degree).mT @ state
        if causal:
            state = state + weights * (features(keys, degree) @ values)
        outputs.append(total[..., :-1] / total[..., -1:])
    return torch.cat(outputs, 1)


def direct(q, k, v, coefficients):
    """A block on the diagonal, without features."""
    scores = q.mT @ k
    kernel = coefficients[-1]
    for c in reversed(coefficients[:-1]):
        kernel = kernel * scores + c
    return kernel.tril() @ v
