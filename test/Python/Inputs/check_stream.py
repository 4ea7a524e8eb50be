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


def in_place():
    """A stream goes on in its own memory, and never in memory that somebody else may look at."""
    q, k, v = arrays(40)
    expected = oracle.attention(q, k, v, 8**-0.5, KERNEL, "causal")
    new = lambda a, b: [np.ascontiguousarray(x[:, a:b]) for x in (q, k, v)]  # noqa: E731

    def address(stream):
        return stream.states[0].ctypes.data
    stream = make()
    first = address(stream)
    close(stream(*new(0, 20)), expected[:, :20])
    stream.absorb(*new(20, 21)[1:])
    close(stream(*new(21, 22)), expected[:, 21:22])
    assert address(stream) == first
    for hold in (lambda s: s.states, lambda s: s.states[0], lambda s: s.states[0][1, 2:], lambda s: memoryview(s.states[0]),
                 copy.copy):
        held = hold(stream)
        seen = held.states if isinstance(held, polyattn.Stream) else held
        before = np.array(seen[0] if isinstance(seen, tuple) else seen)
        fork, at = copy.deepcopy(stream), address(stream)
        close(stream(*new(22, 30)), expected[:, 22:30])
        stream.absorb(*new(0, 5)[1:])
        assert np.array_equal(before, np.array(seen[0] if isinstance(seen, tuple) else seen)) and address(stream) != at
        stream = fork
    # Memory that was given may be part of something else.
    whole_array = np.zeros((3, 2, 7, 45), np.float32)
    for part in (whole_array[1], np.zeros((2, 7, 45), np.float32)):
        stream.states = [part]
        stream(*new(0, 9))
        assert not part.any() and not whole_array.any()
    del part
    at = address(stream)
    stream(*new(0, 1))
    assert address(stream) == at
    # Several sets, f64; a copy and the original take turns.
    one = polyattn.Stream(4, 8, KERNEL, key_heads=2, value_dim=6, order=2, state_dtype="f64")
    outputs = []
    for a, b in ((0, 7), (7, 8), (8, 40)):
        x = new(a, b)
        outputs.append(one(x[0], [x[1], x[1]], [x[2], x[2]]))
        other = copy.copy(one)
        other(x[0], [x[1], x[1]], [x[2], x[2]])
    close(np.concatenate(outputs, axis=1), oracle.tensor_attention(q, [k, k], [v, v], 8**-0.5, KERNEL, [("causal", {})] * 2))


def few_heads():
    """One key head on several threads: the same bits as on one."""
    q, k, v = arrays(700, heads=2, key_heads=1, d=24, e=64)
    results = []
    for threads in (1, 2):
        stream = polyattn.Stream(2, 24, KERNEL, key_heads=1, value_dim=64, threads=threads)
        results.append(np.concatenate([stream(q[:, a:b], k[:, a:b], v[:, a:b]) for a, b in ((0, 600), (600, 601), (601, 700))], axis=1))
        results.append(stream.states[0])
    assert np.array_equal(results[0], results[2]) and np.array_equal(results[1], results[3])
    close(results[0], oracle.attention(q, k, v, 24**-0.5, KERNEL, "causal"))


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
    assert stream.states[0] is before[0]


for check in (whole, kept, kinds, in_place, few_heads, errors):
    check()
    print(f"{check.__name__}: ok")
