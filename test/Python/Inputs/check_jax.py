# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""Compares functions from JAX with JAX."""

import functools

import jax
import jax.numpy as jnp
import numpy as np

import polyattn
from expect import raises

random = np.random.default_rng(0)


def array(*shape):
    return random.standard_normal(shape).astype("f4")


def compare(name, function, arguments, tolerance=2e-6, constants=(), values=None):
    """Compiles for `arguments` and calls with `values`, if those are others."""
    compiled = polyattn.compile(polyattn.from_jax(function, arguments, constants=constants))
    values = arguments if values is None else values
    passed = [value for index, value in enumerate(values) if index not in constants]
    results = compiled(*jax.tree_util.tree_leaves(passed))
    results = list(results) if isinstance(results, tuple) else [results]
    expected = jax.tree_util.tree_leaves(function(*values))
    assert len(results) == len(expected)
    for result, reference in zip(results, map(np.asarray, expected)):
        assert result.shape == reference.shape and result.dtype == reference.dtype, (result.dtype, reference.dtype)
        if reference.dtype.kind in "biu":
            assert np.array_equal(result, reference), name
            continue
        error = np.abs(result.astype("f8") - reference.astype("f8")).max() / max(1, np.abs(reference).max())
        assert error <= tolerance, (name, error)
    print(f"{name}: {len(results)} results")
    return compiled


def block(parameters, x, mask=None, causal=False):
    mean, variance = x.mean(-1, keepdims=True), x.var(-1, keepdims=True)
    h = (x - mean) * jax.lax.rsqrt(variance + 1e-5) * parameters["gain"]
    q, k, v = (jnp.einsum("bld,dhe->blhe", h, parameters[name]) for name in ("q", "k", "v"))
    o = jax.nn.dot_product_attention(q, k, v, mask=mask, is_causal=causal)
    return {"out": x + o.reshape(x.shape) @ parameters["o"], "largest": jnp.abs(o).max()}


parameters = {"gain": array(32), "o": array(32, 32) / 6, **{name: array(32, 4, 8) / 6 for name in "qkv"}}
x = array(2, 24, 32)
compare("causal block", functools.partial(block, causal=True), (parameters, x))
compare("mask", block, (parameters, x, np.tril(np.ones((24, 24), bool), 3)))
grouped = {**parameters, "k": array(32, 2, 8) / 6, "v": array(32, 2, 8) / 6}
compare("grouped queries", block, (grouped, x))
frozen = compare("constant parameters", block, (parameters, x), constants=[0])
assert [str(argument) for argument in frozen.arguments] == ["tensor<2x24x32xf32>"]
small = jax.tree_util.tree_map(lambda p: jnp.asarray(p, jnp.bfloat16), parameters)
compare("bf16", block, (small, jnp.asarray(x, jnp.bfloat16)), 3e-2)
compare("captured", lambda y: block(parameters, y)["out"] + jnp.asarray(parameters["o"])[0], (x,))
shapes = jax.tree_util.tree_map(lambda p: jax.ShapeDtypeStruct(p.shape, p.dtype), (parameters, x))
compare("shapes only", block, shapes, values=(parameters, x))
compare("functions", lambda a: (jax.lax.erf(a), jax.lax.square(a), jnp.tan(a), jnp.sinh(a), jnp.arcsin(a / 9),
                                jax.lax.erfc(a), jax.nn.gelu(a, approximate=False), jax.nn.gelu(a), jax.nn.silu(a)), (x,), 5e-6)
compare("jitted, unused, whole numbers", jax.jit(lambda a, unused, i, flag: (a[i], i + 1, flag & (i > 1), 2 * a)),
        (array(10, 3), array(2), np.array([1, 4, 9], "i4"), np.array([True, True, False])))

# Constants are copies, and a large one is never text.
weight = array(1024, 1024)
module = polyattn.from_jax(lambda w, y: y @ w, (weight, array(4, 1024)), constants=(0,))
y, before = array(4, 1024), weight.copy()
weight[:] = 0
assert np.abs(polyattn.compile(module)(y) - y @ before).max() < 1e-3 and len(module.summary()) < 5000
captured = jnp.asarray(before)
assert len(polyattn.from_jax(lambda y: y @ captured, (y,)).summary()) < 5000

for message, function, arguments in (
        ("lapack", jnp.linalg.inv, (np.eye(3, dtype="f4"),)),
        ("no lowering to linalg: stablehlo.sort", jnp.sort, (x,))):
    error = raises(polyattn.CompileError, message, polyattn.from_jax, function, arguments)
    assert error.diagnostics == []
raises(ValueError, "constants: there is no argument 2", polyattn.from_jax, block, (parameters, x), constants=[2])
raises(TypeError, "argument 1 shall be a constant, and needs values", polyattn.from_jax, block, shapes, constants=[1])
raises(TypeError, "arguments must be a tuple or a list, got dict", polyattn.from_jax, block, parameters)
print("ok")
