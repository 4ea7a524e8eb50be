# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""Compares modules from PyTorch with PyTorch."""

import sys

import numpy as np
import torch

import polyattn
from expect import raises
from torch_models import Block, Tokens, make

TOLERANCE = {torch.float32: 2e-6, torch.bfloat16: 2e-2, torch.float16: 2e-3}


def flat(value):
    return torch.utils._pytree.tree_leaves(value)


def compare(name, module, inputs, kwargs=None, tensors=None, exported=None, **options):
    """Exports, compiles and calls; every output must be PyTorch's, of its type and within its tolerance."""
    kwargs = kwargs or {}
    function = polyattn.compile(polyattn.from_torch(exported or module, inputs, kwargs, **options))
    tensors = flat((inputs, kwargs)) if tensors is None else tensors
    tensors = [t for t in tensors if isinstance(t, torch.Tensor)]
    before = [t.clone() for t in tensors]
    results = function(*tensors)
    results = list(results) if isinstance(results, tuple) else [results]
    with torch.no_grad():
        expected = flat(module(*inputs, **kwargs))
    worst = 0.0
    assert len(results) == len(expected)
    for result, tensor in zip(results, expected):
        assert result.shape == tuple(tensor.shape) and result.dtype.name == str(tensor.dtype)[6:], (result.dtype, tensor)
        if not tensor.dtype.is_floating_point:
            assert np.array_equal(result, tensor.numpy()), name
            continue
        reference, result = tensor.double().numpy(), result.astype("f8")
        error = np.max(np.abs(result - reference)) / max(1, np.max(np.abs(reference)))
        assert error <= TOLERANCE[tensor.dtype], (name, error)
        worst = max(worst, error)
    assert all(torch.equal(t, b) for t, b in zip(tensors, before)), "an input was written to"
    print(f"{name}: worst error {worst:.2e}")
    return function


x = torch.randn(2, 24, 32)
compare("causal block", make(Block), (x,))
compare("grouped queries", make(Block, kv_heads=2), (x,))
mask = torch.ones(24, 24, dtype=torch.bool).tril(3).triu(-7)
compare("boolean mask", make(Block), (x, mask))
compare("additive mask", make(Block), (x, torch.randn(24, 24)))
for dtype in torch.bfloat16, torch.float16:
    compare(str(dtype), make(Block, dtype=dtype), (x.to(dtype),))
compare("not contiguous", make(Block), (torch.randn(24, 2, 32).transpose(0, 1),))
compare("needs gradients", make(Block), (x.clone().requires_grad_(),))
compare("gelu", lambda a: (torch.nn.functional.gelu(a, approximate="tanh"), torch.nn.functional.gelu(a)), (3 * x,))
compare("function", lambda a, b: (a @ b).softmax(-1), (x[0], x[0].T.contiguous()))

ids, keep = torch.randint(0, 50, (2, 9)), torch.rand(2, 9) > 0.3
tokens = make(Tokens)
compare("numbers and names", tokens, (ids, keep), {"scale": 3.0, "shift": torch.randn(16)})
function = compare("nothing for None", tokens, (ids, keep), {"shift": None})
bad = ids.clone()
bad[1, 2] = 50
error = raises(polyattn.CheckError, "index must be smaller than dim size", function, bad, keep)
assert "torch_models.py:" in str(error), error

length = torch.export.Dim("length", min=2, max=64)
function = compare("any length", make(Block), (x,), dynamic_shapes=({1: length}, ))
block = make(Block)
with torch.no_grad():
    longer = torch.randn(2, 40, 32)
    assert np.abs(function(longer) - block(longer).numpy()).max() < 2e-6
    program = torch.export.export(block, (x,))
compare("exported program", block, (x,), exported=program)

# Constants are a copy.
block = make(Block)
module = polyattn.from_torch(block, (x,))
with torch.no_grad():
    expected = block(x).numpy()
    block.out.weight.zero_()
assert np.abs(polyattn.compile(module)(x) - expected).max() < 2e-6
assert [str(argument) for argument in polyattn.compile(module).arguments] == ["tensor<2x24x32xf32>"]
# Places in the program survive.
error = raises(polyattn.CompileError, "torch_models.py", polyattn.compile, module, pipeline="convert-to-llvm,symbol-dce")


class Writes(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("calls", torch.zeros(1))

    def forward(self, x):
        self.calls.add_(1)
        return x + self.calls


def branch(x):
    return x + 1 if x.sum() > 0 else x


for message, module, inputs in (
        ("writes to calls (buffer mutation)", Writes(), (x,)),
        ("torch.export cannot export the module", branch, (x,)),
        ("aten.rand.default", lambda x: torch.bernoulli(x.sigmoid()), (x,)),
        ("is the module in training mode?", torch.nn.Dropout(0.5).train(), (x,)),
        ("tm_tensor.scan", lambda x: x.cumsum(1), (x,)),
        ("torch.complex64", lambda x: torch.fft.fft(x).real, (x,)),
        ("torch.uint8", lambda x: x.to(torch.uint8), (x,)),
        ("_linalg_check_errors", torch.linalg.inv, (torch.eye(3),)),
        ("aten.linalg_qr", lambda x: torch.linalg.qr(x)[0], (torch.eye(3),))):
    error = raises(polyattn.CompileError, message, polyattn.from_torch, module, inputs)
    assert error.diagnostics == []
raises(TypeError, "expected a torch.nn.Module or a function, got int", polyattn.from_torch, 3, (x,))
raises(TypeError, "example_inputs must be a tuple or a list, got Tensor", polyattn.from_torch, block, x)
assert "polyattn" in torch._dynamo.list_backends()  # from_torch registers it.
print("ok")
