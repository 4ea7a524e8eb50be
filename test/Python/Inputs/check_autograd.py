# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""polyattn.autograd.attention beside PyTorch's attention, in double; what it refuses."""

import sys

import torch
import torch.nn.functional as F

import polyattn
from expect import raises
from polyattn.autograd import attention, lora_linear

torch.manual_seed(0)
failed = 0


def check(name, condition):
    global failed
    if not condition:
        failed += 1
        print(f"FAILED: {name}", file=sys.stderr)


def inputs(*shapes, dtype=torch.float32):
    return [torch.randn(shape).to(dtype).requires_grad_() for shape in shapes]


def expected(arrays, gradient, is_causal, scale):
    wide = [x.detach().double().requires_grad_() for x in arrays]
    if is_causal:  # whatever the lengths, as PyTorch has it
        n, m = wide[0].shape[-2], wide[1].shape[-2]
        mask = torch.ones(n, m, dtype=torch.bool).tril()
    out = F.scaled_dot_product_attention(*wide, attn_mask=mask if is_causal else None, scale=scale, enable_gqa=True)
    out.backward(gradient.double())
    return out, [x.grad for x in wide]


def compare(name, arrays, is_causal=False, scale=None, tolerance=1e-5):
    out = attention(*arrays, is_causal=is_causal, scale=scale)
    gradient = torch.randn(out.shape).to(out.dtype)
    out.backward(gradient)
    want, grads = expected(arrays, gradient, is_causal, scale)
    for what, got, exact in zip(("output", "query", "key", "value"), (out, *(x.grad for x in arrays)), (want, *grads)):
        check(f"{name}: {what} has the type of the inputs", got.dtype == arrays[0].dtype and got.shape == exact.shape)
        error = float((got.double() - exact).detach().abs().max() / exact.abs().max())
        check(f"{name}: {what} is off by {error:.2g}", error <= tolerance)


for is_causal in (False, True):
    compare(f"plain, causal {is_causal}", inputs((2, 4, 70, 16), (2, 4, 90, 16), (2, 4, 90, 24)), is_causal)
    compare(f"shared keys, causal {is_causal}", inputs((2, 6, 33, 16), (2, 2, 33, 16), (2, 2, 33, 16)), is_causal, scale=0.1)
compare("no batch", inputs((3, 9, 8), (3, 9, 8), (3, 9, 8)))
compare("bf16", inputs((2, 64, 32), (2, 64, 32), (2, 64, 32), dtype=torch.bfloat16), tolerance=2e-2)
compare("f16", inputs((2, 64, 32), (2, 64, 32), (2, 64, 32), dtype=torch.float16), tolerance=4e-3)

# Padding: keys of weight 0 do not count, whatever the row.
q, k, v = inputs((2, 4, 30, 16), (2, 2, 30, 16), (2, 2, 30, 16))
keep = (torch.arange(30) < torch.tensor([[30], [17]])).float()
out = attention(q, k, v, key_weights=keep[:, None])
gradient = torch.randn(out.shape)
out.backward(gradient)
wide = [x.detach().double().requires_grad_() for x in (q, k, v)]
want = F.scaled_dot_product_attention(*wide, attn_mask=keep[:, None, None].bool(), enable_gqa=True)
want.backward(gradient.double())
for name, mine, exact in zip(("output", "query", "key", "value"), (out, q.grad, k.grad, v.grad), (want, *(x.grad for x in wide))):
    check(f"padding: {name}", torch.allclose(mine.double(), exact, atol=1e-5))


def compare_lora(name, shape, outs, rank, count=None, bias=False, frozen=(), dtype=torch.float32, tolerance=1e-5):
    """Beside the same in double, of which each row's adapter is gathered."""
    lead = () if count is None else (count,)
    x, a, b, c = (torch.randn(s).to(dtype).requires_grad_(n not in frozen) for n, s in (
        ("x", shape), ("a", (*lead, rank, shape[-1])), ("b", (*lead, outs, rank)), ("c", (outs,))))
    weight = torch.randn(outs, shape[-1]).to(dtype)
    adapters = None if count is None else torch.randint(-1, count, shape[:-1])
    y = lora_linear(x, weight, a, b, c if bias else None, scale=0.7, adapters=adapters)
    gradient = torch.randn(y.shape).to(dtype)
    y.backward(gradient)
    wide = {n: t.detach().double().requires_grad_() for n, t in (("x", x), ("a", a), ("b", b), ("c", c))}
    inner = wide["x"] @ wide["a"].T if count is None else torch.einsum("...i,...ri->...r", wide["x"], wide["a"][adapters.clamp(min=0)])
    outer = inner @ wide["b"].T if count is None else torch.einsum("...r,...or->...o", inner, wide["b"][adapters.clamp(min=0)])
    if count is not None:
        outer = outer * (adapters >= 0)[..., None]
    want = wide["x"] @ weight.double().T + 0.7 * outer + (wide["c"] if bias else 0)
    want.backward(gradient.double())
    for what, mine, exact in [("y", y, want), *((n, t.grad, wide[n].grad) for n, t in (("x", x), ("a", a), ("b", b), ("c", c)))]:
        if what in frozen or (what == "c" and not bias):
            check(f"{name}: {what} has no gradient", mine is None)
            continue
        error = float((mine.double() - exact).detach().abs().max() / exact.detach().abs().max())
        check(f"{name}: {what} is off by {error:.2g}", error <= tolerance and mine.dtype == dtype)


