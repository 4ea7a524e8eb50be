# Part of polyattn, Apache-2.0 WITH LLVM-exception. See LICENSE.
"""polyattn.Stream against attention over the whole stream; saving, merging, copying; errors."""

import copy
import io

import numpy as np
import oracle
import polyattn
from expect import raises

RNG = np.random.default_rng(3)
KERNEL = (1.0, 0.4, 0.3)


def arrays(n, heads=4, key_heads=2, d=8, e=6):
    return (RNG.standard_normal((heads, n, d), np.float32), RNG.standard_normal((key_heads, n, d), np.float32),
            RNG.standard_normal((key_heads, n, e), np.float32))


def make(**options):
    return polyattn.Stream(4, 8, KERNEL, key_heads=2, value_dim=6, **options)


def close(got, expected):
    assert np.abs(got - expected).max() < 2e-5, np.abs(got - expected).max()


def whole():
    """Prompt, tokens, a longer step; then queries alone, and a prefix without queries."""
    q, k, v = arrays(40)
    expected = oracle.attention(q, k, v, 8**-0.5, KERNEL, "causal")
    stream = make()
    cuts = [0, 17, 18, 19, 40]
    parts = [stream(q[:, a:b], k[:, a:b], v[:, a:b]) for a, b in zip(cuts, cuts[1:])]
    close(np.concatenate(parts, axis=1), expected)
    close(stream.read(q), oracle.attention(q, k, v, 8**-0.5, KERNEL))
    stream.reset()
    assert not any(s.any() for s in stream.states)
    stream.absorb(k[:, :30], v[:, :30])
    close(stream(q[:, 30:], k[:, 30:], v[:, 30:]), expected[:, 30:])
    assert stream.states[0].shape == (2, 7, 45) and stream.states[0].dtype == np.float32


def kept():
    """States are saved, set, merged; a copy goes its own way."""
    q, k, v = arrays(30)
    stream = make()
    stream.absorb(k[:, :20], v[:, :20])
    file = io.BytesIO()
    np.savez(file, *stream.states)
    file.seek(0)
    saved = np.load(file)
    other = make()
    other.states = [saved[name] for name in saved.files]
    fork = copy.copy(stream)
    outputs = [s(q[:, 20:], k[:, 20:], v[:, 20:]) for s in (stream, other, fork)]
    assert np.array_equal(outputs[0], outputs[1]) and np.array_equal(outputs[0], outputs[2])
    assert np.array_equal(copy.deepcopy(fork).read(q), fork.read(q))
    fork.absorb(k, v)
    assert np.array_equal(stream.states[0], other.states[0]) and not np.array_equal(stream.states[0], fork.states[0])
    left, right = make(), make()
    left.absorb(k[:, :9], v[:, :9])
    right.absorb(k[:, 9:], v[:, 9:])
    left.merge(right)
    close(left.read(q), oracle.attention(q, k, v, 8**-0.5, KERNEL))


def kinds():
    """Several sets, batches, weights, types, without the normaliser."""
    q, k, v = (np.stack([x, 0.5 * x]) for x in arrays(12))
    w = np.float32(RNG.random((2, 2, 12)) > 0.3)
    stream = polyattn.Stream(4, 8, KERNEL, key_heads=2, value_dim=6, batch=(2,), order=2, weighted=True, state_dtype="f64", scale=-0.2)
    got = stream(q, [k, k[..., ::-1, :]], [v, v], [w, w])
    close(got, oracle.tensor_attention(q, [k, k[..., ::-1, :]], [v, v], -0.2, KERNEL, [("causal", {})] * 2, [w, w]))
    assert len(stream.states) == 2 and stream.states[0].dtype == np.float64
    q, k, v = arrays(12, heads=2)
    plain = polyattn.Stream(2, 8, KERNEL, value_dim=6, normalised=False)
    scores = 8**-0.5 * q @ np.swapaxes(k, 1, 2)
    close(plain(q, k, v), np.tril(np.polynomial.polynomial.polyval(scores, KERNEL)) @ v)
    half = polyattn.Stream(2, 8, KERNEL, value_dim=6, dtype="f16")
    got = half(*(np.float16(x) for x in (q, k, v)))
    assert got.dtype == np.float16
    assert np.abs(got - oracle.attention(q, k, v, 8**-0.5, KERNEL, "causal")).max() < 2e-2


def errors():
    q, k, v = arrays(3)
    stream, weighted = make(), make(weighted=True)
    raises(ValueError, "kernel needs at least two coefficients", lambda: polyattn.Stream(1, 8, [1.0]))
    raises(ValueError, "order must be 1, 2, 3 or 4, got 5", lambda: polyattn.Stream(1, 8, KERNEL, order=5))
    raises(ValueError, "state_dtype must be 'f32' or 'f64', the latter for dtype 'f64'; got 'f16'", lambda: make(state_dtype="f16"))
    raises(ValueError, "the latter for dtype 'f64'; got 'f32'", lambda: make(dtype="f64"))
    raises(ValueError, "dtype must be 'f16', 'bf16', 'f32' or 'f64', got 'f8'", lambda: make(dtype="f8"))
    for name in ("heads", "key_heads", "head_dim", "value_dim"):
        sizes = {"heads": 2, "head_dim": 4, name: 0}
        raises(ValueError, f"{name} must be at least 1, got 0", lambda: polyattn.Stream(kernel=KERNEL, **sizes))
    for bad in (float("nan"), float("inf")):
        raises(ValueError, "kernel and scale must be finite", lambda: polyattn.Stream(1, 8, (1.0, bad)))
        raises(ValueError, "kernel and scale must be finite", lambda: make(scale=bad))
    raises(ValueError, "heads must be a multiple of key_heads, got 4 and 3", lambda: polyattn.Stream(4, 8, KERNEL, key_heads=3))
    raises(ValueError, "expected 1 arrays of keys, got 2", lambda: stream(q, [k, k], v))
    raises(ValueError, "this stream takes key_weights in every call", lambda: weighted(q, k, v))
    raises(ValueError, "key_weights need a stream with weighted=True", lambda: stream(q, k, v, np.ones((2, 3), np.float32)))
    raises(ValueError, "expected states of shape (2, 7, 45) and type float32, got (1,)", lambda: setattr(stream, "states", [np.zeros(1)]))
    raises(ValueError, "expected 1 states, one for each set of keys, got 0", lambda: setattr(stream, "states", []))
    raises(ValueError, "since attn.state_step uses both", lambda: stream(q[:, :2], k, v))
    before = stream.states
    raises(ValueError, "", lambda: stream(q[:, :, :4], k, v))
    assert stream.states is before


for check in (whole, kept, kinds, errors):
    check()
    print(f"{check.__name__}: ok")
