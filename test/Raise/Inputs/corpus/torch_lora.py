# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""Linear layers with low-rank adapters, as peft and others spell them in PyTorch, and what only looks like it."""

import functools

import torch
import torch.nn.functional as F

from spec import T, accept, reject

lora = functools.partial(accept, op="attn.lora_linear", scale=2.0, mask="")


def layer(*rows, m=8, k=6, r=2, dtype="f32", dynamic=()):
    """x, and W, A and B as PyTorch keeps them."""
    return [T(*rows, m, dtype=dtype, dynamic=dynamic), T(k, m, kind="small", dtype=dtype), T(r, m, kind="small", dtype=dtype),
            T(k, r, kind="small", dtype=dtype)]


# ===-- two products ------------------------------------------------------------===#


@lora("peft: a layer plus its adapter times alpha / r.", layer(1, 5), types="transposed")
def lora_peft(x, w, a, b):
    return F.linear(x, w) + F.linear(F.linear(x, a), b) * 2.0


@lora("The same with a bias.", layer(2, 5) + [T(6)], types="transposed")
def lora_peft_bias(x, w, a, b, bias):
    return F.linear(x, w, bias) + F.linear(F.linear(x, a), b) * 2.0


@lora("Matrices the other way round.", [T(5, 8), T(8, 6, kind="small"), T(8, 2, kind="small"), T(2, 6, kind="small")])
def lora_plain_layout(x, w, a, b):
    return x @ w + 2.0 * ((x @ a) @ b)


@lora("The scale between the two thin products.", layer(5), types="transposed")
def lora_scale_between(x, w, a, b):
    return (2.0 * (x @ a.T)) @ b.T + x @ w.T


@lora("alpha divided by r, and no scale of its own.", layer(3, 4), scale=0.5)
def lora_divided(x, w, a, b):
    return F.linear(x, w) + F.linear(F.linear(x, a), b) / 2


@lora("Subtracted: a negative scale.", layer(5), scale=-2.0)
def lora_subtracted(x, w, a, b):
    return F.linear(x, w) - 2.0 * F.linear(F.linear(x, a), b)


@lora("The weight in PyTorch's layout, the adapter in the other.", [T(5, 8), T(6, 8, kind="small"), T(8, 2, kind="small"), T(2, 6, kind="small")])
def lora_mixed_layouts(x, w, a, b):
    return x @ w.T + 2.0 * (x @ a @ b)


@lora("Beside a residual, which stays outside.", layer(4, k=8))
def lora_residual(x, w, a, b):
    return x + (F.linear(x, w) + 2.0 * F.linear(F.linear(x, a), b))


@lora("Rows of unknown number.", layer(5, dynamic=(0,)), types="tensor<?x8xf32>")
def lora_dynamic(x, w, a, b):
    return F.linear(x, w) + 2.0 * F.linear(F.linear(x, a), b)


@lora("In double precision.", layer(5, dtype="f64"), types="xf64>")
def lora_double(x, w, a, b):
    return F.linear(x, w) + 2.0 * F.linear(F.linear(x, a), b)


@lora("Queries and values of one input, both with adapters.", layer(5) + layer(5)[1:], count=2)
def lora_two_layers(x, wq, aq, bq, wv, av, bv):
    return (F.linear(x, wq) + 2.0 * F.linear(F.linear(x, aq), bq)) * (F.linear(x, wv) + 2.0 * F.linear(F.linear(x, av), bv))


# ===-- one product, a merged weight ---------------------------------------------===#


@accept("Merged: the adapter is added to the weight.", layer(5), op="attn.lora_merge", scale=2.0, mask="", types="transposed")
def lora_merged(x, w, a, b):
    return x @ (w + 2.0 * (b @ a)).T


@accept("Merged in the other layout.", [T(5, 8), T(8, 6, kind="small"), T(8, 2, kind="small"), T(2, 6, kind="small")],
        op="attn.lora_merge", scale=0.5, mask="")
def lora_merged_plain(x, w, a, b):
    return x @ (w + (a @ b) * 0.5)


# ===-- not adapters -------------------------------------------------------------===#


@reject("The adapter sees another input, as behind dropout.", layer(5) + [T(5, 8)])
def lora_other_input(x, w, a, b, y):
    return F.linear(x, w) + 2.0 * F.linear(F.linear(y, a), b)


@reject("A rank no lower than the layer's.", layer(5, r=8))
def lora_full_rank(x, w, a, b):
    return F.linear(x, w) + 2.0 * F.linear(F.linear(x, a), b)


@reject("A nonlinearity between the thin products.", layer(5))
def lora_nonlinear(x, w, a, b):
    return F.linear(x, w) + 2.0 * F.linear(torch.relu(F.linear(x, a)), b)


@reject("The product with the weight is returned, too.", layer(5))
def lora_shared(x, w, a, b):
    y = F.linear(x, w)
    return y + 2.0 * F.linear(F.linear(x, a), b), y


@reject("A scale that is only known at run time.", layer(5) + [T(1)])
def lora_scale_argument(x, w, a, b, scale):
    return F.linear(x, w) + scale * F.linear(F.linear(x, a), b)


@reject("A gate for each row.", layer(5) + [T(5, 1)])
def lora_gated(x, w, a, b, gate):
    return F.linear(x, w) + gate * F.linear(F.linear(x, a), b)


@reject("Two layers in a row beside a residual.", [T(5, 8), T(2, 8, kind="small"), T(8, 2, kind="small")])
def lora_bottleneck(x, a, b):
    return x + 2.0 * F.linear(F.linear(x, a), b)