compare_lora("one adapter", (3, 50, 64), 48, 8, bias=True)
compare_lora("adapters of rows", (3, 50, 64), 48, 4, count=5)
compare_lora("frozen x", (70, 33), 17, 3, frozen=("x",), bias=True)
compare_lora("frozen a", (70, 33), 17, 3, frozen=("a",))
compare_lora("one row", (33,), 17, 2)
compare_lora("bf16", (64, 32), 32, 4, bias=True, dtype=torch.bfloat16, tolerance=2e-2)

# Views are taken as they come, and so are gradients that are expanded.
q, k, v = inputs((2, 40, 4, 16), (2, 40, 4, 16), (2, 40, 4, 16))
views = [x.transpose(1, 2) for x in (q, k, v)]
attention(*views, is_causal=True).sum().backward()
got = [x.grad.clone() for x in (q, k, v)]
for x in (q, k, v):
    x.grad = None
F.scaled_dot_product_attention(*views, is_causal=True).sum().backward()
for name, mine, x in zip("qkv", got, (q, k, v)):
    check(f"views: {name}", torch.allclose(mine, x.grad, atol=1e-4))

# Frozen inputs get no gradient.
q, k, v = inputs((2, 9, 8), (2, 9, 8), (2, 9, 8))
attention(q, k.detach(), v).sum().backward()
check("frozen keys", q.grad is not None and v.grad is not None and k.grad is None)
check("nothing wants a gradient", not attention(q.detach(), k.detach(), v.detach()).requires_grad)

q, k, v = inputs((2, 9, 8), (2, 9, 8), (2, 9, 8))
grad, = torch.autograd.grad(attention(q, k, v).pow(2).sum(), q, create_graph=True)
raises(RuntimeError, "once_differentiable", lambda: grad.sum().backward())
raises(TypeError, "query must be a torch.Tensor on the CPU", lambda: attention(None, k, v))
raises(TypeError, "key has torch.float64", lambda: attention(q, k.double(), v))
raises(ValueError, "value has shape (2, 9)", lambda: attention(q, k, v[..., 0]))
raises(ValueError, "head dimension of query is 8 but of key is 4", lambda: attention(q, k[..., :4], v))
raises(ValueError, "dimension 1 of argument 1 (9) must equal dimension 1 of argument 2 (5)", lambda: attention(q, k, v[:, :5]))
raises(ValueError, "scale must be finite", lambda: attention(q, k, v, scale=float("nan")))
raises(ValueError, "2 query heads, which is not a multiple of its 3 key heads", lambda: attention(q, *inputs((3, 9, 8), (3, 9, 8))))
raises(TypeError, "key_weights must be a torch.Tensor of float32", lambda: attention(q, k, v, key_weights=torch.ones(2, 9).double()))
raises(ValueError, "found (9,) beside (2, 9, 8)", lambda: attention(q, k, v, key_weights=torch.ones(9)))
x, w, a, b = torch.randn(5, 8), torch.randn(6, 8), torch.randn(2, 8), torch.randn(6, 2)
raises(TypeError, "weight is frozen", lambda: lora_linear(x, w.clone().requires_grad_(), a, b))
raises(TypeError, "a has torch.float64", lambda: lora_linear(x, w, a.double(), b))
raises(TypeError, "adapters must be a torch.Tensor of int32 or int64", lambda: lora_linear(x, w, a[None], b[None], adapters=torch.ones(5)))
raises(ValueError, "these shapes do not fit", lambda: lora_linear(x, w, a, b[:5]))
raises(ValueError, "an entry of adapters is not below their number", lambda: lora_linear(x, w, a[None], b[None], adapters=torch.full((5,), 7)))
sys.exit(failed > 0)
